"""The configuration of a pipeline's stack: its source, its stages of environments, and what happens around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from amplify_delivery.stacks.config.account import EnvironmentName
from amplify_delivery.stacks.config.fields import (
    FLAG_SCHEMAS,
    Account,
    BadValueError,
    Compute,
    Flag,
    List,
    Minutes,
    Model,
    Region,
    Right,
    RoleArn,
    Tags,
    Text,
    Texts,
    TopicArn,
    Variables,
    boolean,
    pattern,
)

MAX_STEP_MINUTES = 2160
"""CodeBuild's longest build: 36 hours."""
_PART = "[A-Za-z0-9_.-]+"


# --- where the commits come from -------------------------------------------------------------------------------------


class ConnectionSource(Model):
    """GitHub, GitLab, Bitbucket or Azure DevOps through a connection of AWS CodeConnections."""

    type: Literal["connection"] = Field(default="connection", description="`connection`, the default")
    connection: Annotated[
        str,
        pattern(
            r"arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[\w-]+",
            "ARN of a connection, such as arn:aws:codeconnections:eu-west-1:123456789012:connection/ID",
        ),
    ] = Field(description="ARN of the connection; it is finished once, by hand, in the console")
    repository: Annotated[str, pattern(f"{_PART}(/{_PART})+", "repository, such as OWNER/NAME")] = Field(
        description="OWNER/NAME"
    )
    branch: Text = Field(default="main", description="the branch that is delivered")
    detect_changes: Flag = Field(default=True, description="a push starts the pipeline, if no `triggers` say otherwise")


class GitHubTokenSource(Model):
    """GitHub with a personal access token, for those who still have one: a version 1 action. Better a connection."""

    type: Literal["github-token"] = Field(description="`github-token`")
    repository: Annotated[str, pattern(f"{_PART}/{_PART}", "repository, such as OWNER/NAME")] = Field(
        description="OWNER/NAME"
    )
    branch: Text = Field(default="main", description="the branch that is delivered")
    token_secret: Text = Field(
        default="github-token", description="secret of Secrets Manager, in the tooling account, that holds the token"
    )
    poll: Flag = Field(default=True, description="CodePipeline asks for changes; off: a webhook with a random secret")


class CodeCommitSource(Model):
    """A repository of CodeCommit in the tooling account."""

    type: Literal["codecommit"] = Field(description="`codecommit`")
    repository: Annotated[str, pattern(r"[\w.-]{1,100}", "CodeCommit repository")] = Field(description="its name")
    branch: Text = Field(default="main", description="the branch that is delivered")


class S3Source(Model):
    """A zip file in a versioned bucket of the tooling account."""

    type: Literal["s3"] = Field(description="`s3`")
    bucket: Annotated[str, pattern("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "bucket")] = Field(description="the bucket")
    key: Text = Field(description="key of the zip file")
    poll: Flag = Field(default=False, description="CodePipeline asks for changes; off: the bucket's events start it")


SOURCES = ("connection", "github-token", "codecommit", "s3")
Source = Annotated[ConnectionSource | GitHubTokenSource | CodeCommitSource | S3Source, Field(discriminator="type")]


def _typed(value: Any) -> Any:
    """A source without a type is a connection."""
    if not isinstance(value, Mapping):
        raise BadValueError(f"{value!r} is no mapping", "name `connection` and `repository`")
    kind = value.get("type", "connection")
    if kind not in SOURCES:
        raise BadValueError(f"there is no source of type {kind!r}", f"the types are {', '.join(SOURCES)}")
    return {**value, "type": kind}


class Trigger(Model):
    """Pushes that start the pipeline. CodePipeline takes tags in a trigger of their own."""

    branches: Texts = Field(default=(), description="patterns of branches, as in release/*")
    exclude_branches: Texts = Field(default=(), description="but not these")
    paths: Texts = Field(default=(), description="patterns of files, as in amplify-export-*/**")
    exclude_paths: Texts = Field(default=(), description="but not if only these changed")
    tags: Texts = Field(default=(), description="patterns of tags, as in v*")
    exclude_tags: Texts = Field(default=(), description="but not these")

    @model_validator(mode="after")
    def _something(self) -> Trigger:
        others = (*self.branches, *self.exclude_branches, *self.paths, *self.exclude_paths)
        if not (others or self.tags or self.exclude_tags):
            raise BadValueError("a trigger without a filter", "name `branches`, `paths` or `tags`")
        if others and (self.tags or self.exclude_tags):
            raise BadValueError("a trigger with tags and with branches or paths", "make two triggers of it")
        return self


# --- stages ----------------------------------------------------------------------------------------------------------


class Step(Model):
    """Commands that run in the environment's account, before the plan or after the deployment."""

    name: Annotated[str, pattern("[A-Za-z][A-Za-z0-9_-]{0,39}", "name: up to 40 letters, digits, - and _")] = Field(
        description="its name in the pipeline"
    )
    commands: Texts = Field(min_length=1, description="commands, run in one `sh -eu` that stops at the first failure")
    env: Variables = Field(default_factory=dict, description="environment variables")
    env_from_outputs: Variables = Field(
        default_factory=dict,
        description="environment variable -> output of the environment's stack, as in `ENDPOINT_URL: helloUrl`; "
        "for an output of a nested stack `outputs.apimyapp.GraphQLAPIIdOutput`",
    )
    timeout: Minutes = Field(default=30, description="then it is ended, and has failed")
    rights: Annotated[tuple[Right, ...], List] = Field(
        default=(),
        description="what its commands may do in the account; given by the account's stack, so deploy that anew",
    )

    @model_validator(mode="after")
    def _sensible(self) -> Step:
        if self.name.lower() in ("plan", "deploy", "bake"):
            raise BadValueError(f"a step cannot be called {self.name}: the pipeline has an action of that name")
        if not 1 <= self.timeout <= MAX_STEP_MINUTES - 15:
            raise BadValueError(f"a timeout of {self.timeout} minutes", "a step takes 1m to 35h")
        both = sorted(set(self.env) & set(self.env_from_outputs))
        if both:
            raise BadValueError(f"{both[0]} stands in `env` and in `envFromOutputs`", "take one of them away")
        return self


class Approval(Model):
    """Somebody agrees to what Plan found before anything of the stage is deployed. `true` takes the defaults."""

    comment: Annotated[str, pattern("(?s).{1,400}", "comment: up to 400 characters")] | None = Field(
        default=None, description="what the approver reads, before the numbers of changes"
    )
    timeout: Minutes = Field(default=24 * 60, description="then it counts as rejected. Until then nothing else passes")
    notification: TopicArn | None = Field(
        default=None, description="SNS topic that is told. Default: that of `notifications`, if there is one"
    )
    review_url: Annotated[str, pattern("https?://.+", "address, such as https://example.com/releases")] | None = Field(
        default=None, description="address that is shown with it"
    )
    skip_unchanged: Flag = Field(
        default=False,
        description="do not ask where Plan counts no changes. Its cost: the number comes from the program that is to "
        "be approved, so whoever can change that program decides whether anybody is asked",
    )

    @model_validator(mode="after")
    def _in_range(self) -> Approval:
        if not 5 <= self.timeout <= 86_400:
            raise BadValueError(f"a timeout of {self.timeout} minutes", "CodePipeline takes 5m to 60d")
        return self


def _approval(value: Any) -> Any:
    if isinstance(value, (bool, str)):
        return {} if boolean(value) else None
    return value


def _or_a_flag(schema: dict[str, Any]) -> None:
    schema["anyOf"] += FLAG_SCHEMAS


class Bake(Model):
    """Time after the last step in which something may still go wrong."""

    time: Minutes = Field(description="how long; at most 7h")
    alarm: Text | None = Field(
        default=None, description="CloudWatch alarm in the environment's account; if it rings, the stage has failed"
    )

    @model_validator(mode="after")
    def _in_range(self) -> Bake:
        if not 1 <= self.time <= 420:
            raise BadValueError(f"a bake time of {self.time} minutes", "it is 1m to 7h")
        return self


class Stage(Model):
    """Environments that are planned together, approved together and deployed in parallel: a wave."""

    name: Annotated[str, pattern("[A-Za-z][A-Za-z0-9_]{0,79}", "name: letters, digits and _")] = Field(
        description="its name in the pipeline"
    )
    environments: Annotated[tuple[EnvironmentName, ...], List] = Field(
        min_length=1, description="environments, by their stack files. Default: the stage's name in lower case"
    )
    pre: Annotated[tuple[Step, ...], List] = Field(default=(), description="steps before the plan")
    post: Annotated[tuple[Step, ...], List] = Field(default=(), description="steps after the deployment")
    approval: Annotated[Approval | None, BeforeValidator(_approval)] = Field(
        default=None,
        description="somebody has to agree; `true`, or its settings",
        json_schema_extra=_or_a_flag,
    )
    approval_before_plan: Annotated[Approval | None, BeforeValidator(_approval)] = Field(
        default=None,
        description="somebody has to agree, too, before anything of the artifact runs for this stage: plan and `pre` "
        "steps run its code in the environment's account, the plan with the key of the engine's state "
        "(docs/trust.md); `true`, or its settings",
        json_schema_extra=_or_a_flag,
    )
    bake: Bake | None = Field(default=None, description="time to wait after the last step")
    on_failure: Literal["none", "rollback", "retry"] = Field(
        default="none",
        description="what CodePipeline does by itself when deployment, a step or the bake time fails: go back to the "
        "last good execution, or try the failed actions once more",
    )

    @model_validator(mode="before")
    @classmethod
    def _default_environment(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and isinstance(value.get("name"), str) and "environments" not in value:
            return {**value, "environments": [value["name"].lower()]}
        return value

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.pre, *self.post)

    @model_validator(mode="after")
    def _skips_what_can_be(self) -> Stage:
        if self.approval and self.approval.skip_unchanged and len(self.environments) > 1:
            raise BadValueError(
                "the approval of several environments cannot be skipped: CodePipeline's rule looks at one number",
                "take `skipUnchanged` away, or make a stage of each environment",
            )
        if self.approval_before_plan and self.approval_before_plan.skip_unchanged:
            raise BadValueError(
                "`approvalBeforePlan` cannot be skipped: nothing is counted yet", "take its `skipUnchanged` away"
            )
        return self

    @model_validator(mode="after")
    def _steps_differ(self) -> Stage:
        names = [step.name.lower() for step in self.steps]
        for name in names:
            if names.count(name) > 1:
                raise BadValueError(f"two steps are called {name}", "a step is called by its name: rename one")
        return self


# --- the rest --------------------------------------------------------------------------------------------------------


class Engine(Model):
    """The Pulumi engine's archive, for images that do not hold it."""

    url: Annotated[str, pattern("https://.+[.]tar[.]gz", "address of a .tar.gz file")] = Field(
        description="address of the release's linux-x64 archive"
    )
    sha256: Annotated[str, pattern("[0-9a-f]{64}", "SHA-256 in hexadecimal")] = Field(
        description="its SHA-256; another archive is not unpacked"
    )


class Build(Compute):
    """The Build stage: installs what is locked by hash, runs your commands, checks and assembles the export.

    `commands` and `env` are read from the commit that is built. The other keys belong to the projects of Build and
    UpdatePipeline: a change of them counts from the next execution on.
    """

    commands: Texts = Field(
        default=(),
        description="commands before the export is checked, such as tests, run in one `sh -eu` that stops at the first "
        "failure",
    )
    env: Variables = Field(
        default_factory=dict,
        description="environment variables of the commands, in plain text (docs/commands.md says where secrets belong)",
    )
    privileged: Flag = Field(default=False, description="let Build use Docker")


class Notifications(Model):
    """Who hears of each execution's end, and of approvals."""

    emails: Annotated[tuple[Annotated[str, pattern(r"[^@\s]+@[^@\s]+\.[^@\s]+", "e-mail address")], ...], List] = Field(
        default=(), description="addresses that are subscribed to the pipeline's own topic; each confirms once"
    )


_FIELD = r"[0-9A-Za-z*?,/#-]+"


class PipelineConfig(Model):
    """A stack that makes a pipeline in the tooling account: `Pulumi.pipeline.yaml`. Its name is the pipeline's.

    Environments are named here; account and region of each stand in its own stack file.
    """

    program: Literal["pipeline"] = Field(description="`pipeline`")
    account: Account = Field(description="the tooling account, 12 digits, in quotes")
    region: Region = Field(description="the pipeline's region, as in eu-west-1")
    profile: Text | None = Field(default=None, description="profile of the AWS configuration")
    role_arn: RoleArn | None = Field(default=None, description="role of the account to assume")
    source: Annotated[Source, BeforeValidator(_typed)] = Field(description="where the commits come from")
    triggers: Annotated[tuple[Trigger, ...], List] = Field(
        default=(),
        max_length=3,
        description="pushes that start the pipeline, for connections. Default: each to the branch",
    )
    stages: Annotated[tuple[Stage, ...], List] = Field(min_length=1, description="the stages, in their order")
    build: Build = Field(default_factory=Build, description="the Build stage, and where it and UpdatePipeline run")
    engine: Engine | None = Field(
        default=None, description="where all projects get Pulumi from. Default: it is in the image"
    )
    schedule: (
        Annotated[
            str,
            pattern(
                rf"rate\([0-9]+ (minutes?|hours?|days?)\)|cron\({_FIELD}( {_FIELD}){{5}}\)",
                "schedule, such as cron(0 6 ? * MON-FRI *) or rate(1 day)",
            ),
        ]
        | None
    ) = Field(default=None, description="start it also at these times, UTC, as in `cron(0 6 ? * MON-FRI *)`")
    notifications: Notifications | None = Field(default=None, description="who is told")
    tags: Tags = Field(default_factory=dict, description="tags of everything that this stack makes")
    artifact_regions: Annotated[tuple[Region, ...], List] = Field(
        default=(),
        description="regions whose artifact bucket and key stay although no environment lies there any more, until "
        "`delivery destroy` removes them",
    )
    protect: Flag = Field(default=True, description="refuse to destroy the artifact buckets and their keys")

    @model_validator(mode="after")
    def _together(self) -> PipelineConfig:
        if self.triggers and not isinstance(self.source, ConnectionSource):
            raise BadValueError("triggers exist for connections only", "take them away, or use a connection")
        seen: set[str] = set()
        names = [stage.name for stage in self.stages]
        for name in names:
            if names.count(name) > 1:
                raise BadValueError(f"two stages are called {name}", "rename one")
        for stage in self.stages:
            for environment in stage.environments:
                if environment in seen:
                    raise BadValueError(f"environment {environment} stands in two places", "it belongs to one stage")
                seen.add(environment)
        return self

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments, in the order of their stages."""
        return tuple(name for stage in self.stages for name in stage.environments)

    def stage_of(self, environment: str) -> Stage | None:
        """The stage that deploys `environment`."""
        return next((stage for stage in self.stages if environment in stage.environments), None)

    def steps_of(self, environment: str) -> Iterator[Step]:
        """The steps of `environment`; their names differ."""
        stage = self.stage_of(environment)
        return iter(stage.steps if stage else ())
