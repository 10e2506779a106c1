"""`aws:ResourceAccount` of an S3 request is the account that owns the bucket, not the caller's.

A bucket's ARN names no account, and MiniStack then answers the caller's: a role that reads another account's
artifacts, and by its own policy only those of that account, is refused.
AWS: "Use this key to compare the requested resource owner's AWS account ID with the resource account in the policy"
(IAM User Guide, AWS global condition context keys, aws:ResourceAccount).
"""

from __future__ import annotations

from typing import Any


def apply() -> None:
    """Answer the bucket's owner; everything else as before."""
    from ministack.core import iam_evaluator  # noqa: PLC0415 - reads the environment while it is imported
    from ministack.services import s3  # noqa: PLC0415

    original = iam_evaluator._resolve_condition_key
    prefix = "arn:aws:s3:::"

    def resolve_condition_key(key: str, ctx: Any) -> Any:
        if key.lower() in ("aws:resourceaccount", "s3:resourceaccount") and ctx.resource_arn.startswith(prefix):
            bucket = ctx.resource_arn.removeprefix(prefix).partition("/")[0]
            return s3._bucket_owner_account(bucket) or original(key, ctx)
        return original(key, ctx)

    iam_evaluator._resolve_condition_key = resolve_condition_key
