"""Events of an update of a root stack with two nested stacks, one of which fails, as CloudFormation tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from amplify_delivery.delivery.deployment.live.events import Event

STACK = "AWS::CloudFormation::Stack"
TABLE, FUNCTION = "AWS::DynamoDB::Table", "AWS::Lambda::Function"
BEGAN = datetime(2026, 11, 29, 12, tzinfo=UTC)
NAME = "amplify-app-dev-1"
ROOT = f"arn:aws:cloudformation:eu-west-1:222222222222:stack/{NAME}/1"
API = f"arn:aws:cloudformation:eu-west-1:222222222222:stack/{NAME}-api-X/2"
MODEL = f"arn:aws:cloudformation:eu-west-1:222222222222:stack/{NAME}-api-X-Todo-Y/3"
CANCELLED = "Resource update cancelled"


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def raw(  # noqa: PLR0917 - an event's fields
    seconds: float, stack: str, logical_id: str, type_: str, status: str, physical_id: str = "", reason: str = ""
) -> dict[str, Any]:
    """An event as boto3 has it."""
    return {
        "EventId": f"{stack[-1]}-{logical_id}-{status}-{seconds}",
        "StackId": stack,
        "StackName": NAME,
        "LogicalResourceId": logical_id,
        "ResourceType": type_,
        "ResourceStatus": status,
        "PhysicalResourceId": physical_id,
        "ResourceStatusReason": reason,
        "Timestamp": at(seconds),
    }


def own(seconds: float, status: str, reason: str = "") -> dict[str, Any]:
    """One of the root stack itself."""
    return raw(seconds, ROOT, NAME, STACK, status, ROOT, reason)


def event(*arguments: Any, **more: Any) -> Event:
    return Event.of(raw(*arguments, **more))


UPDATE = [
    own(0, "UPDATE_IN_PROGRESS", "User Initiated"),
    raw(1, ROOT, "auth", STACK, "UPDATE_IN_PROGRESS", ROOT.replace(NAME, f"{NAME}-auth")),
    raw(2, ROOT, "api", STACK, "CREATE_IN_PROGRESS"),
    raw(3, ROOT, "api", STACK, "CREATE_IN_PROGRESS", API, "Resource creation Initiated"),
    raw(5, ROOT, "auth", STACK, "UPDATE_COMPLETE", ROOT.replace(NAME, f"{NAME}-auth")),
    raw(4, API, f"{NAME}-api-X", STACK, "CREATE_IN_PROGRESS", API, "User Initiated"),
    raw(5, API, "Todo", STACK, "CREATE_IN_PROGRESS", MODEL),
    raw(6, MODEL, "TodoTable", TABLE, "CREATE_IN_PROGRESS"),
    raw(7, MODEL, "TodoTable", TABLE, "CREATE_IN_PROGRESS", "Todo-dev", "Resource creation Initiated"),
    raw(8, MODEL, "Resolver", FUNCTION, "CREATE_IN_PROGRESS"),
    raw(9, MODEL, "Resolver", FUNCTION, "CREATE_COMPLETE", "fn"),
    raw(40, MODEL, "TodoTable", TABLE, "CREATE_COMPLETE", "Todo-dev"),
]
FAILED = [
    raw(41, MODEL, "Index", TABLE, "CREATE_IN_PROGRESS"),
    raw(42, MODEL, "Late", TABLE, "CREATE_IN_PROGRESS"),
    raw(43, MODEL, "Index", TABLE, "CREATE_FAILED", reason="Table already exists: Index"),
    raw(43, MODEL, "Late", TABLE, "CREATE_FAILED", reason=CANCELLED),
    own(45, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [api]"),
    raw(46, ROOT, "auth", STACK, "UPDATE_IN_PROGRESS", ROOT.replace(NAME, f"{NAME}-auth")),
]
