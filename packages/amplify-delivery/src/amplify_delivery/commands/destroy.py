"""`amplify-delivery destroy STACK`: delete an environment; refuses while data would be lost, unless it is told to.

An account's or a pipeline's stack is taken down by `dismantle`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from amplify_delivery.components.documents.account.storage import KEY_DAYS
from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import begun
from amplify_delivery.delivery.deployment.live import following
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.teardown import destruction
from amplify_delivery.errors import ConfigError, NoStackError, RefusedError

if TYPE_CHECKING:
    from amplify_delivery.delivery.teardown import dismantle

ABOUT = About(
    needs="AWS, Pulumi",
    text="""
Whichever kind of stack it is, everything is checked before anything is changed, and every refusal says what to do.
Repeated after an interruption or a failure, it goes on with what is left.

An environment is refused while a table, user pool, bucket or another resource with data would be lost; an account
while one of its environments is delivered or deployed (its state, key, audit log and images are kept); a pipeline
while an execution runs. `--delete-data` takes what would be refused or kept as data.
""",
    examples=(
        ("amplify-delivery destroy ann", "an environment without data"),
        ("amplify-delivery destroy ann --delete-data", "with its tables, user pools and buckets"),
        ("amplify-delivery destroy prod-account", "what `bootstrap` has made, except what cannot be made again"),
        ("amplify-delivery destroy pipeline", "the pipeline, its roles, artifacts and keys"),
    ),
    changes="something was deleted",
    pages=("taking-down",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stack", metavar="STACK", help="name of the Pulumi stack: of an environment, account, pipeline")
    parser.add_argument(
        "--delete-data",
        action="store_true",
        help="destroy what cannot be made again, with its data: tables, user pools and buckets of an environment; "
        "state, key, audit log and images of an account",
    )
    parser.add_argument(
        "--region", metavar="REGION", help="of a pipeline, only the artifact store of a region that it has left"
    )
    waiting.add_argument(parser, "the stack")


def run(args: argparse.Namespace, context: Context) -> int:
    program = stack_files.program(context.folder, args.stack)
    if args.region and program != "pipeline":
        raise ConfigError(
            "--region is for a pipeline's artifact stores", where=args.stack, remedy="leave it out, or name a pipeline"
        )
    try:
        return _dismantle(args, program, context) if program != "backend" else _destroy(args, context)
    except NoStackError as error:
        raise destruction.nothing_known(error, context.folder, args.stack, program) from None


def _destroy(args: argparse.Namespace, context: Context) -> int:
    """An environment's stack."""
    config, project = stack_files.load(context.folder, args.stack), context.project
    if config.production:
        raise RefusedError(
            "this is production (`production: true`)",
            where=args.stack,
            remedy=f"nothing was changed. If it should go: `pulumi config set -s {args.stack} production false`, "
            f"`amplify-delivery plan {args.stack}`, deploy that plan, which takes the protection back, and call this "
            "again",
        )
    engine = Engine(args.stack, context.folder.resolve(), output.progress if args.json else print)
    patience = waiting.Patience(args.wait, context.variables)
    with holding(engine, "destroy", context, patience):
        resolving.of_stack(engine, context)
        shown = following.destroying(engine, context.variables)
        done = destruction.destroy(engine, config, project, patience, shown, data=args.delete_data)
        begun.forget(engine)
    if args.json:
        document = {
            "environment": args.stack,
            "changes": done.changes,
            "deleted": [h.to_json() for h in done.lost],
            "kept": [h.to_json() for h in done.kept],
        }
        output.document(document)
        return 0
    print(f"{args.stack}: {output.counted(done.changes.get('delete', 0), 'resource')} deleted")
    if done.kept:
        print("\nKept, as their templates say (DeletionPolicy). A new environment of this name needs their names:")
        output.table(
            ("resource", "physical id", "to remove it"),
            [(h.path, h.physical_id, destruction.removal(h, config)) for h in done.kept],
        )
    return 0


def _dismantle(args: argparse.Namespace, program: str, context: Context) -> int:
    """A stack of the program `account` or `pipeline`."""
    from amplify_delivery.delivery.teardown import dismantle  # noqa: PLC0415 - an environment does without

    line = output.progress if args.json else print
    patience = waiting.Patience(args.wait, context.variables)
    if program == "account":
        done = dismantle.account(context, args.stack, line, patience, delete_data=args.delete_data)
    elif args.region:
        done = dismantle.artifact_store(context, args.stack, args.region, line, patience)
    else:
        done = dismantle.pipeline(context, args.stack, line, patience, delete_data=args.delete_data)
    if args.json:
        output.document(done.to_json())
    else:
        _say(done)
    return 0


def _say(done: dismantle.Done) -> None:
    print(f"{done.stack}: {output.counted(done.changes.get('delete', 0), 'resource')} deleted")
    for key in done.keys:
        print(f"key {key}: scheduled for deletion, in {KEY_DAYS} days; until then `aws kms cancel-key-deletion`")
    if done.removed:
        print(f"the Pulumi stack {done.stack} is removed; its file may go too")
    if done.kept:
        print(
            f"\nKept, in the stack and protected. `amplify-delivery destroy {done.stack} --delete-data` removes it; "
            "`amplify-delivery bootstrap` uses it again:"
        )
        rows = [(k.environment, k.type.rpartition(":")[2], k.physical_id, k.why) for k in done.kept]
        output.table(("environment", "", "id", "why"), rows)
