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
assemblies are published to.

**What runs where.** The package is a process of Python, which Pulumi's engine starts beside the program. Its machine
needs what docs/getting-started.md says, and this engine in a virtualenv; no other language's SDK of it is published.

## A program in YAML

In the folder of the program, with the folder that `amplify export` has written beside it:

```
python3 -m venv .venv
.venv/bin/pip install amplify_delivery-*.whl
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

Secrets are inputs of their own, by nested stack and parameter, and stay secret in the state:

```yaml
      secrets:
        authmyapp:
          hostedUIProviderCreds: ${providerCreds}
```

## A program in TypeScript, Go, C# or Java

The same `plugins` in Pulumi.yaml; and once, to have an SDK generated into the folder of the program:

```
pulumi package add .venv/bin/pulumi-resource-amplify-delivery
```

It says how to import it. Without it, a component is a few lines; in JavaScript:

```js
class AmplifyBackend extends pulumi.ComponentResource {
  constructor(name, args, opts) {
    const outputs = { stackName: undefined, graphqlEndpoint: undefined, nestedOutputs: undefined };
    super("amplify-delivery:index:AmplifyBackend", name, { ...outputs, ...args }, opts, true);
  }
}
```

All arguments but the values of `secrets` are plain: they have to be known before anything is deployed, because
templates are rendered with them.

## What stays with Python

- The commands (`plan`, `deploy`, `adopt`, `rollback`): they walk the project's own stack files. A backend that a
  program in another language has deployed is changed by `pulumi up` of that program alone.
- `TargetAccount` and `DeliveryPipeline`: what they declare is computed from all stack files and from the export, and
  the builds that they make run this engine's commands in the target accounts. A team that has a pipeline has the
  project in its repository, in which `components/` may hold what it likes.
  What lets the pipeline into an account can be had without Python: `amplify-delivery bootstrap ENV --template` prints
  it as a CloudFormation template, which any program declares as a stack ([many-environments.md](many-environments.md)).
- Adopting a stack that runs (docs/adopting.md), and continuing a failed rollback.

An environment that is bootstrapped (`bootstrapped: true`) can be delivered from any language: its account's stack has
made staging area, execution role and boundary.

## What was tried, and what was not

With the real engine and the local AWS, in tests: a program in YAML, with Pulumi's own language host, is deployed,
deployed again without a change, refused for another place, and taken away; a program in JavaScript, with the SDK that
npm has, run by its Automation API inside its own process and with the class above, is deployed, deployed again and
taken away. The engine binds the schema, which checks it. The language hosts of Node.js, Go, .NET and Java could not be
had here (their Go modules have no version, and neither PyPI nor npm has them): the SDKs that they generate are as good
as the schema, and nobody here has run one.
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
