"""Why a stack failed, through its nested stacks."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from publishing.failures import failed_resources

PREFIX = "arn:aws:cloudformation:eu-central-1:444444444444:stack"
ROOT, API, TODO = f"{PREFIX}/amplify-app-dev-1/a1", f"{PREFIX}/amplify-app-dev-1-apiapp/b2", f"{PREFIX}/x-Todo/c3"


NESTED = "AWS::CloudFormation::Stack"


def event(stack: str, name: str, status: str, reason: str = "", **more: str) -> dict[str, str]:
    return {
        "StackId": stack,
        "LogicalResourceId": name,
        "ResourceType": more.get("kind", NESTED),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "PhysicalResourceId": more.get("physical", ""),
    }


EVENTS = {
    ROOT: [
        event(ROOT, "app", "UPDATE_ROLLBACK_COMPLETE", physical=ROOT),
        event(ROOT, "authapp", "UPDATE_FAILED", "Resource update cancelled"),
        event(ROOT, "apiapp", "UPDATE_FAILED", f"Embedded stack {API} was not successfully updated.", physical=API),
        event(ROOT, "app", "UPDATE_IN_PROGRESS", "User Initiated", physical=ROOT),
        event(ROOT, "earlier", "CREATE_FAILED", "long ago"),
    ],
    API: [
        event(API, "Todo", "CREATE_FAILED", f"Embedded stack {TODO} was not successfully created"),
        event(API, "apiapp", "UPDATE_IN_PROGRESS", physical=API),
    ],
    TODO: [
        event(TODO, "Table", "CREATE_FAILED", "Todo-1 already exists", kind="AWS::DynamoDB::Table"),
        event(TODO, "Role", "CREATE_FAILED", "Resource creation cancelled", kind="AWS::IAM::Role"),
    ],
}


class CloudFormation:
    def get_paginator(self, _: str) -> CloudFormation:
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803 - as boto3 calls it
        if StackName not in EVENTS:
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStackEvents"
            )
        return [{"StackEvents": EVENTS[StackName]}]


def test_the_first_cause_is_found_below_the_nested_stacks() -> None:
    error = f"waiting for CloudFormation Stack ({ROOT}) update: stack status (UPDATE_ROLLBACK_COMPLETE)"
    assert failed_resources(CloudFormation(), error) == [
        "apiapp/Todo/Table (AWS::DynamoDB::Table): Todo-1 already exists"
    ]


def test_an_error_that_names_no_stack_stays_alone() -> None:
    assert failed_resources(CloudFormation(), "AccessDenied") == []


def test_a_stack_of_which_nothing_is_known_stays_alone() -> None:
    assert failed_resources(CloudFormation(), f"waiting for {PREFIX}/gone/d4") == []
