"""What templates give to their roles, and what the boundary lets pass of it."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_export.errors import ConfigError
from components.documents.boundary import boundary, lets_pass
from components.documents.run_time import given_actions
from rehearsal.policy import Principal, Request
from rehearsal.policy.evaluator import evaluate
from tests.components.documents import world as w


def policy(*statements: Any) -> dict[str, Any]:
    return {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}


def allowing(action: Any, resource: Any = "*", effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


def test_inline_and_managed_policies_count() -> None:
    assert given_actions(
        [
            ("auth/AuthRole", "AWS::IAM::Role", {"Policies": [policy(allowing(["iot:Connect", "iot:Publish"]))]}),
            ("hello/Policy", "AWS::IAM::Policy", policy(allowing("bedrock:InvokeModel"), allowing("iot:Connect"))),
            ("Managed", "AWS::IAM::ManagedPolicy", {"PolicyDocument": {"Statement": allowing("kms:Decrypt")}}),
            ("Function", "AWS::Lambda::Function", policy(allowing("ses:SendEmail"))),
        ]
    ) == {
        "bedrock:InvokeModel": ["hello/Policy"],
        "iot:Connect": ["auth/AuthRole", "hello/Policy"],
        "iot:Publish": ["auth/AuthRole"],
        "kms:Decrypt": ["Managed"],
    }


@pytest.mark.parametrize(
    "statement",
    [
        allowing("*"),
        allowing("iot:Connect", effect="Deny"),
        {"Effect": "Allow", "NotAction": "iot:Connect", "Resource": "*"},
        allowing({"Fn::Sub": "iot:${What}"}),
        # Amplify writes these for functions that may read a user pool.
        allowing("iam:ListRoles", {"Fn::Join": ["", ["arn:aws:cognito-idp:", {"Ref": "AWS::Region"}, ":userpool/x"]]}),
    ],
)
def test_what_names_no_action_that_aws_would_allow(statement: Any) -> None:
    assert given_actions([("Role", "AWS::IAM::Role", {"Policies": [policy(statement)]})]) == {}


@pytest.mark.parametrize(
    ("action", "passes"),
    [
        ("s3:GetObject", True),
        ("S3:*", True),
        ("iot:Connect", False),
        ("bedrock:*", False),
        ("iam:PassRole", True),
        ("iam:CreateUser", False),
        ("iam:*", False),
        ("sts:AssumeRole", False),
        ("cloudformation:DescribeStacks", False),
        ("codebuild:StartBuild", False),
    ],
)
def test_what_passes(action: str, *, passes: bool) -> None:
    assert lets_pass(action) is passes
    document = boundary(w.access(w.prod)).document
    resource = w.prod.iam_arn("role", "/", "hello-prod") if action == "iam:PassRole" else "*"
    said = evaluate([document], Request(Principal(w.BACKEND), action.replace("*", "Anything"), resource), {})
    assert (said == "allow") is passes


def test_services_of_the_accounts_file_pass_as_well() -> None:
    assert lets_pass("iot:Connect", ["iot"])
    document = boundary(w.access(w.prod, boundary_services=("bedrock", "iot"))).document
    for action in ("iot:Connect", "bedrock:InvokeModel"):
        assert evaluate([document], Request(Principal(w.BACKEND), action, "*"), {}) == "allow"


def test_the_container_api_has_a_pipeline() -> None:
    for action in ("codepipeline:PutJobSuccessResult", "sts:AssumeRole", "cloudformation:DescribeStacks"):
        assert lets_pass(action, containers=True)


@pytest.mark.parametrize("service", ["iam", "sts", "organizations", "cloudformation"])
def test_no_file_adds_what_leads_to_other_rights(service: str) -> None:
    with pytest.raises(ConfigError, match=f"{service} is no service for a backend's roles"):
        w.access(w.prod, boundary_services=("iot", service))
