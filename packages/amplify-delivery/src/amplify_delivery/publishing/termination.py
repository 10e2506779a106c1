"""A stack's termination protection: no template says it, nor a resource of the engine's. A call of its own.

Set at the root it holds for the nested stacks, too ("Protect CloudFormation stacks from being deleted" in the user
guide). CloudFormation refuses DeleteStack then; an update may still delete a nested stack, which is the guard's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amplify_delivery.errors import DeliveryError, PublishError
from amplify_delivery.publishing.aws_errors import suppressing_all, told_as
from amplify_delivery.publishing.credentials import clients
from amplify_delivery.publishing.target import PublishTarget

RIGHT = "cloudformation:UpdateTerminationProtection"


def set_to(cloudformation: Any, stack: str, *, on: bool) -> None:
    """Turn it on, or off. Raises botocore's errors."""
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=on)


def _is_on(cloudformation: Any, stack: str) -> bool:
    """Whether it is on; True where nobody may ask."""
    with suppressing_all():
        return bool(cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("EnableTerminationProtection"))
    return True


def by_hand(stack: str, options: str, *, on: bool) -> str:
    """The command for a person; `options` are those of an `aws` command."""
    option = "--enable-termination-protection" if on else "--no-enable-termination-protection"
    return f"`aws cloudformation update-termination-protection {option} --stack-name {stack} {options}`"


def try_to_set(target: PublishTarget, stack: str, warn: Callable[[str], object], *, on: bool) -> None:
    """The same at the end of a deployment: what AWS refuses is a warning, for everything else is done by then. Turned
    off is what is on: every run asks for that where nothing is to be protected, and not every caller has the right."""
    try:
        with told_as(PublishError, "AWS refuses", stack):
            cloudformation = clients(target)("cloudformation")
            if on or _is_on(cloudformation, stack):
                set_to(cloudformation, stack, on=on)
    except DeliveryError as error:
        warn(
            f"the termination protection of {stack} could not be turned {'on' if on else 'off'}: {error.message}. "
            f"Allow these credentials {RIGHT} and repeat the command, or {by_hand(stack, target.options, on=on)}"
        )
