"""A role for CloudFormation in a test's account."""

from __future__ import annotations

import json
from typing import Any

from aws_rehearsal_tests.local_account import LocalAccount


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def execution_role(
    account: LocalAccount,
    *allowed: dict[str, Any],
    name: str = "execution",
    trusted: str = "cloudformation",
    **more: Any,
) -> str:
    """The ARN of a role that the service `trusted` may assume, with these statements; `more` goes to CreateRole."""
    principal = {"Service": f"{trusted}.amazonaws.com"}
    trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    iam = account.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)["Role"]["Arn"]
    if allowed:
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document(*allowed))
    return str(arn)
