"""What AWS's user guides say that CodePipeline and CodeBuild need at least, as data: read in November 2026."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Documented:
    """One list of a user guide."""

    source: str
    bucket: tuple[str, ...] = ()
    """Actions on the artifact bucket."""
    objects: tuple[str, ...] = ()
    """Actions on what lies in it."""
    logs: tuple[str, ...] = ()
    """Actions on the project's log group."""


SERVICE_ROLE = Documented(
    source='"Manage the CodePipeline service role", CodePipeline user guide: AllowS3BucketAccess, AllowS3ObjectAccess',
    bucket=("s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"),
    objects=("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"),
)
SOURCE_ACTION = Documented(
    source="the same, for the role that carries out a source action: it writes, and reads nothing back. What CDK "
    "Pipelines grants for connections beside it (aws-cdk 13557, 13637)",
    bucket=SERVICE_ROLE.bucket,
    objects=("s3:PutObject", "s3:PutObjectAcl"),
)
CODECOMMIT_SOURCE = (
    "codecommit:CancelUploadArchive",
    "codecommit:GetBranch",
    "codecommit:GetCommit",
    "codecommit:GetRepository",
    "codecommit:GetUploadArchiveStatus",
    "codecommit:UploadArchive",
)
"""\"CodeCommit source action reference\", CodePipeline user guide: on the repository."""
S3_SOURCE = Documented(
    source='"Amazon S3 source action reference", CodePipeline user guide: of the bucket that is read, and its object',
    bucket=(*SERVICE_ROLE.bucket, "s3:ListBucket"),
    objects=("s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"),
)
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
BUILD = Documented(
    source='"Allow AWS CodeBuild to interact with other AWS services", CodeBuild user guide: CloudWatchLogsPolicy, '
    "S3GetObjectPolicy, S3PutObjectPolicy, S3BucketIdentity",
    bucket=("s3:GetBucketAcl", "s3:GetBucketLocation"),
    objects=("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
    logs=_LOGS,
)
BUILD_WITHOUT_OUTPUT = Documented(
    source=BUILD.source + "; without S3PutObjectPolicy: it makes no artifact",
    bucket=BUILD.bucket,
    objects=("s3:GetObject", "s3:GetObjectVersion"),
    logs=_LOGS,
)
REPORTS = (
    "codebuild:BatchPutCodeCoverages",
    "codebuild:BatchPutTestCases",
    "codebuild:CreateReport",
    "codebuild:CreateReportGroup",
    "codebuild:UpdateReport",
)
"""\"Test report permissions\", CodeBuild user guide: of projects whose buildspec declares reports."""
