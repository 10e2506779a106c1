"""Policies of the artifact bucket and its key, one pair per region: who reads what Source and Build made.

The tooling account's roles get their rights from their own policies. The target accounts' project roles are let in
here: to read and to decrypt, by the account and a pattern of the role's name, so that a role may be made later, or
again. "Cross-account resource access in IAM" in the IAM user guide.
"""

from collections.abc import Iterable

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.rights.store_access import LOOK, READ
from amplify_delivery.components.documents.statements import Document, allow, deny, document


def bucket_policy(
    pipeline: PipelineNames, region: str, environments: Iterable[EnvironmentNames], organization: str | None = None
) -> Document:
    """The policy of the artifact bucket in `region`; of `environments`, those in the region count. With the id of an
    `organization` no account is listed (`_readers`)."""
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
                _conditions(pipeline, readers, organization),
                principal=_principal(readers, organization),
            )
        )
    return document(statements)


def key_policy(
    pipeline: PipelineNames, region: str, environments: Iterable[EnvironmentNames], organization: str | None = None
) -> Document:
    """The policy of the artifact key in `region`."""
    statements = [
        # The tooling account's own IAM policies decide: else nobody could ever change this policy again.
        allow("Administration", "kms:*", "*", principal={"AWS": pipeline.root_arn}),
    ]
    readers = _in_region(environments, region)
    if readers:
        conditions = _conditions(pipeline, readers, organization)
        through_s3 = {"kms:ViaService": f"s3.{region}.{pipeline.dns_suffix}"}
        conditions["StringEquals"] = {**conditions.get("StringEquals", {}), **through_s3}
        principal = _principal(readers, organization)
        statements.append(allow("EnvironmentsDecrypt", "kms:Decrypt", "*", conditions, principal=principal))
    return document(statements)


def _principal(readers: Iterable[EnvironmentNames], organization: str | None) -> dict[str, str | list[str]]:
    """The accounts that are let in: those of the environments, or any, which the conditions hold to an organization."""
    return {"AWS": "*"} if organization else {"AWS": [reader.root_arn for reader in readers]}


def _conditions(
    pipeline: PipelineNames, readers: Iterable[EnvironmentNames], organization: str | None
) -> dict[str, dict[str, str | list[str]]]:
    """Who of these accounts: the project roles of the environments; of an organization those of all of the app's
    environments in all its accounts, whether the pipeline delivers there or not. "aws:PrincipalOrgID" in the IAM user
    guide: the key is there for callers whose account is a member, and for no other.
    """
    if organization:
        return {
            "ArnLike": {"aws:PrincipalArn": pipeline.project_roles_anywhere},
            "StringEquals": {"aws:PrincipalOrgID": organization},
        }
    return {"ArnLike": {"aws:PrincipalArn": [reader.project_roles_pattern for reader in readers]}}


def _in_region(environments: Iterable[EnvironmentNames], region: str) -> list[EnvironmentNames]:
    return [environment for environment in environments if environment.region == region]
