"""`aws:PrincipalArn` of an assumed role is the role's ARN, with its path, not the session's ARN.

MiniStack answers `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`, so that every trust, key or bucket policy
written as "account plus a condition on aws:PrincipalArn" refuses the role it means.
AWS: "For IAM roles, the request context returns the ARN of the role, not the ARN of the user that assumed the
role" (IAM User Guide, AWS global condition context keys, aws:PrincipalArn).
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam

from ._expect import expect, replace


def apply() -> None:
    """Answer the role's ARN for an assumed role; everything else as MiniStack does."""
    original = expect(iam_evaluator, "_resolve_condition_key", "key", "ctx")

    def resolve_condition_key(key: str, ctx: Any) -> Any:
        if key.lower() == "aws:principalarn":
            return role_arn_of(ctx.principal_arn) or original(key, ctx)
        return original(key, ctx)

    replace("_resolve_condition_key", resolve_condition_key, iam_evaluator)


def role_arn_of(session_arn: str) -> str | None:
    """The ARN of the role behind an assumed-role session's ARN, None if it is no such session."""
    if ":assumed-role/" not in session_arn:
        return None
    account = session_arn.split(":")[4]
    name = session_arn.split(":assumed-role/", 1)[1].split("/", 1)[0]
    role = iam._roles.get_scoped(account, None, name)
    return role["Arn"] if role else None


def probe(aws: Any) -> bool:
    """A role with a path may assume a role that is open to its account, on condition that it is this role."""
    pipeline = aws.role(aws.owner, "pipeline", allow="sts:AssumeRole", path="/delivery/")
    action_role = aws.role(
        aws.guest,
        "action",
        trusted=aws.owner.root_arn,
        condition={"ArnEquals": {"aws:PrincipalArn": pipeline}},
    )
    session = aws.assume(pipeline, aws.owner)
    return aws.succeeds(lambda: aws.assume(action_role, session))
