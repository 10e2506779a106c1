"""The page docs/other-languages.md, with what each component takes and gives as the schema says it.

python -m amplify_delivery.stacks.packaged.documentation > docs/other-languages.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.stacks.packaged import host

_HEAD = """\
# From other languages

<!-- Made by `python -m amplify_delivery.stacks.packaged.documentation > docs/other-languages.md`: change it there. -->

The components as a Pulumi package, for programs that are not written in Python: `AmplifyBackend` delivers an export as
an environment of a project does, with the same checks and the same guard over data; `StagingArea` is the bucket that
assemblies are published to; `TargetAccount` lets a pipeline into an account, as `amplify-delivery bootstrap` does;
`DeliveryPipeline` is the pipeline.

**What runs where.** The package is a process of Python, which Pulumi's engine starts beside the program. Its machine
needs what docs/getting-started.md says, and this engine in a virtualenv; no other language's SDK of it is published.

## A program in YAML

In the folder of the program, with the folder that `amplify export` has written beside it:

```
python3 -m venv .venv
.venv/bin/pip install --no-compile amplify_delivery-*.whl
```

The wheel is what `make wheels` leaves in `dist/` of a checkout, copied into this folder; never install it by name: no
index has it (docs/getting-started.md, "From wheels"). `plugins` of Pulumi.yaml tells the engine where the package's
executable is, the rest declares:

```yaml
name: myapp
runtime: yaml
plugins:
  providers:
    - name: amplify-delivery
      path: .venv/bin
resources:
  backend:
    type: amplify-delivery:AmplifyBackend
    properties:
      account: "123456789012"
      region: eu-west-1
      environment: dev
outputs:
  graphqlEndpoint: ${backend.graphqlEndpoint}
  outputs: ${backend.nestedOutputs}
```

`pulumi preview` says what would be refused, `pulumi up` publishes and deploys. Credentials are those that `profile` and
`roleArn` name, else what the AWS SDK finds; a provider of the program's is not used, because publishing and deploying
must not be two identities. The account is compared before anything is made.

What holds data is protected: `pulumi destroy` refuses until the program says `protect: false`, and `pulumi up` has run
with it.

Secrets are inputs of their own, by nested stack and parameter, and stay secret in the state:

```yaml
      secrets:
        authmyapp:
          hostedUIProviderCreds: ${providerCreds}
```

## A program in TypeScript, Go, C# or Java

The same `.venv`, and the same `plugins` in Pulumi.yaml. In TypeScript:

```yaml
name: myapp
runtime: nodejs
plugins:
  providers:
    - name: amplify-delivery
      path: .venv/bin
```

with a package.json, unless the program has one:

```json
{
  "name": "myapp",
  "private": true,
  "main": "index.ts"
}
```

Pulumi's SDK wants Node.js 22 or newer, and TypeScript before version 7. The last command has an SDK of these
components generated into the folder `sdks`, and says how to import it; `sdks` and package.json belong in the commit:

```
npm install @pulumi/pulumi
npm install --save-dev typescript@5 @types/node@22
pulumi package add .venv/bin/pulumi-resource-amplify-delivery
```

```ts
import * as amplify from "@pulumi/amplify-delivery";

const backend = new amplify.AmplifyBackend("backend", {
  account: "123456789012",
  region: "eu-west-1",
  environment: "dev",
});

export const graphqlEndpoint = backend.graphqlEndpoint;
export const outputs = backend.nestedOutputs;
```

In any language `pulumi package add` is that command. In Go, with `runtime: go` in Pulumi.yaml:

```go
package main

import (
	amplify "example.com/pulumi-amplify-delivery/sdk/go/amplify-delivery"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		backend, err := amplify.NewAmplifyBackend(ctx, "backend", &amplify.AmplifyBackendArgs{
			Account:     "123456789012",
			Region:      "eu-west-1",
			Environment: "dev",
		})
		if err != nil {
			return err
		}
		ctx.Export("graphqlEndpoint", backend.GraphqlEndpoint)
		ctx.Export("outputs", backend.NestedOutputs)
		return nil
	})
}
```

`example.com` is nobody's: a `replace` in go.mod leads from there to the folder in `sdks`. Without what is generated, a
component is a few lines; in JavaScript:

```js
class AmplifyBackend extends pulumi.ComponentResource {
  constructor(name, args, opts) {
    const outputs = { stackName: undefined, graphqlEndpoint: undefined, nestedOutputs: undefined };
    super("amplify-delivery:index:AmplifyBackend", name, { ...outputs, ...args }, opts, true);
  }
}
```

All arguments but the values of `secrets` are plain: they have to be known before anything is deployed, because
templates and policies are written with them. What is known only later, or is a secret, is refused by its name, and so
is a key that there is not.

## An account

`TargetAccount` makes for one environment what `amplify-delivery bootstrap` makes of stack files, from arguments of the
same names: the environment's keys that count for its account, and the account's own (docs/configuration.md). Its
administrator reads in docs/bootstrap.md what that is, and in docs/trust.md whom it lets in. With the export, or an
assembly, beside the program:

```yaml
resources:
  prodAccount:
    type: amplify-delivery:TargetAccount
    properties:
      account: "333333333333"
      region: eu-west-1
      environment: prod
      profile: prod-administrator
      pipeline:
        name: pipeline
        account: "111111111111"
        region: eu-west-1
      stage:
        name: Prod
        post:
          - name: smoke-test
            commands: ["curl -f $URL"]
            envFromOutputs:
              URL: helloUrl
            rights:
              - actions: ["s3:GetObject"]
                resources: ["arn:aws:s3:::fixtures/*"]
outputs:
  version: ${prodAccount.version}
```

What stack files say by being there, is said here:

- `pipeline` is the one that may come in, by name, account and region: its role, and nobody else, may assume the action
  role. Or `github` or `gitlab` (docs/ci.md), or both. Without any of them nothing is made.
- `stage` is the pipeline's stage that deploys the environment: what its steps may do, and how long they take, is given
  by the account. A stage that changes is changed here too.
- `neighbours` are **all** other environments of the app in that account: a backend's roles may not touch what is
  theirs. One that is left out is in reach.
- `secretNames` names the parameters whose values are secrets; nobody needs their values here.

Credentials are those that `profile` and `roleArn` name, an administrator's of that account, else what the AWS SDK
finds; the account is compared before anything is made. A provider of the program's is not used, and a warning says so
if one is given: the tag
`amplify-delivery:app` on every key and role, which policies hang on, is the provider's to give, and no program could
tell whether a provider that is handed in gives it.

What is left to do is the environment's own Pulumi stack, once, by whoever may use the state's key, in the folder of the
app's project, whose `Pulumi.prod.yaml` says `bootstrapped: true`:

```
PULUMI_BACKEND_URL='s3://STATE_BUCKET?region=eu-west-1' pulumi stack init prod --secrets-provider 'SECRETS_PROVIDER'
```

with the outputs `stateBucket` and `secretsProvider`, and a commit of that file. `bootstrap` is not for such an account:
it would find every name taken. It has the bootstrap version that every command asks for, and no digests: these say that
a stack of `bootstrap` was made to its end. A new version of this package, or an export with new resource types, is one
more `pulumi up` of the program; `plan` says which types the account has no rights for.

## A pipeline

`DeliveryPipeline` makes in the tooling account what `pulumi up -s pipeline` makes of `Pulumi.pipeline.yaml`
(docs/pipeline.md), from arguments of the same names, with `app` and `environments` beside them.

**What is delivered** is a project as docs/getting-started.md has it: its repository holds the project's program, the
export, and `Pulumi.prod.yaml` for each environment, because plans and deployments inside the accounts are runs of this
engine over these. The program that declares the pipeline is one more Pulumi project, in the folder `pipeline` of it, so
that a push can change the pipeline too:

```text
Pulumi.yaml, Pulumi.prod.yaml, __main__.py, requirements.lock, amplify-export-myapp/ ...    as `init` writes them
pipeline/Pulumi.yaml                                                                      the program
pipeline/Pulumi.main.yaml                                                 written by `pulumi stack init`, see below
```

```yaml
name: myapp-pipeline
runtime: yaml
plugins:
  providers:
    - name: amplify-delivery
      path: ../.venv/bin
resources:
  pipeline:
    type: amplify-delivery:DeliveryPipeline
    properties:
      app: myapp
      account: "111111111111"
      region: eu-west-1
      source:
        connection: arn:aws:codeconnections:eu-west-1:111111111111:connection/5e6f7a8b
        repository: example/app
      environments:
        - environment: prod
          account: "333333333333"
          region: eu-west-1
          production: true
      stages:
        - name: Prod
          approval: {}
          post:
            - name: smoke-test
              commands: ["curl -f $URL"]
              envFromOutputs:
                URL: helloUrl
outputs:
  pipeline: ${pipeline.pipelineName}
```

`helloUrl` is an output of the program that is delivered, which has it with `helloService: true` in Pulumi.prod.yaml.

An account is declared by a program of its own, which its administrator runs first: CodePipeline tries every action role
before it takes a pipeline, and UpdatePipeline has no rights in any account but the tooling one. Then, as the tooling
account's administrator, in the project's folder, whose `.venv` holds what is locked:

```
amplify-delivery setup --account 111111111111 --region eu-west-1
```

It prints two lines. The first one as it is; the second in the folder `pipeline`, with the name of that program's stack:

```
export PULUMI_BACKEND_URL='s3://...'
pulumi -C pipeline stack init main --secrets-provider='awskms://...'
```

Commit `pipeline/Pulumi.main.yaml`, which holds the key now, push, and make the pipeline, once:

```
pulumi -C pipeline up -s main
```

**From then on a push changes it.** UpdatePipeline runs the program as the built commit has it. If that declares another
pipeline, CodePipeline cancels what runs and starts again, as after a change of `Pulumi.pipeline.yaml`
(docs/pipeline.md, "Changing the pipeline"); what only a person may do is refused there by name, with the command. In
two things it is not the same:

- Build and steps read their commands from `Pulumi.pipeline.yaml`, which this repository does not have (one that has it
  is refused): Build writes it, as the pipeline was applied last. So a changed command is a change of the pipeline too,
  and the execution that brings it starts once more. A command of Build that always fails keeps its correction out:
  `pulumi -C pipeline up -s main` by hand brings that in.
- A region that its last environment leaves keeps its artifact bucket: name it in `artifactRegions`.

**In another language** the program has packages of its own. UpdatePipeline installs what `requirements.lock` names,
which does for a program in YAML, and then runs the commands of `install`, in the program's folder and with the role
of its build: `install: ["npm ci"]` for TypeScript with a package-lock.json; or `install: ["pulumi install"]`, by
which Pulumi itself installs what the program asks for, in any language. The build's image has to hold the language
(AWS's hold Node.js, Python, Go and others), and `sdks/`, which `pulumi package add` wrote, belongs in the commit. A
hidden file that an installer reads, as `.npmrc`, is in the artifact if `build` names it in `keep`.

The vendor's archive of the engine (`engine`) holds the hosts of these languages. A command that fails ends
UpdatePipeline before anything is changed. A changed `install` counts from the execution after the one that brings it:
where the program does not run without it, bring it in by hand, as above. Where the program lies elsewhere than the
commits that are delivered, there is `selfUpdate: false`: then the pipeline has no UpdatePipeline, no push can change
it, its roles or its steps, and `pulumi up` of the program does. `program` names another folder.

What holds data is protected in both components: `pulumi destroy` refuses until the program says `protect: false`, and
S3 deletes no bucket that holds something. Empty the artifact buckets by hand, once nobody wants to roll back to them.

## A lost state

Where an account was bootstrapped, or a pipeline runs, and the state at hand does not hold it, neither component makes
it a second time: `up` and `preview` are refused, before anything is made. Use the state that knows it (`pulumi whoami
-v`, `PULUMI_BACKEND_URL`). If that is lost for good, a stack file takes over, which says the same as the component's
inputs: `Pulumi.ENV-account.yaml` in the project that is delivered, with `program: account`
([configuration.md](configuration.md)), or `Pulumi.pipeline.yaml`, whose text is the component's `stackFile`. There

```
pulumi stack init ENV-account --secrets-provider ...     # as the project's README has it for its other stacks
amplify-delivery adopt ENV-account --state-lost
```

takes in what runs, by the same names, and changes nothing in AWS; it prints the command that follows. From then on that
file is the account's, and the component leaves the program.

## What stays with Python

- The commands (`plan`, `deploy`, `adopt`, `rollback`): they walk the project's own stack files. A backend that a
  program in another language has deployed is changed by `pulumi up` of that program alone.
- Pipelines that follow one another (docs/many-environments.md): they are read from the files of the project that is
  delivered.
- The program that a pipeline delivers: its `components/` may hold what a team likes, in Python.
- Adopting a stack that runs (docs/adopting.md), and continuing a failed rollback.

An environment that is bootstrapped (`bootstrapped: true`) can be delivered from any language: its account's stack, or a
`TargetAccount`, has made staging area, execution role and boundary.

## What a schema cannot say

A schema of Pulumi made from Python knows texts, numbers, flags, lists, mappings and types of them, and no choice
between two. So what a stack file writes in two ways has one here: `approval: {}` for `approval: true` (and none at all
for `false`), `clientConfig: {platform: javascript}` for `clientConfig: javascript`. Lengths of time are texts, as in
`30m`. `source` has the keys of all its types; those of another type than the one that is named are refused. Patterns
and ranges are no part of it: they are checked when the component is made, in `preview` too, and the message names the
input.

## What was tried, and what was not

With the real engine and the local AWS, in tests:

- A program in YAML, with Pulumi's own language host, deploys a backend, again without a change, is refused for another
  place, and takes it away.
- One declares a `TargetAccount`, another, in the repository, the `DeliveryPipeline` that it lets in: both are made,
  again without a change. A commit with another step goes through it, with the very buildspecs that are declared:
  UpdatePipeline changes the pipeline, which starts again, and that step runs after a backend was deployed. What they
  register is compared, resource by resource and document by document, with what the programs register for the same
  stack files. Beside another state both are refused. That a stack file takes over a lost account was played once, by
  hand.
- A program in JavaScript, with the SDK that npm has, run by its Automation API inside its own process and with the
  class above, deploys a backend and declares a `TargetAccount`, again without a change, updates the backend to a
  release with one model more, is refused for one that would lose that model's table, and takes both away.
- The engine binds the schema, which checks it.

Without an AWS account you can do the same in a shell of a rehearsal that is kept (docs/rehearsal.md), with
`pulumi-language-yaml` on PATH and after `unset PULUMI_IGNORE_AMBIENT_PLUGINS`: a backend in that of
`rehearse EXPORT --keep`; an account and a pipeline in that of a project's own `rehearse --keep`, where CodePipeline
answers.

The builds of these releases have an image that holds what is locked.

`make languages` of a checkout, which wants npm's registry and a minute of a processor, runs programs in TypeScript with
what the commands above install. The one above, under plain `pulumi up`, deploys a backend, again without a change, is
refused for another place and for a key that there is not, and takes it away. One that declares the pipeline is changed
by a push: UpdatePipeline runs `npm ci` and the program, and the release goes through. What this page declares in YAML
compiles as TypeScript. The language host is Pulumi's own, but of version 3.68.0, the last one that is part of a Go
module which Go's proxy has: hosts of today are in modules that have no version there, and neither PyPI nor npm has
them. That one cannot answer `pulumi package add`. The SDK comes from Pulumi's own generator, of the engine's version,
which is what answers in a host of today; `npm install ./sdks/amplify-delivery` is done in its place.

The program in Go, too: it deploys a backend, again without a change, and takes it away. Its host is of version 3.62.0,
the last one for Go that is part of such a module, the SDK from the engine's generator; of what `pulumi package add`
does, a go.mod in the folder of the SDK and a `replace` in the program's are done in its place. By hand it has deployed
a real app, with secrets. Of .NET and Java Go's proxy has no host of any version: nobody here has run one.
"""


def page() -> str:
    """The page, in Markdown."""
    schema = json.loads(host.schema())
    parts = [_HEAD]
    for token, component in schema["resources"].items():
        name = token.rpartition(":")[2]
        parts += [f"\n## {name}\n\n{_text(component['description'])}\n\n### It takes\n\n", _HEADER]
        parts += _rows(component["inputProperties"], component.get("requiredInputs", ()))
        parts += ["\n### It gives\n\n", _HEADER, *_rows(component["properties"], ())]
    for token, kind in schema["types"].items():
        parts += [f"\n### {token.rpartition(':')[2]}\n\n{_text(kind['description'])}\n\n", _HEADER]
        parts += _rows(kind["properties"], kind.get("required", ()))
    return "".join(parts)


_HEADER = "| property | type | | |\n|---|---|---|---|\n"


def _rows(properties: Mapping[str, Any], required: Any) -> Iterator[str]:
    for name, declared in properties.items():
        needed = "required" if name in required else ""
        yield f"| `{name}` | {_type(declared)} | {needed} | {_text(declared['description'])} |\n"


def _text(description: str) -> str:
    return " ".join(description.split()).replace("|", "\\|")


def _type(declared: Mapping[str, Any]) -> str:
    if "$ref" in declared:
        return str(declared["$ref"]).rpartition(":")[2]
    if "items" in declared:
        return f"list of {_type(declared['items'])}"
    if "additionalProperties" in declared:
        return f"mapping to {_type(declared['additionalProperties'])}"
    return str(declared["type"])


if __name__ == "__main__":
    sys.stdout.write(page())
