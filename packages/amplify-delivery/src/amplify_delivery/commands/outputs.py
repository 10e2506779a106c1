"""`amplify-delivery outputs ENV`: an environment's outputs; secrets only when asked for."""

from __future__ import annotations

import argparse

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.printing import shown_outputs

ABOUT = About(
    needs="Pulumi",
    text="""
Prints what the program exports, the backend's outputs included. Secrets are masked.
""",
    examples=(
        ("amplify-delivery outputs dev", "a table"),
        ("amplify-delivery outputs dev --json --show-secrets", "for a script"),
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--show-secrets", action="store_true", help="show secret outputs in clear")


def run(args: argparse.Namespace, context: Context) -> int:
    found = shown_outputs.shown(
        Engine(args.environment, context.folder.resolve(), output.progress).outputs(), secrets=args.show_secrets
    )
    if args.json:
        output.document(found)
    else:
        shown_outputs.table(found)
    return 0
