"""The staging area: the bucket in which an environment's assemblies are published."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policies


@dataclass(frozen=True)
class StagingAreaArgs:
    """Arguments of `StagingArea`."""

    bucket_name: str
    """Name in S3's account-regional namespace (see `components.names.staging_bucket_name`)."""
    account: str
    """The 12 digits of the account that owns it."""
    region: str
    customer_key: bool = False
    """Encrypt with a KMS key of its own, instead of S3's keys: costs a monthly fee and a call per read. A staging
    area holds no secrets."""
    force_destroy: bool = False
    """Delete the bucket with everything in it on `pulumi destroy`: for personal stacks."""


class StagingArea(pulumi.ComponentResource):
    """A private, versioned bucket for published objects.

    Objects stay: their keys are made from their content, a rollback needs the old ones, and `delivery gc` knows which
    nobody refers to. Only versions that were overwritten and uploads that broke off expire.
    """

    bucket_name: pulumi.Output[str]
    """The bucket's name, once it is there and closed."""
    bucket_arn: pulumi.Output[str]
    key_arn: pulumi.Output[str | None]
    """ARN of the customer's key; None where S3's own keys are used."""

    def __init__(self, name: str, args: StagingAreaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amplify-delivery:index:StagingArea", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)

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
        aws.s3.BucketOwnershipControls(
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
        key = self._key(name, args, child) if args.customer_key else None
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="aws:kms" if key else "AES256",
                            kms_master_key_id=key.arn if key else None,
                        )
                    ),
                    bucket_key_enabled=True if key else None,
                )
            ],
            opts=child,
        )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="overwritten-and-broken-off",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=30
                    ),
                    abort_incomplete_multipart_upload=(
                        aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                            days_after_initiation=1
                        )
                    ),
                )
            ],
            # A rule on old versions is refused while the bucket keeps none.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        aws.s3.BucketPolicy(
            name,
            bucket=bucket.bucket,
            policy=policies.tls_only(args.bucket_name, args.region),
            # S3 refuses two changes of a bucket's access at the same time (OperationAborted).
            opts=pulumi.ResourceOptions(parent=self, depends_on=[closed]),
        )

        self.bucket_name = bucket.bucket
        self.bucket_arn = bucket.arn
        self.key_arn = key.arn if key else pulumi.Output.from_input(None)
        self.register_outputs({"bucket_name": self.bucket_name, "bucket_arn": self.bucket_arn, "key_arn": self.key_arn})

    @staticmethod
    def _key(name: str, args: StagingAreaArgs, child: pulumi.ResourceOptions) -> aws.kms.Key:
        return aws.kms.Key(
            name,
            description=f"Objects of {args.bucket_name}",
            enable_key_rotation=True,
            policy=policies.staging_key(args.account, args.region),
            opts=child,
        )
