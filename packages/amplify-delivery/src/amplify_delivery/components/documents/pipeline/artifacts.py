"""Policies of the artifact bucket and its key, one pair per region: who reads what Source and Build made.

The tooling account's roles get their rights from their own policies. The target accounts' project roles are let in
here: to read and to decrypt, by the account and a pattern of the role's name, so that a role may be made later, or
again. "Cross-account resource access in IAM" in the IAM user guide.
"""

from collections.abc import Iterable

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.rights.store_access import LOOK, READ
from amplify_delivery.components.documents.statements import Document, allow, deny, document


def bucket_policy(pipeline: PipelineNames, region: str, environments: Iterable[EnvironmentNames]) -> Document:
    """The policy of the artifact bucket in `region`; of `environments`, those in the region count."""
    bucket = pipeline.bucket_arn(pipeline.artifact_bucket(region))
    objects = f"{bucket}/*"
    statements = [
        deny("TlsOnly", "s3:*", [bucket, objects], {"Bool": {"aws:SecureTransport": "false"}}, principal="*"),
    ]
    readers = _in_region(environments, region)
    if readers:
        statements.append(
            allow(
                "EnvironmentsRead",
                # CodeBuild looks at the bucket before it reads from it. One statement: there can be 90 environments.
                [*READ, *LOOK],
                [bucket, objects],
                {"ArnLike": {"aws:PrincipalArn": [e.project_roles_pattern for e in readers]}},
                principal={"AWS": [e.root_arn for e in readers]},
            )
        )
    return document(statements)


def key_policy(pipeline: PipelineNames, region: str, environments: Iterable[EnvironmentNames]) -> Document:
    """The policy of the artifact key in `region`."""
    statements = [
        # The tooling account's own IAM policies decide: else nobody could ever change this policy again.
        allow("Administration", "kms:*", "*", principal={"AWS": pipeline.root_arn}),
    ]
    readers = _in_region(environments, region)
    if readers:
        statements.append(
            allow(
                "EnvironmentsDecrypt",
                "kms:Decrypt",
                "*",
                {
                    "ArnLike": {"aws:PrincipalArn": [e.project_roles_pattern for e in readers]},
                    "StringEquals": {"kms:ViaService": f"s3.{region}.{pipeline.dns_suffix}"},
                },
                principal={"AWS": [e.root_arn for e in readers]},
            )
        )
    return document(statements)


def _in_region(environments: Iterable[EnvironmentNames], region: str) -> list[EnvironmentNames]:
    return [environment for environment in environments if environment.region == region]
