"""A bucket that nobody else gets into: what the staging area, the state and the artifacts have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from amplify_delivery.components.documents.account.storage import OLD_VERSIONS_DAYS


@dataclass(frozen=True)
class PrivateBucketArgs:
    """Arguments of `private_bucket`."""

    bucket_name: str
    """Name in S3's account-regional namespace (see `amplify_delivery.components.names`)."""
    policy: str
    """The bucket's policy, as JSON; it denies requests without TLS."""
    key_arn: pulumi.Input[str] | None = None
    """A KMS key that encrypts every object; None: S3's own keys."""
    force_destroy: bool = False
    """Delete the bucket with everything in it on `pulumi destroy`."""
    old_versions_days: int = OLD_VERSIONS_DAYS
    """How long a version stays that was overwritten or deleted."""
    objects_days: int | None = None
    """How long an object stays; None: for ever."""
    prefix_days: Mapping[str, int] = field(default_factory=dict)
    """How long objects stay whose keys begin so."""


@dataclass(frozen=True)
class PrivateBucket:
    """A bucket and what closes, encrypts and keeps it."""

    bucket: aws.s3.Bucket
    settings: tuple[pulumi.Resource, ...]
    """The provider waits almost a minute for a lifecycle configuration alone: whatever must not meet the engine while
    it still works on the bucket depends on `whole`."""

    @property
    def whole(self) -> tuple[pulumi.Resource, ...]:
        """All of it, to depend on."""
        return (self.bucket, *self.settings)


def private_bucket(
    name: str, args: PrivateBucketArgs, parent: pulumi.Resource, *, protect: bool | None = None, **options: Any
) -> PrivateBucket:
    """Declare a private, versioned, encrypted bucket as a child of `parent`, each resource called `name`.

    `protect` is of the bucket and of what closes, encrypts and keeps it: the engine, told to skip its preview, would
    take these away before it comes to a bucket that stays. None: as the parent's. Further resource options are of all.

    Long: a flat list of what a bucket consists of, without a branch.
    """
    child = pulumi.ResourceOptions(parent=parent, protect=protect, **options)
    bucket = aws.s3.Bucket(
        name,
        bucket=args.bucket_name,
        bucket_namespace="account-regional",
        force_destroy=args.force_destroy,
        opts=child,
    )
    closed = aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=child,
    )
    owner = aws.s3.BucketOwnershipControls(
        name,
        bucket=bucket.bucket,
        rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=child,
    )
    versioning = aws.s3.BucketVersioning(
        name,
        bucket=bucket.bucket,
        versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=child,
    )
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        name,
        bucket=bucket.bucket,
        rules=[
            aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=(
                    aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm="aws:kms" if args.key_arn else "AES256",
                        kms_master_key_id=args.key_arn,
                    )
                ),
                bucket_key_enabled=True if args.key_arn else None,
            )
        ],
        opts=child,
    )
    lifecycle = aws.s3.BucketLifecycleConfiguration(
        name,
        bucket=bucket.bucket,
        rules=[
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="overwritten-and-broken-off",
                status="Enabled",
                filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                expiration=(
                    aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.objects_days)
                    if args.objects_days
                    else None
                ),
                noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=args.old_versions_days
                ),
                abort_incomplete_multipart_upload=(
                    aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(days_after_initiation=1)
                ),
            ),
            *(
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id=f"expires-{prefix.rstrip('/')}",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
                )
                for prefix, days in sorted(args.prefix_days.items())
            ),
        ],
        # A rule on old versions is refused while the bucket keeps none.
        opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[versioning])),
    )
    policy = aws.s3.BucketPolicy(
        name,
        bucket=bucket.bucket,
        policy=args.policy,
        # S3 refuses two changes of a bucket's access at the same time (OperationAborted).
        opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[closed])),
    )
    return PrivateBucket(bucket, (closed, owner, versioning, encryption, lifecycle, policy))
