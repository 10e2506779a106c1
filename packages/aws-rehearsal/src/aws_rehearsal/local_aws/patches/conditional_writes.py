"""A bucket's policy sees whether a write asks not to overwrite.

MiniStack refuses a write with `If-None-Match` over an object, as S3 does, but no policy can ask for that header: a
bucket that denies every write without it takes none at all, or all of them.
AWS: Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets" and "Bucket policy examples using condition
keys": `s3:if-none-match` and `s3:if-match` are the headers of PutObject and CompleteMultipartUpload;
`s3:ObjectCreationOperation` is false for CreateMultipartUpload, UploadPart and UploadPartCopy, which take neither.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions

from ._expect import expect, replace

_HEADERS = ("if-none-match", "if-match")
_BEGUN = ("uploads", "partNumber")
"""In the query of what does not make an object yet."""


def apply() -> None:
    """Add the three keys to what a write carries."""
    original = expect(iam_actions, "s3_service_context", "iam_action", "query_params", "path", "headers")

    def s3_service_context(
        iam_action: str, query_params: Any, path: str = "", headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        context: dict[str, Any] = original(iam_action, query_params, path, headers)
        if iam_action == "s3:PutObject":
            sent = {name.lower(): value for name, value in (headers or {}).items()}
            context |= {f"s3:{name}": sent[name] for name in _HEADERS if sent.get(name)}
            begun = any(name in (query_params or {}) for name in _BEGUN)
            context["s3:ObjectCreationOperation"] = "false" if begun else "true"
        return context

    replace("s3_service_context", s3_service_context, iam_actions)


def probe(aws: Any) -> bool:
    """A bucket that is closed to plain writes takes new objects, and the beginning of an upload, and nothing else."""
    bucket = aws.name("written-once")
    closed = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
    }
    aws.s3(aws.owner, "PUT", f"/{bucket}")
    aws.s3(aws.owner, "PUT", f"/{bucket}?policy=", json.dumps(aws.document(closed)).encode())
    writer = aws.assume(aws.role(aws.owner, "writes-once", allow="s3:PutObject"), aws.owner)

    def writes(key: str, method: str = "PUT", **headers: str) -> bool:
        return bool(aws.succeeds(lambda: aws.s3(writer, method, f"/{bucket}/{key}", b"text", headers)))

    once = {"If-None-Match": "*"}
    return (
        writes("new", **once)
        and not writes("new", **once)
        and not writes("new")
        and not writes("other")
        and writes("large?uploads=", "POST")
    )
