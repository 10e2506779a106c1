"""Policy documents, as pure functions. One canonical form: sorted keys, a scalar for a single element.

AWS gives a document back in its own order; a document that is always written the same way is the one that
does not differ after a refresh.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from amplify_delivery.components.documents.naming import ARTIFACTS_PREFIX
from amplify_delivery.components.names import dns_suffix, partition
from amplify_delivery.export.manifests import CONTENT_FOLDERS


def document(statements: Sequence[Mapping[str, Any]]) -> str:
    """A policy document as canonical JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True, separators=(",", ":"))


def staging_bucket(bucket: str, region: str) -> str:
    """The policy of a staging bucket. It denies every request without TLS (AWS Config rule
    `s3-bucket-ssl-requests-only`), and whatever would write over an object whose key is made from its content.

    "Enforce conditional writes on Amazon S3 buckets" in the S3 user guide: only a write with `If-None-Match` passes,
    and S3 refuses that where there is an object. What does not make an object yet (the parts of an upload) has no such
    header. Other keys are left alone: the container API's own pipeline keeps its artifacts in this bucket.
    """
    arn = f"arn:{partition(region)}:s3:::{bucket}"
    return document(
        [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                "Sid": "NothingIsOverwritten",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": [
                    f"{arn}/{folder}/*" for folder in sorted([*CONTENT_FOLDERS, ARTIFACTS_PREFIX.rstrip("/")])
                ],
                "Condition": {
                    "Null": {"s3:if-none-match": "true"},
                    "Bool": {"s3:ObjectCreationOperation": "true"},
                },
            },
        ]
    )


def staging_key(account: str, region: str) -> str:
    """The policy of a staging area's own key: the account administers it, and whoever in the account may use
    the bucket may use the key, but through S3 only.

    Readers need kms:Decrypt granted here: AppSync's resolvers and Lambda's handlers are read as the CloudFormation
    execution role, whose policy speaks of S3 and not of this key. See "kms:ViaService" and "kms:CallerAccount" in the
    KMS developer guide.
    """
    return document(
        [
            {
                "Sid": "Administration",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{partition(region)}:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "ThroughS3OnlyFromThisAccount",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                "Resource": "*",
                "Condition": {
                    "StringEquals": {
                        "kms:CallerAccount": account,
                        "kms:ViaService": f"s3.{region}.{dns_suffix(region)}",
                    }
                },
            },
        ]
    )
