"""Templates by their keys: what was published is what CloudFormation was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amplify_delivery.changes.deployed import Published
from amplify_delivery.export import Assembly, RootStack
from amplify_delivery.publishing.aws_errors import AWS_ERRORS, code
from amplify_delivery.publishing.target import PublishTarget


def published(
    assembly: Assembly, root: RootStack, target: PublishTarget, s3: Any, progress: Callable[[str], None]
) -> Published:
    """A template's content by its key: this release's own, else what an earlier one has left in the staging bucket."""
    own = {o.key for o in assembly.objects}

    def content(key: str) -> bytes | None:
        if key == root.object.key:
            return root.body
        if key in own:
            return assembly.read(key)
        try:
            answer = s3.get_object(Bucket=target.bucket, Key=key, ExpectedBucketOwner=target.account)
            return bytes(answer["Body"].read())
        except AWS_ERRORS as error:
            if not code(error):
                raise
            why = f"s3://{target.bucket}/{key} cannot be read ({code(error)})"
            progress(f"{why}: CloudFormation does not tell its characters beyond ASCII, they count as changed")
            return None

    return content
