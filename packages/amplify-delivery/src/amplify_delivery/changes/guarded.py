"""What a deployment would lose, asked of the account before anything is published or CloudFormation is called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from amplify_delivery.changes import deployed
from amplify_delivery.changes.amplify import gen2
from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.imports import Exports, listed, not_exported
from amplify_delivery.changes.impossible import IN_SEVERAL, UNFILLED, Impossible, impossible, reasoned
from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.changes.ordered.handed import Handed, copied
from amplify_delivery.changes.ordered.successors import unfilled
from amplify_delivery.changes.ordered.updates import ordered
from amplify_delivery.changes.published import published
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.errors import RefusedError
from amplify_delivery.export import Assembly, RootStack
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.documents import Malformed
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing_all, told_as
from amplify_delivery.publishing.credentials import client_config, target_session
from amplify_delivery.publishing.target import PublishTarget


def check(  # noqa: PLR0917 - each is another thing
    target: PublishTarget,
    assembly: Assembly,
    root: RootStack,
    guard: Guard,
    progress: Callable[[str], None],
    update: Handed | None = None,
    told: Collection[str] = (),
) -> None:
    """Raise `RefusedError` if AWS cannot do what deploying `assembly` with `root`, or an `update` on the way there,
    asks for, if it would lose data that nothing allows to be lost, or if nobody can tell: what is deployed cannot be
    read, or is being changed. `told` are tables whose items were copied (`handed.copied`)."""
    where = f"{root.stack_name} (account {target.account}, {target.region})"
    with _reading(where):
        session = target_session(target)
        content = published(assembly, root, target, session.client("s3", config=client_config()), progress)
        cloudformation = session.client("cloudformation", config=client_config())
        found = deployed.read(cloudformation, root.stack_name, content)
    have = found.stacks.parameters if found.stacks else {}
    parameters = deployed.with_deployed(deployed.known(root), have)
    wanted = Stacks.of(assembly, root, parameters)
    if update:
        wanted = update.stacks(found.stacks if found.stacks and not update.released else wanted)
    steps = plan_backend(found.stacks, wanted)
    never = impossible(steps, found.stacks, wanted, guard.today, guard.ignored, _filled(found, wanted, told))
    if never and not update:
        way = ordered(found.stacks, wanted, steps)
        number = len(way.updates) + 1
        several = way.updates or way.copies
        never = tuple(_in_several(i, number, guard.environment) if several else reasoned(i, way.reasons) for i in never)
    gen2.check(found.stacks, steps, content, where)
    refuse([*never, *not_exported(wanted, listed(cloudformation, progress), guard.ignored)], guard.environment)
    guard.check(steps)


@contextmanager
def _reading(where: str) -> Iterator[None]:
    """Raise `RefusedError` for what AWS refuses of it, and for what cannot be understood."""
    what = "what is deployed cannot be read, so nobody can tell what data this would delete"
    remedy = (
        "nothing was changed; allow these credentials cloudformation:DescribeStacks, ListStackResources and "
        "GetTemplate on the stack and its nested stacks, and repeat the command"
    )
    try:
        with told_as(RefusedError, what, where, dict.fromkeys(ACCESS_DENIED, remedy), remedy):
            yield
    except Malformed as error:
        raise RefusedError(f"{what}: {error}", where=where, remedy=remedy) from None


def check_create(
    target: PublishTarget, assembly: Assembly, root: RootStack, guard: Guard, progress: Callable[[str], None]
) -> None:
    """Raise `RefusedError` if AWS cannot make `assembly` with `root` where nothing is deployed yet."""
    wanted = Stacks.of(assembly, root, deployed.known(root))
    never = impossible(plan_backend(None, wanted), None, wanted, guard.today, guard.ignored)
    exports: Exports = _unknown
    with suppressing_all():
        exports = listed(target_session(target).client("cloudformation", config=client_config()), progress)
    refuse([*never, *not_exported(wanted, exports, guard.ignored)], guard.environment)


def _filled(found: deployed.Deployed, wanted: Stacks, told: Collection[str]) -> tuple[Path, ...]:
    """The tables whose items the deployment has copied to their successors."""
    if found.stacks is None:
        return ()
    root = found.stacks.parameters.get(TEMPLATE_KEY, "")
    return tuple(p for p in unfilled(found.stacks, wanted) if copied(found.ids[()], root, "/".join(p)) in told)


def _in_several(found: Impossible, number: int, environment: str) -> Impossible:
    """What to do where several updates do what one cannot."""
    if found.id not in IN_SEVERAL - {UNFILLED.id}:
        return found  # that one says it already
    remedy = (
        f"`amplify-delivery up {environment}` delivers it in {number} updates, one after the other; so do `plan` and "
        "`deploy`, in a pipeline too"
    )
    return replace(found, remedy=remedy)


def _unknown() -> None:
    """What stacks export, where nobody can say."""
