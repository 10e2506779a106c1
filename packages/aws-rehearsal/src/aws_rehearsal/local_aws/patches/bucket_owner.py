"""`aws:ResourceAccount` of an S3 request is the account that owns the bucket, not the caller's.

A bucket's ARN names no account, and MiniStack then answers the caller's: a role that reads another account's
artifacts, and by its own policy only those of that account, is refused; one that may only read its own account's
buckets reads everybody's.
AWS: "Use this key to compare the requested resource owner's AWS account ID with the resource account in the policy"
(IAM User Guide, AWS global condition context keys, aws:ResourceAccount); `s3:ResourceAccount` in the S3 User Guide.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import s3

from ._expect import expect, replace

_KEYS = ("aws:resourceaccount", "s3:resourceaccount")
_BUCKET = "arn:aws:s3:::"


def apply() -> None:
    """Answer the bucket's owner; everything else as before."""
    original = expect(iam_evaluator, "_resolve_condition_key", "key", "ctx")
    owner = expect(s3, "_bucket_owner_account", "name")

    def resolve_condition_key(key: str, ctx: Any) -> Any:
        if key.lower() in _KEYS and ctx.resource_arn.startswith(_BUCKET):
            bucket = ctx.resource_arn.removeprefix(_BUCKET).partition("/")[0]
            return owner(bucket) or original(key, ctx)
        return original(key, ctx)

    replace("_resolve_condition_key", resolve_condition_key, iam_evaluator)


def probe(aws: Any) -> bool:
    """A role that may read one account's buckets only reads another account's if it is that one, and no other."""
    bucket = aws.name("bucket-owner")
    aws.s3(aws.owner, "PUT", f"/{bucket}")
    aws.s3(aws.owner, "PUT", f"/{bucket}/object", b"text")
    opened = {
        "Effect": "Allow",
        "Principal": {"AWS": aws.guest.root_arn},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    aws.s3(aws.owner, "PUT", f"/{bucket}?policy=", json.dumps(aws.document(opened)).encode())

    def reads(account: str, key: str) -> bool:
        name = f"{key.partition(':')[0]}-reader-of-{account}"
        role = aws.role(aws.guest, name)
        condition = {"StringEquals": {key: account}}
        aws.put_policy(
            aws.guest, name, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}
        )
        session = aws.assume(role, aws.guest)
        return bool(aws.succeeds(lambda: aws.s3(session, "GET", f"/{bucket}/object")))

    return all(reads(aws.owner.account, key) and not reads(aws.guest.account, key) for key in _KEYS)
