"""`amplify-delivery bootstrap ENV ...`: let the pipeline into the accounts of environments, as their administrator."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.bootstrap import at_once, bootstrapping
from amplify_delivery.delivery.bootstrap.bootstrapping import AccountStack, Bootstrapped
from amplify_delivery.delivery.bootstrap.progress import duration
from amplify_delivery.delivery.context import Context
from amplify_delivery.errors import FAILED, REFUSED, ConfigError

ABOUT = About(
    needs="AWS, Pulumi",
    text="""
Finds the account stack that names each environment (`ENV-account` by default) and checks, before the first is
touched, that its file fits: environments of one account, `bootstrapped: true` in their files, delivered by the
pipeline, roles and policies of that account. For each account it then checks that the credentials belong to it,
creates the Pulumi stack if there is none, and updates it; several accounts at the same time, and one that fails does
not stop the others. An account that has recorded that it is as the files want it is left `unchanged`, unless
`--refresh` looks for what was changed by hand.

In the state bucket that this creates it then initialises the Pulumi stack of the environment itself, which writes
`secretsprovider` and `encryptedkey` into `Pulumi.ENV.yaml`: commit them. It can be repeated: what is as it should be
stays.

It ends with a note if the account's quota of concurrent CodeBuild builds is lower than the pipeline needs (two for
each environment), if the caller may read Service Quotas.
""",
    examples=(
        ("amplify-delivery bootstrap prod", "as the administrator of prod's account"),
        ("amplify-delivery bootstrap --all --parallel 16", "every account that the stack files name"),
    ),
    changes="the engine had begun in one of the accounts",
    pages=(
        "bootstrap",
        "many-environments",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environments", metavar="ENV", nargs="*", help="environments, by their stack files' names")
    parser.add_argument("--all", action="store_true", help="all environments that the accounts' stack files name")
    parser.add_argument(
        "--parallel",
        metavar="N",
        type=_number,
        help="accounts at the same time; by default one for each GiB of memory that is free, at most "
        f"{at_once.EACH_CORE} for each core and {at_once.MOST} together",
    )
    parser.add_argument(
        "--refresh",
        action="store_true",
        help="have the engine look at accounts that say they are unchanged, too: for what somebody has changed by hand",
    )
    parser.add_argument(
        "--template",
        action="store_true",
        help="print what would be made as a CloudFormation template, for StackSets; with --json its parameters too. "
        "Makes nothing and asks nobody",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    began = time.monotonic()
    project = context.project.once()
    if bool(args.environments) == args.all:
        raise ConfigError(
            "which environments?" if not args.all else "`--all` and names of environments exclude each other",
            where="amplify-delivery bootstrap",
            remedy="name environments, or give `--all`",
        )
    names = bootstrapping.every_environment(project) if args.all else args.environments
    stacks = bootstrapping.account_stacks(project, names)
    if args.template:
        found = bootstrapping.template(project, stacks)
        output.document({"template": found.template, "parameters": found.parameters} if args.json else found.template)
        return 0
    parallel = args.parallel or at_once.here()
    done = bootstrapping.bootstrap(
        stacks, context, _nothing if args.json else output.line, parallel=parallel, refresh=args.refresh
    )
    if len(stacks) == 1:
        for error in done.failed.values():
            raise error
    if args.json:
        output.document(done.to_json())
    else:
        _show(done, stacks, time.monotonic() - began, args)
    if not done.failed:
        return 0
    return FAILED if done.changed else REFUSED


_NAMED = 20
"""Environments that a command is printed with; of more, `--all` finds those that are not done."""


def _show(done: Bootstrapped, stacks: Sequence[AccountStack], seconds: float, args: argparse.Namespace) -> None:
    for note in done.notes:
        print(f"note: {note}")
    total = len(stacks)
    if total == 1:
        return
    for error in done.failed.values():
        output.error(error, as_json=False)
    unchanged = sum(one.changes is None for one in done.stacks.values())
    updated = len(done.stacks) - unchanged
    print(
        f"{output.counted(total, 'account')}: {unchanged} unchanged, {updated} brought up to date, "
        f"{len(done.failed)} failed, in {duration(seconds)}"
    )
    left = [e.environment for stack in stacks if stack.name in done.failed for e in stack.environments]
    if left:
        which = "--all" if args.all and len(left) > _NAMED else " ".join(left)
        again = f"`amplify-delivery bootstrap {which}{' --refresh' if args.refresh else ''}`"
        print(f"what is done stays done, and is not done again: {again} is the rest", file=sys.stderr)


def _number(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError("a number from 1 to 64")
    return number


def _nothing(_: str) -> None:
    pass
