"""Who hands a role to a service in a call of that service must be allowed to pass it.

MiniStack asks for the call alone, so that whoever may make a project or a rule runs with any role of the account.
AWS: "Granting a user permissions to pass a role to an AWS service" (IAM user guide): `iam:PassRole` on it, with the
service as `iam:PassedToService`. What a stack passes is `execution_role`'s, a stack's own role `stack_role`'s.
"""

from __future__ import annotations

from typing import Any

from handlers.passed_roles import passed_roles
from ministack.core import iam_actions, iam_evaluator

from ._expect import expect, json_body, replace

_PASSED = "rehearsal:PassedRoles"
"""Carries the roles from where the request's body is known to where it is authorised."""
_TYPES = {
    "appsync:CreateDataSource": "AWS::AppSync::DataSource",
    "appsync:CreateGraphqlApi": "AWS::AppSync::GraphQLApi",
    "appsync:UpdateDataSource": "AWS::AppSync::DataSource",
    "appsync:UpdateGraphqlApi": "AWS::AppSync::GraphQLApi",
    "codebuild:CreateProject": "AWS::CodeBuild::Project",
    "codebuild:UpdateProject": "AWS::CodeBuild::Project",
    "cognito-identity:SetIdentityPoolRoles": "AWS::Cognito::IdentityPoolRoleAttachment",
    "cognito-idp:CreateGroup": "AWS::Cognito::UserPoolGroup",
    "cognito-idp:CreateUserPool": "AWS::Cognito::UserPool",
    "cognito-idp:UpdateGroup": "AWS::Cognito::UserPoolGroup",
    "cognito-idp:UpdateUserPool": "AWS::Cognito::UserPool",
    "events:PutRule": "AWS::Events::Rule",
    "events:PutTargets": "AWS::Events::Rule",
    "firehose:CreateDeliveryStream": "AWS::KinesisFirehose::DeliveryStream",
    "lambda:CreateFunction": "AWS::Lambda::Function",
    "lambda:UpdateFunctionConfiguration": "AWS::Lambda::Function",
    "scheduler:CreateSchedule": "AWS::Scheduler::Schedule",
    "scheduler:UpdateSchedule": "AWS::Scheduler::Schedule",
    "states:CreateStateMachine": "AWS::StepFunctions::StateMachine",
    "states:UpdateStateMachine": "AWS::StepFunctions::StateMachine",
}
"""Calls that take a role, and the type whose properties are named alike."""


def apply() -> None:
    """Ask for `iam:PassRole` once the call itself is allowed."""
    context_of = expect(iam_actions, "request_tag_context", "service", "iam_action", "body", "params")
    enforce = expect(iam_evaluator, "enforce", "access_key_id", "iam_action", "service", "region", "resource_arn")

    def request_tag_context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found = context_of(service, iam_action, body, params)
        passed = list(passed_roles(_TYPES[iam_action], json_body(body))) if iam_action in _TYPES else []
        return {**found, _PASSED: passed} if passed else found

    def enforce_with_roles(access_key_id: str, iam_action: str, service: str, region: str, **more: Any) -> Any:
        context = {**(more.get("service_context") or {})}
        passed = context.pop(_PASSED, ())
        denied = enforce(access_key_id, iam_action, service, region, **{**more, "service_context": context})
        for role, to in passed:
            if denied is not None:
                break
            keys = {"iam:PassedToService": to}
            denied = enforce(access_key_id, "iam:PassRole", "iam", region, resource_arn=role, service_context=keys)
        return denied

    replace("request_tag_context", request_tag_context, iam_actions)
    replace("enforce", enforce_with_roles, iam_evaluator)


def probe(aws: Any) -> bool:
    """Who may make rules' targets, and pass a role to EventBridge, sets one with that role and none with another."""
    role, other = (aws.role(aws.owner, name, trusted="events.amazonaws.com") for name in ("passed", "not-passed"))
    maker = aws.role(aws.owner, "target-maker")
    condition = {"StringEquals": {"iam:PassedToService": "events.amazonaws.com"}}
    aws.put_policy(
        aws.owner,
        "target-maker",
        {"Effect": "Allow", "Action": "events:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": condition},
    )
    session = aws.assume(maker, aws.owner)
    aws.json(session, "events", "AWSEvents.PutRule", Name="probe-passed", ScheduleExpression="rate(1 day)")

    def sets(arn: str) -> bool:
        target = {"Id": "t", "Arn": f"arn:aws:sqs:us-east-1:{aws.owner.account}:q", "RoleArn": arn}
        return bool(
            aws.succeeds(
                lambda: aws.json(session, "events", "AWSEvents.PutTargets", Rule="probe-passed", Targets=[target])
            )
        )

    return sets(role) and not sets(other)
