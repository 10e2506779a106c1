"""`amplify-delivery bootstrap ENV ...`: let the pipeline into the accounts of environments, as their administrator."""

from __future__ import annotations

import argparse

from amplify_delivery.delivery import output
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import bootstrapping


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environments", metavar="ENV", nargs="+", help="environments, by their stack files' names")


def run(args: argparse.Namespace, context: Context) -> int:
    stacks = bootstrapping.account_stacks(context.project, args.environments)
    done = bootstrapping.bootstrap(stacks, context, _nothing if args.json else output.line)
    if args.json:
        output.document(done.to_json())
        return 0
    for note in done.notes:
        print(f"note: {note}")
    return 0


def _nothing(_: str) -> None:
    pass
