"""Custom resources of the local AWS: real code, run by Node, and bounded when it does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal_tests.local_account import LocalAccount, Template
from unit.places import EXPORTS

EXPORT = EXPORTS / "full" / "amplify-export-fullapp"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


# One process runs them all: what they share is made once.
pytestmark = pytest.mark.xdist_group("functions")


@pytest.fixture(scope="module")
def impatient() -> Iterator[LocalAws]:
    """A local AWS whose custom resources have a second and a half."""
    with LocalAws(custom_resource_timeout=2) as aws:
        yield aws


def custom(code: str, timeout: int = 3, **properties: Any) -> Template:
    """A stack with a function of inline code and a custom resource that it answers for."""
    role = {"AssumeRolePolicyDocument": TRUST}
    function = {
        "Code": {"ZipFile": code},
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Runtime": "nodejs20.x",
        "Timeout": timeout,
    }
    token = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, **properties}
    return {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Custom": {"Type": "Custom::Thing", "Properties": token},
        },
        "Outputs": {"Answer": {"Value": {"Fn::GetAtt": ["Custom", "Answer"]}}},
    }


ANSWER = """
const response = require('cfn-response');
exports.handler = (event, context) =>
  response.send(event, context, event.ResourceProperties.Status || 'SUCCESS', {Answer: event.RequestType});
"""


def test_custom_resource_answers_through_cfn_response(developer: LocalAccount) -> None:
    assert developer.create(custom(ANSWER))["StackStatus"] == "CREATE_COMPLETE"
    assert developer.outputs()["Answer"] == "Create"


def test_custom_resource_that_reports_failure_fails_its_stack(developer: LocalAccount) -> None:
    assert developer.create(custom(ANSWER, Status="FAILED"))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert developer.reasons()["Custom"].startswith("Received response status [FAILED] from custom resource.")


FORGETS = """
const response = require('cfn-response');
exports.handler = (event, context) =>
  response.send(event, context, 'SUCCESS', event.RequestType === 'Create' ? {Answer: 'made'} : undefined);
"""
"""As the function of Amplify's analytics: an update is answered, with nothing."""


def test_an_attribute_that_an_update_does_not_answer_fails_it(developer: LocalAccount) -> None:
    """What reads it is made again, be it a resource or the stack's output (amplify-cli 6602)."""
    says = "Vendor response doesn't contain Answer key in object"

    def reading(version: str) -> Template:
        template = custom(FORGETS, Version=version)
        name = {"Fn::GetAtt": ["Custom", "Answer"]}
        template["Resources"]["Reader"] = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": name}}
        return template

    assert developer.create(reading("1"), "reader")["StackStatus"] == "CREATE_COMPLETE"
    assert developer.update(reading("2"), "reader")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert says in developer.reasons("reader")["Reader"]
    assert developer.create(custom(FORGETS, Version="1"))["StackStatus"] == "CREATE_COMPLETE"
    stack = developer.update(custom(FORGETS, Version="2"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert developer.outputs() == {"Answer": "made"}


@pytest.mark.processes
@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("exports.handler = async () => {};", "ended without answering"),
        ("exports.handler = async () => { throw new Error('no such table'); };", "no such table"),
        ("exports.handler = () => new Promise(() => setTimeout(() => {}, 60000));", "is still running"),
    ],
)
def test_custom_resource_that_does_not_answer_fails_in_time(impatient: LocalAws, code: str, what: str) -> None:
    account = random_account()
    developer = LocalAccount(impatient, account, impatient.make_admin(account))
    assert developer.create(custom(code, timeout=60))["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = developer.reasons()["Custom"]
    assert "Custom did not answer within 2 s" in reason
    assert what in reason


def test_export_code_rewrites_the_trust_of_both_roles(developer: LocalAccount) -> None:
    """What Amplify's root stack runs in every deployment with auth: its own code, unchanged."""
    root = json.loads((EXPORT / "root-stack-template.json").read_text(encoding="utf-8"))
    names = {"authRoleName": {"Ref": "AuthRole"}, "unauthRoleName": {"Ref": "UnauthRole"}}
    kept = {name: r for name, r in root["Resources"].items() if name.startswith("UpdateRolesWithIDPFunction")}
    kept["UpdateRolesWithIDPFunctionOutputs"]["Properties"] |= {**names, "idpId": "eu-central-1:pool"}
    for resource in kept.values():
        resource.pop("DependsOn", None)
    roles = {name: {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}
             for name in ("AuthRole", "UnauthRole")}  # fmt: skip
    rights = {"Effect": "Allow", "Action": ["iam:GetRole", "iam:UpdateAssumeRolePolicy"], "Resource": "*"}
    kept["UpdateRolesWithIDPFunctionRole"]["Properties"]["Policies"] = [
        {"PolicyName": "trust", "PolicyDocument": {"Version": "2012-10-17", "Statement": [rights]}}
    ]
    template = {
        "Parameters": {p: {"Type": "String", "Default": "NONE"} for p in root["Parameters"]},
        "Conditions": root.get("Conditions", {}),
        "Resources": kept | roles,
        "Outputs": {name: {"Value": {"Ref": name}} for name in roles},
    }

    assert developer.create(template)["StackStatus"] == "CREATE_COMPLETE", developer.reasons()
    for name, state in (("AuthRole", "authenticated"), ("UnauthRole", "unauthenticated")):
        role = developer.client("iam").get_role(RoleName=developer.outputs()[name])["Role"]
        [statement] = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Federated": "cognito-identity.amazonaws.com"}
        assert state in json.dumps(statement["Condition"])
