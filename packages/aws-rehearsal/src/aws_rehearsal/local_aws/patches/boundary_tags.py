"""A permissions boundary may ask for the tags of a resource, as any other policy may.

MiniStack looks a resource's tags up only if a policy of the role itself names `aws:ResourceTag`: a boundary that denies
what carries a tag denies nothing.
AWS: "Use this key to compare the tag key-value pair that you specify in the policy with the key-value pair attached to
the resource" (IAM User Guide, AWS global condition context keys, aws:ResourceTag); a boundary is evaluated with the
same request context ("Policy evaluation logic").
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import tagging

from ._expect import expect, replace

_PREFIX = "aws:resourcetag/"


def apply() -> None:
    """Look the tags up when a condition asks for them."""
    original = expect(iam_evaluator, "_resolve_condition_key", "key", "ctx")
    expect(tagging, "resource_tags", "arn")

    def resolve_condition_key(key: str, ctx: Any) -> Any:
        found = original(key, ctx)
        if found is not None or not key.lower().startswith(_PREFIX):
            return found
        tags = tagging.resource_tags(ctx.resource_arn) or {}
        return next((value for name, value in tags.items() if f"{_PREFIX}{name}".lower() == key.lower()), None)

    replace("_resolve_condition_key", resolve_condition_key, iam_evaluator)


def probe(aws: Any) -> bool:
    """A role that may use every key, within a boundary without those that carry a tag, may use the others only."""
    name = aws.name("boundary-tags")
    limit = aws.document(
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "kms:*",
            "Resource": "*",
            "Condition": {"Null": {"aws:ResourceTag/closed": "false"}},
        },
    )
    aws.query("iam", Action="CreatePolicy", PolicyName=name, PolicyDocument=json.dumps(limit))
    role = aws.role(aws.owner, name, allow="kms:*")
    boundary = f"arn:aws:iam::{aws.owner.account}:policy/{name}"
    aws.query("iam", Action="PutRolePermissionsBoundary", RoleName=name, PermissionsBoundary=boundary)
    session = aws.assume(role, aws.owner)

    def usable(*tags: dict[str, str]) -> bool:
        key = aws.json(aws.owner, "kms", "TrentService.CreateKey", Tags=list(tags))["KeyMetadata"]["KeyId"]
        call = {"KeyId": key, "Plaintext": "c2VjcmV0"}
        return bool(aws.succeeds(lambda: aws.json(session, "kms", "TrentService.Encrypt", **call)))

    return usable() and not usable({"TagKey": "closed", "TagValue": "yes"})
