"""Policies of a staging area: its bucket's, and that of a key of its own."""

from amplify_delivery.components.documents.naming import ARTIFACTS_PREFIX
from amplify_delivery.components.documents.statements import Document, allow, deny, document
from amplify_delivery.components.names import dns_suffix, partition
from amplify_delivery.export.manifests import CONTENT_FOLDERS


def bucket_policy(bucket: str, region: str) -> Document:
    """The policy of a staging bucket. It denies every request without TLS (AWS Config rule
    `s3-bucket-ssl-requests-only`), and whatever would write over an object whose key is made from its content.

    "Enforce conditional writes on Amazon S3 buckets" in the S3 user guide: only a write with `If-None-Match` passes,
    and S3 refuses that where there is an object. What does not make an object yet (the parts of an upload) has no such
    header. Other keys are left alone: the container API's own pipeline keeps its artifacts in this bucket.
    """
    arn = f"arn:{partition(region)}:s3:::{bucket}"
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    published = [f"{arn}/{folder}/*" for folder in (*CONTENT_FOLDERS, ARTIFACTS_PREFIX.rstrip("/"))]
    over = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    return document(
        [
            deny("TlsOnly", "s3:*", [arn, f"{arn}/*"], tls, principal="*"),
            deny("NothingIsOverwritten", "s3:PutObject", published, over, principal="*"),
        ]
    )


def key_policy(account: str, region: str) -> Document:
    """The policy of a staging area's own key: the account administers it, and whoever in the account may use
    the bucket may use the key, but through S3 only.

    Readers need kms:Decrypt granted here: AppSync's resolvers and Lambda's handlers are read as the CloudFormation
    execution role, whose policy speaks of S3 and not of this key. See "kms:ViaService" and "kms:CallerAccount" in the
    KMS developer guide.
    """
    use = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    here = {"StringEquals": {"kms:CallerAccount": account, "kms:ViaService": f"s3.{region}.{dns_suffix(region)}"}}
    root = f"arn:{partition(region)}:iam::{account}:root"
    return document(
        [
            allow("Administration", "kms:*", "*", principal={"AWS": root}),
            allow("ThroughS3OnlyFromThisAccount", use, "*", here, principal={"AWS": "*"}),
        ]
    )
