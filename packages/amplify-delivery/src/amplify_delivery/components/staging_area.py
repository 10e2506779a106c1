"""The staging area: the bucket in which an environment's assemblies are published."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from amplify_delivery.components.documents import staging
from amplify_delivery.components.documents.naming import ARTIFACTS_PREFIX
from amplify_delivery.components.documents.statements import to_json
from amplify_delivery.components.private_bucket import PrivateBucketArgs, private_bucket


@dataclass(frozen=True)
class StagingAreaArgs:
    """Arguments of `StagingArea`."""

    bucket_name: str
    """Name in S3's account-regional namespace (see `amplify_delivery.components.names.staging_bucket_name`)."""
    account: str
    """The 12 digits of the account that owns it."""
    region: str
    customer_key: bool = False
    """Encrypt with a KMS key of its own, instead of S3's keys: costs a monthly fee and a call per read. A staging
    area holds no secrets."""
    key_alias: str | None = None
    """An alias for that key, with `alias/`."""
    artifacts_days: int | None = None
    """How long artifacts stay that a CI puts here; None: for ever, for none are put."""
    force_destroy: bool = False
    """Delete the bucket with everything in it on `pulumi destroy`: for personal stacks."""


class StagingArea(pulumi.ComponentResource):
    """A private, versioned bucket for published objects.

    Objects stay: their keys are made from their content, and a rollback needs the old ones. Only versions that
    were overwritten and uploads that broke off expire.
    """

    bucket_name: pulumi.Output[str]
    """The bucket's name, once it is there and closed."""
    bucket_arn: pulumi.Output[str]
    key_arn: pulumi.Output[str | None]
    """ARN of the customer's key; None where S3's own keys are used."""

    def __init__(self, name: str, args: StagingAreaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amplify-delivery:index:StagingArea", name, None, opts)
        key = self._key(name, args) if args.customer_key else None
        made = private_bucket(
            name,
            PrivateBucketArgs(
                args.bucket_name,
                to_json(staging.bucket_policy(args.bucket_name, args.region)),
                key_arn=key.arn if key else None,
                force_destroy=args.force_destroy,
                prefix_days={ARTIFACTS_PREFIX: args.artifacts_days} if args.artifacts_days else {},
            ),
            self,
        )

        self.bucket_name = made.bucket.bucket
        self.bucket_arn = made.bucket.arn
        self.key_arn = key.arn if key else pulumi.Output.from_input(None)
        self.register_outputs({"bucket_name": self.bucket_name, "bucket_arn": self.bucket_arn, "key_arn": self.key_arn})

    def _key(self, name: str, args: StagingAreaArgs) -> aws.kms.Key:
        key = aws.kms.Key(
            name,
            description=f"Objects of {args.bucket_name}",
            enable_key_rotation=True,
            policy=to_json(staging.key_policy(args.account, args.region)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        if args.key_alias:
            # Policies know the key by it: a key's ARN is random.
            aws.kms.Alias(name, name=args.key_alias, target_key_id=key.id, opts=pulumi.ResourceOptions(parent=self))
        return key
