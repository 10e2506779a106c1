"""Who may do what: one row per sentence of the trust design. The mutation test loosens the documents against it.

`always` rows hold even if the principal is made an administrator of its account: what then still refuses is another
account's document, a boundary or an explicit denial.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.components.documents.account.action_role import BUILD_VARIABLES, OVERRIDE_KEYS
from amplify_delivery.components.documents.naming import CI_ROLES, PROJECTS, EnvironmentNames
from amplify_delivery.components.documents.rights.boundary import OTHER_IDENTITIES, ROLE_MAKING
from amplify_delivery.components.documents.rights.stack_actions import DRIFT_DETECTIONS, DRIFT_STATUS, EXECUTIONS
from amplify_delivery.components.documents.web_identity import GITHUB
from amplify_delivery.export.manifests import CONTENT_FOLDERS
from aws_rehearsal.policy import World
from unit.components.documents.world import (
    APP,
    AWAY,
    BACKEND,
    CI,
    ENVIRONMENTS,
    FRIEND,
    HOME,
    INTRUDER,
    NAMESAKE,
    NEIGHBOUR,
    OPEN_BUCKET,
    OPEN_KEY,
    OPEN_TOPIC,
    OTHER_ACTION_ROLE,
    PROD,
    STRANGER,
    TOOLING,
    WELCOME,
    artifact_key,
    canary,
    customers_key,
    foreign_key,
    identity_statements,
    is_allowed,
    known_resource,
    pipeline,
    preprod,
    prod,
    satisfying,
    stack_name,
    staging_key,
    state_key,
    tooling_state_key,
)


@dataclass(frozen=True)
class Row:
    """A request and IAM's answer."""

    principal: str
    action: str
    resource: str
    allowed: bool
    context: dict[str, Any] = field(default_factory=dict)
    always: bool = False

    @property
    def id(self) -> str:
        who = self.principal.rsplit("/", 1)[-1]
        keys = ",".join(f"{k}={v}" for k, v in self.context.items())
        return f"{who} {self.action} {self.resource.split(':', 5)[-1]} [{keys}] {'yes' if self.allowed else 'no'}"


def yes(principal: str, action: str, resource: str, **context: Any) -> Row:
    return Row(principal, action, resource, True, _keys(context))


def no(principal: str, action: str, resource: str, **context: Any) -> Row:
    return Row(principal, action, resource, False, _keys(context))


def never(principal: str, action: str, resource: str, **context: Any) -> Row:
    return Row(principal, action, resource, False, _keys(context), always=True)


def _keys(context: dict[str, Any]) -> dict[str, Any]:
    """Keys that are no identifiers come in one argument named `keys`."""
    return {**context.pop("keys", {}), **context}


ROLES = [pipeline.role_arn(what) for what in ("build", "update", "build-action", "update-action", "source", "trigger")]
OWN_KEY = foreign_key(PROD)
"""A key of the account that the delivery has not made."""
ACTION = "sts:AssumeRole"
START, STOP, READ = "codebuild:StartBuild", "codebuild:StopBuild", "codebuild:BatchGetBuilds"
VARIABLES = {"codebuild:environment.environmentVariables.name": BUILD_VARIABLES}


OBJECT = "kms:EncryptionContext:aws:s3:arn"


def through_s3(region: str, alias: str) -> dict[str, Any]:
    """What S3 sends KMS on its callers' behalf: here for an artifact of that region."""
    artifact = f"arn:aws:s3:::{pipeline.artifact_bucket(region)}/x/y.zip"
    service = f"s3.{region}.amazonaws.com"
    return {"kms:ViaService": service, "kms:ResourceAliases": (alias,), OBJECT: artifact}


def parts() -> dict[str, list[Row]]:
    """The whole table, by the part of the trust design that its rows are about."""
    made = (
        _action_roles,
        _ci_roles,
        _ci_builds,
        _ci_artifacts,
        _services,
        _overrides,
        _builds,
        _artifacts,
        _stored,
        _publish,
        _plan,
        _deploy,
        _roles_by_deploy,
        _check,
        _execution,
        _types,
        _boundary,
        _update,
        _tooling,
        _universal,
    )
    return {part.__name__.strip("_"): list(part()) for part in made}


def rows() -> list[Row]:
    """The whole table."""
    return [row for part in parts().values() for row in part]


def answered_otherwise(world: World, rows: Iterable[Row]) -> list[str]:
    """The rows that a world answers otherwise than the table does."""
    return [r.id for r in rows if is_allowed(world, r.principal, r.action, r.resource, r.context) is not r.allowed]


def _action_roles() -> Iterator[Row]:
    for names in ENVIRONMENTS:
        yield yes(pipeline.role_arn(), ACTION, names.action_role_arn)
        for role in (*ROLES, NAMESAKE):
            yield never(role, ACTION, names.action_role_arn)
        yield no(INTRUDER, ACTION, names.action_role_arn)
        # The pipeline gets the action role, not the roles of the projects.
        for what in PROJECTS:
            yield never(pipeline.role_arn(), ACTION, names.project_role_arn(what))
            yield never(names.action_role_arn, ACTION, names.project_role_arn(what))
            yield no(INTRUDER, ACTION, names.project_role_arn(what))
            yield no(NAMESAKE, ACTION, names.project_role_arn(what))
            # Not even the account's own administrator, unless she changes the trust.
            yield no(NEIGHBOUR, ACTION, names.project_role_arn(what))
        yield never(pipeline.role_arn(), ACTION, names.execution_role_arn)
        yield no(NEIGHBOUR, ACTION, names.execution_role_arn)
        yield no(NEIGHBOUR, ACTION, names.action_role_arn)
        yield never(names.project_role_arn("check"), ACTION, names.execution_role_arn)
        yield never(names.project_role_arn("deploy"), ACTION, names.action_role_arn)
    yield no(pipeline.role_arn(), ACTION, OTHER_ACTION_ROLE)
    yield never(pipeline.role_arn(), ACTION, WELCOME)


WITH_TOKEN = "sts:AssumeRoleWithWebIdentity"


def _tokens(host: str, audience: str, subject: str, **claims: str) -> dict[str, str]:
    """The keys that AWS makes of a token."""
    return {f"{host}:{key}": value for key, value in {"aud": audience, "sub": subject, **claims}.items()}


def _ci_roles() -> Iterator[Row]:
    """One repository's jobs of one workflow on one branch, to plan, and in its environment to deploy: no other
    repository, fork, branch, workflow, environment, audience or issuer."""
    plan, deploy = (prod.ci_role_arn(what) for what in CI_ROLES)
    provider = CI["prod"].provider_arn(prod)
    audience = "sts.amazonaws.com"

    def job(role: str, subject: str, answer: Any, who: str = provider, aud: str = audience, **claims: str) -> Row:
        found: Row = answer(who, WITH_TOKEN, role, keys=_tokens(GITHUB, aud, subject, **claims))
        return found

    main_ref, workflow = "refs/heads/main", "octo/shop/.github/workflows/backend-deploy.yml"
    ours = {"repository_id": "22", "ref": main_ref, "job_workflow_ref": f"{workflow}@{main_ref}"}
    for name in ("octo/shop", "octo@11/shop@22"):
        main, there = f"repo:{name}:ref:refs/heads/main", f"repo:{name}:environment:prod"
        yield job(plan, main, yes, **ours)
        yield job(deploy, there, yes, **ours)
        # An approval stands between the two: at the environment's protection rules.
        yield job(deploy, main, never, **ours)
        yield job(plan, there, never, **ours)
        strangers = [
            f"repo:{name}:pull_request", f"repo:{name}:ref:refs/heads/other", f"repo:{name}:ref:refs/heads/main2",
            f"repo:{name}:ref:refs/tags/main", f"repo:{name}:environment:preprod", f"repo:{name}:environment:prod2",
            f"repo:{name}2:ref:refs/heads/main", f"repo:{name}:ref:refs/pull/1/merge", f"repo:{name}",
        ]  # fmt: skip
        for role, subject in ((plan, main), (deploy, there)):
            for stranger in strangers:
                yield job(role, stranger, never, **ours)
            # Renamed away, and made again by somebody else: the name is the same, the number is not.
            yield job(role, subject, never, **{**ours, "repository_id": "23"})
            yield job(role, subject, never)
            for claim in ours:
                yield job(role, subject, never, **{key: value for key, value in ours.items() if key != claim})
            # An environment without a rule on branches: a job of another branch, or of a pull request, names it too.
            for ref in ("refs/heads/other", "refs/heads/main2", "refs/tags/main", "refs/pull/1/merge"):
                yield job(role, subject, never, **{**ours, "ref": ref})
                yield job(role, subject, never, **{**ours, "ref": ref, "job_workflow_ref": f"{workflow}@{ref}"})
            # Another workflow of the branch, such as one that pull_request_target starts there.
            for other in (workflow.replace("deploy", "other"), workflow.replace("octo", "mallory")):
                yield job(role, subject, never, **{**ours, "job_workflow_ref": f"{other}@{main_ref}"})
            yield job(role, subject, never, **{**ours, "job_workflow_ref": f"{workflow}@refs/heads/other"})
            yield job(role, subject, never, aud="https://github.com/octo", **ours)
            yield job(role, subject, never, provider.replace(PROD, STRANGER), **ours)
            yield job(role, subject, never, provider.replace(GITHUB, "gitlab.com"), **ours)
            # A fork is another repository, whoever asked to have it merged.
            yield job(role, subject.replace("octo", "mallory"), never, **{**ours, "repository_id": "99"})
            yield job(role, subject.replace("octo", "mallory"), never, **ours)
        for role in (prod.action_role_arn, prod.execution_role_arn, *map(prod.project_role_arn, PROJECTS)):
            yield job(role, there, never, **ours)
        yield job(preprod.ci_role_arn("plan"), main, never, **ours)
    for who in (pipeline.role_arn(), *ROLES, INTRUDER, NAMESAKE, NEIGHBOUR, prod.project_role_arn("plan"), plan):
        for role in (plan, deploy):
            yield no(who, ACTION, role)
    for service in ("codebuild.amazonaws.com", "cloudformation.amazonaws.com"):
        yield no(service, ACTION, deploy, keys={"aws:SourceAccount": PROD})
    yield from _gitlab_jobs()


def _gitlab_jobs() -> Iterator[Row]:
    """AWS compares nothing but subject and audience of these: whatever has to hold stands in the subject."""
    provider, host = CI["preprod"].provider_arn(preprod), "gitlab.com"
    plan, deploy = (preprod.ci_role_arn(what) for what in CI_ROLES)
    main = "project_id:4711:ref_type:branch:ref:main"
    there = f"{main}:environment_protected:true:deployment_tier:staging"

    def job(role: str, subject: str, answer: Any, who: str = provider, aud: str = "https://gitlab.com") -> Row:
        found: Row = answer(who, WITH_TOKEN, role, keys=_tokens(host, aud, subject))
        return found

    yield job(plan, main, yes)
    yield job(deploy, there, yes)
    # The approval stands between the two, at the protected environment.
    yield job(deploy, main, never)
    yield job(plan, there, never)
    strangers = [
        there.replace("true", "false"), there.replace("staging", "production"), f"{main}:environment_protected:true",
        # A merge request of the same project is of its branch; one of a fork has the fork's number.
        main.replace("ref:main", "ref:feature"), there.replace("ref:main", "ref:feature"), f"{main}2",
        main.replace("4711", "47110"), there.replace("4711", "815"), main.replace("branch", "tag"),
        there.replace("branch", "tag"),
        # The path of a project that was renamed, and somebody has taken.
        main.replace("project_id:4711", "project_path:octo/web/shop"),
        there.replace("project_id:4711", "project_path:octo/web/shop"),
    ]  # fmt: skip
    for role, subject in ((plan, main), (deploy, there)):
        for stranger in strangers:
            yield job(role, stranger, never)
        yield job(role, subject, never, aud="sts.amazonaws.com")
        yield job(role, subject, never, provider.replace(host, "gitlab.example.org"))
        yield job(role, subject, never, provider.replace(preprod.account, STRANGER))


def _ci_builds() -> Iterator[Row]:
    """A job starts builds as the projects say: the planning ones, or the deploying ones."""
    starts = {"plan": ("publish", "plan", "check"), "deploy": ("deploy", "check")}
    for names in (prod, preprod):
        bucket = names.staging_bucket
        for what, mine in starts.items():
            role = names.ci_role_arn(what)
            for project in PROJECTS:
                for action in (START, STOP, READ):
                    answer = yes if project in mine else no
                    yield answer(role, action, names.project_arn(project), keys=VARIABLES)
                for other in (names.arn("codebuild", "project/something-else"), canary.project_arn(project)):
                    yield no(role, START, other)
            project = names.project_arn("check")
            for action in ("RetryBuild", "StartBuildBatch", "StartSandbox", "UpdateProject", "InvalidateProjectCache"):
                yield no(role, f"codebuild:{action}", project)
            for key in (*OVERRIDE_KEYS, "codebuild:artifacts.location", "codebuild:encryptionKey"):
                yield never(role, START, project, keys={key: "anything"})
            for location in (f"{bucket}/ci/x.zip", f"arn:aws:s3:::{bucket}/ci/x.zip"):
                yield yes(role, START, project, keys={"codebuild:source.location": location, **VARIABLES})
            elsewhere = f"{canary.staging_bucket}/ci/x.zip"
            for location in ("x/ci/x.zip", f"{bucket}/objects/x.zip", elsewhere, "https://github.com/octo/shop"):
                yield never(role, START, project, keys={"codebuild:source.location": location})
            name = "codebuild:environment.environmentVariables.name"
            yield never(role, START, project, keys={name: ("ARTIFACT_DIGEST", "BASH_ENV")})
            yield no(role, "iam:PassRole", names.project_role_arn("deploy"))
            yield no(role, "s3:GetObject", f"{names.bucket_arn(names.state_bucket)}/.pulumi/x")
            key, keys = state_key(names), through_s3(names.region, names.state_key_alias)
            yield no(role, "kms:Decrypt", key, keys=keys)
            yield no(role, "cloudformation:UpdateStack", _stack(names))
            yield no(role, ACTION, names.action_role_arn)


def _ci_artifacts() -> Iterator[Row]:
    """An artifact is put once, by the planning role, and read by the projects."""
    makes = {"s3:ObjectCreationOperation": "true"}
    once = {**makes, "s3:if-none-match": "*"}
    for names in (prod, preprod):
        plan, deploy = (names.ci_role_arn(what) for what in CI_ROLES)
        staging = names.bucket_arn(names.staging_bucket)
        artifact = f"{staging}/ci/x.zip"
        yield yes(plan, "s3:PutObject", artifact, keys=once)
        yield no(plan, "s3:PutObject", artifact, keys={**once, "aws:ResourceAccount": STRANGER})
        for key in ("objects/x", "templates/x", "cix", "x"):
            yield no(plan, "s3:PutObject", f"{staging}/{key}", keys=once)
        for action in ("s3:GetObject", "s3:DeleteObject", "s3:PutObjectAcl"):
            yield no(plan, action, artifact)
        yield no(deploy, "s3:PutObject", artifact, keys=once)
        yield no(plan, "s3:PutObject", f"{canary.bucket_arn(canary.staging_bucket)}/ci/x.zip", keys=once)
        for what in PROJECTS:
            role = names.project_role_arn(what)
            for action in ("s3:GetObject", "s3:GetObjectVersion"):
                yield yes(role, action, artifact)
                yield no(role, action, artifact, keys={"aws:ResourceAccount": STRANGER})
            for look in ("s3:GetBucketAcl", "s3:GetBucketLocation"):
                yield yes(role, look, staging)
                yield no(role, look, staging, keys={"aws:ResourceAccount": STRANGER})
            yield no(role, "s3:DeleteObject", artifact)
        yield no(names.project_role_arn("check"), "s3:GetObject", f"{staging}/objects/x")
    for who in (NEIGHBOUR, prod.ci_role_arn("plan")):
        yield never(who, "s3:PutObject", f"{prod.bucket_arn(prod.staging_bucket)}/ci/x.zip", keys=makes)
    # No CI comes in there.
    for what in PROJECTS:
        role = canary.project_role_arn(what)
        yield no(role, "s3:GetBucketAcl", canary.bucket_arn(canary.staging_bucket))
    yield no(canary.project_role_arn("check"), "s3:GetObject", f"{canary.bucket_arn(canary.staging_bucket)}/ci/x.zip")


def _services() -> Iterator[Row]:
    """Services act for this account's own projects, stacks and pipelines only."""
    for names in ENVIRONMENTS:
        for what in PROJECTS:
            role, arn = names.project_role_arn(what), names.project_arn(what)
            own = {"aws:SourceArn": arn, "aws:SourceAccount": names.account}
            yield yes("codebuild.amazonaws.com", ACTION, role, keys=own)
            other = names.project_arn("check" if what != "check" else "plan")
            yield no("codebuild.amazonaws.com", ACTION, role, keys={**own, "aws:SourceArn": other})
            yield no("codebuild.amazonaws.com", ACTION, role, keys={**own, "aws:SourceAccount": STRANGER})
            yield no("codebuild.amazonaws.com", ACTION, role)
            yield no("lambda.amazonaws.com", ACTION, role, keys=own)
        execution = names.execution_role_arn
        yield yes("cloudformation.amazonaws.com", ACTION, execution, keys={"aws:SourceAccount": names.account})
        yield no("cloudformation.amazonaws.com", ACTION, execution, keys={"aws:SourceAccount": STRANGER})
        yield no("codebuild.amazonaws.com", ACTION, execution, keys={"aws:SourceAccount": names.account})
        yield no("codebuild.amazonaws.com", ACTION, names.action_role_arn, keys={"aws:SourceAccount": names.account})
        yield no("codepipeline.amazonaws.com", ACTION, names.action_role_arn, keys={"aws:SourceAccount": TOOLING})
    for service, what in (("codepipeline", ""), ("events", "trigger")):
        for account, answer in ((TOOLING, yes), (STRANGER, no)):
            keys = {"aws:SourceAccount": account}
            yield answer(f"{service}.amazonaws.com", ACTION, pipeline.role_arn(what), keys=keys)
        yield no("lambda.amazonaws.com", ACTION, pipeline.role_arn(what), keys={"aws:SourceAccount": TOOLING})
    for what in ("build", "update"):
        own = {"aws:SourceArn": pipeline.project_arn(what), "aws:SourceAccount": TOOLING}
        yield yes("codebuild.amazonaws.com", ACTION, pipeline.role_arn(what), keys=own)
        other = pipeline.project_arn("update" if what == "build" else "build")
        yield no("codebuild.amazonaws.com", ACTION, pipeline.role_arn(what), keys={**own, "aws:SourceArn": other})
        yield no(
            "codebuild.amazonaws.com", ACTION, pipeline.role_arn(what), keys={**own, "aws:SourceAccount": STRANGER}
        )
        yield no("lambda.amazonaws.com", ACTION, pipeline.role_arn(what), keys=own)


def _overrides() -> Iterator[Row]:
    """A build is started as its project says, or not at all."""
    for names in ENVIRONMENTS:
        action_role, project = names.action_role_arn, names.project_arn("deploy")
        for key in OVERRIDE_KEYS:
            yield never(action_role, START, project, keys={key: "anything"})
        bucket = pipeline.artifact_bucket(names.region)
        for location in (f"{bucket}/x/y.zip", f"arn:aws:s3:::{bucket}/x/y.zip"):
            yield yes(action_role, START, project, keys={"codebuild:source.location": location, **VARIABLES})
            yield yes(action_role, START, project, keys={"codebuild:artifacts.location": location})
        for key in ("codebuild:source.location", "codebuild:artifacts.location"):
            yield never(action_role, START, project, keys={key: "elsewhere/x.zip"})
        yield yes(action_role, START, project, keys={"codebuild:encryptionKey": artifact_key(names.region)})
        stranger = names.arn("kms", "key/x").replace(names.account, STRANGER)
        yield never(action_role, START, project, keys={"codebuild:encryptionKey": stranger})
        name = "codebuild:environment.environmentVariables.name"
        yield never(action_role, START, project, keys={name: ("ARTIFACT_DIGEST", "BASH_ENV")})
        yield never(action_role, START, project, keys={name: ("PYTHONPATH",)})


def _builds() -> Iterator[Row]:
    for names in ENVIRONMENTS:
        for what in PROJECTS:
            for action in (START, STOP, READ):
                yield yes(names.action_role_arn, action, names.project_arn(what), keys=VARIABLES)
                for other in ENVIRONMENTS:
                    if other != names:
                        yield no(names.action_role_arn, action, other.project_arn(what))
                if names.account == PROD:
                    continue
                # Another account's project is out of reach for an administrator as well.
                yield never(names.action_role_arn, action, prod.project_arn(what))
            for action in ("RetryBuild", "StartBuildBatch", "StartSandbox", "UpdateProject", "InvalidateProjectCache"):
                yield no(names.action_role_arn, f"codebuild:{action}", names.project_arn(what))
        yield no(names.action_role_arn, START, names.arn("codebuild", "project/something-else"))
        yield no(names.action_role_arn, "iam:PassRole", names.project_role_arn("deploy"))
        yield no(names.action_role_arn, "s3:GetObject", f"{names.bucket_arn(names.state_bucket)}/.pulumi/x")
        yield no(
            names.action_role_arn, "kms:Decrypt", state_key(names), keys=through_s3(names.region, names.state_key_alias)
        )
        yield no(names.action_role_arn, "s3:PutObject", f"{names.bucket_arn(names.staging_bucket)}/x")
        yield no(names.action_role_arn, "cloudformation:UpdateStack", _stack(names))


def _artifacts() -> Iterator[Row]:
    """Artifacts: written in the tooling account, read by project roles of their region, and by nobody else."""
    alias = pipeline.artifact_key_alias
    for names in ENVIRONMENTS:
        bucket = f"{pipeline.bucket_arn(pipeline.artifact_bucket(names.region))}/x/y.zip"
        elsewhere = f"{pipeline.bucket_arn(pipeline.artifact_bucket(AWAY if names.region == HOME else HOME))}/x/y.zip"
        key, other_key = artifact_key(names.region), artifact_key(AWAY if names.region == HOME else HOME)
        via = through_s3(names.region, alias)
        for what in PROJECTS:
            role = names.project_role_arn(what)
            yield yes(role, "s3:GetObject", bucket)
            yield yes(role, "s3:GetObjectVersion", bucket)
            yield no(role, "s3:GetObject", bucket, keys={"aws:ResourceAccount": STRANGER})
            yield never(role, "s3:GetObject", bucket, keys={"aws:SecureTransport": "false"})
            yield never(role, "s3:GetObject", elsewhere)
            for action in ("s3:PutObject", "s3:DeleteObject", "s3:GetObjectAcl", "s3:PutObjectAcl"):
                yield never(role, action, bucket)
            for look in ("s3:GetBucketAcl", "s3:GetBucketLocation"):
                yield yes(role, look, bucket.removesuffix("/x/y.zip"))
                yield no(role, look, bucket.removesuffix("/x/y.zip"), keys={"aws:ResourceAccount": STRANGER})
                yield never(role, look, bucket.removesuffix("/x/y.zip"), keys={"aws:SecureTransport": "false"})
                yield never(role, look, elsewhere.removesuffix("/x/y.zip"))
            for action in ("s3:ListBucket", "s3:GetBucketPolicy", "s3:PutBucketAcl"):
                yield never(role, action, bucket.removesuffix("/x/y.zip"))
            yield yes(role, "kms:Decrypt", key, keys=via)
            yield never(role, "kms:Decrypt", key, keys={OBJECT: via[OBJECT]})
            # With a bucket key it is the bucket that S3 names. An alias is not asked for: it would count too late.
            yield yes(role, "kms:Decrypt", key, keys={**via, OBJECT: bucket.partition("/")[0]})
            yield yes(role, "kms:Decrypt", key, keys={k: v for k, v in via.items() if k != "kms:ResourceAliases"})
            yield no(role, "kms:Decrypt", key, keys={**via, OBJECT: "arn:aws:s3:::another/x"})
            yield never(role, "kms:Decrypt", other_key, keys=through_s3(HOME if names.region == AWAY else AWAY, alias))
            for action in ("kms:Encrypt", "kms:GenerateDataKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"):
                yield never(role, action, key, keys=via)
        for role in (names.action_role_arn, names.execution_role_arn):
            for action in ("s3:GetObject", "s3:PutObject"):
                yield never(role, action, bucket)
            yield never(role, "kms:Decrypt", key, keys=via)
    away = f"{pipeline.bucket_arn(pipeline.artifact_bucket(AWAY))}/x/y.zip"
    for role in (NEIGHBOUR, NAMESAKE):
        yield never(role, "s3:GetObject", away)
        yield never(role, "s3:GetBucketAcl", away.removesuffix("/x/y.zip"))
        yield never(role, "kms:Decrypt", artifact_key(AWAY), keys=through_s3(AWAY, alias))


def _stored() -> Iterator[Row]:
    """What the policies of buckets, keys, images and the topic hold, whatever an identity policy says."""
    state = f"{prod.bucket_arn(prod.state_bucket)}/.pulumi/x.json"
    for what in ("plan", "deploy"):
        role = prod.project_role_arn(what)
        yield never(role, "s3:GetObject", state, keys={"aws:SecureTransport": "false"})
    yield never(NEIGHBOUR, "s3:GetObject", state, keys={"aws:SecureTransport": "false"})
    yield no(NAMESAKE, "s3:GetObject", state)
    yield no(NAMESAKE, "kms:Decrypt", state_key(prod), keys={"kms:ResourceAliases": (prod.state_key_alias,)})
    repository = prod.arn("ecr", f"repository/{prod.repository}")
    own = {"aws:SourceArn": prod.arn("lambda", "function:x-prod")}
    yield yes("lambda.amazonaws.com", "ecr:BatchGetImage", repository, keys=own)
    yield no("lambda.amazonaws.com", "ecr:PutImage", repository, keys=own)
    yield no("codebuild.amazonaws.com", "ecr:BatchGetImage", repository, keys=own)
    yield no("lambda.amazonaws.com", "ecr:BatchGetImage", repository)
    for other in (own["aws:SourceArn"].replace(PROD, STRANGER), prod.arn("s3", "x")):
        yield no("lambda.amazonaws.com", "ecr:BatchGetImage", repository, keys={"aws:SourceArn": other})
    staged = f"{prod.bucket_arn(prod.staging_bucket)}/objects/x"
    yield never(NEIGHBOUR, "s3:GetObject", staged, keys={"aws:SecureTransport": "false"})
    for bucket in (prod.staging_bucket, prod.state_bucket):
        yield never(NEIGHBOUR, "s3:ListBucket", prod.bucket_arn(bucket), keys={"aws:SecureTransport": "false"})
    yield no(NAMESAKE, "s3:GetObject", staged)
    # What is named by its content is written once, whoever writes. The parts of an upload make no object yet.
    makes, begins = ({"s3:ObjectCreationOperation": answer} for answer in ("true", "false"))
    for folder in CONTENT_FOLDERS:
        named = f"{prod.bucket_arn(prod.staging_bucket)}/{folder}/x"
        yield never(NEIGHBOUR, "s3:PutObject", named, keys=makes)
        yield never(prod.project_role_arn("publish"), "s3:PutObject", named, keys=makes)
        yield yes(prod.project_role_arn("publish"), "s3:PutObject", named, keys={**makes, "s3:if-none-match": "*"})
        yield yes(prod.project_role_arn("publish"), "s3:PutObject", named, keys=begins)
    # A staging area's own key, if it has one: whoever of the account may read the bucket, and nobody else.
    key, through = staging_key(prod), {"kms:ViaService": f"s3.{AWAY}.amazonaws.com"}
    yield yes(prod.execution_role_arn, "kms:Decrypt", key, keys={**through, "kms:CallerAccount": PROD})
    yield no(prod.execution_role_arn, "kms:Decrypt", key, keys={"kms:CallerAccount": PROD})
    yield no(prod.execution_role_arn, "kms:ScheduleKeyDeletion", key, keys={**through, "kms:CallerAccount": PROD})
    yield no(NAMESAKE, "kms:Decrypt", key, keys={**through, "kms:CallerAccount": STRANGER})
    # Nothing says that the service sends `aws:SourceAccount`: no right hangs on it.
    topic = pipeline.arn("sns", pipeline.topic)
    yield yes("codestar-notifications.amazonaws.com", "sns:Publish", topic)
    yield no("codestar-notifications.amazonaws.com", "sns:Subscribe", topic)
    yield no("lambda.amazonaws.com", "sns:Publish", topic)
    yield no(NAMESAKE, "sns:Publish", topic)


def _publish() -> Iterator[Row]:
    for names in ENVIRONMENTS:
        role = names.project_role_arn("publish")
        staging, state = names.bucket_arn(names.staging_bucket), names.bucket_arn(names.state_bucket)
        yield yes(role, "s3:PutObject", f"{staging}/objects/x")
        yield yes(role, "s3:ListBucket", staging)
        # A stranger's bucket that took the name: not ours, not written to.
        yield no(role, "s3:PutObject", f"{staging}/objects/x", keys={"aws:ResourceAccount": STRANGER})
        yield no(role, "s3:ListBucket", staging, keys={"aws:ResourceAccount": STRANGER})
        for action in ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectAcl"):
            yield no(role, action, f"{staging}/objects/x")
        yield no(role, "s3:PutBucketPolicy", staging)
        yield no(role, "s3:DeleteBucket", staging)
        yield no(role, "s3:GetObject", f"{state}/.pulumi/stacks/x.json")
        yield no(role, "s3:ListBucket", state)
        yield no(role, "cloudformation:UpdateStack", _stack(names))
        for other in ENVIRONMENTS:
            if other != names:
                yield no(role, "s3:PutObject", f"{other.bucket_arn(other.staging_bucket)}/objects/x")
        yield from _every_build(names, "publish")


def _every_build(names: EnvironmentNames, what: str) -> Iterator[Row]:
    """Log, version and audit, which all four projects treat alike."""
    role = names.project_role_arn(what)
    log = names.arn("logs", f"log-group:{names.project_log_group(what)}:log-stream:x")
    other_log = names.arn("logs", f"log-group:{names.project_log_group('deploy' if what != 'deploy' else 'plan')}:x")
    yield yes(role, "logs:PutLogEvents", log)
    yield yes(role, "logs:CreateLogGroup", log.removesuffix(":log-stream:x"))
    yield no(role, "logs:PutLogEvents", other_log)
    yield no(role, "logs:CreateLogGroup", names.arn("logs", "log-group:another"))
    yield no(role, "logs:DeleteLogStream", log)
    yield no(role, "logs:DeleteLogGroup", log.removesuffix(":log-stream:x"))
    yield yes(role, "ssm:GetParameter", names.arn("ssm", f"parameter{names.version_parameter}"))
    yield no(role, "ssm:GetParameter", names.arn("ssm", "parameter/somebody/password"))
    # Whose roles may make what: asked by every plan, and by nothing else.
    types = names.arn("ssm", f"parameter{names.types_parameter}")
    (reads_types,) = [yes if what in {"plan", "deploy"} else no]
    yield reads_types(role, "ssm:GetParameter", types)
    for parameter in (types, names.arn("ssm", f"parameter{names.version_parameter}")):
        for action in ("ssm:PutParameter", "ssm:DeleteParameter"):
            yield no(role, action, parameter)
            yield no(names.execution_role_arn, action, parameter)
    yield no(role, START, names.project_arn("deploy"))
    audit = names.arn("logs", f"log-group:{names.audit_log_group}:log-stream:{what}/x")
    (writes,) = [yes if what in {"plan", "deploy"} else no]
    yield writes(role, "logs:CreateLogStream", audit)
    yield writes(role, "logs:PutLogEvents", audit)
    yield no(role, "logs:CreateLogStream", other_log)
    for other in sorted({"plan", "deploy"} - {what}):
        yield no(role, "logs:PutLogEvents", audit.replace(f":{what}/", f":{other}/"))
    for action in ("DeleteLogStream", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy"):
        yield no(role, f"logs:{action}", audit)
    if names.account == PROD:
        neighbour = canary if names == prod else prod
        there = neighbour.arn("logs", f"log-group:{neighbour.audit_log_group}:log-stream:{what}/x")
        yield no(role, "logs:CreateLogStream", there)
        yield no(role, "logs:PutLogEvents", there)


def _plan() -> Iterator[Row]:
    """Long: rows of a table."""
    for names in ENVIRONMENTS:
        role = names.project_role_arn("plan")
        stack, state = _stack(names), names.bucket_arn(names.state_bucket)
        # There is no code for change sets.
        for action in ("DeleteChangeSet", "DescribeChangeSet", "GetTemplateSummary"):
            yield no(role, f"cloudformation:{action}", stack)
        yield from _drift(names, "plan")
        for action in ("DescribeStacks", "GetTemplate", "GetStackPolicy", "ListStackResources"):
            yield yes(role, f"cloudformation:{action}", stack)
            yield yes(role, f"cloudformation:{action}", _nested(names))
            yield no(role, f"cloudformation:{action}", names.arn("cloudformation", "stack/other/x"))
        for action in EXECUTIONS:
            yield never(role, action, stack)
        # In which state nested stacks are, and whether what the backend imports is exported. Both know no resource.
        for action in ("cloudformation:ListStacks", "cloudformation:ListExports"):
            for what in ("plan", "deploy"):
                yield yes(names.project_role_arn(what), action, "*")
            yield no(names.project_role_arn("publish"), action, "*")
        # It makes nothing, so it hands no role over.
        for passed in (
            names.execution_role_arn,
            names.action_role_arn,
            names.iam_arn("role", "/", f"hello-{names.environment}"),
        ):
            for service in ("cloudformation", "codebuild", "lambda"):
                yield no(role, "iam:PassRole", passed, keys={"iam:PassedToService": f"{service}.amazonaws.com"})
        yield yes(role, "s3:GetObject", f"{state}/.pulumi/stacks/x.json")
        yield no(role, "s3:GetObject", f"{state}/outputs/x.json")
        yield yes(role, "s3:GetObject", f"{state}/leases/app/x.json")
        yield no(role, "s3:PutObject", f"{state}/leases/app/x.json")
        yield no(role, "s3:DeleteObject", f"{state}/leases/app/x.json")
        yield no(role, "s3:PutObject", f"{state}/.pulumi/stacks/x.json")
        yield no(role, "s3:DeleteObject", f"{state}/.pulumi/locks/x.json")
        yield yes(role, "s3:PutObject", f"{state}/plans/x.json")
        yield no(role, "s3:PutBucketPolicy", state)
        alias = names.state_key_alias
        yield yes(role, "kms:Decrypt", state_key(names))
        yield no(role, "kms:Decrypt", names.arn("kms", "key/another"), keys={"kms:ResourceAliases": (alias,)})
        yield no(role, "kms:Encrypt", state_key(names), keys={"kms:ResourceAliases": (alias,)})
        yield yes(role, "kms:GenerateDataKey", state_key(names), keys=through_s3(names.region, alias))
        yield no(role, "kms:GenerateDataKey", state_key(names), keys={"kms:ResourceAliases": (alias,)})
        yield from _foreign_state(names, "plan")
        yield from _staging_reads(names, "plan")
        yield from _lease_holders(names, "plan")
        # The types in use, not their data.
        table = names.arn("dynamodb", f"table/Todo-abc-{names.environment}")
        yield yes(role, "dynamodb:DescribeTable", table)
        function = names.arn("lambda", f"function:hello-{names.environment}")
        yield yes(role, "lambda:GetFunction", function)
        for action, resource in (
            ("dynamodb:Scan", table),
            ("dynamodb:UpdateTable", table),
            ("lambda:InvokeFunction", function),
            ("lambda:UpdateFunctionCode", function),
            ("s3:GetObject", f"arn:aws:s3:::uploads-{names.environment}/x"),
            ("secretsmanager:GetSecretValue", names.arn("secretsmanager", f"secret:{stack_name(names)}/a/b")),
            ("cognito-idp:ListUsers", names.arn("cognito-idp", "userpool/x")),
            ("cognito-idp:DescribeUserPoolClient", names.arn("cognito-idp", "userpool/x")),
            ("appsync:ListApiKeys", "*"),
            ("iam:CreateRole", names.iam_arn("role", "/", f"x-{names.environment}")),
        ):
            yield no(role, action, resource, keys={"aws:RequestedRegion": names.region})
        secret = names.arn("secretsmanager", f"secret:{stack_name(names)}/nested/parameter-AbCdEf")
        for action in ("DescribeSecret", "GetResourcePolicy", "ListSecretVersionIds"):
            yield yes(role, f"secretsmanager:{action}", secret)
            yield no(role, f"secretsmanager:{action}", names.arn("secretsmanager", "secret:database-AbCdEf"))
        yield no(role, "secretsmanager:PutSecretValue", secret)
        yield from _pages(names, "plan", no)
        yield from _every_build(names, "plan")


def _drift(names: EnvironmentNames, what: str) -> Iterator[Row]:
    """Whoever plans looks for drift: of the own stacks, with reads of the types in use, not of their data."""
    role = names.project_role_arn(what)
    for action in DRIFT_DETECTIONS:
        yield yes(role, action, _stack(names))
        yield yes(role, action, _nested(names))
        yield no(role, action, names.arn("cloudformation", "stack/other/x"))
    yield yes(role, DRIFT_STATUS, "*")
    yield yes(role, "lambda:GetFunction", names.arn("lambda", f"function:hello-{names.environment}"))
    yield no(role, "cognito-idp:DescribeUserPoolClient", names.arn("cognito-idp", "userpool/x"))
    yield no(role, "appsync:ListApiKeys", "*", keys={"aws:RequestedRegion": names.region})


def _pages(names: EnvironmentNames, what: str, uploads: Callable[..., Row]) -> Iterator[Row]:
    """The verification pages, and no other bucket of the backend."""
    role, bucket = names.project_role_arn(what), names.bucket_arn(f"pages-{names.environment}")
    for action in ("GetBucketOwnershipControls", "GetBucketPublicAccessBlock", "ListBucket"):
        yield yes(role, f"s3:{action}", bucket)
        yield no(role, f"s3:{action}", bucket, keys={"aws:ResourceAccount": STRANGER})
    for action in ("GetObject", "GetObjectTagging", "GetObjectVersion"):
        yield yes(role, f"s3:{action}", f"{bucket}/index.html")
    for action in ("ListBucketVersions", "PutBucketOwnershipControls", "PutBucketPublicAccessBlock"):
        yield uploads(role, f"s3:{action}", bucket)
    for action in ("DeleteObject", "DeleteObjectVersion", "PutObject", "PutObjectAcl"):
        yield uploads(role, f"s3:{action}", f"{bucket}/index.html")
        yield no(role, f"s3:{action}", f"arn:aws:s3:::uploads-{names.environment}/x")
    yield no(role, "s3:PutBucketPolicy", bucket)
    yield no(role, "s3:GetObject", f"arn:aws:s3:::uploads-{names.environment}/x")


def _deploy() -> Iterator[Row]:
    for names in ENVIRONMENTS:
        role, stack = names.project_role_arn("deploy"), _stack(names)
        with_role = {"cloudformation:RoleArn": names.execution_role_arn}
        with_other = {"cloudformation:RoleArn": names.iam_arn("role", "/", "administrator")}
        yield yes(role, "cloudformation:CreateStack", stack, keys=with_role)
        yield no(role, "cloudformation:CreateStack", stack)
        yield no(role, "cloudformation:CreateStack", stack, keys=with_other)
        for action in ("UpdateStack", "DeleteStack", "ContinueUpdateRollback", "RollbackStack"):
            yield yes(role, f"cloudformation:{action}", stack)
            yield yes(role, f"cloudformation:{action}", stack, keys=with_role)
            yield no(role, f"cloudformation:{action}", stack, keys=with_other)
        for action in ("CreateStack", "UpdateStack", "DeleteStack", "DescribeStacks", "TagResource"):
            elsewhere = names.arn("cloudformation", "stack/other/x")
            yield no(role, f"cloudformation:{action}", elsewhere, keys=with_role)
        yield no(role, "cloudformation:ExecuteChangeSet", stack)
        yield from _passing(names, "deploy")
        state = names.bucket_arn(names.state_bucket)
        for prefix in (".pulumi", "outputs", "leases"):
            yield yes(role, "s3:PutObject", f"{state}/{prefix}/x.json")
        yield no(role, "s3:PutObject", f"{state}/elsewhere/x.json")
        yield yes(role, "s3:GetObject", f"{state}/plans/x.json")
        yield no(role, "s3:PutObject", f"{state}/plans/x.json")
        yield no(role, "s3:PutBucketPolicy", state)
        yield no(role, "s3:DeleteObjectVersion", f"{state}/.pulumi/x.json")
        alias = names.state_key_alias
        for action in ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"):
            yield yes(role, action, state_key(names))
            yield no(role, action, names.arn("kms", "key/another"), keys={"kms:ResourceAliases": (alias,)})
        for action in ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:CreateGrant"):
            yield no(role, action, state_key(names), keys={"kms:ResourceAliases": (alias,)})
        yield from _foreign_state(names, "deploy")
        yield from _staging_reads(names, "deploy")
        yield from _index_updates(names)
        yield from _lease_holders(names, "deploy")
        audit = names.arn("logs", f"log-group:{names.audit_log_group}:log-stream:x")
        yield yes(role, "logs:FilterLogEvents", audit)
        yield no(role, "logs:FilterLogEvents", names.arn("logs", "log-group:/aws/lambda/x:y"))
        secret = names.arn("secretsmanager", f"secret:{stack_name(names)}/nested/parameter-AbCdEf")
        yield yes(role, "secretsmanager:PutSecretValue", secret)
        yield no(role, "secretsmanager:GetSecretValue", names.arn("secretsmanager", "secret:database"))
        yield no(role, "secretsmanager:PutResourcePolicy", secret)
        yield yes(role, "lambda:CreateFunction", names.arn("lambda", f"function:{names.prefix}-hello"))
        yield no(role, "lambda:CreateFunction", names.arn("lambda", "function:somebody-elses"))
        yield never(role, START, names.project_arn("deploy"))
        yield never(role, "codebuild:UpdateProject", names.project_arn("plan"))
        for auth in ("authRole", "unauthRole"):
            yield yes(role, "iam:UpdateAssumeRolePolicy", names.iam_arn("role", "/", f"{stack_name(names)}-{auth}"))
        for other in (f"{stack_name(names)}-authRole-idp", "administrator"):
            yield no(role, "iam:UpdateAssumeRolePolicy", names.iam_arn("role", "/", other))
        yield from _drift(names, "deploy")
        yield from _pages(names, "deploy", yes)
        yield from _every_build(names, "deploy")
    hello = prod.arn("lambda", f"function:{canary.prefix}-hello")
    yield no(prod.project_role_arn("deploy"), "lambda:CreateFunction", hello)


_CHANGES_OF_ROLES = (
    *("AttachRolePolicy", "CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePolicy"),
    *("TagRole", "UntagRole", "UpdateAssumeRolePolicy"),
)


_OTHER_IDENTITIES = (
    *(action for action in OTHER_IDENTITIES if "*" not in action),
    *("iam:AcceptDelegationRequest", "iam:AssociateDelegationRequest", "iam:SendDelegationToken"),
    *(f"iam:{verb}{what}" for verb in ("Update", "Upload") for what in ("SSHPublicKey", "SigningCertificate")),
)


def _roles_by_deploy() -> Iterator[Row]:
    """What makes roles makes them within the boundary, and leaves ours alone; an administrator too."""
    for names in ENVIRONMENTS:
        boundary = {"iam:PermissionsBoundary": names.boundary_arn}
        other = {"iam:PermissionsBoundary": names.iam_arn("policy", "/", "lax")}
        made = names.iam_arn("role", "/", f"{names.prefix}-hello")
        backend = names.iam_arn("role", "/", f"hello-{names.environment}")
        for maker, role in ((names.project_role_arn("deploy"), made), (names.execution_role_arn, backend)):
            for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"):
                yield yes(maker, action, role, keys=boundary)
                yield never(maker, action, role)
                yield never(maker, action, role, keys=other)
        makers = ("deploy", "check")
        for maker in (*(names.project_role_arn(what) for what in makers), names.execution_role_arn):
            for action in ROLE_MAKING:
                for keys in ({}, other):
                    yield never(maker, action, backend, keys=keys)
            yield never(maker, "iam:CreateRole", names.iam_arn("role", "/", "mine"))
            yield never(maker, "iam:DeleteRolePermissionsBoundary", backend)
            yield never(maker, "iam:DeleteUserPermissionsBoundary", names.iam_arn("user", "/", "me"))
            for action in _OTHER_IDENTITIES:
                yield never(maker, action, names.iam_arn("user", "/", "me"))
            for ours in (names.action_role_arn, names.project_role_arn("deploy"), names.execution_role_arn):
                for action in _CHANGES_OF_ROLES:
                    yield never(maker, f"iam:{action}", ours, keys=boundary)
                if "deploy" not in maker or ours != names.execution_role_arn:
                    yield never(maker, "iam:PassRole", ours, keys={"iam:PassedToService": "codebuild.amazonaws.com"})
            for action in ("CreatePolicyVersion", "DeletePolicy", "SetDefaultPolicyVersion"):
                yield never(maker, f"iam:{action}", names.boundary_arn)


def _check() -> Iterator[Row]:
    for names in ENVIRONMENTS:
        role, state = names.project_role_arn("check"), names.bucket_arn(names.state_bucket)
        yield yes(role, "s3:GetObject", f"{state}/outputs/x.json")
        yield no(role, "s3:GetObject", f"{state}/.pulumi/stacks/x.json")
        yield no(role, "s3:PutObject", f"{state}/outputs/x.json")
        yield no(role, "s3:GetObject", f"{state}/outputs/x.json", keys={"aws:ResourceAccount": STRANGER})
        alias = names.state_key_alias
        yield yes(role, "kms:Decrypt", state_key(names), keys=through_s3(names.region, alias))
        yield no(role, "kms:Decrypt", state_key(names), keys={"kms:ResourceAliases": (alias,)})
        yield no(role, "kms:Encrypt", state_key(names), keys=through_s3(names.region, alias))
        # By the key's ARN, which the account's stack knows, and by no alias.
        yield yes(role, "kms:Decrypt", state_key(names), keys={"kms:ViaService": f"s3.{names.region}.amazonaws.com"})
        for other in (foreign_key(names.account), names.arn("kms", "key/another")):
            yield no(role, "kms:Decrypt", other, keys=through_s3(names.region, alias))
        # With less than all alarms CloudWatch tells of no composite one.
        yield yes(role, "cloudwatch:DescribeAlarms", "*")
        yield no(role, "cloudwatch:DeleteAlarms", names.arn("cloudwatch", "alarm:x"))
        yield no(role, "cloudformation:UpdateStack", _stack(names))
        yield from _every_build(names, "check")


def _reading(names: EnvironmentNames) -> Iterator[Row]:
    """What a template of the backend refers to, by the names that it may give."""
    role, env = names.execution_role_arn, names.environment
    yield yes(role, "secretsmanager:GetSecretValue", names.arn("secretsmanager", f"secret:shop-{env}-AbCdEf"))
    yield yes(role, "ssm:GetParameters", names.arn("ssm", f"parameter/shop/key-{env}"))
    # Encrypted with a key of the account's own: for what may be read, through the service that keeps it.
    key, here = customers_key(names), f"{names.region}.amazonaws.com"
    secret, other = (names.arn("secretsmanager", f"secret:{name}-AbCdEf") for name in (f"shop-{env}", "payroll"))
    through = {"kms:ViaService": f"secretsmanager.{here}"}
    yield yes(role, "kms:Decrypt", key, keys={**through, "kms:EncryptionContext:SecretARN": secret})
    yield no(role, "kms:Decrypt", key, keys={**through, "kms:EncryptionContext:SecretARN": other})
    yield no(role, "kms:Decrypt", key, keys={"kms:EncryptionContext:SecretARN": secret})
    stored = {"kms:EncryptionContext:PARAMETER_ARN": names.arn("ssm", f"parameter/shop/key-{env}")}
    yield yes(role, "kms:Decrypt", key, keys={"kms:ViaService": f"ssm.{here}", **stored})
    yield no(role, "kms:Decrypt", key, keys={**through, **stored})
    others = {"kms:EncryptionContext:PARAMETER_ARN": names.arn("ssm", "parameter/shop/key")}
    yield no(role, "kms:Decrypt", key, keys={"kms:ViaService": f"ssm.{here}", **others})
    yield yes(role, "ssm:GetParameters", f"arn:aws:ssm:{names.region}::parameter/aws/service/ami")
    yield no(role, "ssm:GetParameters", names.arn("ssm", "parameter/shop/key"))
    yield no(role, "ssm:GetParameters", names.arn("ssm", names.types_parameter.replace("/", "parameter/", 1)))


def _execution() -> Iterator[Row]:
    for names in ENVIRONMENTS:
        role, env = names.execution_role_arn, names.environment
        here, tags = {"aws:RequestedRegion": names.region}, {"aws:ResourceTag/user:Stack": env}
        yield yes(role, "dynamodb:CreateTable", names.arn("dynamodb", f"table/Todo-abc-{env}"))
        yield no(role, "dynamodb:CreateTable", names.arn("dynamodb", "table/orders"))
        yield yes(role, "cloudformation:CreateStack", _nested(names))
        yield no(role, "cloudformation:CreateStack", names.arn("cloudformation", "stack/other/x"))
        staging = f"{names.bucket_arn(names.staging_bucket)}/objects/x"
        yield yes(role, "s3:GetObject", staging)
        yield no(role, "s3:GetObject", staging, keys={"aws:ResourceAccount": STRANGER})
        yield no(role, "s3:PutObject", staging)
        yield no(role, "s3:GetObject", f"{names.bucket_arn(names.state_bucket)}/.pulumi/x")
        yield yes(role, "s3:CreateBucket", f"arn:aws:s3:::uploads-{env}")
        yield no(role, "s3:DeleteBucket", f"arn:aws:s3:::uploads-{env}", keys={"aws:ResourceAccount": STRANGER})
        yield no(role, "s3:PutBucketPolicy", "arn:aws:s3:::somebody-elses")
        pool = names.arn("cognito-idp", "userpool/x")
        yield yes(role, "cognito-idp:DeleteUserPool", pool, keys=tags)
        yield no(role, "cognito-idp:DeleteUserPool", pool, keys={"aws:ResourceTag/user:Stack": "another"})
        yield yes(role, "cognito-idp:CreateUserPool", "*", keys=here)
        yield no(role, "cognito-idp:CreateUserPool", "*", keys={"aws:RequestedRegion": "ap-south-1"})
        yield no(role, "cognito-idp:CreateUserPool", "*", keys={**here, "aws:RequestTag/user:Stack": "another"})
        yield no(role, "kms:CreateKey", "*", keys=here)
        yield yes(role, "appsync:CreateResolver", "*", keys=here)
        yield no(role, "appsync:CreateResolver", "*", keys={"aws:RequestedRegion": "ap-south-1"})
        for auth in ("authRole", "unauthRole"):
            arn = names.iam_arn("role", "/", f"{stack_name(names)}-{auth}")
            yield yes(role, "iam:UpdateAssumeRolePolicy", arn)
        backend = names.iam_arn("role", "/", f"hello-{env}")
        own = {"iam:PermissionsBoundary": names.boundary_arn}
        yield yes(role, "iam:UpdateAssumeRolePolicy", backend, keys=own)
        yield no(role, "iam:UpdateAssumeRolePolicy", backend)
        yield no(role, "iam:UpdateAssumeRolePolicy", names.iam_arn("role", "/", "administrator"), keys=own)
        yield yes(role, "iam:PassRole", backend, keys={"iam:PassedToService": "lambda.amazonaws.com"})
        yield no(role, "iam:PassRole", backend, keys={"iam:PassedToService": "ec2.amazonaws.com"})
        yield no(
            role, "iam:PassRole", names.iam_arn("role", "/", "x"), keys={"iam:PassedToService": "lambda.amazonaws.com"}
        )
        # A managed policy is told by the stack's name alone: `-ENV` may be anybody's.
        mine = names.iam_arn("policy", "/", f"{names.stack_role_prefix}-apix-AuthRolePolicy01-1A2B")
        for action in ("CreatePolicy", "CreatePolicyVersion", "DeletePolicy"):
            yield yes(role, f"iam:{action}", mine)
            for other in (f"auditors-{env}", f"{names.prefix}-reports", "auditors"):
                yield no(role, f"iam:{action}", names.iam_arn("policy", "/", other))
        yield from _nesting(names)
        yield yes(role, "lambda:InvokeFunction", names.arn("lambda", f"function:{names.stack_role_prefix}x-Fn-1"))
        yield no(role, "lambda:InvokeFunction", names.arn("lambda", "function:payments"))
        secret = names.arn("secretsmanager", f"secret:{stack_name(names)}/nested/parameter-AbCdEf")
        yield yes(role, "secretsmanager:GetSecretValue", secret)
        yield no(role, "secretsmanager:GetSecretValue", names.arn("secretsmanager", "secret:database"))
        yield from _reading(names)
        for what in PROJECTS:
            yield never(role, "codebuild:UpdateProject", names.project_arn(what))
            yield never(role, "codebuild:StartBuild", names.project_arn(what))
        yield no(role, "iam:CreateRole", names.iam_arn("role", "/", "administrator"), keys=own)
    for action in ("CreateTable", "DeleteTable", "UpdateTable"):
        there = canary.arn("dynamodb", "table/Todo-abc-canary")
        yield no(prod.execution_role_arn, f"dynamodb:{action}", there)
        yield never(preprod.execution_role_arn, f"dynamodb:{action}", prod.arn("dynamodb", "table/Todo-abc-prod"))


def _types() -> Iterator[Row]:
    """What comes from the table of types: kept to the environment by region, tags, owner and boundary."""
    alias = {"kms:ResourceAliases": (prod.state_key_alias,)}
    yield no(prod.execution_role_arn, "kms:Decrypt", state_key(prod), keys=alias)
    yield no(prod.project_role_arn("deploy"), "kms:CreateGrant", state_key(prod), keys=alias)
    yield no(prod.project_role_arn("plan"), "kms:ScheduleKeyDeletion", state_key(prod), keys=alias)
    execution, deploy, plan = prod.execution_role_arn, prod.project_role_arn("deploy"), prod.project_role_arn("plan")
    here, elsewhere = {"aws:RequestedRegion": AWAY}, {"aws:RequestedRegion": "ap-south-1"}
    for action in ("appsync:CreateApiKey", "cognito-identity:SetIdentityPoolRoles", "cognito-idp:CreateUserPool"):
        yield yes(execution, action, "*", keys=here)
        yield no(execution, action, "*", keys=elsewhere)
        for tag in ("user:Application", "user:Stack"):
            yield no(execution, action, "*", keys={**here, f"aws:RequestTag/{tag}": "another"})
    pool, identities = prod.arn("cognito-idp", "userpool/x"), prod.arn("cognito-identity", "identitypool/x")
    api, files = prod.arn("appsync", "apis/x"), prod.arn("elasticfilesystem", "file-system/fs-1a2b")
    for role, action, resource in (
        (execution, "elasticfilesystem:DescribeMountTargets", files),
        (deploy, "elasticfilesystem:DescribeMountTargets", files),
        (execution, "appsync:DeleteGraphqlApi", api),
        (execution, "cognito-identity:DeleteIdentityPool", identities),
        (execution, "cognito-idp:DeleteUserPool", pool),
        (plan, "appsync:GetGraphqlApi", api),
        (plan, "cognito-identity:DescribeIdentityPool", identities),
        (plan, "cognito-idp:DescribeUserPool", pool),
        (deploy, "appsync:GetGraphqlApi", api),
        (deploy, "cognito-identity:DescribeIdentityPool", identities),
        (deploy, "cognito-idp:DescribeUserPool", pool),
    ):
        yield yes(role, action, resource)
        for tag in ("user:Application", "user:Stack"):
            yield no(role, action, resource, keys={f"aws:ResourceTag/{tag}": "another"})
    for role, statement in identity_statements():
        actions = statement["Action"]
        action = actions if isinstance(actions, str) else actions[0]
        if action.startswith("s3:") and "aws:ResourceAccount" in str(statement.get("Condition")):
            resources = statement["Resource"]
            resource = known_resource(resources if isinstance(resources, str) else resources[0])
            yield no(role, action, resource, keys={"aws:ResourceAccount": STRANGER})
    backend, own = prod.iam_arn("role", "/", "hello-prod"), {"iam:PermissionsBoundary": prod.boundary_arn}
    for role in (execution, deploy):
        yield yes(role, "iam:UpdateAssumeRolePolicy", backend, keys=own)
        yield no(role, "iam:UpdateAssumeRolePolicy", backend)
        yield yes(role, "iam:DeleteRole", backend)
        yield no(role, "iam:DeleteRole", NEIGHBOUR)
    for action in ("cloudformation:CreateResource", "cloudformation:GetResource"):
        yield yes(deploy, action, "*", keys=here)
        yield no(deploy, action, "*", keys=elsewhere)
    yield yes(plan, "cloudformation:GetResource", "*", keys=here)
    yield no(plan, "cloudformation:GetResource", "*", keys=elsewhere)
    hello = prod.iam_arn("role", "/", f"{prod.prefix}-hello")
    yield yes(deploy, "iam:PassRole", hello, keys={"iam:PassedToService": "lambda.amazonaws.com"})
    for service in ("cloudformation", "ec2"):
        yield no(deploy, "iam:PassRole", hello, keys={"iam:PassedToService": f"{service}.amazonaws.com"})


def _universal() -> Iterator[Row]:
    """What holds for every role, whatever it is for: nothing of another place, and no service as a whole."""
    for role, statement in identity_statements():
        actions = statement["Action"]
        action = actions if isinstance(actions, str) else actions[0]
        service, account = action.split(":")[0], role.split(":")[4]
        context = satisfying(statement.get("Condition", {}))
        if statement["Resource"] != "*":
            if ":kms:*:" in str(statement["Resource"]):
                continue  # keys of any region on purpose, told by alias or tag
            yield no(role, action, _foreign(service, account), keys=context)
            resources = statement["Resource"]
            resource = known_resource(resources if isinstance(resources, str) else resources[0])
            yield no(role, f"{service}:AnythingElse", resource, keys=context)
        else:
            yield no(role, f"{service}:AnythingElse", "*", keys=context)


def _foreign(service: str, account: str) -> str:
    return {
        "s3": "arn:aws:s3:::somebody-elses",
        "iam": f"arn:aws:iam::{account}:role/administrator",
        "sts": WELCOME,
        "apigateway": "arn:aws:apigateway:ap-south-1::/restapis/x",
        "kms": foreign_key(account),
    }.get(service, f"arn:aws:{service}:ap-south-1:{account}:x/x-prod")


def _boundary() -> Iterator[Row]:
    """A role of the backend that was given every right: its boundary is all that is left."""
    own = {"iam:PermissionsBoundary": prod.boundary_arn}
    for auth in ("authRole", "unauthRole"):
        arn = prod.iam_arn("role", "/", f"{stack_name(prod)}-{auth}")
        yield yes(BACKEND, "iam:UpdateAssumeRolePolicy", arn)
        yield no(BACKEND, "iam:DeleteRole", arn)
        yield no(BACKEND, "iam:UpdateAssumeRolePolicy", arn.replace("prod", "canary"))
    yield yes(BACKEND, "dynamodb:PutItem", prod.arn("dynamodb", "table/Todo-abc-prod"))
    role = prod.iam_arn("role", "/", "hello-prod")
    yield yes(BACKEND, "iam:CreateRole", role, keys=own)
    yield yes(BACKEND, "iam:PassRole", role)
    yield no(BACKEND, "iam:CreateRole", role)
    yield no(BACKEND, "iam:CreateRole", role, keys={"iam:PermissionsBoundary": canary.boundary_arn})
    yield no(BACKEND, "iam:UpdateAssumeRolePolicy", role, keys=own)
    yield no(BACKEND, "iam:UpdateAssumeRolePolicy", NEIGHBOUR)
    yield no(BACKEND, "iam:PassRole", NEIGHBOUR)
    yield no(BACKEND, "iam:CreateRole", NEIGHBOUR, keys=own)
    yield no(BACKEND, "iam:AttachRolePolicy", BACKEND)
    yield no(BACKEND, "iam:DeleteRolePermissionsBoundary", BACKEND)
    yield no(BACKEND, "iam:CreateUser", prod.iam_arn("user", "/", "me"))
    yield no(BACKEND, "iam:CreatePolicyVersion", prod.boundary_arn)
    yield no(BACKEND, "iam:PutRolePolicy", prod.action_role_arn, keys=own)
    ours = prod.iam_arn("role", "/amplify-delivery/another/", "x-prod")
    for action in (*ROLE_MAKING, "iam:PassRole"):
        yield no(BACKEND, action, ours, keys=own)
    yield no(BACKEND, "sts:AssumeRole", prod.action_role_arn)
    yield no(BACKEND, "organizations:LeaveOrganization", "*")
    # The function of the analytics category looks its app up there, to delete it.
    yield yes(BACKEND, "cloudformation:DescribeStacks", _stack(prod))
    yield no(BACKEND, "cloudformation:DescribeStacks", prod.arn("cloudformation", "stack/other/0123"))
    yield no(BACKEND, "cloudformation:UpdateStack", _stack(prod))
    for part in (_deliverys_own, _open_to_a_backend, _others_in_the_account):
        yield from part()


def _deliverys_own() -> Iterator[Row]:
    """What a function or custom resource of prod's backend would change to be deployed next time, or be forgotten."""
    for names in (prod, canary):
        yield from _of_an_environment(names)
    # Its own, before alias and tag count.
    yield never(BACKEND, "kms:Decrypt", state_key(prod))
    # Where the tooling account is this one.
    for bucket in (f"{APP}-tooling-state", f"{APP}-pipeline-artifacts", "other-app-state", "longname-state-0a1b2c3d"):
        yield never(BACKEND, "s3:PutObject", f"arn:aws:s3:::{bucket}-{PROD}-{HOME}-an/x")
    yield never(BACKEND, "s3:PutObject", f"arn:aws:s3:::longname-staging-0a1b2c3d-{PROD}-{HOME}-an/x")
    yield never(BACKEND, "s3:PutObject", f"arn:aws:s3:::longname-artifacts-0a1b2c3d-{PROD}-{HOME}-an/x")
    yield never(BACKEND, "s3:CreateBucket", f"arn:aws:s3:::{APP}-next-state-{PROD}-{HOME}-an")
    for alias_name in (pipeline.artifact_key_alias, pipeline.state_key_alias):
        yield never(BACKEND, "kms:Decrypt", foreign_key(PROD), keys={"kms:ResourceAliases": (alias_name,)})
        yield never(BACKEND, "kms:UpdateAlias", prod.arn("kms", alias_name, region=HOME))
    yield never(BACKEND, "codepipeline:UpdatePipeline", prod.arn("codepipeline", pipeline.pipeline, region=HOME))
    # A bucket has other ARNs as well, and log groups are opened all at once.
    point = prod.arn("s3", "accesspoint/mine")
    for action in ("CreateAccessPoint", "PutAccessPointPolicy", "CreateAccessPointForObjectLambda"):
        yield never(BACKEND, f"s3:{action}", point)
    for action in ("PutAccountPolicy", "DeleteAccountPolicy", "PutResourcePolicy", "DeleteResourcePolicy"):
        yield never(BACKEND, f"logs:{action}", "*")


def _of_an_environment(names: EnvironmentNames) -> Iterator[Row]:
    for bucket in (names.state_bucket, names.staging_bucket):
        arn = names.bucket_arn(bucket)
        for action in ("GetObject", "PutObject", "DeleteObject", "DeleteObjectVersion", "PutObjectTagging"):
            yield never(BACKEND, f"s3:{action}", f"{arn}/.pulumi/stacks/x.json")
        for action in ("ListBucket", "PutBucketPolicy", "DeleteBucketPolicy", "PutLifecycleConfiguration"):
            yield never(BACKEND, f"s3:{action}", arn)
    for action in ("PutObject", "GetObject"):
        yield never(BACKEND, f"s3:{action}", f"{names.bucket_arn(names.state_bucket)}/plans/x.json")
    alias = {"kms:ResourceAliases": (names.state_key_alias,)}
    tagged = {"aws:ResourceTag/amplify-delivery:app": APP}
    for action in ("Decrypt", "PutKeyPolicy", "ScheduleKeyDeletion", "CreateGrant", "UntagResource", "CreateAlias"):
        for keys in (alias, tagged):
            yield never(BACKEND, f"kms:{action}", state_key(names), keys=keys)
    for action in ("DeleteAlias", "UpdateAlias"):
        for alias_name in (names.state_key_alias, names.staging_key_alias):
            yield never(BACKEND, f"kms:{action}", names.arn("kms", alias_name))
    audit = names.arn("logs", f"log-group:{names.audit_log_group}")
    for action in ("PutLogEvents", "CreateLogStream", "DeleteLogStream"):
        yield never(BACKEND, f"logs:{action}", f"{audit}:log-stream:deploy/x")
    for action in ("DeleteLogGroup", "PutRetentionPolicy", "PutSubscriptionFilter"):
        yield never(BACKEND, f"logs:{action}", audit)
    yield never(BACKEND, "logs:DeleteLogGroup", names.arn("logs", f"log-group:{names.project_log_group('deploy')}"))
    for parameter in (names.types_parameter, names.version_parameter):
        for action in ("PutParameter", "DeleteParameter", "GetParameter"):
            yield never(BACKEND, f"ssm:{action}", names.arn("ssm", f"parameter{parameter}"))
    secret = names.arn("secretsmanager", f"secret:{stack_name(names)}/nested/parameter-AbCdEf")
    for action in ("GetSecretValue", "PutSecretValue", "DeleteSecret"):
        yield never(BACKEND, f"secretsmanager:{action}", secret)
    for what in PROJECTS:
        for action in ("StartBuild", "UpdateProject", "DeleteProject"):
            yield never(BACKEND, f"codebuild:{action}", names.project_arn(what))
    for action in (
        "PutImage",
        "InitiateLayerUpload",
        "BatchDeleteImage",
        "DeleteRepository",
        "SetRepositoryPolicy",
    ):
        yield never(BACKEND, f"ecr:{action}", names.arn("ecr", f"repository/{names.repository}"))
    for role in (names.action_role_arn, names.execution_role_arn, names.project_role_arn("deploy")):
        for action in ("sts:AssumeRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:PassRole"):
            yield never(BACKEND, action, role)


def _others_in_the_account() -> Iterator[Row]:
    """Another environment of the app beside prod, and functions that are no backend's: their roles may have no
    boundary."""
    other = {"aws:ResourceTag/user:Application": APP, "aws:ResourceTag/user:Stack": "canary"}
    for action, resource in (
        ("cognito-idp:AdminSetUserPassword", "userpool/x"),
        ("appsync:UpdateGraphqlApi", "apis/x"),
        ("lambda:InvokeFunction", "function:hello-canary"),
        ("sqs:ReceiveMessage", "jobs"),
        ("kms:Decrypt", "key/of-canary"),
    ):
        arn = prod.arn(action.split(":")[0], resource)
        yield never(BACKEND, action, arn, keys=other)
        mine = {**other, "aws:ResourceTag/user:Stack": "prod"}
        if not action.startswith("kms:"):
            yield yes(BACKEND, action, arn, keys=mine)
            yield yes(BACKEND, action, arn, keys={**other, "aws:ResourceTag/user:Application": "another"})
    for resource in ("uploads-canary", "uploads-canary/private/x", f"amplify-{APP}-canary-a8d05-deployment/x"):
        yield never(BACKEND, "s3:PutObject", f"arn:aws:s3:::{resource}")
    for resource in ("table/Todo-abc-canary", "table/Todo-abc-canary/index/byName"):
        yield never(BACKEND, "dynamodb:Query", prod.arn("dynamodb", resource))
    secret = prod.arn("ssm", "parameter/amplify/d1abc/canary/AMPLIFY_hello_token")
    yield never(BACKEND, "ssm:GetParameter", secret)
    for function in ("hello-canary", "payments", "payments:live"):
        for action in ("UpdateFunctionCode", "UpdateFunctionConfiguration", "AddPermission", "PublishVersion"):
            yield never(BACKEND, f"lambda:{action}", prod.arn("lambda", f"function:{function}"))
        for action in ("CreateFunction", "DeleteFunction", "PutFunctionConcurrency", "RemovePermission"):
            yield never(BACKEND, f"lambda:{action}", prod.arn("lambda", f"function:{function}"))
    yield yes(BACKEND, "lambda:InvokeFunction", prod.arn("lambda", "function:payments"))


def _open_to_a_backend() -> Iterator[Row]:
    """What a backend's code works with stays open to it."""
    for function in ("hello-prod", "hello-prod:live", f"{prod.stack_role_prefix}-x-Fn-1", f"{prod.prefix}-hello"):
        yield yes(BACKEND, "lambda:UpdateFunctionConfiguration", prod.arn("lambda", f"function:{function}"))
    yield yes(BACKEND, "lambda:UpdateEventSourceMapping", prod.arn("lambda", "event-source-mapping:0123"))
    for resource in ("uploads-prod/public/x", "company-data/x", f"{APP}-prod-app-reports-{PROD}-{AWAY}-an/x"):
        yield yes(BACKEND, "s3:PutObject", f"arn:aws:s3:::{resource}")
    yield yes(BACKEND, "logs:PutLogEvents", prod.arn("logs", "log-group:/aws/lambda/hello-prod:log-stream:x"))
    yield yes(BACKEND, "ssm:GetParameter", prod.arn("ssm", "parameter/amplify/d1abc/prod/AMPLIFY_hello_token"))
    yield yes(BACKEND, "secretsmanager:GetSecretValue", prod.arn("secretsmanager", "secret:database-AbCdEf"))
    yield yes(BACKEND, "dynamodb:Query", prod.arn("dynamodb", "table/orders"))
    yield yes(BACKEND, "kms:Decrypt", OWN_KEY)
    yield yes(BACKEND, "ecr:BatchGetImage", prod.arn("ecr", f"repository/{prod.repository}"))


def _update() -> Iterator[Row]:
    update, own = pipeline.role_arn("update"), pipeline.role_arn()
    yield yes(update, "codepipeline:UpdatePipeline", pipeline.pipeline_arn)
    yield no(update, "codepipeline:UpdatePipeline", pipeline.arn("codepipeline", "another"))
    yield no(update, "codepipeline:DeletePipeline", pipeline.pipeline_arn)
    yield yes(update, "codebuild:UpdateProject", pipeline.project_arn("build"))
    yield no(update, "codebuild:UpdateProject", pipeline.arn("codebuild", "project/another"))
    yield no(update, START, pipeline.project_arn("build"))
    # Of the role that action roles trust: its list of action roles, nothing else.
    yield yes(update, "iam:PutRolePolicy", own)
    yield never(update, "iam:DeleteRolePolicy", own)
    for action in ("UpdateAssumeRolePolicy", "CreateRole", "DeleteRole", "AttachRolePolicy", "UpdateRole"):
        for role in (own, update, pipeline.iam_arn("role", pipeline.path, "new"), INTRUDER):
            yield never(update, f"iam:{action}", role)
    for role in (update, pipeline.role_arn("build"), INTRUDER):
        yield never(update, "iam:PutRolePolicy", role)
    for action in ("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"):
        yield never(update, f"iam:{action}", own, keys={"iam:PermissionsBoundary": pipeline.boundary_arn("update")})
        yield never(update, f"iam:{action}", update)
    for what in ("pipeline", "update"):
        for action in ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"):
            yield never(update, f"iam:{action}", pipeline.boundary_arn(what))
    passed = "iam:PassedToService"
    yield yes(update, "iam:PassRole", own, keys={passed: "codepipeline.amazonaws.com"})
    yield no(update, "iam:PassRole", own, keys={passed: "codebuild.amazonaws.com"})
    yield yes(update, "iam:PassRole", pipeline.role_arn("build"), keys={passed: "codebuild.amazonaws.com"})
    yield no(update, "iam:PassRole", pipeline.role_arn("build"), keys={passed: "ec2.amazonaws.com"})
    yield yes(update, "iam:PassRole", pipeline.role_arn("trigger"), keys={passed: "events.amazonaws.com"})
    yield no(update, "iam:PassRole", pipeline.role_arn("trigger"), keys={passed: "lambda.amazonaws.com"})
    yield never(update, "iam:PassRole", INTRUDER, keys={passed: "codebuild.amazonaws.com"})
    yield never(update, "iam:GetRole", INTRUDER)
    yield never(update, "s3:PutObject", f"{OPEN_BUCKET}/state")
    yield never(update, "cloudformation:CreateStack", pipeline.arn("cloudformation", "stack/x/y"))
    for role in (*ROLES, own, OTHER_ACTION_ROLE, INTRUDER, FRIEND):
        yield never(update, ACTION, role)
    yield never(update, "sts:AssumeRoleWithWebIdentity", "*")
    for names in ENVIRONMENTS:
        for what in PROJECTS:
            yield never(update, START, names.project_arn(what))
        yield never(update, "cloudformation:UpdateStack", _stack(names))
        yield never(update, "cloudformation:DeleteStack", _stack(names))
        yield never(update, "iam:CreateRole", names.action_role_arn)
    yield from _update_storage(update)


def _update_storage(update: str) -> Iterator[Row]:
    bucket = pipeline.bucket_arn(pipeline.artifact_bucket(AWAY))
    state = pipeline.bucket_arn(pipeline.state_bucket)
    alias = {"kms:ResourceAliases": (pipeline.artifact_key_alias,)}
    yield yes(update, "s3:PutBucketPolicy", bucket)
    yield no(update, "s3:PutBucketPolicy", state)
    yield no(update, "s3:DeleteBucket", bucket)
    # The real provider's Read of a bucket makes these calls too, and a refusal ends it.
    for read in ("s3:GetAccelerateConfiguration", "s3:GetReplicationConfiguration"):
        yield yes(update, read, bucket)
        yield no(update, read, state)
    home = f"{pipeline.bucket_arn(pipeline.artifact_bucket(HOME))}/x"
    yield yes(update, "s3:GetObject", home)
    yield no(update, "s3:PutObject", home)
    yield no(update, "s3:GetObject", home, keys={"aws:ResourceAccount": STRANGER})
    yield yes(update, "s3:PutObject", f"{state}/.pulumi/x.json")
    yield no(update, "s3:PutObject", f"{state}/.pulumi/x.json", keys={"aws:ResourceAccount": STRANGER})
    yield no(update, "s3:ListBucket", state, keys={"aws:ResourceAccount": STRANGER})
    yield no(update, "s3:PutObject", f"{state}/elsewhere")
    for action in ("GetObject", "PutObject", "DeleteObject"):
        yield yes(update, f"s3:{action}", f"{state}/leases/{APP}/{pipeline.name}.json")
        yield no(update, f"s3:{action}", f"{state}/leases/{APP}/another.json")
    yield yes(update, READ, pipeline.project_arn("update"))
    yield no(update, READ, pipeline.project_arn("build"))
    yield no(update, STOP, pipeline.project_arn("update"))
    yield no(update, "s3:ListBucket", "arn:aws:s3:::another")
    yield from _update_keys(update, alias)
    alias_arn = pipeline.arn("kms", pipeline.artifact_key_alias)
    yield yes(update, "kms:CreateAlias", alias_arn)
    yield no(update, "kms:DeleteAlias", alias_arn)
    yield no(update, "kms:CreateAlias", pipeline.arn("kms", "alias/another"))
    via = through_s3(HOME, pipeline.artifact_key_alias)
    yield yes(update, "kms:Decrypt", artifact_key(HOME), keys=via)
    yield no(update, "kms:Decrypt", artifact_key(HOME), keys=alias)
    yield no(update, "kms:Decrypt", artifact_key(HOME), keys={**via, "kms:ViaService": f"ssm.{HOME}.amazonaws.com"})
    yield no(update, "kms:Decrypt", artifact_key(HOME), keys={**via, OBJECT: "arn:aws:s3:::another/x"})
    state_alias = {"kms:ResourceAliases": (pipeline.state_key_alias,)}
    yield yes(update, "kms:Decrypt", tooling_state_key(), keys=state_alias)
    yield no(update, "kms:Decrypt", tooling_state_key(), keys={"kms:ResourceAliases": ("alias/another",)})
    yield no(update, "kms:PutKeyPolicy", tooling_state_key(), keys=state_alias)
    yield from _update_notifications(update)
    yield from _update_tags(update)
    yield no(update, "events:PutRule", pipeline.arn("events", "rule/another"))
    yield yes(update, "cloudformation:UpdateResource", "*", keys={"aws:RequestedRegion": HOME})
    yield no(update, "cloudformation:UpdateResource", "*", keys={"aws:RequestedRegion": AWAY})


def _update_keys(update: str, alias: dict[str, Any]) -> Iterator[Row]:
    """The pipeline's own keys, by tag and alias: an environment's in the tooling account has the app's tag as well."""
    key, tagged = artifact_key(AWAY), {"aws:ResourceTag/amplify-delivery:pipeline": pipeline.tag}
    others: tuple[dict[str, str], ...] = (
        {"aws:ResourceTag/amplify-delivery:app": APP},
        {"aws:ResourceTag/amplify-delivery:app": APP, "aws:ResourceTag/amplify-delivery:pipeline": f"{APP}/another"},
        {},
    )
    theirs = [{**tags, **more} for tags in others for more in ({}, alias, {"kms:ResourceAliases": ("alias/x-state",)})]
    yield yes(update, "kms:PutKeyPolicy", key, keys={**tagged, **alias})
    # Just made: the alias is there, and not yet for whoever decides.
    yield yes(update, "kms:PutKeyPolicy", key, keys=tagged)
    yield yes(update, "kms:CreateAlias", key, keys=tagged)
    for keys in theirs:
        for action in ("PutKeyPolicy", "CreateGrant", "ScheduleKeyDeletion", "DisableKey"):
            yield never(update, f"kms:{action}", key, keys=keys)
        for action in ("CreateAlias", "EnableKeyRotation", "GetKeyPolicy", "UntagResource"):
            yield no(update, f"kms:{action}", key, keys=keys)
    yield no(update, "kms:PutKeyPolicy", key, keys={**tagged, "kms:ResourceAliases": ("alias/x-state",)})
    for action in ("CreateGrant", "ScheduleKeyDeletion"):
        yield no(update, f"kms:{action}", key, keys={**tagged, **alias})
    new = {
        "aws:RequestTag/amplify-delivery:pipeline": pipeline.tag,
        "aws:TagKeys": ("amplify-delivery:pipeline", "team"),
    }
    wrong = {"aws:RequestTag/amplify-delivery:pipeline": f"{APP}/another"}
    yield yes(update, "kms:CreateKey", "*", keys=new)
    yield no(update, "kms:CreateKey", "*")
    yield no(update, "kms:CreateKey", "*", keys=wrong)
    yield yes(update, "kms:TagResource", key, keys=new)
    yield no(update, "kms:TagResource", key)
    yield no(update, "kms:TagResource", key, keys=wrong)
    yield no(update, "kms:ScheduleKeyDeletion", key, keys=new)
    # No key that has an alias becomes ours by a tag.
    for aliases in (("alias/x-state",), alias["kms:ResourceAliases"]):
        yield no(update, "kms:TagResource", key, keys={**new, "kms:ResourceAliases": aliases})
    team = {"aws:TagKeys": ("team",)}
    for action in ("kms:TagResource", "kms:UntagResource"):
        yield yes(update, action, key, keys={**tagged, **alias, **team})
        for keys in theirs:
            yield no(update, action, key, keys={**keys, **team})
        yield no(update, action, key, keys={**tagged, **team})
        for name in ("amplify-delivery:pipeline", "amplify-delivery:app"):
            yield no(update, action, key, keys={**tagged, **alias, "aws:TagKeys": ("team", name)})
    # Another account's key that lets anybody in is none of ours, whatever tags and aliases it is given there.
    yield no(update, "kms:PutKeyPolicy", OPEN_KEY, keys={**tagged, **alias})
    yield no(update, "kms:TagResource", OPEN_KEY, keys=new)
    yield no(update, "kms:UntagResource", OPEN_KEY, keys={**tagged, **alias, **team})


def _update_tags(update: str) -> Iterator[Row]:
    """Tags of what is the pipeline's: not those that policies hang on, and nobody else's."""
    team, ours = {"aws:TagKeys": ("team",)}, {"aws:TagKeys": ("team", "amplify-delivery:pipeline")}
    for verb in ("Tag", "Untag"):
        for role in (pipeline.role_arn(), pipeline.role_arn("update"), pipeline.role_arn("build")):
            yield yes(update, f"iam:{verb}Role", role, keys=team)
            yield never(update, f"iam:{verb}Role", role, keys=ours)
        yield yes(update, f"iam:{verb}Policy", pipeline.boundary_arn("update"), keys=team)
        yield never(update, f"iam:{verb}Policy", pipeline.boundary_arn("update"), keys=ours)
        other = pipeline.iam_arn("policy", "/", "another")
        for action, resource in ((f"iam:{verb}Role", INTRUDER), (f"iam:{verb}Policy", other)):
            yield never(update, action, resource, keys=team)
        yield never(update, f"iam:{verb}User", pipeline.iam_arn("user", "/", "me"), keys=team)
        bucket = pipeline.bucket_arn(pipeline.artifact_bucket(AWAY))
        yield yes(update, f"s3:{verb}Resource", bucket, keys=team)
        yield no(update, f"s3:{verb}Resource", pipeline.bucket_arn(pipeline.state_bucket), keys=team)
        group = f"log-group:{pipeline.project_log_group('build')}"
        yield yes(update, f"logs:{verb}Resource", pipeline.arn("logs", group), keys=team)
        # `build-old`, and the log of a pipeline `main-two` whose name begins with this one's.
        for other_group in ("log-group:another", f"{group}-old", f"{group}er:log-stream:x"):
            yield no(update, f"logs:{verb}Resource", pipeline.arn("logs", other_group), keys=team)
        rule = pipeline.arn("events", f"rule/{pipeline.event_rule('schedule')}")
        yield yes(update, f"events:{verb}Resource", rule, keys=team)
        yield no(update, f"events:{verb}Resource", pipeline.arn("events", "rule/another"), keys=team)


def _update_notifications(update: str) -> Iterator[Row]:
    service, about = "codestar-notifications", "codestar-notifications:NotificationsForResource"
    rule, elsewhere = (pipeline.arn(service, "notificationrule/x", region=region) for region in (HOME, AWAY))
    yield yes(update, f"{service}:UpdateNotificationRule", rule, keys={about: pipeline.pipeline_arn})
    yield no(update, f"{service}:UpdateNotificationRule", rule, keys={about: "another"})
    # The first rule of an account makes the service's own role.
    made, its_own = "iam:CreateServiceLinkedRole", {"iam:AWSServiceName": f"{service}.amazonaws.com"}
    linked = pipeline.iam_arn(
        "role", f"/aws-service-role/{service}.amazonaws.com/", "AWSServiceRoleForCodeStarNotifications"
    )
    yield yes(update, made, linked, keys=its_own)
    yield never(update, made, linked, keys={"iam:AWSServiceName": "organizations.amazonaws.com"})
    yield never(update, "iam:DeleteServiceLinkedRole", linked, keys=its_own)
    yield never(update, made, pipeline.iam_arn("role", pipeline.path, pipeline.role()), keys=its_own)
    # Tags of the pipeline's own rules: a new one's with the rule, an older one's by themselves.
    asked, has = (f"aws:{what}Tag/amplify-delivery:pipeline" for what in ("Request", "Resource"))
    new, ours = {asked: pipeline.tag}, {has: pipeline.tag}
    other = {asked: f"{APP}/another", has: f"{APP}/another"}
    yield yes(update, f"{service}:TagResource", rule, keys=new)
    yield no(update, f"{service}:UntagResource", rule, keys=new)
    for action in (f"{service}:TagResource", f"{service}:UntagResource"):
        yield yes(update, action, rule, keys={**ours, "aws:TagKeys": ("team",)})
        yield no(update, action, rule, keys={**ours, "aws:TagKeys": ("team", "amplify-delivery:pipeline")})
        yield no(update, action, rule, keys=other)
        for keys in (new, ours):
            yield no(update, action, elsewhere, keys=keys)
    yield no(update, f"{service}:UpdateNotificationRule", rule, keys=ours)
    # A target is no resource; nothing but its deletion is allowed for what is none.
    yield yes(update, f"{service}:DeleteTarget", "*", keys={"aws:RequestedRegion": HOME})
    yield no(update, f"{service}:DeleteTarget", "*", keys={"aws:RequestedRegion": AWAY})
    yield no(update, f"{service}:UpdateNotificationRule", rule, keys={about: "another", "aws:RequestedRegion": HOME})
    # The engine reads what the pipeline has, whenever it compares: the topic, its tags, who is subscribed to it.
    topic = pipeline.arn("sns", pipeline.topic)
    # And it changes who is told, from nobody to nobody.
    changes = ("CreateTopic", "DeleteTopic", "SetTopicAttributes", "TagResource", "UntagResource")
    for action in ("GetTopicAttributes", "ListTagsForResource", *changes):
        yield yes(update, f"sns:{action}", topic)
        yield no(update, f"sns:{action}", pipeline.arn("sns", "another"))
    for action in ("GetSubscriptionAttributes", "Unsubscribe"):
        for resource in (topic, f"{topic}:0a1b2c3d"):
            yield yes(update, f"sns:{action}", resource)
        yield no(update, f"sns:{action}", pipeline.arn("sns", "another:0a1b2c3d"))
        yield no(update, f"sns:{action}", pipeline.arn("sns", "another"))
    yield yes(update, "sns:Subscribe", topic, keys={"sns:Protocol": "email"})
    yield no(update, "sns:Subscribe", pipeline.arn("sns", "another"), keys={"sns:Protocol": "email"})
    for protocol in ("https", "lambda", "sqs", "sms"):
        yield no(update, "sns:Subscribe", topic, keys={"sns:Protocol": protocol})
    for action in ("Publish", "AddPermission", "ConfirmSubscription"):
        yield no(update, f"sns:{action}", topic)


def _tooling() -> Iterator[Row]:
    own, build, source = pipeline.role_arn(), pipeline.role_arn("build"), pipeline.role_arn("source")
    home, away = (f"{pipeline.bucket_arn(pipeline.artifact_bucket(r))}/x/y.zip" for r in (HOME, AWAY))
    via = through_s3(HOME, pipeline.artifact_key_alias)
    for role in (own, build, source):
        yield yes(role, "s3:PutObject", home)
        yield yes(role, "kms:GenerateDataKey", artifact_key(HOME), keys=via)
        yield no(role, "kms:GenerateDataKey", artifact_key(HOME), keys={OBJECT: via[OBJECT]})
        yield no(role, "kms:GenerateDataKey", artifact_key(HOME), keys={**via, OBJECT: "arn:aws:s3:::another/x"})
        yield no(
            role,
            "kms:Decrypt",
            tooling_state_key(),
            keys={**via, OBJECT: f"{pipeline.bucket_arn(pipeline.state_bucket)}/x"},
        )
        yield no(role, "s3:GetObject", f"{pipeline.bucket_arn(pipeline.state_bucket)}/.pulumi/x.json")
        yield no(role, "s3:DeleteObject", home)
        yield no(role, "codepipeline:UpdatePipeline", pipeline.pipeline_arn)
        yield no(role, "iam:PutRolePolicy", own)
    yield yes(own, "s3:PutObject", away)
    yield no(build, "s3:PutObject", away)
    yield no(build, "s3:PutObjectAcl", home)
    yield no(source, "s3:GetObject", home)
    yield yes(source, "s3:PutObjectAcl", home)
    for role in (own, build, source):
        yield no(role, "s3:PutObject", home, keys={"aws:ResourceAccount": STRANGER})
        for look in ("s3:GetBucketAcl", "s3:GetBucketLocation"):
            yield yes(role, look, home.removesuffix("/x/y.zip"))
            yield no(role, look, home.removesuffix("/x/y.zip"), keys={"aws:ResourceAccount": STRANGER})
            yield no(role, look, "arn:aws:s3:::another")
        for action in ("s3:PutBucketAcl", "s3:PutBucketPolicy", "s3:DeleteBucket"):
            yield no(role, action, home.removesuffix("/x/y.zip"))
    for role in (own, build, source, *ROLES):
        yield never(role, "s3:GetObject", home, keys={"aws:SecureTransport": "false"})
    log = pipeline.arn("logs", f"log-group:{pipeline.project_log_group('build')}:x")
    yield yes(build, "logs:PutLogEvents", log)
    yield yes(build, "logs:CreateLogGroup", log.removesuffix(":x"))
    yield no(build, "logs:PutLogEvents", pipeline.arn("logs", "log-group:another:x"))
    yield from _connection(source)
    yield from _actions_of_the_pipeline(own, build, source)


def _actions_of_the_pipeline(own: str, build: str, source: str) -> Iterator[Row]:
    for what in ("build", "update"):
        role = pipeline.role_arn(f"{what}-action")
        other = "update" if what == "build" else "build"
        yield yes(own, ACTION, role)
        yield yes(role, START, pipeline.project_arn(what))
        yield no(role, START, pipeline.project_arn(other))
        yield no(role, "codebuild:UpdateProject", pipeline.project_arn(what))
        for who in (INTRUDER, build, pipeline.role_arn("update"), NAMESAKE):
            yield no(who, ACTION, role)
    yield yes(own, ACTION, source)
    yield no(INTRUDER, ACTION, source)
    yield no(NAMESAKE, ACTION, source)
    yield no(INTRUDER, ACTION, own)
    yield never(own, START, prod.project_arn("deploy"))
    yield never(own, "iam:CreateRole", INTRUDER)
    yield never(own, "s3:GetObject", f"{pipeline.bucket_arn(pipeline.state_bucket)}/.pulumi/x.json")
    yield never(own, "sns:CreateTopic", pipeline.arn("sns", "x"))
    yield never(own, "kms:Encrypt", OPEN_KEY)
    yield never(own, "sns:Publish", OPEN_TOPIC)
    via = through_s3(HOME, pipeline.artifact_key_alias)
    yield never(own, "kms:PutKeyPolicy", artifact_key(HOME), keys=via)
    trigger = pipeline.role_arn("trigger")
    yield yes(trigger, "codepipeline:StartPipelineExecution", pipeline.pipeline_arn)
    yield no(trigger, "codepipeline:StartPipelineExecution", pipeline.arn("codepipeline", "another"))
    yield no(trigger, "codepipeline:StopPipelineExecution", pipeline.pipeline_arn)


def _connection(source: str) -> Iterator[Row]:
    """The source reads one repository. UpdatePipeline passes the connection on, and uses it for nothing."""
    update, connection = pipeline.role_arn("update"), pipeline.arn("codeconnections", "connection/c")
    other = pipeline.arn("codeconnections", "connection/d")
    for service in ("codeconnections", "codestar-connections"):
        use, give = f"{service}:UseConnection", f"{service}:PassConnection"
        wanted, needs = f"{service}:FullRepositoryId", f"{service}:ProviderPermissionsRequired"
        reading = {wanted: "owner/repository", needs: "read_only"}
        yield yes(source, use, connection, keys=reading)
        yield no(source, use, connection, keys={**reading, needs: "read_write"})
        yield no(source, use, connection, keys={**reading, wanted: "owner/another"})
        # A call that names no repository is of all of them.
        yield no(source, use, connection, keys={needs: "read_only"})
        yield no(source, use, connection, keys={wanted: "owner/repository"})
        yield no(source, use, other, keys=reading)
        yield no(source, f"{service}:DeleteConnection", connection, keys=reading)
        passed = f"{service}:PassedToService"
        yield yes(update, give, connection, keys={passed: "codepipeline.amazonaws.com"})
        yield no(update, give, connection, keys={passed: "codeguru-reviewer"})
        yield no(update, give, connection)
        yield no(update, give, other, keys={passed: "codepipeline.amazonaws.com"})
        for action in ("GitPush", "GitPull"):
            yield no(update, use, connection, keys={**reading, f"{service}:ProviderAction": action})
            yield no(update, use, connection, keys={**reading, passed: "codepipeline.amazonaws.com"})
        for role in (pipeline.role_arn(), pipeline.role_arn("build")):
            yield no(role, use, connection, keys=reading)


def _passing(names: EnvironmentNames, what: str) -> Iterator[Row]:
    role, passed = names.project_role_arn(what), "iam:PassedToService"
    cloudformation = {passed: "cloudformation.amazonaws.com"}
    yield yes(role, "iam:PassRole", names.execution_role_arn, keys=cloudformation)
    for service in ("codebuild", "lambda"):
        yield no(role, "iam:PassRole", names.execution_role_arn, keys={passed: f"{service}.amazonaws.com"})
    yield no(role, "iam:PassRole", names.action_role_arn, keys=cloudformation)
    yield no(role, "iam:PassRole", names.iam_arn("role", "/", "administrator"), keys=cloudformation)
    yield no(role, "iam:UpdateAssumeRolePolicy", names.execution_role_arn, keys=cloudformation)


def _nesting(names: EnvironmentNames) -> Iterator[Row]:
    """CloudFormation passes a stack's role on to its nested stacks: that one, to itself, and no other."""
    role, passed = names.execution_role_arn, "iam:PassedToService"
    cloudformation = {passed: "cloudformation.amazonaws.com"}
    yield yes(role, "iam:PassRole", role, keys=cloudformation)
    for service in ("codebuild", "lambda", "ecs-tasks"):
        yield never(role, "iam:PassRole", role, keys={passed: f"{service}.amazonaws.com"})
    yield never(role, "iam:PassRole", role)
    others = [names.action_role_arn, *(names.project_role_arn(what) for what in PROJECTS)]
    others += [other.execution_role_arn for other in ENVIRONMENTS if other != names and other.account == names.account]
    for other in others:
        for service in ("cloudformation", "codebuild", "lambda"):
            yield never(role, "iam:PassRole", other, keys={passed: f"{service}.amazonaws.com"})
    # Nor a role of the account's own that CloudFormation would act with.
    yield never(role, "iam:PassRole", names.iam_arn("role", "/", f"hello-{names.environment}"), keys=cloudformation)
    yield never(role, "iam:PassRole", names.iam_arn("role", "/", "administrator"), keys=cloudformation)


def _lease_holders(names: EnvironmentNames, what: str) -> Iterator[Row]:
    """Whether a build that has the lease still runs; nothing of other builds, and to start or stop none."""
    role = names.project_role_arn(what)
    for project in PROJECTS:
        answer = yes if project == "deploy" else no
        yield answer(role, READ, names.project_arn(project))
        yield no(role, STOP, names.project_arn(project))
    for other in ENVIRONMENTS:
        if other != names:
            answer = no if other.account == names.account else never
            yield answer(role, READ, other.project_arn("deploy"))


def _foreign_state(names: EnvironmentNames, what: str) -> Iterator[Row]:
    """Preprod's roles don't reach prod; prod's don't reach canary, beside it in one account."""
    role = names.project_role_arn(what)
    state = names.bucket_arn(names.state_bucket)
    yield no(role, "s3:GetObject", f"{state}/.pulumi/x.json", keys={"aws:ResourceAccount": STRANGER})
    yield no(role, "s3:GetObject", f"{state}/plans/x.json", keys={"aws:ResourceAccount": STRANGER})
    yield no(role, "s3:PutObject", f"{state}/plans/x.json", keys={"aws:ResourceAccount": STRANGER})
    yield no(role, "s3:ListBucket", state, keys={"aws:ResourceAccount": STRANGER})
    yield no(role, "s3:ListBucket", names.bucket_arn("another"))
    for other in ENVIRONMENTS:
        if other == names:
            continue
        answer = no if other.account == names.account else never
        yield answer(role, "s3:GetObject", f"{other.bucket_arn(other.state_bucket)}/.pulumi/x.json")
        yield answer(role, "s3:PutObject", f"{other.bucket_arn(other.state_bucket)}/plans/x.json")
        alias = {"kms:ResourceAliases": (other.state_key_alias,)}
        yield answer(role, "kms:Decrypt", state_key(other), keys=alias)
        via = through_s3(other.region, other.state_key_alias)
        yield answer(role, "kms:GenerateDataKey", state_key(other), keys=via)
        yield answer(role, "cloudformation:UpdateStack", _stack(other))
        yield answer(role, "cloudformation:DescribeStacks", _stack(other))
        yield answer(role, "cloudformation:CreateChangeSet", _stack(other))
        yield answer(role, "s3:GetObject", f"{other.bucket_arn(other.staging_bucket)}/objects/x")


def _index_updates(names: EnvironmentNames) -> Iterator[Row]:
    """What tables take one after the other needs templates that nobody has published."""
    role, bucket = names.project_role_arn("deploy"), names.bucket_arn(names.staging_bucket)
    template = f"{bucket}/templates/{'0' * 64}.json"
    yield yes(role, "s3:PutObject", template)
    yield no(role, "s3:PutObject", template, keys={"aws:ResourceAccount": STRANGER})
    for folder in ("archives", "vtl", "schemas", "files"):
        yield no(role, "s3:PutObject", f"{bucket}/{folder}/x")
    yield no(role, "s3:DeleteObject", template)
    table = names.arn("dynamodb", f"table/Todo-abc-{names.environment}")
    yield yes(role, "dynamodb:DescribeTable", table)
    yield no(role, "dynamodb:DescribeTable", names.arn("dynamodb", "table/orders"))
    for action in ("GetItem", "Scan", "UpdateTable", "DeleteTable"):
        yield no(role, f"dynamodb:{action}", table)


def _staging_reads(names: EnvironmentNames, what: str) -> Iterator[Row]:
    role, staging = names.project_role_arn(what), names.bucket_arn(names.staging_bucket)
    yield yes(role, "s3:GetObject", f"{staging}/objects/x")
    yield yes(role, "s3:ListBucket", staging)
    yield no(role, "s3:PutObject", f"{staging}/objects/x")
    yield no(role, "s3:GetObject", f"{staging}/objects/x", keys={"aws:ResourceAccount": STRANGER})
    yield no(role, "s3:ListBucket", staging, keys={"aws:ResourceAccount": STRANGER})


def _stack(names: EnvironmentNames) -> str:
    return names.arn("cloudformation", f"stack/{stack_name(names)}/0123")


def _nested(names: EnvironmentNames) -> str:
    return names.arn("cloudformation", f"stack/{stack_name(names)}-authx-1ABC/0123")
