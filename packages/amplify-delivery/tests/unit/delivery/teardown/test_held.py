"""What a destroy would lose, from the engine's state and from CloudFormation."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.ordered.successors import closing
from amplify_delivery.changes.stateful import CLOUDFORMATION_TYPES, PULUMI_TYPES
from amplify_delivery.components.documents.rights.pulumi_types import cloudformation_type
from amplify_delivery.delivery.teardown import former_tables
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
    assert {p: h.stack for p, h in found.items()} == {
        "Bucket": "root",
        "apiapp/Table": "nested-id",
        "apiapp/Pool": "nested-id",
    }


class Tables:
    """DynamoDB's tables by name, closed or not; `ListTables` may be answered by an error of this code."""

    answer = ""

    def __init__(self, **tables: bool) -> None:
        self.tables = {name.replace("__", "-"): closed for name, closed in tables.items()}

    def client(self, _: str) -> Tables:
        return self

    def asking(self, _: str) -> AbstractContextManager[None]:
        return nullcontext()

    def get_paginator(self, _: str) -> Tables:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        if self.answer:
            raise ClientError({"Error": {"Code": self.answer, "Message": "no"}}, "ListTables")
        names = list(self.tables)
        return [{"TableNames": names[:2]}, {"TableNames": names[2:]}]

    def describe_table(self, TableName: str) -> Any:  # noqa: N803
        return {"Table": {"TableArn": f"arn/{TableName}"}}

    def get_resource_policy(self, ResourceArn: str) -> Any:  # noqa: N803
        if not self.tables[ResourceArn.removeprefix("arn/")]:
            raise ClientError({"Error": {"Code": "PolicyNotFoundException", "Message": "none"}}, "GetResourcePolicy")
        return {"Policy": json.dumps(closing(ResourceArn))}


@pytest.mark.parametrize(
    ("mark", "name", "former"),
    [
        ({"prefix": "v2-", "state": "closed"}, "Todo-1", []),
        ({"prefix": "v2-", "state": "made"}, "v2-Todo-1", ["Todo-1"]),
        ({"prefix": "v2-", "data": "copy"}, "v2-Todo-1", ["Todo-1"]),
        # A chain: in use, about to be replaced once more, and replaced. The template remembers the first and the last.
        ({"prefix": "v3-", "data": "copy"}, "v3-Todo-1", ["Todo-1", "new_Todo-1", "v2-Todo-1"]),
        ({"prefix": "v4-", "state": "closed", "of": "v3-"}, "v3-Todo-1", ["Todo-1", "new_Todo-1", "v2-Todo-1"]),
        (
            {"prefix": "v4-", "state": "made", "of": "v3-"},
            "v4-Todo-1",
            ["Todo-1", "new_Todo-1", "v2-Todo-1", "v3-Todo-1"],
        ),
    ],
)
def test_the_tables_that_others_have_succeeded(
    mark: dict[str, str], name: str, former: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are in no stack any more, and hold items, until they are copied no other table does."""
    table = {"DeletionPolicy": "RetainExceptOnCreate", "Metadata": {SUCCESSOR: mark}}
    stack = [("Table", "AWS::DynamoDB::Table", name), ("Other", "AWS::DynamoDB::Table", "v9-Todo-1")]
    monkeypatch.setitem(STACKS, "nested-id", (stack, {"Table": table}))
    held = list(in_stack(CloudFormation(), "root"))
    account: Any = Tables(MyTodo__1=False, their_Todo__1=False, v9__Todo__1=False, **dict.fromkeys(former, True))
    found = list(former_tables.before(account, held))
    assert [h.physical_id for h in found] == former
    assert {h.path for h in found} <= {"apiapp/Table (before it was replaced)"}
    assert all(h.kept and not h.stack for h in found)
    account.answer = "AccessDeniedException"
    assert [h.physical_id for h in former_tables.before(account, held)] == former[:1]
    # What AWS throttles is asked again, and not taken for all that there is.
    account.answer = "ThrottlingException"
    with pytest.raises(ClientError) if former else nullcontext():
        list(former_tables.before(account, held))
    assert "succeeds" not in held[0].to_json()


@pytest.mark.parametrize("kind", ["Custom::LambdaCallout", "AWS::CloudFormation::CustomResource"])
def test_what_amplify_makes_by_a_function_is_asked_for_too(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its type says nothing, whichever of the two it is: what it is told does."""
    properties = {"collectionName": "shops", "region": "eu-west-1"}
    template = {"Shops": {"Type": kind, "Properties": properties}, "Other": {"Type": kind, "Properties": {"a": "b"}}}
    monkeypatch.setitem(STACKS, "nested-id", ([("Shops", kind, "shops"), ("Other", kind, "o")], template))
    assert [(h.path, h.data) for h in in_stack(CloudFormation(), "root")][1:] == [("apiapp/Shops", "geofences")]


def test_where_nothing_was_succeeded_no_table_is_listed() -> None:
    account: Any = Tables()
    account.answer = "AccessDeniedException"
    assert list(former_tables.before(account, list(in_stack(CloudFormation(), "root")))) == []


def test_what_the_program_makes_beside_the_backend() -> None:
    table, bucket = "aws:dynamodb/table:Table", "aws:s3/bucket:Bucket"
    secret = "aws:secretsmanager/secret:Secret"
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
        *(
            {"urn": f"{URN}{secret}::{name}", "type": secret, "custom": True, "id": name, "inputs": window}
            for name, window in (("at-once", {"recoveryWindowInDays": 0}), ("kept-by-aws", {}))
        ),
    ]
    assert [(h.path, h.physical_id, h.kept) for h in in_state(resources, ("1", "r"))] == [
        ("orders", "orders-1", False),
        ("kept", "kept", True),
        ("at-once", "at-once", False),
    ]


RECOVERABLE = {"AWS::Logs::LogGroup", "AWS::Logs::LogStream", "AWS::SecretsManager::Secret"}
"""AWS keeps a secret of the classic provider for a while (`data_beside`); the log of what goes says nothing more."""
OF_CLOUDFORMATION_ALONE = {
    "AWS::Cognito::UserPoolGroup",  # a user pool's
    "AWS::DocDB::DBInstance",  # a cluster's
    "AWS::Neptune::DBInstance",
    "AWS::Organizations::Account",
    "AWS::QLDB::Ledger",  # ended in 2025
    "AWS::SDB::Domain",
    "AWS::Serverless::SimpleTable",  # a transform's
    "Custom::AmplifyDynamoDBTable",
}


OTHERWISE = {
    "AWS::ECR::PublicRepository": "aws:ecrpublic/repository:Repository",
    "AWS::ElastiCache::CacheCluster": "aws:elasticache/cluster:Cluster",
    "AWS::FSx::FileSystem": "aws:fsx/lustreFileSystem:LustreFileSystem",
}


def test_what_holds_data_in_a_stack_holds_data_beside_it_too() -> None:
    """A queue or a key of the program's own went without a word, since only some types were known there."""
    spelled = {(t.split(":")[1].partition("/")[0] + "::" + t.split(":")[2]).lower() for t in PULUMI_TYPES}
    known = {cloudformation_type(token) for token in PULUMI_TYPES}
    for token, data in PULUMI_TYPES.items():
        assert CLOUDFORMATION_TYPES.get(str(cloudformation_type(token)), data) == data, token
    lacking = CLOUDFORMATION_TYPES.keys() - known - RECOVERABLE - OF_CLOUDFORMATION_ALONE
    assert {k for k in lacking if k.lower().removeprefix("aws::") not in spelled} <= OTHERWISE.keys()
    assert {*OTHERWISE.values()} <= PULUMI_TYPES.keys()
