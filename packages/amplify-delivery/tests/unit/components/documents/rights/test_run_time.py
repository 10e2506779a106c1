"""What templates give to their roles, and what the boundary lets pass of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_delivery.components.documents.rights.boundary import boundary, lets_pass
from amplify_delivery.components.documents.rights.run_time import given_actions, unknown_policies
from amplify_delivery.errors import ConfigError
from aws_rehearsal.policy import Principal, Request
from aws_rehearsal.policy.evaluator import evaluate
from unit.components.documents import world as w


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


def test_a_policy_that_is_json_in_a_text_counts() -> None:
    document = json.dumps({"Statement": [allowing("iot:Connect")]})
    inline = {"Policies": [{"PolicyName": "p", "PolicyDocument": document}]}
    found = given_actions(
        [("Role", "AWS::IAM::Role", inline), ("P", "AWS::IAM::RolePolicy", {"PolicyDocument": document})]
    )
    assert found == {"iot:Connect": ["P", "Role"]}
    assert given_actions([("P", "AWS::IAM::Policy", {"PolicyDocument": "no JSON"})]) == {}


def attaching(*arns: Any) -> list[tuple[str, str, Any]]:
    return [("hello/Role", "AWS::IAM::Role", {"ManagedPolicyArns": list(arns)})]


PARTITION = {"Ref": "AWS::Partition"}


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::aws:policy/AmazonBedrockReadOnly",
        {"Fn::Join": ["", ["arn:", PARTITION, ":iam::aws:policy/AmazonBedrockReadOnly"]]},
        {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AmazonBedrockReadOnly"},
    ],
)
def test_policies_of_aws_count_by_their_services(arn: Any) -> None:
    given = given_actions(attaching(arn, "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"))
    assert given == {"bedrock:*": ["hello/Role"], "logs:*": ["hello/Role"], "sagemaker:*": ["hello/Role"]}
    assert unknown_policies(attaching(arn)) == {}


def test_policies_that_nobody_knows_are_named() -> None:
    mine, theirs = "arn:aws:iam::111111111111:policy/reports", "arn:aws:iam::aws:policy/AWSNewServiceFullAccess"
    joined = {"Fn::Join": ["", ["arn:aws:iam::222222222222:policy/", "audit"]]}
    found = unknown_policies(
        attaching(mine, theirs, joined, {"Ref": "OwnPolicy"}, {"Fn::GetAtt": ["OwnPolicy", "Arn"]})
    )
    assert found == {
        "AWSNewServiceFullAccess": ["hello/Role"],
        mine: ["hello/Role"],
        "arn:aws:iam::222222222222:policy/audit": ["hello/Role"],
    }
    assert given_actions(attaching(mine, theirs)) == {}


def test_sam_names_policies_by_their_names_too() -> None:
    policies = ["AWSLambdaBasicExecutionRole", "AWSIoTDataAccess", {"SQSPollerPolicy": {"QueueName": "q"}}, "Unheard"]
    function = [("hello/Fn", "AWS::Serverless::Function", {"Policies": policies})]
    assert given_actions(function) == {"iot:*": ["hello/Fn"], "logs:*": ["hello/Fn"]}
    assert unknown_policies(function) == {"Unheard": ["hello/Fn"]}


def test_a_policy_of_everything_names_nothing() -> None:
    everything = attaching("arn:aws:iam::aws:policy/AdministratorAccess")
    assert given_actions(everything) == unknown_policies(everything) == {}


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
        ("sagemaker:InvokeEndpoint", True),
        ("sagemaker:*", False),
        ("sagemaker:CreateNotebookInstance", False),
        ("iam:PassRole", True),
        ("iam:CreateUser", False),
        ("iam:*", False),
        ("sts:AssumeRole", False),
        ("cloudformation:DescribeStacks", True),
        ("cloudformation:UpdateStack", False),
        ("codebuild:StartBuild", False),
    ],
)
def test_what_is_said_to_pass_the_boundary_passes_it(action: str, *, passes: bool) -> None:
    assert lets_pass(action) is passes
    document = boundary(w.access(w.prod)).document
    places = {
        "iam:PassRole": w.prod.iam_arn("role", "/", "hello-prod"),
        "cloudformation:DescribeStacks": w.prod.arn("cloudformation", f"stack/{w.stack_name(w.prod)}/0123"),
    }
    resource = places.get(action, "*")
    said = evaluate([document], Request(Principal(w.BACKEND), action.replace("*", "Anything"), resource), {})
    assert (said == "allow") is passes


def test_services_of_the_accounts_file_pass_as_well() -> None:
    assert lets_pass("iot:Connect", ["iot"])
    document = boundary(w.access(w.prod, boundary_services=("bedrock", "iot"))).document
    for action in ("iot:Connect", "bedrock:InvokeModel"):
        assert evaluate([document], Request(Principal(w.BACKEND), action, "*"), {}) == "allow"


def test_the_container_api_has_a_pipeline() -> None:
    for action in ("codepipeline:PutJobSuccessResult", "sts:AssumeRole"):
        assert lets_pass(action, containers=True)


@pytest.mark.parametrize("service", ["iam", "sts", "organizations", "cloudformation"])
def test_no_file_adds_what_leads_to_other_rights(service: str) -> None:
    with pytest.raises(ConfigError, match=f"{service} is not a service for a backend's roles"):
        w.access(w.prod, boundary_services=("iot", service))
