"""Pages in buckets that a backend itself makes."""

import base64

import pulumi
import pulumi_aws as aws

from amplify_delivery.components.backend.contents import pages
from amplify_delivery.export import Assembly


def upload_pages(parent: pulumi.Resource, assembly: Assembly, stack_name: str, after: pulumi.Resource) -> None:
    """Upload what the export means for buckets that the root stack, `after`, itself makes: Cognito's verification
    pages.

    The CDK construct uploads them with the ACL public-read. Buckets made since April 2023 refuse that until ACLs
    are allowed on them, which the exported template does not do ("Controlling ownership of objects and disabling
    ACLs" in the S3 user guide).
    """
    options = pulumi.ResourceOptions(parent=parent, depends_on=[after])
    for bucket, files in sorted(pages(assembly, stack_name).items()):
        owner = aws.s3.BucketOwnershipControls(
            bucket,
            bucket=bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="ObjectWriter"),
            opts=options,
        )
        open_to_acls = aws.s3.BucketPublicAccessBlock(
            bucket,
            bucket=bucket,
            block_public_acls=False,
            block_public_policy=True,
            ignore_public_acls=False,
            restrict_public_buckets=True,
            opts=options,
        )
        for file in files:
            aws.s3.BucketObjectv2(
                f"{bucket}/{file.path}",
                bucket=bucket,
                key=file.path,
                acl="public-read",
                # Bytes in the state instead of a path: the pages are small, and an assembly need not be a folder.
                content_base64=base64.b64encode(assembly.read(file.key)).decode(),
                content_type=file.content_type,
                opts=pulumi.ResourceOptions(parent=parent, depends_on=[owner, open_to_acls]),
            )
