"""What several projects' roles may do with what the account holds: staging area, keys, images, pages, audit log."""

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import DEPLOY
from amplify_delivery.components.documents.rights.store_access import READ as READ_OBJECT
from amplify_delivery.components.documents.statements import Statement, allow

WRITE_OBJECT = ("s3:AbortMultipartUpload", "s3:PutObject")


INSPECTOR_READS = ("inspector2:ListCoverage", "inspector2:ListFindings")
"""What Amazon ECR asks Amazon Inspector with the caller's rights, where the registry is set to enhanced scanning. Both
know no resource. https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced-iam.html; what is said
without them: https://github.com/alexjurkiewicz/ecr-scan-image/issues/19."""


def image_looks(access: EnvironmentAccess, *more: str) -> list[Statement]:
    """What a scan has found in images, for who plans and deploys."""
    if not access.images:
        return []
    here = {"StringEquals": {"aws:RequestedRegion": access.names.region}}
    return [
        allow("Images", [*more, "ecr:DescribeImageScanFindings"], repository_arn(access)),
        allow("ImageFindings", INSPECTOR_READS, "*", here),
    ]


def repository_arn(access: EnvironmentAccess) -> str:
    """That of the environment's images."""
    return access.names.arn("ecr", f"repository/{access.names.repository}")


SECRET_LOOKS = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:ListSecretVersionIds",
)
"""What the provider's Read of a secret and of its write-only version asks for: everything but the value."""
_PAGE_BUCKET_READS = ("s3:GetBucketOwnershipControls", "s3:GetBucketPublicAccessBlock", "s3:ListBucket")
"""Who may not list a bucket is told of a page that is gone that it is forbidden."""
_PAGE_READS = ("s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion")


def pages(access: EnvironmentAccess, *, upload: bool) -> list[Statement]:
    """The verification pages, which the program uploads into buckets that the stack has made."""
    if not access.page_buckets:
        return []
    buckets = [access.names.bucket_arn(bucket) for bucket in access.page_buckets]
    own = {"StringEquals": {"aws:ResourceAccount": access.names.account}}
    on_bucket, on_page = [*_PAGE_BUCKET_READS], [*_PAGE_READS]
    if upload:
        on_bucket += ["s3:ListBucketVersions", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock"]
        on_page += ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:PutObjectAcl"]
    return [
        allow("PageBuckets", on_bucket, buckets, own),
        allow("Pages", on_page, [f"{bucket}/*" for bucket in buckets], own),
    ]


LISTS = ("cloudformation:ListExports", "cloudformation:ListStacks")
"""What a backend imports must be exported by some stack of the account; in which state nested stacks are, in one call.
Both know no resource."""


def staging_reads(access: EnvironmentAccess) -> list[Statement]:
    """To read what is published, and to decrypt it where the staging area has a key of its own."""
    bucket = access.names.bucket_arn(access.names.staging_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": access.names.account}}
    statements = [
        allow("Staging", READ_OBJECT, f"{bucket}/*", own),
        allow("StagingList", ["s3:GetBucketLocation", "s3:ListBucket"], bucket, own),
    ]
    if access.staging_key:
        statements.append(
            key_right(access, "StagingKey", "kms:Decrypt", access.names.staging_key_alias, through_s3=True)
        )
    return statements


def key_right(
    access: EnvironmentAccess, sid: str, actions: str | list[str], alias: str, *, through_s3: bool = False
) -> Statement:
    """A right on the key with that alias: by its ARN, once it is made, because an alias counts up to five minutes after
    it was ("Using aliases to control access to KMS keys" in its developer guide)."""
    names = access.names
    known = access.state_key_arn if alias == names.state_key_alias else access.staging_key_arn
    conditions: dict[str, dict[str, str]] = {}
    if known is None:
        conditions["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": alias}
    if through_s3:
        conditions["StringEquals"] = {"kms:ViaService": f"s3.{names.region}.{names.dns_suffix}"}
    return allow(sid, actions, known or names.arn("kms", "key/*"), conditions)


def has_ended(access: EnvironmentAccess) -> Statement:
    """Whether the build that holds the environment's lease still runs: only builds of `deploy` take one."""
    return allow("LeaseHolders", "codebuild:BatchGetBuilds", access.names.project_arn(DEPLOY))


def audit_arn(access: EnvironmentAccess) -> str:
    """The streams of the audit log, as IAM names them."""
    return access.names.arn("logs", f"log-group:{access.names.audit_log_group}:*")


def audit_write(access: EnvironmentAccess, what: str) -> list[Statement]:
    """To add to the audit log, in the streams of `what` (`plan` or `deploy`) alone."""
    # Append only: nobody in the pipeline may delete a stream, the group, or shorten how long it is kept. And `plan`,
    # which can execute nothing, can't say either that something was deployed.
    streams = f"log-group:{access.names.audit_log_group}:log-stream:{access.names.audit_streams(what)}*"
    return [
        allow("AuditStreams", "logs:CreateLogStream", audit_arn(access)),
        allow("Audit", "logs:PutLogEvents", access.names.arn("logs", streams)),
    ]
