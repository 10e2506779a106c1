"""Bucket names that end in `-an` belong to the account regional namespace.

MiniStack takes the header for nothing: any account may take any such name.
AWS: Amazon S3 User Guide, "Namespaces for general purpose buckets": created with `x-amz-bucket-namespace:
account-regional`, such a bucket's name must end in `-ACCOUNT-REGION-an` of its creator; "bucket names must not end
with the suffix -an" without it.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import s3

from ._expect import expect, replace
from ._resources import Properties, before_create_or_update

_ACCOUNT_REGIONAL = "account-regional"


def apply() -> None:
    """Check the name against the header, and against the property in a stack."""
    create = expect(s3, "_create_bucket", "name", "body", "headers", "endpoint_region")

    def create_bucket(name: str, body: bytes, headers: Any = None, endpoint_region: str | None = None) -> Any:
        refused = _refusal(name, (headers or {}).get("x-amz-bucket-namespace"), endpoint_region or get_region())
        if refused:
            return s3._error("InvalidBucketName", refused, 400, f"/{name}")
        return create(name, body, headers, endpoint_region)

    replace("_create_bucket", create_bucket, s3)
    before_create_or_update({"AWS::S3::Bucket"}, _require_own_name)


def _require_own_name(new: Properties, old: Properties | None) -> Properties:
    name = new.get("BucketName")
    refused = _refusal(name, new.get("BucketNamespace"), get_region()) if name and old is None else None
    if refused:
        raise ValueError(refused)
    return new


def _refusal(name: str, namespace: str | None, region: str) -> str | None:
    own = f"-{get_account_id()}-{region}-an"
    if namespace == _ACCOUNT_REGIONAL and not name.endswith(own):
        return f"The specified bucket is not valid: a name in the account regional namespace ends in {own}"
    if namespace != _ACCOUNT_REGIONAL and name.endswith("-an"):
        return "The specified bucket is not valid: -an is reserved for the account regional namespace"
    return None


def probe(aws: Any) -> bool:
    """An account takes a name of its own, and not one of another account's."""
    header = {"x-amz-bucket-namespace": _ACCOUNT_REGIONAL}
    own = aws.succeeds(lambda: aws.s3(aws.owner, "PUT", f"/probe-{aws.owner.account}-us-east-1-an", headers=header))
    other = aws.succeeds(lambda: aws.s3(aws.owner, "PUT", f"/probe-{aws.guest.account}-us-east-1-an", headers=header))
    return own and not other
