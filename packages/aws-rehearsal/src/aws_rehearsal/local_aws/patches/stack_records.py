"""What DescribeStacks, ListStacks and DescribeChangeSet say, where MiniStack says less, or too much.

MiniStack leaves out `ParentId`, `RootId`, `RoleARN`, `TimeoutInMinutes`, `NotificationARNs` and `DeletionTime`, shows
NoEcho parameters of change sets in the clear, gives a failed create's rollback no reason, and lets a stack in
ROLLBACK_COMPLETE be created over.
AWS: CloudFormation API Reference, DescribeStacks (`Stack`), ListStacks (`StackSummary`), CreateStack
(AlreadyExistsException), "NoEcho: masked with asterisks"; User Guide, "Stack status codes": a stack in
ROLLBACK_COMPLETE can only be deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, helpers, stacks

from ._expect import PatchError, expect, replace

_ACTIONS = (
    "CreateStack", "UpdateStack", "CreateChangeSet", "ExecuteChangeSet", "DescribeStacks", "DescribeChangeSet",
    "ListStacks",
)  # fmt: skip
_LIVING = ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")


def apply() -> None:
    """Wrap the actions that take these members and those that show them."""
    missing = [action for action in _ACTIONS if action not in handlers._ACTION_HANDLERS]
    if missing:
        raise PatchError(f"CloudFormation has no {', '.join(missing)} any more")
    actions = dict(handlers._ACTION_HANDLERS)
    handlers._ACTION_HANDLERS.update(
        CreateStack=_refusing_taken_names(_remembering(actions["CreateStack"])),
        UpdateStack=_in_aws_words(_remembering(actions["UpdateStack"])),
        CreateChangeSet=_refusing_taken_names(_remembering(actions["CreateChangeSet"])),
        DescribeStacks=_telling_more(actions["DescribeStacks"]),
        ListStacks=_with_deletion_times(actions["ListStacks"]),
        DescribeChangeSet=_masking(actions["DescribeChangeSet"]),
    )
    roll_back = expect(
        stacks, "_roll_back_operation", "stack_name", "stack_id", "stack", "operation", "reason_override"
    )

    async def roll_back_operation(
        stack_name: str, stack_id: str, stack: Any, operation: Any, reason_override: str = ""
    ) -> None:
        failed = operation.get("failed_logical_id")
        if failed and not operation.get("is_update") and not reason_override:
            reason_override = f"The following resource(s) failed to create: [{failed}]. Rollback requested by user."
        await roll_back(stack_name, stack_id, stack, operation, reason_override)

    replace("_roll_back_operation", roll_back_operation, stacks, handlers)


Action = Callable[[Any], Any]


def _refusing_taken_names(action: Action) -> Action:
    def refuse(params: Any) -> Any:
        creates = helpers._p(params, "Action") == "CreateStack" or helpers._p(params, "ChangeSetType") == "CREATE"
        stack = cloudformation._stacks.get(helpers._p(params, "StackName"))
        if creates and stack is not None and stack["StackStatus"] not in _LIVING:
            return helpers._error("AlreadyExistsException", f"Stack [{stack['StackName']}] already exists")
        return action(params)

    return refuse


def _remembering(action: Action) -> Action:
    """Keep what the call says beside the template, as MiniStack does not."""

    def remember(params: Any) -> Any:
        answer = action(params)
        stack = handlers._resolve_stack(helpers._p(params, "StackName"))
        if answer[0] == 200 and stack is not None:
            for member in ("RoleARN", "TimeoutInMinutes"):
                if helpers._p(params, member):
                    stack[member] = helpers._p(params, member)
            topics = helpers._extract_string_members(params, "NotificationARNs")
            # "Specify an empty list to remove all notification topics" (UpdateStack): one comes as an empty text.
            if topics or helpers._p(params, "NotificationARNs", None) is not None:
                stack["NotificationARNs"] = topics
        return answer

    return remember


def _in_aws_words(action: Action) -> Action:
    """AWS names the stack by its id here; programs recognise the state by this sentence."""

    def update(params: Any) -> Any:
        status, headers, body = action(params)
        stack = handlers._resolve_stack(helpers._p(params, "StackName"))
        if status == 400 and stack is not None and b" and cannot be updated" in body:
            state = stack["StackStatus"]
            sentence = f"Stack:{stack['StackId']} is in {state} state and can not be updated."
            return helpers._error("ValidationError", sentence)
        return status, headers, body

    return update


def _telling_more(action: Action) -> Action:
    def describe(params: Any) -> Any:
        status, headers, body = action(params)
        if status != 200:
            return status, headers, body
        text = body.decode("utf-8")
        _remember_deletions()
        for stack in cloudformation._stacks.values():
            more = "".join(
                f"<{member}>{helpers._esc(str(stack[member]))}</{member}>"
                for member in ("ParentId", "RootId", "RoleARN", "TimeoutInMinutes", "DeletionTime")
                if stack.get(member)
            )
            topics = "".join(f"<member>{helpers._esc(arn)}</member>" for arn in stack.get("NotificationARNs", []))
            more += f"<NotificationARNs>{topics}</NotificationARNs>" if topics else ""
            if more:
                own = f"<StackId>{helpers._esc(stack['StackId'])}</StackId>"
                text = text.replace(own, own + more)
        return status, headers, text.encode("utf-8")

    return describe


def _with_deletion_times(action: Action) -> Action:
    def listed(params: Any) -> Any:
        _remember_deletions()  # what MiniStack shows if it knows it
        return action(params)

    return listed


def _remember_deletions() -> None:
    """A stack's last event is the end of its deletion."""
    for stack in cloudformation._stacks.values():
        events = cloudformation._stack_events.get(stack["StackId"])
        if events and stack["StackStatus"] == "DELETE_COMPLETE":
            stack["DeletionTime"] = events[-1]["Timestamp"]


def _masking(action: Action) -> Action:
    def describe(params: Any) -> Any:
        from ministack.services.cloudformation.changesets import _find_change_set  # noqa: PLC0415

        _, change_set = _find_change_set(helpers._p(params, "ChangeSetName"), helpers._p(params, "StackName"))
        for parameter in (change_set or {}).get("Parameters", []):
            if change_set["_resolved_params"][parameter["ParameterKey"]].get("NoEcho"):
                parameter["ParameterValue"] = "****"
        return action(params)

    return describe


def probe(aws: Any) -> bool:
    """A stack tells its role, one that rolled back keeps its name taken, and one that was deleted tells when."""
    role = aws.role(aws.owner, "probe-execution", trusted="cloudformation.amazonaws.com")
    failing = {
        "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/probe/records", "Value": "1"}}
    }
    aws.json(aws.owner, "ssm", "AmazonSSM.PutParameter", Name="/probe/records", Value="0", Type="String")
    status = aws.stack(failing, name="probe-records", RoleARN=role)
    described = aws.query("cloudformation", Action="DescribeStacks", StackName="probe-records")
    again = aws.succeeds(lambda: aws.create_stack(failing, name="probe-records"))
    gone = aws.delete_stack("probe-records") == "DELETE_COMPLETE"
    timed = "<DeletionTime>" in aws.query("cloudformation", Action="ListStacks")
    return status == "ROLLBACK_COMPLETE" and role in described and not again and gone and timed
