"""Stacks in the states that nobody wants: made as it happens on AWS, with something going wrong halfway."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from aws_rehearsal_tests.local_account import LocalAccount, Template

_PATIENCE = 300


def queue(seconds: int) -> Template:
    """What is changed in place, and can't be changed back when it is gone."""
    return {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": seconds}}


def waiting(*after: str) -> dict[str, Template]:
    """What keeps an operation waiting until it is signalled."""
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle", "DependsOn": list(after)}
    properties = {"Handle": {"Ref": "Handle"}, "Timeout": "60"}
    return {
        "Handle": handle,
        "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": properties},
    }


def until(condition: Callable[[], Any]) -> Any:
    """The condition's value as soon as it has one."""
    end = time.monotonic() + _PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


def fail_waiting(cloudformation: Any, stack: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Let what waits in a stack fail, after something else has happened."""

    def waits() -> bool:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return any(e["LogicalResourceId"] == "Wait" and e["ResourceStatus"].endswith("_IN_PROGRESS") for e in events)

    until(waits)
    meanwhile()
    end_waiting(cloudformation, stack, status="FAILURE")


def end_waiting(cloudformation: Any, stack: str, logical_id: str = "Wait", status: str = "SUCCESS") -> None:
    """Signal what a stack waits for, as soon as it does: its event, or the stack's status, is there a moment before."""

    def signalled() -> bool:
        try:
            cloudformation.signal_resource(StackName=stack, LogicalResourceId=logical_id, UniqueId="1", Status=status)
        except ClientError as e:
            if "is not waiting for signals" not in str(e):
                raise
            return False
        return True

    until(signalled)


def child_of(developer: LocalAccount, name: str, logical_id: str = "Child") -> str:
    """The id of a nested stack."""
    found = developer.client("cloudformation").describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def update_rollback_failed(developer: LocalAccount, name: str = "stack") -> Callable[[], str]:
    """A root in UPDATE_ROLLBACK_FAILED because of a queue in its child, which was deleted by hand in the middle of an
    update. Gives what makes a queue of that name again, so that the rollback can go on; it returns its address."""
    cloudformation, sqs = developer.client("cloudformation"), developer.client("sqs")
    named = f"queue-{developer.account}"

    def child(seconds: int, **more: Template) -> Template:
        own = queue(seconds)
        own["Properties"]["QueueName"] = named
        url = developer.upload(f"{name}-{seconds}", {"Resources": {"Queue": own, **more}})
        return {"Resources": {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}}}

    assert developer.create(child(30), name)["StackStatus"] == "CREATE_COMPLETE"
    address = sqs.get_queue_url(QueueName=named)["QueueUrl"]
    cloudformation.update_stack(
        StackName=name, TemplateBody=json.dumps(child(60, **waiting("Queue"))), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    below = child_of(developer, name)
    fail_waiting(cloudformation, below, lambda: sqs.delete_queue(QueueUrl=address))
    developer.wait(developer.stack(name)["StackId"])

    def again() -> str:
        return str(sqs.create_queue(QueueName=named)["QueueUrl"])

    return again
