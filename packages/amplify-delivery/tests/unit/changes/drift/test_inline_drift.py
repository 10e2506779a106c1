"""Inline policies that stand in templates as resources: CloudFormation detects no drift of them, so we look."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.changes.drift import inline
from amplify_delivery.changes.drift.effects import check, drift
from amplify_delivery.changes.drift.model import DELETED, Detected, Drifted, Unread
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import ChangeResource

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


NO_POLICY = ("NoSuchEntity", "The role policy with name reads cannot be found.")
NO_ROLE = ("NoSuchEntity", "The role with name role-1 cannot be found.")
DENIED = ("AccessDenied", "no")


class Iam:
    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, list[dict[str, str]]()

    def get_role_policy(self, **asked: str) -> dict[str, Any]:
        self.asked.append(asked)
        if isinstance(self.answer, tuple):
            raise ClientError({"Error": {"Code": self.answer[0], "Message": self.answer[1]}}, "GetRolePolicy")
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


def test_one_that_somebody_has_deleted_is_made_again() -> None:
    """An update puts the whole policy: nothing that would fail the deployment."""
    found = looked(NO_POLICY)[POLICY]
    assert isinstance(found, Drifted)
    assert not found.deleted
    assert [(d.pointer, d.running) for d in found.differences] == [("/PolicyDocument", "null")]
    wanted = stacks({**DOCUMENT, "Statement": []})
    step = ChangeResource(POLICY, inline.TYPE, ("PolicyDocument",), "digest")
    (told,) = drift(Detected((found,)), [step], wanted)
    assert told.effect == "brought-back"
    check([told], "dev", refuse=False)


def test_one_whose_role_is_gone() -> None:
    found = looked(NO_ROLE)[POLICY]
    assert isinstance(found, Drifted)
    assert found.deleted
    assert found.differences[0].running == DELETED


def on_a_condition(deployed: Stacks) -> Stacks:
    template = copy.deepcopy(dict(deployed.templates[()]))
    template["Conditions"] = {"Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}
    template["Resources"]["Policy"]["Condition"] = "Here"
    return Stacks({(): template}, {})


def test_one_that_perhaps_was_never_made() -> None:
    deployed = on_a_condition(stacks())
    assert looked(NO_POLICY, deployed) == {}
    assert looked(NO_ROLE, deployed) == {}
    assert looked(RUNS, deployed) == {POLICY: None}
    assert isinstance(looked(changed(Effect="Deny"), deployed)[POLICY], Drifted)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (inline.TYPE, {"Roles": [{"Ref": "Role"}]}),
        (inline.TYPE, {"Roles": [{"Fn::If": ["Unknown", {"Ref": "Role"}, {"Ref": "AWS::NoValue"}]}]}),
        ("AWS::IAM::RolePolicy", {"RoleName": {"Ref": "Role"}}),
        ("AWS::IAM::RolePolicy", {"RoleName": "role-1"}),
    ],
)
def test_of_two_of_one_name_nobody_knows_which_runs(kind: str, more: dict[str, Any]) -> None:
    deployed = stacks()
    properties = {"PolicyName": "reads", "PolicyDocument": {"Statement": []}, **more}
    second = {"Second": {"Type": kind, "Properties": properties}}
    resources = {**deployed.templates[()]["Resources"], **second}
    assert looked(RUNS, Stacks({(): {"Resources": resources}}, {})) == {}
    properties["PolicyName"] = "writes"
    assert looked(RUNS, Stacks({(): {"Resources": resources}}, {}))[POLICY] is None


@pytest.mark.parametrize("sure", [True, False])
def test_nor_of_one_that_the_role_has_itself(sure: bool) -> None:
    """`Policies` of AWS::IAM::Role."""
    deployed = stacks()
    own = {"PolicyName": "reads", "PolicyDocument": {"Statement": []}}
    listed = [own] if sure else [{"Fn::If": ["Unknown", own, {"Ref": "AWS::NoValue"}]}]
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": listed}}
    resources = {**deployed.templates[()]["Resources"], "Role": role}
    assert looked(RUNS, Stacks({(): {"Resources": resources}}, {})) == {}
    own["PolicyName"] = "writes"
    assert looked(RUNS, Stacks({(): {"Resources": resources}}, {}))[POLICY] is None


def test_one_that_may_not_be_read() -> None:
    found = looked(DENIED)[POLICY]
    assert isinstance(found, Unread)
    assert (found.place, found.type) == ("Policy", inline.TYPE)


@pytest.mark.parametrize(
    "more",
    [
        {"PolicyName": {"Fn::GetAtt": ["Table", "Arn"]}},
        {"Roles": [{"Fn::GetAtt": ["Table", "Arn"]}]},
        {"Roles": [], "Users": ["ann"]},
        {"PolicyName": "reads-{{resolve:ssm:/name}}"},
        {"Roles": ["{{resolve:ssm:/role}}"]},
        {"Roles": ["role-****"]},
    ],
)
def test_what_is_not_known_is_not_looked_at(more: dict[str, Any]) -> None:
    assert looked(RUNS, stacks(**more)) == {}


def test_how_many_there_are_may_not_be_known() -> None:
    document = {**DOCUMENT, "Statement": [{"Fn::If": ["Unknown", STATEMENT, {"Ref": "AWS::NoValue"}]}]}
    deployed = stacks(document)
    assert looked(RUNS, deployed) == {POLICY: None}
    assert looked({**RUNS, "Version": "2008-10-17"}, deployed)[POLICY] is not None


def with_members(**members: Any) -> dict[str, Any]:
    return {**DOCUMENT, "Statement": [{**STATEMENT, **members}]}


def perhaps(value: Any) -> dict[str, Any]:
    return {"Fn::If": ["Unknown", value, {"Ref": "AWS::NoValue"}]}


SECURE = {"Bool": {"aws:SecureTransport": "true"}}


@pytest.mark.parametrize(
    ("written", "runs"),
    [
        (json.dumps(RUNS), RUNS),
        (with_members(Condition=perhaps(SECURE)), RUNS),
        (with_members(Condition=perhaps(SECURE)), changed(Condition=SECURE)),
        (with_members(Condition={"Fn::If": ["Unknown", {"a": "b"}, SECURE]}), changed(Condition=SECURE)),
        (with_members(Sid="{{resolve:ssm:/sid}}"), changed(Sid="Reads")),
        (with_members(Sid="Reads****"), changed(Sid="ReadsSecretly")),
        (with_members(Sid={"Ref": "AWS::StackName", "of": ["Nested"]}), changed(Sid="nested-1")),
        ({**RUNS, "Statement": RUNS["Statement"][0]}, RUNS),
    ],
)
def test_what_runs_as_it_was_delivered_however_it_is_written(written: Any, runs: dict[str, Any]) -> None:
    assert looked(runs, stacks(written))[POLICY] is None


@pytest.mark.parametrize(
    ("written", "runs"),
    [
        (json.dumps(RUNS), changed(Action="*")),
        (with_members(Condition=perhaps(SECURE)), changed(Condition={"Bool": {"aws:SecureTransport": "false"}})),
        (with_members(Condition={"Fn::If": ["Unknown", {"a": "b"}, SECURE]}), RUNS),
        (with_members(Condition=perhaps(SECURE)), changed(Other="x")),
        (with_members(Sid="{{resolve:ssm:/sid}}"), RUNS),
    ],
)
def test_what_was_changed_however_it_is_written(written: Any, runs: dict[str, Any]) -> None:
    assert isinstance(looked(runs, stacks(written))[POLICY], Drifted)
