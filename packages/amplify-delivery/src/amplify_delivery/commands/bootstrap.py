"""`amplify-delivery bootstrap ENV ...`: let the pipeline into the accounts of environments, as their administrator."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.bootstrap import account_stacks, at_once, bootstrapping, taking_over
from amplify_delivery.delivery.bootstrap.account_stacks import AccountStack
from amplify_delivery.delivery.bootstrap.bootstrapping import Bootstrapped
from amplify_delivery.delivery.bootstrap.move import Move
from amplify_delivery.delivery.bootstrap.progress import duration
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.locking import waiting
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

`--take-over` is for an environment that runs already, made by `up` with a staging area of its own: the account takes
over that area with all that is published there, and the environment's state, from the backend that Pulumi is logged in
to, or `--from`. What runs is not changed, and no object is copied or deleted. Without `--yes` it shows what it would do
(docs/how-to.md). Whatever ends it, the same command goes on. `--json` prints `{"environment", "accountStack", "from",
"to", "secretsProvider", "stagingBucket", "repository", "rootStack", "secrets", "done"}`, of secrets the paths alone,
and with `--yes` `notes`.

It ends with a note if the account's quota of concurrent CodeBuild builds is lower than the pipeline needs (two for
each environment), if the caller may read Service Quotas.
""",
    examples=(
        ("amplify-delivery bootstrap prod", "as the administrator of prod's account"),
        (
            "amplify-delivery bootstrap dev --take-over",
            "show how an environment that `up` has made gets into its account",
        ),
        ("amplify-delivery bootstrap dev --take-over --yes", "do that"),
        ("amplify-delivery bootstrap --all --parallel 16", "every account that the stack files name"),
    ),
    changes="the engine had begun in one of the accounts",
    pages=(
        "bootstrap",
        "many-environments",
        "how-to",
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
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="ENV runs with a staging area of its own, as `up` makes it: show how the account takes it over",
    )
    parser.add_argument("--yes", action="store_true", help="with `--take-over`: do it")
    parser.add_argument(
        "--from",
        dest="former",
        metavar="BACKEND",
        help="with `--take-over`: where the state of ENV lies, as in PULUMI_BACKEND_URL; default: where Pulumi is "
        "logged in to",
    )
    waiting.add_argument(parser, "the environment, with `--take-over`")


def run(args: argparse.Namespace, context: Context) -> int:
    if args.take_over or args.yes or args.former:
        return _take_over(args, context)
    began = time.monotonic()
    project = context.project.once()
    if bool(args.environments) == args.all:
        raise ConfigError(
            "which environments?" if not args.all else "`--all` and names of environments exclude each other",
            where="amplify-delivery bootstrap",
            remedy="name environments, or give `--all`",
        )
    names = account_stacks.every_environment(project) if args.all else args.environments
    stacks = account_stacks.account_stacks(project, names)
    if args.template:
        found = account_stacks.template(project, stacks)
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


def _take_over(args: argparse.Namespace, context: Context) -> int:
    if not args.take_over or len(args.environments) != 1 or args.all or args.template:
        raise ConfigError(
            "`--take-over` takes one environment by its name; `--yes` and `--from` go with it",
            where="amplify-delivery bootstrap",
            remedy="`amplify-delivery bootstrap ENV --take-over`",
        )
    (environment,) = args.environments
    moving = taking_over.TakingOver(environment, context, args.former, output.progress)
    if not args.yes:
        move = moving.look()
        if args.json:
            output.document(move.to_json())
        else:
            _show_move(move, args.former)
        return 0
    said = _nothing if args.json else output.line
    done = moving.carry_out(waiting.Patience(args.wait, context.variables), said)
    if args.json:
        output.document({**done.move.to_json(), "done": True, "notes": list(done.notes)})
        return 0
    for note in done.notes:
        print(f"note: {note}")
    print(
        f"{environment}: its account has taken it over; nothing that runs was changed. "
        f"Commit Pulumi.{environment}.yaml, and"
    )
    print(f"  export PULUMI_BACKEND_URL='{done.move.backend}'")
    print(f"  amplify-delivery plan {environment}")
    return 0


def _show_move(move: Move, former: str | None) -> None:
    if move.done:
        print(f"{move.environment}: its account has taken it over already, there is nothing to do")
        return
    print(f"{move.environment}: {move.root} goes on as it runs")
    print(f"  {move.place.bucket}: stays, with all that is in it; {move.stack} holds it, protected")
    if move.place.repository:
        print(f"  {move.place.repository}: the same, with its images")
    print(f"  state: from {move.former} to {move.backend}")
    print(f"  its secrets: encrypted anew, with {move.key}")
    for path in move.secrets:
        print(f"  Pulumi.{move.environment}.yaml: {path}, too")
    print(f"  what is left in {move.former} refuses every `up` and `destroy`, and says where the environment is")
    print("  the next plan brings CloudFormation the account's execution role, and the roles the boundary")
    source = f" --from '{former}'" if former else ""
    print(f"`amplify-delivery bootstrap {move.environment} --take-over{source} --yes` does it")


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
