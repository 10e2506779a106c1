"""A stack that is being updated is not deleted.

MiniStack deletes it in the middle of its update.
AWS refuses: "Stack [ID] cannot be deleted while in status UPDATE_IN_PROGRESS", reported for
UPDATE_COMPLETE_CLEANUP_IN_PROGRESS and UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS too (aws-toolkit-azure-devops 317,
amplify-backend 2366, clickstream-analytics-on-aws 573). A stack that is being created can be deleted.
"""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import handlers, helpers

from ._expect import PatchError, expect

_UPDATING = (
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
)


def apply() -> None:
    """Refuse DeleteStack in these states; else as before."""
    if "DeleteStack" not in handlers._ACTION_HANDLERS:
        raise PatchError("CloudFormation has no DeleteStack any more")
    delete = handlers._ACTION_HANDLERS["DeleteStack"]
    find = expect(handlers, "_resolve_stack", "stack_name")

    def delete_stack(params: Any) -> Any:
        stack = find(helpers._p(params, "StackName"))
        if stack and stack.get("StackStatus") in _UPDATING:
            return helpers._error(
                "ValidationError",
                f"Stack [{stack['StackId']}] cannot be deleted while in status {stack['StackStatus']}",
            )
        return delete(params)

    handlers._ACTION_HANDLERS["DeleteStack"] = delete_stack


def probe(aws: Any) -> bool:
    """A stack whose update waits for a signal stays."""
    name, kept = aws.name("kept"), {"Kept": aws.parameter("one")}
    aws.stack(kept, name=name)
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    wait = {"Handle": {"Ref": "Handle"}, "Timeout": "60"}
    waiting = {**kept, "Handle": handle, "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": wait}}
    aws.query("cloudformation", Action="UpdateStack", StackName=name, TemplateBody=aws.body(waiting))
    if aws.succeeds(lambda: aws.query("cloudformation", Action="DeleteStack", StackName=name)):
        return False
    if not aws.signal(name, "SUCCESS"):
        return False
    return bool(aws.settled(name) == "UPDATE_COMPLETE" and aws.delete_stack(name) == "DELETE_COMPLETE")
