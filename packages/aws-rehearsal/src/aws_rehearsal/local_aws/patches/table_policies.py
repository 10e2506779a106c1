"""A table's resource-based policy counts, and a stack gives it to a table.

MiniStack keeps such policies and asks none of them, and its stacks leave out a table's `ResourcePolicy`.
AWS: Amazon DynamoDB Developer Guide, "Using resource-based policies for DynamoDB" ("an explicit deny in either policy
overrides"); CloudFormation template reference, AWS::DynamoDB::Table, ResourcePolicy ("Update requires: No
interruption"). A table that a stack replaces and retains keeps its own.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, new_uuid, request_scope
from ministack.services import dynamodb

from ._expect import PatchError
from ._resources import Properties, before_create_or_update


def apply() -> None:
    """Have the evaluator ask, and stacks write."""
    lookups = getattr(iam_evaluator, "_RESOURCE_POLICY_LOOKUPS", None)
    if not isinstance(lookups, dict) or not hasattr(dynamodb, "_resource_policies"):
        raise PatchError("MiniStack keeps resource-based policies of tables elsewhere now")
    if "dynamodb" not in lookups:
        dynamodb.table_policy_for_arn = _policy
        lookups["dynamodb"] = ("dynamodb", "table_policy_for_arn")
    before_create_or_update({"AWS::DynamoDB::Table"}, _written)


def _policy(resource: str) -> tuple[str, str] | None:
    """The policy of a table, or of the one that an index or stream belongs to, and the owner."""
    parts = resource.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("table/"):
        return None
    table = ":".join([*parts[:5], "/".join(parts[5].split("/")[:2])])
    with request_scope(parts[4], parts[3]):
        found = dynamodb._resource_policies.get(table)
    return (str(found["Policy"]), parts[4]) if found else None


def _written(new: Properties, old: Properties | None) -> Properties:
    name = new.get("TableName")
    policy = (new.get("ResourcePolicy") or {}).get("PolicyDocument")
    if not name:
        return new
    arn = f"arn:aws:dynamodb:{get_region()}:{get_account_id()}:table/{name}"
    if policy:
        dynamodb._resource_policies[arn] = {"Policy": json.dumps(policy), "RevisionId": new_uuid()}
    elif old is not None and old.get("TableName") == name and old.get("ResourcePolicy"):
        dynamodb._resource_policies.pop(arn, None)
    return new


def probe(aws: Any) -> bool:
    """A stack's table is closed by its policy, stays so when it is replaced and retained, and its successor is open.
    Who may read the policy is asked by the table."""
    name = aws.name("closed")
    target = "DynamoDB_20120810."
    writer = aws.assume(aws.role(aws.owner, "writes-items", allow="dynamodb:*"), aws.owner)

    def table(suffix: str, *, closed: bool) -> dict[str, Any]:
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["dynamodb:PutItem", "dynamodb:BatchWriteItem"],
            "Resource": f"arn:aws:dynamodb:us-east-1:{aws.owner.account}:table/{name}{suffix}",
        }
        policy = {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
        properties = {
            "TableName": f"{name}{suffix}",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            **({"ResourcePolicy": policy} if closed else {}),
        }
        return {"Table": {"Type": "AWS::DynamoDB::Table", "UpdateReplacePolicy": "Retain", "Properties": properties}}

    def puts(suffix: str) -> bool:
        item = {"id": {"S": "1"}}
        put = {"TableName": f"{name}{suffix}", "Item": item}
        batch = {"RequestItems": {f"{name}{suffix}": [{"PutRequest": {"Item": item}}]}}
        calls = [
            aws.succeeds(lambda: aws.json(writer, "dynamodb", f"{target}PutItem", **put)),
            aws.succeeds(lambda: aws.json(writer, "dynamodb", f"{target}BatchWriteItem", **batch)),
        ]
        return calls[0] if calls[0] == calls[1] else False

    def reads(who: Any) -> bool:
        arn = f"arn:aws:dynamodb:us-east-1:{aws.owner.account}:table/{name}"
        return bool(aws.succeeds(lambda: aws.json(who, "dynamodb", f"{target}GetResourcePolicy", ResourceArn=arn)))

    scanner = aws.assume(aws.role(aws.owner, "scans-items", allow="dynamodb:Scan"), aws.owner)
    aws.stack(table("", closed=False), name)
    open_before = puts("") and not reads(writer)
    aws.update_stack(name, table("", closed=True))
    closed = not puts("") and reads(writer) and not reads(scanner)
    aws.update_stack(name, table("-2", closed=False))
    return open_before and closed and not puts("") and puts("-2")
