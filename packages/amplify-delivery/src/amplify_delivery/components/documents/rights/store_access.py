"""What CodePipeline and CodeBuild call on an artifact store, with the roles they are given.

"Manage the CodePipeline service role" and "Allow CodeBuild to interact with other AWS services" in the two user guides.
`packages/amplify-delivery/tests/unit/components/documents/pipeline/documented.py` holds the declared documents against
those pages.
"""

from collections.abc import Iterable

from amplify_delivery.components.documents.statements import Statement, allow

READ = ("s3:GetObject", "s3:GetObjectVersion")
READ_TAGS = ("s3:GetObjectTagging", "s3:GetObjectVersionTagging")
WRITE = ("s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging")
"""CodePipeline's. Whatever comes through a connection is written with an ACL that gives it to the bucket's owner."""
LOOK = ("s3:GetBucketAcl", "s3:GetBucketLocation")
"""Of the bucket itself: CodeBuild's, before it reads or writes an artifact."""
PIPELINE_LOOK = (*LOOK, "s3:GetBucketVersioning")


def log_statement(group: str) -> Statement:
    """The log of a project's builds; `group` is the ARN of its log group. One that somebody deleted is made again."""
    actions = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
    return allow("Log", actions, [group, f"{group}:*"])


def owned_by(account: str) -> dict[str, dict[str, str]]:
    """The condition that a bucket is this account's: a name alone could be anybody's."""
    return {"StringEquals": {"aws:ResourceAccount": account}}


def objects_of(buckets: Iterable[str]) -> list[str]:
    """The ARN patterns of everything in buckets of these ARNs."""
    return [f"{bucket}/*" for bucket in buckets]
