"""Everything of the tooling account that is a document: the pipeline's roles, their boundaries, its two projects.

No role here has rights in a target account. The pipeline's role may assume the environments' action roles; no other
may.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from amplify_delivery.components.documents.environment import BuildEnvironment
from amplify_delivery.components.documents.naming import ROOT_PATH, PipelineNames
from amplify_delivery.components.documents.packing import managed
from amplify_delivery.components.documents.pipeline import buildspecs
from amplify_delivery.components.documents.pipeline.artifact_keys import USE_KEY, artifact_keys
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.project_roles import build_role, starter, update_role
from amplify_delivery.components.documents.pipeline.source_action import RELEASES_PREFIX
from amplify_delivery.components.documents.pipeline.source_role import source_role
from amplify_delivery.components.documents.pipeline.update import update_boundary, update_statements
from amplify_delivery.components.documents.rights.store_access import (
    PIPELINE_LOOK,
    READ,
    READ_TAGS,
    WRITE,
    objects_of,
    owned_by,
)
from amplify_delivery.components.documents.statements import (
    PolicyDocument,
    ProjectDocument,
    RoleDocument,
    Statement,
    allow,
    document,
    role_trust,
    service_trust,
)

_NONE: Mapping[str, str] = MappingProxyType({})


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
        roles.append(build_role(names, pull, secrets))
    if model.updates_itself:
        rights = managed(names, "update", update_statements(model), "for the pipeline's own resources")
        boundaries.append(update_boundary(model, pull))
        roles.append(update_role(names, pull, rights))
    roles += [starter(names, what) for what in model.projects]
    source = source_role(model)
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
    if source_role(model):
        actions.append(names.role_arn("source"))
    if model.followers:
        actions.append(names.role_arn("next"))
    statements = [
        allow("Actions", "sts:AssumeRole", actions),
        allow("Artifacts", [*READ, *READ_TAGS, *WRITE], objects_of(buckets), owned_by(names.account)),
        allow("ArtifactBuckets", [*PIPELINE_LOOK, "s3:ListBucket"], buckets, owned_by(names.account)),
        *artifact_keys(names, model.regions),
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


def _next_role(model: PipelineModel) -> RoleDocument:
    """The end of the pipeline works with it: it leaves the release in the artifact bucket, and starts those pipelines
    that follow, whatever release they are told; it starts nothing else."""
    names = model.names
    store, own = names.bucket_arn(names.artifact_bucket(names.region)), owned_by(names.account)
    statements = [
        allow("Artifacts", [*READ, *READ_TAGS], f"{store}/*", own),
        allow("Releases", [*WRITE, "s3:PutObjectVersionAcl"], f"{store}/{RELEASES_PREFIX}*", own),
        allow("ArtifactBucket", PIPELINE_LOOK, store, own),
        *artifact_keys(names, [names.region]),
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
