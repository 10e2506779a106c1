"""The stack policy of an environment's root stack: CloudFormation."""

from __future__ import annotations

from amplify_delivery.delivery.doctor.asking.clients import Clients, asking


def of(clients: Clients, stack: str) -> str | None:
    """That of a stack that is there; None if it has none."""
    with asking("cloudformation:GetStackPolicy"):
        found: str | None = clients.client("cloudformation").get_stack_policy(StackName=stack).get("StackPolicyBody")
    return found
