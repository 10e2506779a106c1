"""A user pool's password policy holds numbers and booleans, whatever a template's parameter made of them.

MiniStack keeps the text of a `Ref` to a parameter, and then compares a password's length with it: nobody can be added
to such a pool.
AWS: CloudFormation User Guide, "CloudFormation template Parameters syntax": a `Number` is an integer or float that is
used as a string; "AWS::Cognito::UserPool PasswordPolicy": `MinimumLength` is an Integer, `Require...` are Booleans.
"""

from __future__ import annotations

from typing import Any

from ministack.services import cognito

from ._expect import expect, replace

_BOOLEANS = {"true": True, "false": False}


def apply() -> None:
    """Convert what a pool is made of or changed to."""
    create = expect(cognito, "_create_user_pool", "data")
    update = expect(cognito, "_update_user_pool", "data")
    replace("_create_user_pool", lambda data: create(_converted(data)), cognito)
    replace("_update_user_pool", lambda data: update(_converted(data)), cognito)


def _converted(data: dict[str, Any]) -> dict[str, Any]:
    policies = data.get("Policies")
    if not isinstance(policies, dict) or not isinstance(policies.get("PasswordPolicy"), dict):
        return data
    policy = {name: _value(value) for name, value in policies["PasswordPolicy"].items()}
    return {**data, "Policies": {**policies, "PasswordPolicy": policy}}


def _value(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return int(value) if value.isdecimal() else _BOOLEANS.get(value, value)


def probe(aws: Any) -> bool:
    """A user can be added to a pool whose shortest password a template's parameter says."""
    policy = {"PasswordPolicy": {"MinimumLength": {"Ref": "Shortest"}}}
    pool = {"Type": "AWS::Cognito::UserPool", "Properties": {"Policies": policy}}
    name = aws.name("user-pool-values")
    aws.stack({"Pool": pool}, name, Parameters={"Shortest": {"Type": "Number", "Default": 8}})
    described = aws.query("cloudformation", Action="DescribeStackResources", StackName=name)
    made = described.partition("<PhysicalResourceId>")[2].partition("<")[0]
    target = "AWSCognitoIdentityProviderService.AdminCreateUser"
    return bool(
        aws.succeeds(
            lambda: aws.json(aws.owner, "cognito-idp", target, UserPoolId=made, Username="someone@example.com")
        )
    )
