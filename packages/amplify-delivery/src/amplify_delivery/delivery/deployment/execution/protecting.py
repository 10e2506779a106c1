"""The root stack's termination protection: no template says it, nor a resource of the engine's. A call of its own."""

from __future__ import annotations

from collections.abc import Sequence

from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import ProtectStack, Step
from amplify_delivery.errors import FailedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, told_as


def carry_out(target: Wanted, steps: Sequence[Step]) -> bool:
    """Do what `steps` say of it; whether there was something. Raises `FailedError`: everything else is done by then."""
    wanted = next((step for step in steps if isinstance(step, ProtectStack)), None)
    if wanted is None:
        return False
    stack = target.root.stack_name
    option = "--enable-termination-protection" if wanted.on else "--no-enable-termination-protection"
    where = f"--stack-name {stack} {target.account.options}"
    by_hand = f"`aws cloudformation update-termination-protection {option} {where}`"
    remedy = f"allow these credentials cloudformation:UpdateTerminationProtection and deploy again, or {by_hand}"
    said = f"everything is deployed, but its termination protection could not be turned {'on' if wanted.on else 'off'}"
    with told_as(FailedError, said, stack, dict.fromkeys(ACCESS_DENIED, remedy), remedy):
        target.account.client("cloudformation").update_termination_protection(
            StackName=stack, EnableTerminationProtection=wanted.on
        )
    return True
