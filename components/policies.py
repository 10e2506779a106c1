"""Policy documents, as pure functions. One canonical form: sorted keys, a scalar for a single element.

AWS gives a document back in its own order; a document that is always written the same way is the one that
does not differ after a refresh.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.names import dns_suffix, partition


def document(statements: Sequence[Mapping[str, Any]]) -> str:
    """A policy document as canonical JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True, separators=(",", ":"))


def tls_only(bucket: str, region: str) -> str:
    """A bucket policy that denies every request without TLS (AWS Config rule `s3-bucket-ssl-requests-only`)."""
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
            }
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
