"""S3 reads and writes nothing with a key that is disabled, or waits for its deletion; and nobody brings one back, or
takes it away, by its alias.

MiniStack writes down which key an object is encrypted with, and never looks at it again: a state, an artifact or a
staging bucket would outlive its key. It takes an alias wherever a key is named.
AWS: Amazon S3 asks KMS on the caller's behalf for every object ("Using server-side encryption with AWS KMS keys" in its
user guide) and hands KMS's refusal on, with `KMS.` before its name: DisabledException, KMSInvalidStateException ("Key
states of AWS KMS keys" in the KMS developer guide). EnableKey, DisableKey, ScheduleKeyDeletion and CancelKeyDeletion:
"Specify the key ID or key ARN of the KMS key" (KMS API reference).
"""

from __future__ import annotations

import sys
from typing import Any

from ministack.services import kms, s3

from ._expect import expect, replace

_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
_NAMES = {"Disabled": "KMS.DisabledException", "PendingDeletion": "KMS.KMSInvalidStateException"}
_SAID = {"Disabled": "is disabled.", "PendingDeletion": "is pending deletion."}


_NO_ALIAS = ("_enable_key", "_disable_key", "_schedule_key_deletion", "_cancel_key_deletion")


def apply() -> None:
    """Look at the key of what is written, and of what is read; and at how a key is named."""
    for name in _NO_ALIAS:
        replace(name, _by_id(expect(kms, name, "data")), kms)
    writes = expect(s3, "_resolve_sse_write_headers", "headers", "bucket_name")
    reads = expect(s3, "_check_sse_read_headers", "headers", "obj")
    expect(s3, "_error", "code", "message")

    def resolve_sse_write_headers(headers: dict[str, str], bucket_name: str) -> Any:
        found, error = writes(headers, bucket_name)
        return found, error or _refused((found or {}).get(_KEY))

    def check_sse_read_headers(headers: dict[str, str], obj: dict[str, Any]) -> Any:
        error = reads(headers, obj)
        if error is not None or sys._getframe(1).f_code.co_name == "_head_object":
            return error  # what stands beside an object is not encrypted
        return _refused(obj.get("preserved_headers", {}).get(_KEY))

    replace("_resolve_sse_write_headers", resolve_sse_write_headers, s3)
    replace("_check_sse_read_headers", check_sse_read_headers, s3)


def _by_id(action: Any) -> Any:
    def act(data: dict[str, Any]) -> Any:
        named = str(data.get("KeyId", ""))
        if named.startswith("alias/") or ":alias/" in named:
            return kms.error_response_json("NotFoundException", f"Invalid keyId {named}", 400)
        return action(data)

    return act


def _refused(key: str | None) -> Any:
    """S3's refusal of a key that cannot be used; None for one that can, and for one that is not known here."""
    found = kms._resolve_key(key) if key else None
    state = found["KeyState"] if found else ""
    return s3._error(_NAMES[state], f"{found['Arn']} {_SAID[state]}", 400) if found and state in _NAMES else None


def probe(aws: Any) -> bool:
    """An object is neither read nor written while the key is disabled, and is again when it is enabled; by its alias it
    is not."""
    owner, bucket = aws.owner, aws.name("with-a-key")
    aws.s3(owner, "PUT", f"/{bucket}")
    key = aws.json(owner, "kms", "TrentService.CreateKey")["KeyMetadata"]["Arn"]
    encrypted = {"x-amz-server-side-encryption": "aws:kms", _KEY: key}

    def works(method: str, name: str, **headers: str) -> bool:
        return bool(aws.succeeds(lambda: aws.s3(owner, method, f"/{bucket}/{name}", b"text", headers)))

    if not works("PUT", "before", **encrypted):
        return False
    aws.json(owner, "kms", "TrentService.DisableKey", KeyId=key)
    refused = not works("GET", "before") and not works("PUT", "after", **encrypted) and works("PUT", "plain")
    alias = f"alias/{aws.name('of-the-state')}"
    aws.json(owner, "kms", "TrentService.CreateAlias", AliasName=alias, TargetKeyId=key)
    if aws.succeeds(lambda: aws.json(owner, "kms", "TrentService.EnableKey", KeyId=alias)):
        return False
    aws.json(owner, "kms", "TrentService.EnableKey", KeyId=key)
    return refused and works("GET", "before")
