"""Use of the artifact keys by the roles of the tooling account (the keys' own policies: `artifacts`)."""

from collections.abc import Sequence

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.statements import Statement, allow, through_s3_for

USE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


def artifact_keys(names: PipelineNames, regions: Sequence[str]) -> list[Statement]:
    """Use of the artifact keys through S3, one statement for all regions."""
    return [
        allow(
            "ArtifactKeys",
            USE_KEY,
            [names.arn("kms", "key/*", region=region) for region in regions],
            through_s3_for(
                [names.bucket_arn(names.artifact_bucket(region)) for region in regions],
                [f"s3.{region}.{names.dns_suffix}" for region in regions],
            ),
        )
    ]
