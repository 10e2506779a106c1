"""Events of what is there already tell its physical id from the beginning on.

MiniStack tells the id of an updated or deleted resource only when that is done, and none of one that fails; so nobody
who reads a root stack's events can tell which nested stack is at work.
AWS: CloudFormation API Reference, "StackEvent" (`PhysicalResourceId`): a resource that is being created has none until
its creation is initiated; every other has the one that it has.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from ._expect import expect, replace

_LATER = ("UPDATE_", "DELETE_", "ROLLBACK_")


def apply() -> None:
    """Look the id up in the stack where an event is recorded without one."""
    add = expect(
        stacks, "_add_event", "stack_id", "stack_name", "logical_id", "resource_type", "status", "reason", "physical_id"
    )

    def add_event(  # noqa: PLR0917 - MiniStack's own
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        *rest: Any,
        **more: Any,
    ) -> Any:
        if not physical_id and status.startswith(_LATER):
            physical_id = _known(stack_id, stack_name, logical_id)
        return add(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, *rest, **more)

    holders = [module for module in _modules() if getattr(module, "_add_event", None) is add]
    replace("_add_event", add_event, *holders)


def _modules() -> list[Any]:
    import sys  # noqa: PLC0415 - of what is imported by now

    found = [m for name, m in list(sys.modules.items()) if name.startswith("ministack.services.cloudformation") and m]
    return sorted(found, key=lambda module: module is not stacks)


def _known(stack_id: str, stack_name: str, logical_id: str) -> str:
    stack = cloudformation._stacks.get(stack_name) or {}
    if stack.get("StackId") != stack_id:
        return ""
    return str((stack.get("_resources", {}).get(logical_id) or {}).get("PhysicalResourceId") or "")


def probe(aws: Any) -> bool:
    """An update's first event of a topic has the topic's ARN."""

    def topic(name: str) -> dict[str, Any]:
        return {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "probe-ids", "DisplayName": name}}}

    name = aws.name("event-ids")
    aws.create_stack(topic("one"), name)
    aws.settled(name)
    aws.update_stack(name, topic("two"))
    aws.settled(name)
    events = aws.query("cloudformation", Action="DescribeStackEvents", StackName=name)
    begun = [e for e in events.split("<member>") if "UPDATE_IN_PROGRESS" in e and ">Topic<" in e]
    return bool(begun) and all(re.search(r"<PhysicalResourceId>arn:[^<]*probe-ids<", e) for e in begun)
