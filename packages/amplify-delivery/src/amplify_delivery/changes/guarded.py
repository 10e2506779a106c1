"""What a deployment would lose, asked of the account before anything is published or CloudFormation is called."""

from __future__ import annotations

from collections.abc import Callable

from amplify_delivery.changes import deployed
from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.imports import listed, not_exported
from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.changes.impossible import impossible
from amplify_delivery.changes.published import published
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.errors import RefusedError
from amplify_delivery.export import Assembly, RootStack
from amplify_delivery.export.documents import Malformed
from amplify_delivery.publishing.aws_errors import AWS_ERRORS, said
from amplify_delivery.publishing.credentials import client_config, target_session
from amplify_delivery.publishing.target import PublishTarget


def check(
    target: PublishTarget,
    assembly: Assembly,
    root: RootStack,
    guard: Guard,
    progress: Callable[[str], None],
) -> None:
    """Raise `RefusedError` if AWS cannot do what deploying `assembly` with `root` asks for, if it would lose data that
    nothing allows to be lost, or if nobody can tell: what is deployed cannot be read, or is being changed."""
    where = f"{root.stack_name} (account {target.account}, {target.region})"
    try:
        session = target_session(target)
        content = published(assembly, root, target, session.client("s3", config=client_config()), progress)
        cloudformation = session.client("cloudformation", config=client_config())
        found = deployed.read(cloudformation, root.stack_name, content)
    except (*AWS_ERRORS, Malformed) as error:
        raise RefusedError(
            f"what is deployed cannot be read, so nobody can tell what data this would delete: {said(error)}",
            where=where,
            remedy="nothing was changed; allow these credentials cloudformation:DescribeStacks, ListStackResources and "
            "GetTemplate on the stack and its nested stacks, and repeat the command",
        ) from None
    have = found.stacks.parameters if found.stacks else {}
    parameters = deployed.with_deployed(deployed.known(root), have)
    wanted = Stacks.of(assembly, root, parameters)
    steps = plan_backend(found.stacks, wanted)
    never = impossible(steps, found.stacks, wanted, guard.today, guard.ignored)
    refuse([*never, *not_exported(wanted, listed(cloudformation), guard.ignored)], guard.environment)
    guard.check(steps)


def check_create(target: PublishTarget, assembly: Assembly, root: RootStack, guard: Guard) -> None:
    """Raise `RefusedError` if AWS cannot make `assembly` with `root` where nothing is deployed yet."""
    wanted = Stacks.of(assembly, root, deployed.known(root))
    never = impossible(plan_backend(None, wanted), None, wanted, guard.today, guard.ignored)
    try:
        exports = listed(target_session(target).client("cloudformation", config=client_config()))
    except AWS_ERRORS:
        exports = _unknown
    refuse([*never, *not_exported(wanted, exports, guard.ignored)], guard.environment)


def _unknown() -> None:
    """What stacks export, where nobody can say."""
