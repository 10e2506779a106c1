"""A call over the loopback interface counts as one over TLS.

The local AWS speaks plain HTTP, so `aws:SecureTransport` is false in every request, and a bucket that is closed to
anything but TLS (our staging area, the deployment bucket of every export) refuses its own account.
AWS: its endpoints are reached over HTTPS, the SDKs' default; the condition key says "whether the request was sent by
using TLS" (IAM User Guide, AWS global condition context keys, aws:SecureTransport). What the rule is for, a listener
on the network, does not exist on the loopback interface. That a document has the rule is tested on the document.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_evaluator

from ._expect import expect, replace


def apply() -> None:
    """Answer `true`; everything else as before."""
    original = expect(iam_evaluator, "_resolve_condition_key", "key", "ctx")

    def resolve_condition_key(key: str, ctx: Any) -> Any:
        if key.lower() == "aws:securetransport":
            return "true"
        return original(key, ctx)

    replace("_resolve_condition_key", resolve_condition_key, iam_evaluator)


def probe(aws: Any) -> bool:
    """A role reads an object of its account's bucket, which refuses whatever is not sent over TLS."""
    reader = aws.role(aws.owner, "tls-reader", allow="s3:GetObject")
    bucket = aws.name("tls-only-bucket")
    policy = aws.document(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": f"arn:aws:s3:::{bucket}/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )
    aws.s3(aws.owner, "PUT", f"/{bucket}")
    aws.s3(aws.owner, "PUT", f"/{bucket}/object", b"text")
    aws.s3(aws.owner, "PUT", f"/{bucket}?policy=", json.dumps(policy).encode())
    session = aws.assume(reader, aws.owner)
    return aws.succeeds(lambda: aws.s3(session, "GET", f"/{bucket}/object"))
