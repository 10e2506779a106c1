"""The role of a pipeline's source action: what it reads of each kind of source, and where it leaves that."""

from dataclasses import replace

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.artifact_keys import artifact_keys
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.source_action import RELEASES_PREFIX
from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    ConnectionSource,
    PipelineSource,
    S3Source,
)
from amplify_delivery.components.documents.rights.store_access import PIPELINE_LOOK, READ, READ_TAGS, WRITE, owned_by
from amplify_delivery.components.documents.statements import (
    RoleDocument,
    Statement,
    allow,
    document,
    role_trust,
    through_s3_for,
)


def source_role(model: PipelineModel) -> RoleDocument | None:
    """The source action's role; None for GitHub with a token, whose action takes none."""
    names, source = model.names, model.source
    if isinstance(source, ConnectionSource):
        # Both names of the service: a connection made before 2024 has the older one in its ARN.
        # This one repository, and nothing that writes to it. Which calls CodePipeline makes there may change, says
        # "Using a connection" in the Developer Tools console user guide: so they are not named one by one.
        read = [
            allow(
                sid,
                f"{service}:UseConnection",
                source.connection,
                {
                    "StringEquals": {
                        f"{service}:FullRepositoryId": source.repository,
                        f"{service}:ProviderPermissionsRequired": "read_only",
                    }
                },
            )
            for sid, service in (("Connection", "codeconnections"), ("OlderConnection", "codestar-connections"))
        ]
    elif isinstance(source, CodeCommitSource):
        read = [
            allow(
                "Repository",
                [
                    "codecommit:CancelUploadArchive",
                    "codecommit:GetBranch",
                    "codecommit:GetCommit",
                    "codecommit:GetRepository",
                    "codecommit:GetUploadArchiveStatus",
                    "codecommit:UploadArchive",
                ],
                names.arn("codecommit", source.repository),
            )
        ]
    elif isinstance(source, S3Source):
        read = _object(names, source)
    elif isinstance(source, PipelineSource):
        read = _releases(replace(names, name=source.pipeline))
    else:
        return None
    store, own = names.bucket_arn(names.artifact_bucket(names.region)), owned_by(names.account)
    write = [
        allow("Artifacts", WRITE, f"{store}/*", own),
        allow("ArtifactBucket", PIPELINE_LOOK, store, own),
        *artifact_keys(names, [names.region]),
    ]
    return RoleDocument(
        name=names.role("source"),
        path=names.path,
        description=f"{names.pipeline} reads its source with it",
        trust=role_trust(names.role_arn()),
        policies={"source": document([*read, *write])},
        arn=names.role_arn("source"),
    )


def _object(names: PipelineNames, source: S3Source) -> list[Statement]:
    """What is read of a source in S3; its bucket may be encrypted with a key of the account's own."""
    bucket = names.bucket_arn(source.bucket)
    through_s3 = through_s3_for([bucket], [f"s3.{names.region}.{names.dns_suffix}"])
    return [
        allow("SourceObject", [*READ, *READ_TAGS], f"{bucket}/{source.key}"),
        allow("SourceBucket", [*PIPELINE_LOOK, "s3:ListBucket"], bucket),
        allow("SourceKey", "kms:Decrypt", names.arn("kms", "key/*"), through_s3),
    ]


def _releases(before: PipelineNames) -> list[Statement]:
    """What a pipeline reads that follows the pipeline `before`: its releases, and nothing else of its artifacts."""
    bucket, own = before.bucket_arn(before.artifact_bucket(before.region)), owned_by(before.account)
    through_s3 = through_s3_for([bucket], [f"s3.{before.region}.{before.dns_suffix}"])
    return [
        allow("Releases", [*READ, *READ_TAGS], f"{bucket}/{RELEASES_PREFIX}*", own),
        allow("ReleaseBucket", [*PIPELINE_LOOK, "s3:ListBucket"], bucket, own),
        allow("ReleaseKey", "kms:Decrypt", before.arn("kms", "key/*"), through_s3),
    ]
