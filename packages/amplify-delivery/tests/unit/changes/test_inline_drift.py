"""Inline policies that stand in templates as resources: CloudFormation detects no drift of them, so we look."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.drift import inline
from amplify_delivery.changes.drift.model import DELETED, Drifted, Unread
from amplify_delivery.changes.stacks import Stacks

STATEMENT = {
    "Effect": "Allow",
    "Action": ["dynamodb:GetItem", "dynamodb:Query"],
    "Resource": [{"Fn::GetAtt": ["Table", "Arn"]}, "arn:aws:s3:::files/*"],
}
DOCUMENT = {"Version": "2012-10-17", "Statement": [STATEMENT]}
RUNS: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{**STATEMENT, "Resource": ["arn:aws:dynamodb:eu-west-1:1:table/T", "arn:aws:s3:::files/*"]}],
}
POLICY = ("Policy",)


def stacks(document: Any = DOCUMENT, **more: Any) -> Stacks:
    properties = {"PolicyName": "reads", "Roles": [{"Ref": "Role"}], "PolicyDocument": document, **more}
    resources = {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        "Policy": {"Type": inline.TYPE, "Properties": properties},
    }
    return Stacks({(): {"Resources": resources}}, {})


class Iam:
    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, list[dict[str, str]]()

    def get_role_policy(self, **asked: str) -> dict[str, Any]:
        self.asked.append(asked)
        if isinstance(self.answer, str):
            raise ClientError({"Error": {"Code": self.answer, "Message": "no"}}, "GetRolePolicy")
        return {"PolicyDocument": self.answer}


def looked(answer: Any, deployed: Stacks | None = None) -> dict[Any, Any]:
    with ThreadPoolExecutor(1) as pool:
        return inline.look(Iam(answer), deployed or stacks(), {("Role",): "role-1"}, pool)


def changed(**members: Any) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(RUNS)
    made["Statement"][0] |= members
    return made


def test_one_that_runs_as_it_was_delivered() -> None:
    iam = Iam(RUNS)
    with ThreadPoolExecutor(1) as pool:
        assert inline.look(iam, stacks(), {("Role",): "role-1"}, pool) == {POLICY: None}
    assert iam.asked == [{"RoleName": "role-1", "PolicyName": "reads"}]


@pytest.mark.parametrize(
    "runs",
    [
        {**RUNS, "Statement": [*RUNS["Statement"], {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
        {**RUNS, "Statement": []},
        changed(Action=["dynamodb:*", "dynamodb:Query"]),
        changed(Action=["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"]),
        changed(Action="dynamodb:GetItem"),
        changed(Effect="Deny"),
        changed(Resource=["arn:aws:dynamodb:eu-west-1:1:table/T", "*"]),
        changed(Condition={"Bool": {"aws:SecureTransport": "true"}}),
    ],
)
def test_one_that_somebody_has_changed(runs: dict[str, Any]) -> None:
    found = looked(runs)[POLICY]
    assert isinstance(found, Drifted)
    (difference,) = found.differences
    assert difference.pointer == "/PolicyDocument"
    assert json.loads(difference.running) == runs


def test_one_that_somebody_has_deleted() -> None:
    found = looked("NoSuchEntity")[POLICY]
    assert isinstance(found, Drifted)
    assert found.deleted
    assert found.differences[0].running == DELETED


def test_one_that_may_not_be_read() -> None:
    found = looked("AccessDenied")[POLICY]
    assert isinstance(found, Unread)
    assert (found.place, found.type) == ("Policy", inline.TYPE)


@pytest.mark.parametrize(
    "more",
    [
        {"PolicyName": {"Fn::GetAtt": ["Table", "Arn"]}},
        {"Roles": [{"Fn::GetAtt": ["Table", "Arn"]}]},
        {"Roles": [], "Users": ["ann"]},
    ],
)
def test_what_is_not_known_is_not_looked_at(more: dict[str, Any]) -> None:
    assert looked(RUNS, stacks(**more)) == {}


def test_how_many_there_are_may_not_be_known() -> None:
    document = {**DOCUMENT, "Statement": [{"Fn::If": ["Unknown", STATEMENT, {"Ref": "AWS::NoValue"}]}]}
    deployed = stacks(document)
    assert looked(RUNS, deployed) == {POLICY: None}
    assert looked({**RUNS, "Version": "2008-10-17"}, deployed)[POLICY] is not None
