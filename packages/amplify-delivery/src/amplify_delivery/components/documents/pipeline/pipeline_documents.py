"""Everything of the tooling account that is a document: the pipeline's roles, their boundaries, its two projects.

No role here has rights in a target account. The pipeline's role may assume the environments' action roles; no other
may.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from amplify_delivery.components.documents.environment import BuildEnvironment
from amplify_delivery.components.documents.naming import ROOT_PATH, PipelineNames
from amplify_delivery.components.documents.packing import managed
from amplify_delivery.components.documents.pipeline import buildspecs
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.source_action import RELEASES_PREFIX
from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    ConnectionSource,
    PipelineSource,
    S3Source,
)
from amplify_delivery.components.documents.pipeline.update import update_boundary, update_statements
from amplify_delivery.components.documents.rights.store_access import (
    LOOK,
    PIPELINE_LOOK,
    READ,
    READ_TAGS,
    WRITE,
    log_statement,
    objects_of,
    owned_by,
)
from amplify_delivery.components.documents.statements import (
    Document,
    PolicyDocument,
    ProjectDocument,
    RoleDocument,
    Statement,
    allow,
    document,
    keys_of,
    role_trust,
    service_trust,
    through_s3_for,
)

_NONE: Mapping[str, str] = MappingProxyType({})
USE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


@dataclass(frozen=True)
class PipelineDocuments:
    """What to declare in the tooling account for one pipeline, beside the pipeline itself."""

    roles: tuple[RoleDocument, ...]
    """The pipeline's own role first."""
    boundaries: tuple[PolicyDocument, ...]
    policies: tuple[PolicyDocument, ...]
    """Managed policies of UpdatePipeline's role, if there is one: with the longest names they do not fit into inline
    ones."""
    projects: tuple[ProjectDocument, ...]

    def role(self, arn: str) -> RoleDocument:
        """The one of `roles` with that ARN."""
        return next(role for role in self.roles if role.arn == arn)


def pipeline_documents(
    model: PipelineModel,
    *,
    build: BuildEnvironment | None = None,
    engine: buildspecs.EngineDownload | None = None,
    secrets: Mapping[str, str] = _NONE,
) -> PipelineDocuments:
    """The documents of one pipeline. The same input gives the same text, everywhere. `secrets` are variables of Build:
    `NAME` or `NAME:JSON-KEY` in Secrets Manager."""
    names = model.names
    environment = build or BuildEnvironment()
    put = (f"Pulumi.{names.name}.yaml", model.file) if model.file is not None else None
    specs = {
        "build": buildspecs.build(engine, model.folder, put),
        "update": buildspecs.update_pipeline(engine, model.program),
    }
    pull = environment.pull_statements(names.partition)
    rights: tuple[PolicyDocument, ...] = ()
    boundaries = [pipeline_boundary(names)]
    roles = [_pipeline_role(model)]
    if "build" in model.projects:
        roles.append(_build_role(names, pull, secrets))
    if model.updates_itself:
        rights = managed(names, "update", update_statements(model), "for the pipeline's own resources")
        boundaries.append(update_boundary(model, pull))
        roles.append(_update_role(names, pull, rights))
    roles += [_starter(names, what) for what in model.projects]
    source = _source_role(model)
    if source:
        roles.append(source)
    roles.append(_trigger_role(names))
    if model.followers:
        roles.append(_next_role(model))
    projects = {what: _project(names, what, specs[what], environment) for what in model.projects}
    if "build" in projects:
        projects["build"] = replace(projects["build"], secrets=secrets)
    return PipelineDocuments(
        roles=tuple(roles),
        boundaries=tuple(boundaries),
        policies=rights,
        projects=tuple(projects.values()),
    )


def pipeline_boundary(names: PipelineNames) -> PolicyDocument:
    """The most that the pipeline's role can do, whatever UpdatePipeline writes into its policy."""
    environments = f"arn:{names.partition}:iam::*:role{ROOT_PATH}{names.app}/env/*"
    # Both names of an action role: UpdatePipeline, which moves from one to the other, may not change a boundary.
    action_roles = [f"{environments}-action", f"{environments}-door"]
    return PolicyDocument(
        name=names.boundary("pipeline"),
        path=names.path,
        description=f"The most that the role of {names.pipeline} can do",
        document=document(
            [
                allow("ActionRoles", "sts:AssumeRole", action_roles),
                allow("OwnActions", "sts:AssumeRole", names.iam_arn("role", names.path, "*")),
                allow("Artifacts", "s3:*", _artifacts(names)),
                allow("ArtifactKeys", [*USE_KEY, "kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey"], _keys(names)),
                allow("Topics", "sns:Publish", names.arn("sns", "*", region="*")),
            ]
        ),
        arn=names.boundary_arn("pipeline"),
    )


def _artifacts(names: PipelineNames) -> list[str]:
    return [names.artifact_bucket_pattern, f"{names.artifact_bucket_pattern}/*"]


def _keys(names: PipelineNames) -> str:
    return names.arn("kms", "key/*", region="*")


def _pipeline_role(model: PipelineModel) -> RoleDocument:
    names = model.names
    buckets = [names.bucket_arn(names.artifact_bucket(region)) for region in model.regions]
    actions = [names.role_arn(f"{what}-action") for what in model.projects]
    if _source_role(model):
        actions.append(names.role_arn("source"))
    if model.followers:
        actions.append(names.role_arn("next"))
    statements = [
        allow("Actions", "sts:AssumeRole", actions),
        allow("Artifacts", [*READ, *READ_TAGS, *WRITE], objects_of(buckets), owned_by(names.account)),
        allow("ArtifactBuckets", [*PIPELINE_LOOK, "s3:ListBucket"], buckets, owned_by(names.account)),
        *_artifact_keys(names, model.regions),
    ]
    action_roles = [environment.action_role_arn for environment in model.environments]
    if action_roles:
        statements.insert(0, allow("ActionRoles", "sts:AssumeRole", action_roles))
    topics = {topic for s in model.stages if s.approval and (topic := model.topic_of(s.approval))}
    if topics:
        statements += [allow("Approvals", "sns:Publish", topics), _topic_keys(names, topics)]
    return RoleDocument(
        name=names.role(),
        path=names.path,
        description=f"{names.pipeline} runs with it; the only one that the action roles let in",
        trust=service_trust("codepipeline.amazonaws.com", names.account),
        policies={"pipeline": document(statements)},
        arn=names.role_arn(),
        boundary=names.boundary_arn("pipeline"),
    )


def _topic_keys(names: PipelineNames, topics: Iterable[str]) -> Statement:
    """A topic may be encrypted with a key of the account's own: SNS asks KMS with the rights of whoever publishes ("Key
    management" in the SNS developer guide), and names the topic."""
    regions = sorted({topic.split(":")[3] for topic in topics})
    return allow(
        "ApprovalKeys",
        USE_KEY,
        [names.arn("kms", "key/*", region=region) for region in regions],
        {
            "StringEquals": {"kms:ViaService": [f"sns.{region}.{names.dns_suffix}" for region in regions]},
            "StringLike": {"kms:EncryptionContext:aws:sns:topicArn": list(topics)},
        },
    )


def _artifact_keys(names: PipelineNames, regions: Sequence[str]) -> list[Statement]:
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


def _build_role(names: PipelineNames, pull: list[Statement], secrets: Mapping[str, str]) -> RoleDocument:
    bucket, own = names.bucket_arn(names.artifact_bucket(names.region)), owned_by(names.account)
    statements = [
        _log(names, "build"),
        allow("Artifacts", [*READ, "s3:PutObject"], f"{bucket}/*", own),
        allow("ArtifactBucket", LOOK, bucket, own),
        *_artifact_keys(names, [names.region]),
        *pull,
        *_secret_reads(names, secrets),
    ]
    return _project_role(names, "build", {"build": document(statements)}, None)


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


def _update_role(names: PipelineNames, pull: list[Statement], rights: tuple[PolicyDocument, ...]) -> RoleDocument:
    build = document([_log(names, "update"), *_artifact_keys(names, [names.region]), *pull])
    attached = tuple(policy.arn for policy in rights)
    return _project_role(names, "update", {"update": build}, names.boundary_arn("update"), attached)


def _starter(names: PipelineNames, what: str) -> RoleDocument:
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


def _source_role(model: PipelineModel) -> RoleDocument | None:
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
        *_artifact_keys(names, [names.region]),
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


def _next_role(model: PipelineModel) -> RoleDocument:
    """The end of the pipeline works with it: it leaves the release in the artifact bucket, and starts those pipelines
    that follow, whatever release they are told; it starts nothing else."""
    names = model.names
    store, own = names.bucket_arn(names.artifact_bucket(names.region)), owned_by(names.account)
    statements = [
        allow("Artifacts", [*READ, *READ_TAGS], f"{store}/*", own),
        allow("Releases", [*WRITE, "s3:PutObjectVersionAcl"], f"{store}/{RELEASES_PREFIX}*", own),
        allow("ArtifactBucket", PIPELINE_LOOK, store, own),
        *_artifact_keys(names, [names.region]),
        allow("Next", "codepipeline:StartPipelineExecution", [f.pipeline_arn for f in model.followers]),
    ]
    return RoleDocument(
        name=names.role("next"),
        path=names.path,
        description=f"{names.pipeline} hands its releases on with it",
        trust=role_trust(names.role_arn()),
        policies={"next": document(statements)},
        arn=names.role_arn("next"),
    )


def _trigger_role(names: PipelineNames) -> RoleDocument:
    """EventBridge starts the pipeline with it: on a schedule, or when CodeCommit or S3 has something new."""
    return RoleDocument(
        name=names.role("trigger"),
        path=names.path,
        description=f"EventBridge starts {names.pipeline} with it",
        trust=service_trust("events.amazonaws.com", names.account),
        policies={"start": document([allow("Start", "codepipeline:StartPipelineExecution", names.pipeline_arn)])},
        arn=names.role_arn("trigger"),
    )


def _project(names: PipelineNames, what: str, buildspec: str, environment: BuildEnvironment) -> ProjectDocument:
    return ProjectDocument(
        name=names.project(what),
        description=f"{what.capitalize()} of {names.pipeline}",
        role_arn=names.role_arn(what),
        buildspec=buildspec,
        image=environment.image,
        compute_type=environment.compute_type,
        timeout_minutes=buildspecs.UPDATE_MINUTES,
        queued_timeout_minutes=480,
        log_group=names.project_log_group(what),
        # Build has nothing to do with the engine's state.
        variables={"STACK": names.name, **({"PULUMI_BACKEND_URL": names.state_backend} if what == "update" else {})},
        privileged=environment.privileged and what == "build",
        environment_type=environment.type,
        pull_credentials=environment.pull_credentials,
    )
