"""`amplify-delivery adopt ENV`: what `amplify push` has made becomes ours in place. Nothing in AWS is changed."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.adoption import lost
from amplify_delivery.delivery.adoption.adopting import Adopted, Which, adopt
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.engine.state_store import BACKEND_VARIABLE
from amplify_delivery.delivery.printing import plans
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError

ABOUT = About(
    needs="AWS, Pulumi",
    text="""
Takes over what runs, in place: everything that could be refused is checked first, then the stack file is written
(keys under `kept as it runs` and `a secret now`), then the engine's state. Nothing in AWS is changed. The Pulumi
stack is created if there is none: for a bootstrapped environment in its account, else in the backend that Pulumi is
logged in to. It ends with the plan, as `plan` shows it.

Without `--stack` it is the stack that the stack file describes, else the only one of the app and environment in the
account and region. `--state-lost` takes over what was delivered from here, when a person knows that the state is lost
and nobody delivers it any more; what that state held beside the root, staging bucket, image repository and secrets,
is taken in too. Where that fails, the same command goes on with it. What else holds data, and has no name by which it
could be looked for, is listed: import it before you deploy, or the program gets an empty one.

Of an account's or a pipeline's stack, with `--state-lost` only: what its lost state held is taken in, as it runs, by
the names that its program gives. It ends with the command that brings what runs to what the files say. It refuses an
account that a CloudFormation stack has bootstrapped, as those of a StackSet do (docs/many-environments.md): that one
would have two owners.

`--json` prints `{"environment", "stack", "stackId", "already", "written", "secrets", "functionSecrets", "notes",
"plan", "backend"}`, of secrets the names alone; `backend` is where the state lies, unless PULUMI_BACKEND_URL says so;
of an account's or a pipeline's stack `{"stack", "taken", "left", "notLookedFor", "next"}`.
""",
    examples=(
        ("amplify-delivery adopt prod", "what `amplify push` has made"),
        ("amplify-delivery adopt prod --stack amplify-app-prod-12345", "one of several"),
    ),
    changes="the engine's state was written",
    pages=("adopting",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack that it is to be")
    parser.add_argument(
        "--stack",
        metavar="NAME",
        help="the running root stack, amplify-APP-ENV-SUFFIX; default: the one that the stack file describes",
    )
    parser.add_argument(
        "--state-lost",
        action="store_true",
        help="it was delivered from here, and the state that knew it is lost: nobody delivers it any more",
    )
    waiting.add_argument(parser, "the environment")


def run(args: argparse.Namespace, context: Context) -> int:
    patience = waiting.Patience(args.wait, context.variables)
    if stack_files.program(context.folder, args.environment) != "backend":
        return _lost(args, context, patience)
    adopted = adopt(args.environment, context, Which(args.stack, args.state_lost), patience, output.progress)
    if args.json:
        output.document(_document(args.environment, adopted))
        return 0
    _print(args.environment, adopted)
    return 0


def _lost(args: argparse.Namespace, context: Context, patience: waiting.Patience) -> int:
    """Of an account's or a pipeline's stack."""
    stack = args.environment
    if not args.state_lost or args.stack:
        raise ConfigError(
            "it is not an environment: an account's or a pipeline's stack is adopted only where its state is lost",
            where=f"Pulumi.{stack}.yaml",
            remedy=f"if that is so, `amplify-delivery adopt {stack} --state-lost`",
        )
    done = lost.take_in(stack, context, patience, output.progress)
    if args.json:
        document = {"stack": stack, "taken": list(done.taken), "left": list(done.left)}
        output.document({**document, "notLookedFor": list(done.not_looked_for), "next": done.next})
        return 0
    for name in done.taken:
        print(f"taken in: {name}")
    for name in done.left:
        print(f"note: not taken in: {name}")
    for name in done.not_looked_for:
        print(
            f"note: nobody can look for {name}: look whether there is one, and delete it, or the update makes another"
        )
    print(f"{stack}: {output.counted(len(done.taken), 'resource')} taken in; nothing in AWS was changed. Then")
    print(f"  {done.next}")
    return 0


def _document(environment: str, adopted: Adopted) -> dict[str, Any]:
    return {
        "environment": environment,
        "stack": adopted.stack,
        "stackId": adopted.arn,
        "already": adopted.already,
        "written": list(adopted.written),
        "secrets": list(adopted.secrets),
        "functionSecrets": {"there": list(adopted.functions.there), "missing": list(adopted.functions.missing)},
        "notes": [*adopted.notes, *filter(None, [adopted.functions.doubt])],
        "plan": adopted.plan.to_json() if adopted.plan else None,
        "backend": adopted.backend or None,
    }


def _print(environment: str, adopted: Adopted) -> None:
    if adopted.already:
        print(f"{environment}: this Pulumi stack holds {adopted.stack} already, nothing was done")
        for note in adopted.notes:
            print(f"note: {note}")
        _to(adopted)
        print(f"  amplify-delivery plan {environment}   # what a deployment would change")
        return
    if adopted.plan:
        plans.show(adopted.plan)
    print()
    for path in adopted.written:
        print(f"kept as it runs: {path}")
    for path in adopted.secrets:
        print(f"a secret now: {path}; its value stood in the root's template in plain text")
    for name in adopted.functions.there:
        print(f"a function's secret, there and left alone: {name}")
    for name in adopted.functions.missing:
        print(f"note: a function reads {name}, which is not in Parameter Store")
    for note in (*adopted.notes, *filter(None, [adopted.functions.doubt])):
        print(f"note: {note}")
    print(
        f"{environment}: {adopted.stack} is adopted; nothing in AWS was changed. Commit Pulumi.{environment}.yaml, and"
    )
    _to(adopted)
    print(f"  amplify-delivery deploy {environment} --plan {adopted.plan.digest if adopted.plan else 'DIGEST'}")


def _to(adopted: Adopted) -> None:
    """The way to the state, for the commands that come next."""
    if adopted.backend:
        print(f"  export {BACKEND_VARIABLE}={shlex.quote(adopted.backend)}")
