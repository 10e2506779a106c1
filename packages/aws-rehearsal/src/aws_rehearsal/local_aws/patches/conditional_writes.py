"""A bucket's policy sees whether a write asks not to overwrite; and such a write meets the deletion before it.

MiniStack refuses a write with `If-None-Match` over an object, as S3 does, but no policy can ask for that header: a
bucket that denies every write without it takes none at all, or all of them.
AWS: Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets" and "Bucket policy examples using condition
keys": `s3:if-none-match` and `s3:if-match` are the headers of PutObject and CompleteMultipartUpload;
`s3:ObjectCreationOperation` is false for CreateMultipartUpload, UploadPart and UploadPartCopy, which take neither.
Same guide, "How to prevent object overwrites with conditional writes": "You can also receive a 409 Conflict response in
the case of concurrent requests if a delete request to an object succeeds before a conditional write operation on that
object completes"; the request may be retried. Whoever reads that as "it is there" has written nothing. Here the first
conditional write within a second of a deletion meets it, and the next one does not.
MiniStack compares an object's ETag for whoever may write or delete it. AWS lets only those compare who may read it: a
conditional write or deletion with an ETag needs `s3:GetObject` as well
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-delete-enforce.html).
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_region
from ministack.services import s3

from . import _rights
from ._expect import expect, replace

_HEADERS = ("if-none-match", "if-match")
_READ = "s3:GetObject"
_BEGUN = ("uploads", "partNumber")
"""In the query of what does not make an object yet."""
_MEANWHILE = 1.0
"""Seconds after which a deletion is over everywhere."""
_deleted: dict[tuple[str, str], float] = {}


def apply() -> None:
    """Add the three keys to what a write carries, and have deletions met."""
    _meet_deletions()
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


def _meet_deletions() -> None:
    put = expect(s3, "_put_object", "bucket_name", "key", "body", "headers")
    delete = expect(s3, "_delete_object", "bucket_name", "key", "headers", "query_params")
    error = expect(s3, "_error", "code", "message", "status", "resource")

    def may_compare(bucket_name: str, key: str, headers: dict[str, str] | None) -> bool:
        if (headers or {}).get("if-match", "*") == "*":
            return True
        arn = f"arn:aws:s3:::{bucket_name}/{key}"
        return iam_evaluator.enforce(_rights.caller_key.get(), _READ, "s3", get_region(), resource_arn=arn) is None

    def _put_object(bucket_name: str, key: str, body: bytes, headers: dict[str, str]) -> Any:
        if not may_compare(bucket_name, key, headers):
            return error("AccessDenied", "Access Denied", 403, f"/{bucket_name}/{key}")
        if any(headers.get(name) for name in _HEADERS):
            when = _deleted.pop((bucket_name, key), None)
            if when is not None and time.monotonic() < when + _MEANWHILE:
                said = "The conditional request cannot succeed due to a conflicting operation against this resource."
                return error("ConditionalRequestConflict", said, 409, f"/{bucket_name}/{key}")
        return put(bucket_name, key, body, headers)

    def _delete_object(
        bucket_name: str, key: str, headers: dict[str, str] | None = None, query_params: dict[str, Any] | None = None
    ) -> Any:
        if not may_compare(bucket_name, key, headers):
            return error("AccessDenied", "Access Denied", 403, f"/{bucket_name}/{key}")
        answer = delete(bucket_name, key, headers, query_params)
        if answer[0] == 204 and not (query_params or {}).get("versionId"):
            _remember(bucket_name, key, time.monotonic())
        return answer

    replace("_put_object", _put_object, s3)
    replace("_delete_object", _delete_object, s3)


def _remember(bucket: str, key: str, now: float) -> None:
    """Note a deletion, and forget those that are over: they stand in the order in which they came."""
    while _deleted and _deleted[first := next(iter(_deleted))] < now - _MEANWHILE:
        del _deleted[first]
    _deleted.pop((bucket, key), None)
    _deleted[bucket, key] = now


def probe(aws: Any) -> bool:
    """A bucket that is closed to plain writes takes new objects, and the beginning of an upload, and nothing else; a
    write meets the deletion before it, once; and an ETag is compared for who may read the object."""
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

    def meets() -> bool:
        deleted = aws.succeeds(lambda: aws.s3(aws.owner, "DELETE", f"/{bucket}/new"))
        return bool(deleted) and not writes("new", **once) and writes("new", **once)

    return (
        writes("new", **once)
        and not writes("new", **once)
        and not writes("new")
        and not writes("other")
        and writes("large?uploads=", "POST")
        # On a busy machine a deletion may be over before the write comes.
        and any(meets() for _ in range(5))
        and _compares_for_readers(aws)
    )


def _compares_for_readers(aws: Any) -> bool:
    bucket, tag = aws.name("compared"), f'"{hashlib.md5(b"text", usedforsecurity=False).hexdigest()}"'
    aws.s3(aws.owner, "PUT", f"/{bucket}")
    aws.s3(aws.owner, "PUT", f"/{bucket}/object", b"text")

    def compares(name: str, method: str, *actions: str) -> bool:
        role = aws.role(aws.owner, name)
        aws.put_policy(aws.owner, name, {"Effect": "Allow", "Action": [*actions], "Resource": "*"})
        session = aws.assume(role, aws.owner)
        return bool(aws.succeeds(lambda: aws.s3(session, method, f"/{bucket}/object", b"text", {"If-Match": tag})))

    write, delete = "s3:PutObject", "s3:DeleteObject"
    return (
        not compares("writes-unread", "PUT", write)
        and compares("writes-read", "PUT", write, _READ)
        and not compares("deletes-unread", "DELETE", delete)
        and compares("deletes-read", "DELETE", delete, _READ)
    )
