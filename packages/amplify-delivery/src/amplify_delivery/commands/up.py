"""`amplify-delivery up ENV`: deploy an environment, as `pulumi up -s ENV --yes` does, from a preview on."""

from __future__ import annotations

import argparse

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import updating
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.printing import shown_outputs
from amplify_delivery.delivery.printing.changes import told

ABOUT = About(
    needs="AWS, Pulumi",
    text="""
Previews and deploys, as `pulumi up -s ENV --yes` does, with the checks that `deploy` makes and without an approved
plan. A preview that would replace the root stack ends the command: nothing is changed. The stack selected in the
project stays selected.
""",
    examples=(
        ("amplify-delivery up dev --create", "the first time"),
        ("amplify-delivery up dev", "from then on"),
    ),
    changes="CloudFormation or the engine had begun",
    pages=(
        "deploying",
        "tutorial",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--create", action="store_true", help="make the stack first, if there is none")
    waiting.add_argument(parser, "the environment")
    parser.add_argument("--show-secrets", action="store_true", help="show secret outputs in clear")


def run(args: argparse.Namespace, context: Context) -> int:
    patience = waiting.Patience(args.wait, context.variables)
    line = output.progress if args.json else print
    done = updating.update(args.environment, context, patience, line, create=args.create)
    values = shown_outputs.shown(done.outputs, secrets=args.show_secrets)
    if args.json:
        output.document({"environment": args.environment, "changes": done.changes, "outputs": values})
        return 0
    shown_outputs.table(values)
    print(f"{args.environment}: {told(done.changes)}")
    return 0
