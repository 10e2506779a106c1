"""`delivery destroy STACK`: delete an environment; refuses while data would be lost, unless it is told to.

An account's or a pipeline's stack is taken down by `dismantle`.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from amplify_delivery.changes.stateful import BUCKET
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.account import Account
from amplify_delivery.delivery.engine import waiting
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.teardown import emptying
from amplify_delivery.delivery.teardown.root_stack import Root
from amplify_delivery.delivery.teardown.stateful import Held, in_state
from amplify_delivery.errors import ConfigError, DeployError, LockedError
from amplify_delivery.publishing.standing import DEPLOYMENT_BUCKET
from amplify_delivery.stacks.config import Project

if TYPE_CHECKING:
    from amplify_delivery.stacks.config import EnvironmentConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stack", metavar="STACK", help="name of the Pulumi stack: of an environment, account, pipeline")
    parser.add_argument(
        "--delete-data",
        action="store_true",
        help="destroy what cannot be made again, with its data: tables, user pools and buckets of an environment; "
        "state, key, audit log and images of an account",
    )
    parser.add_argument(
        "--region", metavar="REGION", help="of a pipeline only the artifact store of a region that it left"
    )
    waiting.add_argument(parser, "an environment's stack")


def run(args: argparse.Namespace) -> int:
    program = stack_files.program(args.stack)
    if args.region and program != "pipeline":
        raise ConfigError(
            "--region is for a pipeline's artifact stores", where=args.stack, remedy="leave it out, or name a pipeline"
        )
    if program != "backend":
        from amplify_delivery.delivery.teardown import dismantle  # noqa: PLC0415 - an environment does without

        return dismantle.run(args, program)
    config = stack_files.load(args.stack)
    engine = Engine(args.stack, Path.cwd(), output.progress if args.json else print)
    account, patience = Account.of(config), waiting.Patience(args.wait)
    root = Root.of(args.stack, engine.resources(), config, Project(Path()).app)
    if root.settle(account, patience.left, output.progress):
        account = Account.of(config)  # credentials of an assumed role last an hour
    seen = _look(engine, config, account, args)

    def empty(stopped: threading.Event) -> None:
        # The engine holds the stack's lock by now. What was true before may be so no longer.
        nonlocal seen
        seen = _look(engine, config, account, args)
        for bucket in (h.physical_id for h in seen.lost if h.type == BUCKET):
            emptying.bucket(account, bucket, stopped)

    while True:
        try:
            changes = engine.destroy(before=empty if seen.known else None).changes
            break
        except LockedError as error:
            if not patience.wait(error):
                raise
            account = Account.of(config)
            seen = _look(engine, config, account, args)
    seen.root.check_gone(account)
    lost, kept = seen.lost, still_there(account, seen.kept)
    if args.json:
        document = {
            "environment": args.stack,
            "changes": changes,
            "deleted": [h.to_json() for h in lost],
            "kept": [h.to_json() for h in kept],
        }
        output.document(document)
        return 0
    print(f"{args.stack}: {output.counted(changes.get('delete', 0), 'resource')} deleted")
    if kept:
        print("\nKept, as their templates say (DeletionPolicy). A new environment of this name needs their names:")
        output.table(
            ("resource", "physical id", "to remove it"), [(h.path, h.physical_id, _removal(h, config)) for h in kept]
        )
    return 0


@dataclass(frozen=True)
class _Seen:
    """What there is of an environment: `known` tells whether the engine's state holds anything."""

    root: Root
    known: bool
    lost: list[Held]
    kept: list[Held]


def _look(engine: Engine, config: EnvironmentConfig, account: Account, args: argparse.Namespace) -> _Seen:
    """What there is now. Raises `DeployError` if data would be lost, unless that was asked for, and for a root stack
    that cannot be deleted, or is not the engine's own."""
    resources = engine.resources()
    root = Root.of(args.stack, resources, config, Project(Path()).app)
    held = [*in_state(resources), *root.holds(account)]
    lost = sorted(h for h in held if not h.kept)
    if lost and not args.delete_data:
        raise DeployError(
            f"this would delete data:\n{_listed(lost)}",
            where=args.stack,
            remedy=f"nothing was changed; to delete it all, `amplify-delivery destroy {args.stack} --delete-data`",
        )
    return _Seen(root, bool(resources), lost, [h for h in held if h.kept])


def _listed(held: Iterable[Held]) -> str:
    return "\n".join(f"  {h.path} ({h.type}, {h.data}): {h.physical_id}" for h in held)


def _removal(held: Held, config: Any) -> str:
    if held.type != BUCKET:
        return "in the AWS console"
    profile = f" --profile {config.profile}" if config.profile else ""
    # Without `--force` S3 refuses to delete a bucket that holds something: users' files, but for templates of ours.
    force = " --force" if held.path == DEPLOYMENT_BUCKET else ""
    return f"aws s3 rb s3://{held.physical_id}{force} --region {config.region}{profile}"


def still_there(account: Account, held: Iterable[Held]) -> list[Held]:
    """Those that are there; of anything but buckets it is taken for granted."""
    s3 = account.client("s3")
    return sorted(h for h in held if h.type != BUCKET or _exists(account, s3, h.physical_id))


def _exists(account: Account, s3: Any, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account.account)
    except ClientError as error:
        return str(error.response["Error"]["Code"]) not in ("404", "NoSuchBucket")
    except BotoCoreError:
        return True
    return True
