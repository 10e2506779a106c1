"""The roles of a pipeline's two projects, Build and UpdatePipeline, and of the actions that start them."""

from collections.abc import Mapping

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.artifact_keys import artifact_keys
from amplify_delivery.components.documents.rights.store_access import LOOK, READ, log_statement, owned_by
from amplify_delivery.components.documents.statements import (
    Document,
    PolicyDocument,
    RoleDocument,
    Statement,
    allow,
    document,
    keys_of,
    role_trust,
    service_trust,
)


def build_role(names: PipelineNames, pull: list[Statement], secrets: Mapping[str, str]) -> RoleDocument:
    """Build's. `secrets` as in `pipeline_documents`."""
    bucket, own = names.bucket_arn(names.artifact_bucket(names.region)), owned_by(names.account)
    statements = [
        _log(names, "build"),
        allow("Artifacts", [*READ, "s3:PutObject"], f"{bucket}/*", own),
        allow("ArtifactBucket", LOOK, bucket, own),
        *artifact_keys(names, [names.region]),
        *pull,
        *_secret_reads(names, secrets),
    ]
    return _project_role(names, "build", {"build": document(statements)}, None)


def update_role(names: PipelineNames, pull: list[Statement], rights: tuple[PolicyDocument, ...]) -> RoleDocument:
    """UpdatePipeline's: `rights`, managed policies, are what it may do beside reading its artifact."""
    build = document([_log(names, "update"), *artifact_keys(names, [names.region]), *pull])
    attached = tuple(policy.arn for policy in rights)
    return _project_role(names, "update", {"update": build}, names.boundary_arn("update"), attached)


def starter(names: PipelineNames, what: str) -> RoleDocument:
    """The action role of Build or UpdatePipeline: it starts the one project."""
    return RoleDocument(
        name=names.role(f"{what}-action"),
        path=names.path,
        description=f"{names.pipeline} starts its {what} project with it",
        trust=role_trust(names.role_arn()),
        policies={
            "start": document(
                [
                    allow(
                        "Builds",
                        ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"],
                        names.project_arn(what),
                    )
                ]
            )
        },
        arn=names.role_arn(f"{what}-action"),
    )


def _project_role(
    names: PipelineNames,
    what: str,
    policies: Mapping[str, Document],
    boundary: str | None,
    managed_policies: tuple[str, ...] = (),
) -> RoleDocument:
    return RoleDocument(
        name=names.role(what),
        path=names.path,
        description=f"The {what} project of {names.pipeline} runs with it",
        trust=service_trust("codebuild.amazonaws.com", names.account, [names.project_arn(what)]),
        policies=policies,
        arn=names.role_arn(what),
        boundary=boundary,
        managed_policies=managed_policies,
    )


def _log(names: PipelineNames, what: str) -> Statement:
    return log_statement(names.arn("logs", f"log-group:{names.project_log_group(what)}"))


def _secret_reads(names: PipelineNames, secrets: Mapping[str, str]) -> list[Statement]:
    """Secrets Manager puts six random characters behind a name."""
    found = sorted({reference.partition(":")[0] for reference in secrets.values()})
    arns = [names.arn("secretsmanager", f"secret:{name}-??????") for name in found]
    if not arns:
        return []
    keys, endpoint = names.arn("kms", "key/*"), f"{names.region}.{names.dns_suffix}"
    return [
        allow("Secrets", "secretsmanager:GetSecretValue", arns),
        keys_of("SecretKeys", "secretsmanager", arns, keys, endpoint),
    ]
