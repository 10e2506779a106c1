"""A bucket that holds objects, or versions of them, can't be deleted by its stack.

MiniStack deletes it with everything in it.
AWS: CloudFormation User Guide, "Delete stack fails": "some resources must be empty before they can be deleted"; the
stack ends in DELETE_FAILED with S3's message.
"""

from __future__ import annotations

from typing import Any

from ministack.services import s3

from ._expect import expect
from ._resources import before_delete


def apply() -> None:
    """Look into the bucket first."""
    expect(s3, "_bucket_has_versions", "name")
    before_delete("AWS::S3::Bucket", _require_empty)


def _require_empty(name: str) -> None:
    bucket = s3._buckets.get(name)
    if bucket is not None and (bucket["objects"] or s3._bucket_has_versions(name)):
        raise ValueError("The bucket you tried to delete is not empty (Service: S3, Status Code: 409)")


def probe(aws: Any) -> bool:
    """Deleting a stack whose bucket holds an object fails."""
    name = aws.name("bucket-deletion")
    aws.stack({"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}}, name=name)
    aws.s3(aws.owner, "PUT", f"/{name}/object", b"text")
    return aws.delete_stack(name) == "DELETE_FAILED"
