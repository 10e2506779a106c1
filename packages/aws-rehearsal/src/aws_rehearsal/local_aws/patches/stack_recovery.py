"""A rollback that failed in a nested stack has failed in its root, and is continued from there.

MiniStack knows ContinueUpdateRollback of one stack only: a child whose rollback failed was said to be rolled back, its
root too, and a resource of a child could not be skipped. It does not say which resources could not be rolled back, does
not keep the role of ContinueUpdateRollback and RollbackStack, and leaves a first create without a stable state behind.
AWS: API Reference, ContinueUpdateRollback ("Don't specify the name of a nested stack"; `ResourcesToSkip` of a nested
stack as `NestedStackName.ResourceLogicalID`, only resources in UPDATE_FAILED because a rollback failed), RollbackStack
("CloudFormation always uses this role for all future operations on the stack").
"""

from __future__ import annotations

import contextvars
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import drift, handlers, helpers, stacks

from ._expect import PatchError, expect, replace
from .nested_stacks import TYPE, holders

_skipped: contextvars.ContextVar[frozenset[str] | None] = contextvars.ContextVar("skipped", default=None)
"""What the running ContinueUpdateRollback skips below its root, as `NAME.LOGICAL_ID`; None outside of one."""


def apply() -> None:
    """Wrap both actions, what they run, and the rollback that comes before them."""
    for action in ("ContinueUpdateRollback", "RollbackStack"):
        if action not in handlers._ACTION_HANDLERS:
            raise PatchError(f"CloudFormation has no {action} any more")
    go_on = expect(stacks, "_continue_update_rollback_async", "stack_name", "stack_id", "resources_to_skip")
    roll_back = expect(stacks, "_roll_back_operation", "stack_name", "stack_id", "stack", "operation")
    revert = expect(stacks, "_revert_update", "stack_id", "stack_name", "logical_id", "rtype", "physical_id")
    update = expect(stacks, "_update_resource", "resource_type", "physical_id", "old_props", "new_props")
    actions = dict(handlers._ACTION_HANDLERS)

    def update_resource(resource_type: str, physical_id: str, old: Any, new: Any, *rest: Any, **more: Any) -> Any:
        reader = drift._DRIFT_READERS.get(resource_type)
        if reader and old != new and reader[0](physical_id, old) is None:
            raise ValueError(
                f"Resource of type '{resource_type}' with identifier '{physical_id}' was not found. "
                "(HandlerErrorCode: NotFound)"
            )
        return update(resource_type, physical_id, old, new, *rest, **more)

    async def continue_update_rollback(stack_name: str, stack_id: str, resources_to_skip: Any) -> None:
        _skipped.set((_skipped.get() or frozenset()) | frozenset(s for s in resources_to_skip if "." in s))
        await go_on(stack_name, stack_id, frozenset(s for s in resources_to_skip if "." not in s))
        _mark(cloudformation._stacks[stack_name])

    async def roll_back_operation(stack_name: str, stack_id: str, stack: Any, *rest: Any, **more: Any) -> None:
        await roll_back(stack_name, stack_id, stack, *rest, **more)
        _mark(stack)

    async def revert_update(
        stack_id: str, stack_name: str, logical_id: str, rtype: str, physical_id: str, *rest: Any, **more: Any
    ) -> None:
        if rtype == TYPE:
            child = handlers._resolve_stack(physical_id)
            if child is not None and child["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
                await _below(stack_id, stack_name, logical_id, child)
                return
        await revert(stack_id, stack_name, logical_id, rtype, physical_id, *rest, **more)

    replace("_continue_update_rollback_async", continue_update_rollback, *holders("_continue_update_rollback_async"))
    replace("_roll_back_operation", roll_back_operation, *holders("_roll_back_operation"))
    replace("_revert_update", revert_update, stacks)
    replace("_update_resource", update_resource, stacks)
    handlers._ACTION_HANDLERS.update(
        ContinueUpdateRollback=_continuing(actions["ContinueUpdateRollback"]),
        RollbackStack=_keeping_role(actions["RollbackStack"]),
    )


async def _below(stack_id: str, stack_name: str, logical_id: str, child: dict[str, Any]) -> None:
    """Continue the rollback of a child, if its root's is being continued; else it has failed."""
    skipped = _skipped.get()
    if skipped is not None:
        own = frozenset(s.partition(".")[2] for s in skipped if s.partition(".")[0] == child["StackName"])
        await stacks._continue_update_rollback_async(child["StackName"], child["StackId"], own)
    if child["StackStatus"] != "UPDATE_ROLLBACK_COMPLETE":
        reason = f"Embedded stack {child['StackId']} was not successfully updated."
        stacks._add_event(stack_id, stack_name, logical_id, TYPE, "UPDATE_FAILED", reason, child["StackId"])
        raise ValueError(reason)
    stacks._mark_rolled_back(cloudformation._stacks[stack_name]["_resources"].get(logical_id))
    stacks._add_event(stack_id, stack_name, logical_id, TYPE, "UPDATE_COMPLETE", "", child["StackId"])


def _mark(stack: dict[str, Any]) -> None:
    """The resources say themselves what could not be rolled back, and why."""
    failed = stack.get("_rollback_failed", {}) if stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED" else {}
    reasons = {
        event["LogicalResourceId"]: event["ResourceStatusReason"]
        for event in cloudformation._stack_events.get(stack["StackId"], [])
        if event["ResourceStatus"] == "UPDATE_FAILED"
    }
    for logical_id, resource in stack.get("_resources", {}).items():
        if logical_id in failed:
            resource["ResourceStatus"] = "UPDATE_FAILED"
            resource["ResourceStatusReason"] = reasons.get(logical_id, "")
        elif resource.get("ResourceStatus") == "UPDATE_FAILED":
            resource["ResourceStatus"] = "UPDATE_COMPLETE"
            resource.pop("ResourceStatusReason", None)


def _continuing(action: Any) -> Any:
    def go_on(params: Any) -> Any:
        stack = handlers._resolve_stack(helpers._p(params, "StackName"))
        if stack is None or stack["StackStatus"] != "UPDATE_ROLLBACK_FAILED":
            return action(params)
        if stack.get("_parent_stack_name"):
            return helpers._error(
                "ValidationError", f"Stack [{stack['StackId']}] is nested: its rollback is continued from its root"
            )
        asked = _listed(params)
        wrong = [name for name in asked if not _may_be_skipped(stack, name)]
        if wrong:
            return helpers._error(
                "ValidationError",
                f"Resource(s) [{', '.join(wrong)}] cannot be skipped: only resources whose rollback failed can be",
            )
        _keep_role(params, stack)
        # Those of the root itself MiniStack looks at; those of its children are handed on beside it.
        own = [name for name in asked if "." not in name]
        rest = {k: v for k, v in params.items() if not k.startswith("ResourcesToSkip")}
        rest |= {f"ResourcesToSkip.member.{i}": [name] for i, name in enumerate(own, 1)}
        token = _skipped.set(frozenset(name for name in asked if "." in name))
        try:
            return action(rest)
        finally:
            _skipped.reset(token)

    return go_on


def _listed(params: Any) -> list[str]:
    found: list[str] = []
    while name := helpers._p(params, f"ResourcesToSkip.member.{len(found) + 1}"):
        found.append(name)
    return found


def _may_be_skipped(root: dict[str, Any], name: str) -> bool:
    above, _, own = name.rpartition(".")
    stack = cloudformation._stacks.get(above) if above else root
    failed = (stack or {}).get("_rollback_failed", {})
    # A nested stack itself is not skipped: what failed in it is.
    return own in failed and failed[own].get("ResourceType") != TYPE


def _keep_role(params: Any, stack: dict[str, Any]) -> None:
    role = helpers._p(params, "RoleARN")
    if role:
        stack["RoleARN"] = role


def _keeping_role(action: Any) -> Any:
    def roll_back(params: Any) -> Any:
        stack = handlers._resolve_stack(helpers._p(params, "StackName"))
        if stack is not None:
            _keep_role(params, stack)
        return action(params)

    return roll_back


def probe(aws: Any) -> bool:
    """A child that cannot be rolled back keeps its root from it, until the root's rollback is continued without it."""
    name, named = aws.name("stuck"), aws.name("stuck-queue")

    def child(seconds: int, **more: Any) -> dict[str, Any]:
        queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": seconds, "QueueName": named}}
        return {"Child": aws.nested(aws.template({"Queue": queue, **more}))}

    aws.stack(child(30), name)
    found = aws.query("cloudformation", Action="DescribeStackResource", StackName=name, LogicalResourceId="Child")
    below = found.partition("<PhysicalResourceId>")[2].partition("</PhysicalResourceId>")[0]
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle", "DependsOn": "Queue"}
    wait = {"Handle": {"Ref": "Handle"}, "Timeout": "60"}
    more = {"Handle": handle, "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": wait}}
    aws.query("cloudformation", Action="UpdateStack", StackName=name, TemplateBody=aws.body(child(60, **more)))
    if not aws.within(lambda: ">Wait<" in aws.query("cloudformation", Action="DescribeStackEvents", StackName=below)):
        return False
    address = f"{aws.endpoint}/{aws.owner.account}/{named}"
    aws.query("sqs", Action="DeleteQueue", QueueUrl=address)
    if not aws.signal(below, "FAILURE") or aws.settled(name) != "UPDATE_ROLLBACK_FAILED":
        return False
    skip = {"ResourcesToSkip.member.1": f"{below.split('/')[1]}.Queue"}
    if not aws.succeeds(lambda: aws.query("cloudformation", Action="ContinueUpdateRollback", StackName=name, **skip)):
        return False
    return bool(aws.settled(name) == "UPDATE_ROLLBACK_COMPLETE" and aws.settled(below) == "UPDATE_ROLLBACK_COMPLETE")
