"""`delivery up ENV`: deploy an environment, as `pulumi up -s ENV --yes` does, from a preview on."""

from __future__ import annotations

import argparse
from pathlib import Path

from delivery import output
from delivery.engine import Engine
from delivery.outputs import shown, table

WORDS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "import": "imported"}
"""The engine's kinds of changes that are worth a word."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--create", action="store_true", help="make the stack first, if there is none")
    parser.add_argument("--show-secrets", action="store_true", help="show secret outputs in clear")


def run(args: argparse.Namespace) -> int:
    engine = Engine(args.environment, Path.cwd(), output.progress if args.json else print)
    if args.create:
        engine.create()
    engine.preview()
    changes = engine.up().changes
    outputs = shown(engine.outputs(), secrets=args.show_secrets)
    if args.json:
        output.document({"environment": args.environment, "changes": changes, "outputs": outputs})
        return 0
    table(outputs)
    done = ", ".join(f"{changes[kind]} {word}" for kind, word in WORDS.items() if kind in changes)
    print(f"{args.environment}: {done or 'nothing to change'}")
    return 0
