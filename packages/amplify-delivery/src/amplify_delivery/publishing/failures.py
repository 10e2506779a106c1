"""Why a stack failed: the failed resources of its nested stacks, down to the first cause.

The provider's error knows the root stack's events only. They say of a nested stack that it "was not
successfully updated", and leave the reason where it is: in the nested stack's own events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.publishing.aws_errors import suppressing_all
from amplify_delivery.publishing.credentials import client_config, target_session
from amplify_delivery.publishing.target import PublishTarget

_STACK = re.compile(r"arn:aws[\w-]*:cloudformation:[\w-]+:[0-9]{12}:stack/[\w-]+/[0-9a-f-]+")
_CANCELLED = re.compile(r"Resource (creation|update|deletion) cancelled")
"""Said of what was under way when another resource failed."""
_STARTS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
_ASKED_FOR = "User Initiated"
"""The reason of an operation that somebody began, and not CloudFormation itself to clean up."""
_GOOD_ENDS = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")


def first_causes(target: PublishTarget, error: str) -> list[str]:
    """`failed_resources`, asked with the credentials of the stack's own provider; empty when they do not serve."""
    with suppressing_all():
        return failed_resources(target_session(target).client("cloudformation", config=client_config()), error)
    return []


def failed_resources(cloudformation: Any, error: str) -> list[str]:
    """`NESTED/RESOURCE (TYPE): REASON` for each first cause in the stack that `error` names by its ARN.

    Empty when it names none, or when CloudFormation does not tell: the error itself stays the best answer.
    """
    stack = _STACK.search(error)
    with suppressing_all():
        return list(dict.fromkeys(_failed(cloudformation, stack[0], ()))) if stack else []
    return []


def _failed(cloudformation: Any, stack: str, path: tuple[str, ...]) -> Iterator[str]:
    """First causes of the last operation of one stack and of those below it, the earliest first."""
    for event in reversed(list(_last_operation(cloudformation, stack))):
        reason = event.get("ResourceStatusReason", "")
        if not event["ResourceStatus"].endswith("_FAILED") or not reason or _CANCELLED.match(reason):
            continue
        here = (*path, event["LogicalResourceId"])
        below = _STACK.search(event.get("PhysicalResourceId") or "") or _STACK.search(reason)
        nested = event["ResourceType"] == STACK_TYPE and below and below[0] != stack
        causes = list(_failed(cloudformation, below[0], here)) if nested and below else []
        yield from causes or [f"{'/'.join(here)} ({event['ResourceType']}): {reason}"]


def _last_operation(cloudformation: Any, stack: str) -> Iterator[dict[str, Any]]:
    """Events of a stack's last create, update or delete, newest first.

    A deletion that CloudFormation itself has begun belongs to what failed before it: `OnFailure: DELETE` of a first
    create, and the cleaning up after an update that made the nested stack. It begins after the failure, not after an
    operation that went well ("Stack failure options" in the CloudFormation user guide).
    """
    cleaning_up = False
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        for event in page["StackEvents"]:
            if event.get("PhysicalResourceId") != event["StackId"]:
                yield event
                continue
            status = event["ResourceStatus"]
            if status in _STARTS or (cleaning_up and status in _GOOD_ENDS):
                return
            if status == "DELETE_IN_PROGRESS":
                if event.get("ResourceStatusReason") == _ASKED_FOR:
                    return
                cleaning_up = True
