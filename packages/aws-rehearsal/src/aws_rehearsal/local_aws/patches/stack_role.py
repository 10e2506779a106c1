"""A policy may ask with which role a stack is made, and who names a role must be allowed to pass it.

MiniStack knows no `cloudformation:RoleArn`, so a role that may create stacks with the execution role only creates none;
and nobody needs `iam:PassRole` for the role that a stack is given.
AWS: `cloudformation:RoleArn` "filters access by the ARN of an IAM service role" (service authorization reference,
AWS CloudFormation); "to pass a role to CloudFormation, a user must have permission to pass it" (CloudFormation User
Guide, "AWS CloudFormation service role").
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions, iam_evaluator

from ._expect import expect, replace

_ROLE = "cloudformation:RoleArn"


def apply() -> None:
    """Answer the condition key, and ask for `iam:PassRole` as well."""
    context_of = expect(iam_actions, "request_tag_context", "service", "iam_action", "body", "params")
    enforce = expect(iam_evaluator, "enforce", "access_key_id", "iam_action", "service", "region", "resource_arn")

    def request_tag_context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found = context_of(service, iam_action, body, params)
        role = iam_actions._query_param(params, "RoleARN") if service == "cloudformation" else None
        return {**found, _ROLE: role} if role else found

    def enforce_with_role(access_key_id: str, iam_action: str, service: str, region: str, **more: Any) -> Any:
        denied = enforce(access_key_id, iam_action, service, region, **more)
        role = (more.get("service_context") or {}).get(_ROLE)
        if denied is not None or role is None:
            return denied
        passed = {"iam:PassedToService": "cloudformation.amazonaws.com"}
        return enforce(access_key_id, "iam:PassRole", "iam", region, resource_arn=role, service_context=passed)

    replace("request_tag_context", request_tag_context, iam_actions)
    replace("enforce", enforce_with_role, iam_evaluator)


def probe(aws: Any) -> bool:
    """Who may create stacks with one role, and pass that role, creates one with it and none without or with another."""
    role, other = (aws.role(aws.owner, name, trusted="cloudformation.amazonaws.com") for name in ("makes", "other"))
    maker = aws.role(aws.owner, "stack-maker")
    create = {
        "Effect": "Allow",
        "Action": "cloudformation:CreateStack",
        "Resource": "*",
        "Condition": {"ArnLike": {_ROLE: f"arn:aws:iam::{aws.owner.account}:role/*"}},
    }
    pass_role = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role}
    aws.put_policy(aws.owner, "stack-maker", create, pass_role)
    session = aws.assume(maker, aws.owner)

    def makes(name: str, **role_arn: str) -> bool:
        body = {"StackName": aws.name(name), "TemplateBody": aws.body({"Resource": aws.parameter("value")})}
        return aws.succeeds(lambda: aws.query("cloudformation", session, Action="CreateStack", **body, **role_arn))

    return makes("with", RoleARN=role) and not makes("without") and not makes("foreign", RoleARN=other)
