"""What there is of an environment that is to go: looked at before, and again under the engine's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amplify_delivery.changes.stateful import BUCKET
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.teardown import emptying
from amplify_delivery.delivery.teardown.held import Held, in_state
from amplify_delivery.delivery.teardown.root_stack import Root
from amplify_delivery.errors import DeliveryError, LockedError, NoStackError, RefusedError, midway
from amplify_delivery.export.assembling.successors import TABLE
from amplify_delivery.publishing.aws_errors import suppressing_all
from amplify_delivery.publishing.stack_state import DEPLOYMENT_BUCKET
from amplify_delivery.publishing.target import cli_options
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.inputs import root_stack_name

if TYPE_CHECKING:
    from amplify_delivery.stacks.config import EnvironmentConfig


Shown = Callable[[Account, str], AbstractContextManager[None]]
"""Shows in its block what CloudFormation does to the root stack of that id."""


@dataclass(frozen=True)
class Seen:
    """What there is of an environment: `known` tells whether the engine's state holds anything."""

    root: Root
    known: bool
    lost: list[Held]
    kept: list[Held]


@dataclass(frozen=True)
class Destroyed:
    """What was done: the engine's changes by kind, what was lost, what stays."""

    changes: Mapping[str, int]
    lost: list[Held]
    kept: list[Held]


def destroy(
    engine: Engine, config: EnvironmentConfig, project: Project, wait: Patience, shown: Shown, *, data: bool
) -> Destroyed:
    """Destroy an environment, with its `data` if that was asked for. Raises `RefusedError` before, `FailedError` in the
    middle of it: a root stack that stays is protected against termination again then, if it was. Waits for an update
    that is going on as long as there is patience, and looks at everything again."""
    account = Account.of(config)
    root = Root.of(engine.stack, engine.resources(), config, project)
    root.settle(account, wait.left, output.progress)
    seen = look(engine, config, account, project, data=data)
    begun, released = False, frozenset[str]()

    def empty(stopped: threading.Event) -> None:
        # The engine holds the stack's lock by now. What was true before may be so no longer.
        nonlocal seen, begun, released
        seen = look(engine, config, account, project, data=data)
        released = seen.root.release(account) or released
        begun = bool(released) or begun
        with midway(lambda: begun):
            for bucket in (h.physical_id for h in seen.lost if h.type == BUCKET):
                emptying.bucket(account, bucket, stopped)
                begun = True

    with midway(lambda: begun):
        while True:
            try:
                # By its id: by its name a deleted stack is not found.
                with shown(account, seen.root.ids[-1]) if seen.root.ids else nullcontext():
                    changes = engine.destroy(before=empty if seen.known else None).changes
                break
            except LockedError as error:
                if not wait.wait(error):
                    raise
                seen = look(engine, config, account, project, data=data)
            except (DeliveryError, KeyboardInterrupt):
                if released:
                    seen.root.hold(account, released)
                raise
    with midway():
        seen.root.check_gone(account, seen.lost)
        return Destroyed(changes, seen.lost, still_there(account, seen.kept))


def look(engine: Engine, config: EnvironmentConfig, account: Account, project: Project, *, data: bool) -> Seen:
    """What there is now. Raises `RefusedError` if data would be lost, unless that was asked for, and for a root stack
    that cannot be deleted, or is not the engine's own."""
    resources = engine.resources()
    root = Root.of(engine.stack, resources, config, project)
    held = [*in_state(resources, (config.account, config.region)), *root.holds(account)]
    lost = sorted(h for h in held if not h.kept)
    if lost and not data:
        raise RefusedError(
            f"this would delete data:\n{_listed(lost)}",
            where=engine.stack,
            remedy=f"nothing was changed; to delete it all, `amplify-delivery destroy {engine.stack} --delete-data`",
        )
    known = {h.physical_id for h in held}
    left = [h for h in root.left(account, updates=config.disposable) if h.physical_id not in known]
    return Seen(root, bool(resources), lost, [*(h for h in held if h.kept), *left])


def left_by_updates(engine: Engine, config: EnvironmentConfig, account: Account, project: Project) -> list[Held]:
    """What updates of an environment have left in its account, outside of its stacks, and is there still. Raises
    `DeliveryError`s."""
    root = Root.of(engine.stack, engine.resources(), config, project)
    return still_there(account, root.left(account, updates=True))


def nothing_known(error: NoStackError, folder: Path, stack: str, program: str) -> NoStackError:
    """The same for whoever wants to destroy: made now, a stack would hold nothing that could be destroyed."""
    remedy = (
        "nothing was changed. `pulumi whoami -v` says which backend is used, `pulumi stack ls` what is in it. If "
        f"{stack} lies in another one, log in there (`pulumi login`, or PULUMI_BACKEND_URL), and repeat the command"
    )
    if program == "backend":
        config = stack_files.load(folder, stack)
        with suppress(DeliveryError):  # of an environment that was never delivered there may be no export either
            root = root_stack_name(config, folder, Project(folder).app)
            remedy += (
                f". Whether it runs says `aws cloudformation describe-stacks --stack-name {root} "
                f"{cli_options(config.region, config.profile)}`: if it does, and its state is lost, `amplify-delivery "
                f"adopt {stack} --state-lost` takes it in, and this command can destroy it then"
            )
    return NoStackError(f"{error.message}: nothing is known here to destroy", where=error.where, remedy=remedy)


def _listed(held: Iterable[Held]) -> str:
    return "\n".join(f"  {h.path} ({h.type}, {h.data}): {h.physical_id}" for h in held)


def removal(held: Held, config: Any) -> str:
    """How a person deletes what is left: a command for a bucket, else where. `config` is the environment's."""
    if held.type != BUCKET:
        return "in the AWS console"
    # Without `--force` S3 refuses to delete a bucket that holds something: users' files, but for templates of ours.
    force = " --force" if held.path == DEPLOYMENT_BUCKET else ""
    return f"aws s3 rb s3://{held.physical_id}{force} {cli_options(config.region, config.profile)}"


def still_there(account: Account, held: Iterable[Held]) -> list[Held]:
    """Those that are there; of anything but buckets and tables it is taken for granted."""
    looks: Mapping[str, Callable[[Account, str], bool]] = {BUCKET: _bucket_exists, TABLE: _table_exists}
    return sorted(h for h in held if h.type not in looks or looks[h.type](account, h.physical_id))


def _table_exists(account: Account, table: str) -> bool:
    with suppressing_all() as refusal:
        account.client("dynamodb").describe_table(TableName=table)
    return refusal.code != "ResourceNotFoundException"


def _bucket_exists(account: Account, bucket: str) -> bool:
    with suppressing_all() as refusal:
        account.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account.account)
    return refusal.code not in ("404", "NoSuchBucket")
