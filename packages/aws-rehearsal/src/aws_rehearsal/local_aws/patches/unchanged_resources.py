"""An update touches, and reports, only resources that changed.

MiniStack walks through every resource of an updated stack: an unchanged one gets events and a new time too, so
that nobody can tell from the API what an update touched.
AWS: "CloudFormation updates only the resources that you have changed" (CloudFormation User Guide, "Update
behaviors of stack resources"); resources that did not change have no events.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, stacks

from ._expect import expect, replace

NESTED = "AWS::CloudFormation::Stack"
_QUIET = ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")


def apply() -> None:
    """Take the events of unchanged resources back when an update has ended, and their times."""
    deploy = expect(
        stacks, "_deploy_stack_async", "stack_name", "stack_id", "template", "param_values", "disable_rollback", "tags"
    )

    async def deploy_stack(stack_name: str, stack_id: str, *args: Any, **kwargs: Any) -> None:
        before = (kwargs.get("previous_stack") or {}).get("_resources") or {}
        # The record is changed in place: what is compared later has to be kept.
        known = {
            name: (r.get("PhysicalResourceId"), r.get("Properties"), r.get("Timestamp"), r.get("ResourceStatus"))
            for name, r in before.items()
            if r.get("ResourceType") != NESTED
        }
        events = cloudformation._stack_events.setdefault(stack_id, [])
        first = len(events)
        await deploy(stack_name, stack_id, *args, **kwargs)
        if kwargs.get("is_update"):
            _take_back(stack_name, stack_id, first, known)

    from ministack.services.cloudformation import changesets  # noqa: PLC0415

    holders = [m for m in (stacks, handlers, changesets) if hasattr(m, "_deploy_stack_async")]
    replace("_deploy_stack_async", deploy_stack, *holders)


def _take_back(stack_name: str, stack_id: str, first: int, known: dict[str, tuple[Any, Any, Any, Any]]) -> None:
    resources = (cloudformation._stacks.get(stack_name) or {}).get("_resources") or {}
    unchanged = set()
    for name, (physical_id, properties, time, status) in known.items():
        record = resources.get(name)
        if record is None or (record.get("PhysicalResourceId"), record.get("Properties")) != (physical_id, properties):
            continue
        if record.get("ResourceStatus") == "UPDATE_FAILED":
            continue  # as before, because it could not be brought back there: its rollback has failed
        unchanged.add(name)
        record["Timestamp"], record["ResourceStatus"] = time, status
    events = cloudformation._stack_events.get(stack_id, [])
    events[first:] = [
        e for e in events[first:] if e["LogicalResourceId"] not in unchanged or e["ResourceStatus"] not in _QUIET
    ]


def probe(aws: Any) -> bool:
    """Of two resources, the changed one alone has an update event."""
    name = aws.name("unchanged")
    aws.stack({"Same": aws.parameter("a"), "Other": aws.parameter("b")}, name)
    aws.update_stack(name, {"Same": aws.parameter("a"), "Other": aws.parameter("c")})
    answer = aws.query("cloudformation", Action="DescribeStackEvents", StackName=name)
    return _updates(answer, "Same") == 0 < _updates(answer, "Other")


def _updates(answer: str, logical_id: str) -> int:
    named = f"<LogicalResourceId>{logical_id}</LogicalResourceId>"
    return sum(1 for member in answer.split("<member>") if named in member and ">UPDATE_" in member)
