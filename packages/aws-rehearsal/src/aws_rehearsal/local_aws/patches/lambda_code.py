"""A Lambda function or layer whose code is not in S3, or is no zip, fails.

MiniStack makes a function without code and a layer without content instead.
AWS: Lambda API Reference, CreateFunction, `FunctionCode`: S3Key is "the Amazon S3 key of the deployment package"; the
resource fails with Lambda's own message, "Error occurred while GetObject. S3 Error Code: NoSuchKey".
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from ministack.services import s3

from ._resources import Properties, before_create_or_update

_PLACE = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}


def apply() -> None:
    """Look for the code first."""
    before_create_or_update(_PLACE, _require_code)


def _require_code(new: Properties, _old: Properties | None) -> Properties:
    code = new.get("Code") or new.get("Content") or {}
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    if not bucket or not key:
        return new
    if s3._bucket_owner_account(bucket) is None:
        raise ValueError(_message("NoSuchBucket", "The specified bucket does not exist"))
    data = s3._get_object_data(bucket, key, version_id=code.get("S3ObjectVersion"))
    if data is None:
        raise ValueError(_message("NoSuchKey", "The specified key does not exist."))
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise ValueError("Could not unzip uploaded file. Please check your file, then try to upload again.")
    return new


def _message(code: str, text: str) -> str:
    return f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {text}"


def probe(aws: Any) -> bool:
    """A function whose key does not exist fails its stack."""
    code = {"S3Bucket": aws.bucket(), "S3Key": "no-such-key"}
    role = f"arn:aws:iam::{aws.owner.account}:role/probe"
    properties = {"Code": code, "Role": role, "Runtime": "nodejs20.x", "Handler": "index.handler"}
    return aws.stack({"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}}) == "ROLLBACK_COMPLETE"
