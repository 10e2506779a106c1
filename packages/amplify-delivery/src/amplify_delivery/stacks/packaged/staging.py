"""`StagingArea` for other languages.

No `from __future__ import annotations` here: the SDK makes the schema of the types themselves.
"""

import pulumi

from amplify_delivery.components import staging_area
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.components.providers import Access, aws_provider
from amplify_delivery.stacks.packaged.arguments import StagingAreaArgs

TYPE = "amplify-delivery:index:StagingArea"


class StagingArea(pulumi.ComponentResource):
    """A private, versioned bucket for published objects, in the account and region that are named."""

    bucket_name: pulumi.Output[str]
    """The bucket's name, once it is there and closed."""
    bucket_arn: pulumi.Output[str]
    """The bucket's ARN."""
    key_arn: pulumi.Output[str | None]
    """ARN of the customer's key, if there is one."""

    def __init__(self, name: str, args: StagingAreaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)
        with as_run_error():
            provider = aws_provider(f"{name}-aws", Access(args["account"], args["region"]), inside)
            made = staging_area.StagingArea(
                name,
                staging_area.StagingAreaArgs(**args),
                pulumi.ResourceOptions(parent=self, providers=[provider]),
            )
        self.bucket_name, self.bucket_arn, self.key_arn = made.bucket_name, made.bucket_arn, made.key_arn
        self.register_outputs({"bucketName": self.bucket_name, "bucketArn": self.bucket_arn, "keyArn": self.key_arn})
