"""A bucket policy can name a role or user of another account, or admit an account on a condition.

MiniStack evaluates another account's bucket policy for the caller's account root only, so that a policy naming a
role, or with a condition on `aws:PrincipalArn`, refuses the very role it means.
AWS: Amazon S3 User Guide, "Bucket owner granting cross-account bucket permissions"; IAM User Guide, "Cross-account
policy evaluation logic": the resource's policy is evaluated for the caller's own principal.
"""

from __future__ import annotations

import contextvars
import dataclasses
import json
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import s3

from ._expect import expect, replace

_caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="")


def apply() -> None:
    """Hand the caller's own ARN to the evaluation of another account's bucket policy."""
    scope = expect(s3, "_apply_bucket_scope", "method", "bucket", "key", "headers", "query_params", "body", "internal")
    access_key = expect(s3, "_request_access_key", "method", "key", "headers", "query_params", "body")
    identity = expect(iam_evaluator, "resolve_caller_identity", "access_key_id")
    evaluate = expect(iam_evaluator, "evaluate_resource_policy", "doc", "ctx")

    def apply_bucket_scope(  # noqa: PLR0917 - as MiniStack has it
        method: str, bucket: str, key: str, headers: Any, query_params: Any, body: bytes = b"", internal: bool = False
    ) -> Any:
        used = access_key(method, key, headers, query_params, body)
        token = _caller.set((identity(used) or {}).get("userArn", "") if used else "")
        try:
            return scope(method, bucket, key, headers, query_params, body, internal)
        finally:
            _caller.reset(token)

    def evaluate_resource_policy(doc: Any, ctx: Any, *args: Any, **kwargs: Any) -> Any:
        caller = _caller.get()
        if caller and ctx.principal_arn == f"arn:aws:iam::{get_account_id()}:root":
            kind = "AssumedRole" if ":assumed-role/" in caller else "User"
            ctx = dataclasses.replace(ctx, principal_arn=caller, principal_type=kind)
        return evaluate(doc, ctx, *args, **kwargs)

    replace("_apply_bucket_scope", apply_bucket_scope, s3)
    replace("evaluate_resource_policy", evaluate_resource_policy, iam_evaluator)


def probe(aws: Any) -> bool:
    """A role that another account's bucket policy names reads an object."""
    reader = aws.role(aws.guest, "bucket-reader", allow="s3:GetObject")
    bucket = aws.name("cross-account-bucket")
    objects = f"arn:aws:s3:::{bucket}/*"
    policy = aws.document(
        {"Effect": "Allow", "Principal": {"AWS": reader}, "Action": "s3:GetObject", "Resource": objects}
    )
    aws.s3(aws.owner, "PUT", f"/{bucket}")
    aws.s3(aws.owner, "PUT", f"/{bucket}/object", b"text")
    aws.s3(aws.owner, "PUT", f"/{bucket}?policy=", json.dumps(policy).encode())
    session = aws.assume(reader, aws.guest)
    return aws.succeeds(lambda: aws.s3(session, "GET", f"/{bucket}/object"))
