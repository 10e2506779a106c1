"""Why a stack failed, through its nested stacks."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.publishing.failures import failed_resources

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


CREATED, NEW = f"{PREFIX}/amplify-app-dev-2/d4", f"{PREFIX}/amplify-app-dev-2-apiapp/e5"
ADDED, KEPT, GONE = f"{PREFIX}/amplify-app-dev-3/f6", f"{PREFIX}/x-Kept/a7", f"{PREFIX}/x-Gone/b8"

EVENTS |= {
    # A first create with OnFailure DELETE: CloudFormation deletes what it has made, children before the root.
    CREATED: [
        event(CREATED, "app", "DELETE_COMPLETE", physical=CREATED),
        event(CREATED, "apiapp", "DELETE_COMPLETE", physical=NEW),
        event(CREATED, "bucket", "DELETE_FAILED", "not empty", kind="AWS::S3::Bucket"),
        event(
            CREATED,
            "app",
            "DELETE_IN_PROGRESS",
            "The following resource(s) failed to create: [apiapp]. Delete requested by user.",
            physical=CREATED,
        ),
        event(CREATED, "apiapp", "CREATE_FAILED", f"Embedded stack {NEW} was not successfully created", physical=NEW),
        event(CREATED, "app", "CREATE_IN_PROGRESS", "User Initiated", physical=CREATED),
    ],
    NEW: [
        event(NEW, "apiapp", "DELETE_COMPLETE", physical=NEW),
        event(NEW, "Role", "DELETE_COMPLETE", kind="AWS::IAM::Role"),
        event(NEW, "apiapp", "DELETE_IN_PROGRESS", physical=NEW),
        event(NEW, "apiapp", "CREATE_FAILED", "The following resource(s) failed to create: [Table]", physical=NEW),
        event(NEW, "Table", "CREATE_FAILED", "Todo-1 already exists", kind="AWS::DynamoDB::Table"),
        event(NEW, "apiapp", "CREATE_IN_PROGRESS", physical=NEW),
    ],
    # An update that removed `Gone`, which did not let itself be deleted; its last update had failed long before.
    ADDED: [
        event(ADDED, "Gone", "DELETE_FAILED", f"Embedded stack {GONE} was not successfully deleted", physical=GONE),
        event(ADDED, "app", "UPDATE_IN_PROGRESS", "User Initiated", physical=ADDED),
    ],
    GONE: [
        event(GONE, "Bucket", "DELETE_FAILED", "not empty", kind="AWS::S3::Bucket"),
        event(GONE, "Gone", "DELETE_IN_PROGRESS", physical=GONE),
        event(GONE, "Gone", "UPDATE_ROLLBACK_COMPLETE", physical=GONE),
        event(GONE, "Table", "UPDATE_FAILED", "long ago", kind="AWS::DynamoDB::Table"),
        event(GONE, "Gone", "UPDATE_IN_PROGRESS", physical=GONE),
    ],
    # Somebody deletes what an earlier create has left in CREATE_FAILED.
    KEPT: [
        event(KEPT, "Bucket", "DELETE_FAILED", "not empty", kind="AWS::S3::Bucket"),
        event(KEPT, "app", "DELETE_IN_PROGRESS", "User Initiated", physical=KEPT),
        event(KEPT, "app", "CREATE_FAILED", physical=KEPT),
        event(KEPT, "Table", "CREATE_FAILED", "long ago", kind="AWS::DynamoDB::Table"),
        event(KEPT, "app", "CREATE_IN_PROGRESS", "User Initiated", physical=KEPT),
    ],
}


@pytest.mark.parametrize(
    ("stack", "causes"),
    [
        (
            CREATED,
            [
                "apiapp/Table (AWS::DynamoDB::Table): Todo-1 already exists",
                "bucket (AWS::S3::Bucket): not empty",
            ],
        ),
        (ADDED, ["Gone/Bucket (AWS::S3::Bucket): not empty"]),
        (KEPT, ["Bucket (AWS::S3::Bucket): not empty"]),
    ],
    ids=["deleted-after-a-failed-create", "not-deleted-by-an-update", "deleted-by-somebody"],
)
def test_what_cloudformation_cleans_up_belongs_to_what_failed(stack: str, causes: list[str]) -> None:
    assert failed_resources(CloudFormation(), f"waiting for CloudFormation Stack ({stack})") == causes


def test_an_error_that_names_no_stack_stays_alone() -> None:
    assert failed_resources(CloudFormation(), "AccessDenied") == []


def test_a_stack_of_which_nothing_is_known_stays_alone() -> None:
    assert failed_resources(CloudFormation(), f"waiting for {PREFIX}/gone/d4") == []
