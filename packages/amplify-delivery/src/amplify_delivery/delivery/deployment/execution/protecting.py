"""The root stack's termination protection: no template says it, nor a resource of the engine's. A call of its own."""

from __future__ import annotations

from collections.abc import Sequence

from amplify_delivery.delivery import output
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import ProtectStack, Step
from amplify_delivery.errors import FailedError
from amplify_delivery.publishing import termination
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, told_as


def carry_out(target: Wanted, steps: Sequence[Step]) -> bool:
    """Do what `steps` say of it; whether it was done. Raises `FailedError` in production, and tells elsewhere, what AWS
    refuses: everything else is done by then."""
    wanted = next((step for step in steps if isinstance(step, ProtectStack)), None)
    if wanted is None:
        return False
    stack = target.root.stack_name
    by_hand = termination.by_hand(stack, target.account.options, on=wanted.on)
    remedy = f"allow these credentials {termination.RIGHT} and deploy again, or {by_hand}"
    said = f"everything is deployed, but its termination protection could not be turned {'on' if wanted.on else 'off'}"
    try:
        with told_as(FailedError, said, stack, dict.fromkeys(ACCESS_DENIED, remedy), remedy):
            termination.set_to(target.account.client("cloudformation"), stack, on=wanted.on)
    except FailedError as error:
        if target.config.production:
            raise
        # Nobody has asked for it there: whoever may deploy, and not this, goes on without it.
        output.progress(f"note: {error.message}. {error.remedy}")
        return False
    return True
