"""What a destroy would lose, from the engine's state and from CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_delivery.delivery.teardown.held import in_stack, in_state
from amplify_delivery.export.assembling.successors import SUCCESSOR

URN = "urn:pulumi:dev::app::"


STACKS: dict[str, tuple[list[tuple[str, str, str]], dict[str, Any]]] = {
    "root": (
        [("Bucket", "AWS::S3::Bucket", "app-deployment"), ("apiapp", "AWS::CloudFormation::Stack", "nested-id")],
        {"Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate"}},
    ),
    "nested-id": (
        [
            ("Table", "AWS::DynamoDB::Table", "Todo-1"),
            ("Pool", "AWS::Cognito::UserPool", "eu_1"),
            ("Role", "AWS::IAM::Role", "r"),
            ("Gone", "AWS::DynamoDB::Table", ""),
        ],
        {"Table": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Delete"}, "Pool": {}},
    ),
}
"""Resources and template of a root with one nested stack."""


class CloudFormation:
    """CloudFormation's answers about `STACKS`."""

    def get_paginator(self, _: str) -> CloudFormation:
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803 - as boto3 calls it
        return [
            {
                "StackResourceSummaries": [
                    {
                        "LogicalResourceId": n,
                        "ResourceType": t,
                        "PhysicalResourceId": p,
                        "ResourceStatus": "CREATE_COMPLETE",
                    }
                    for n, t, p in STACKS[StackName][0]
                ]
            }
        ]

    def get_template(self, StackName: str, TemplateStage: str) -> dict[str, Any]:  # noqa: N803
        return {"TemplateBody": json.dumps({"Resources": STACKS[StackName][1]})}


def test_through_all_nested_stacks() -> None:
    found = {h.path: h for h in in_stack(CloudFormation(), "root")}
    assert found.keys() == {"Bucket", "apiapp/Table", "apiapp/Pool"}
    assert found["apiapp/Table"].physical_id == "Todo-1"
    assert [p for p, h in found.items() if h.kept] == ["Bucket"]


@pytest.mark.parametrize(
    ("mark", "former"),
    [
        ({"prefix": "v2-", "state": "closed"}, None),
        ({"prefix": "v2-", "state": "made"}, "Todo-1"),
        ({"prefix": "v2-", "data": "copy"}, "Todo-1"),
        ({"prefix": "v2-", "state": "made", "of": "v1-"}, "v1-Todo-1"),
    ],
)
def test_the_table_that_another_one_has_succeeded(
    mark: dict[str, str], former: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in no stack any more, and holds all items, until they are copied no other table does."""
    table = {"DeletionPolicy": "RetainExceptOnCreate", "Metadata": {SUCCESSOR: mark}}
    stack = [("Table", "AWS::DynamoDB::Table", "v2-Todo-1")], {"Table": table}
    monkeypatch.setitem(STACKS, "nested-id", stack)
    found = {h.path: h.physical_id for h in in_stack(CloudFormation(), "root") if h.kept}
    assert found.pop("apiapp/Table") == "v2-Todo-1"
    assert found.get("apiapp/Table (before it was replaced)") == former


def test_what_the_program_makes_beside_the_backend() -> None:
    table, bucket = "aws:dynamodb/table:Table", "aws:s3/bucket:Bucket"
    resources: list[dict[str, Any]] = [
        {"urn": f"{URN}{table}::orders", "type": table, "custom": True, "id": "orders-1"},
        {"urn": f"{URN}{bucket}::kept", "type": bucket, "custom": True, "id": "kept", "retainOnDelete": True},
        {"urn": f"{URN}{bucket}::read", "type": bucket, "custom": True, "id": "read", "external": True},
        {
            "urn": f"{URN}amplify-delivery:index:StagingArea${bucket}::staging",
            "type": bucket,
            "custom": True,
            "id": "s",
        },
        {"urn": f"{URN}amplify-delivery:index:StagingArea::staging", "type": "amplify-delivery:index:StagingArea"},
    ]
    assert [(h.path, h.physical_id, h.kept) for h in in_state(resources)] == [
        ("orders", "orders-1", False),
        ("kept", "kept", True),
    ]
