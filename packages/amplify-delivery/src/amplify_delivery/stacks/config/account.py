"""The configuration of an account's stack: which environments it lets which pipeline in for, and with which rights."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from amplify_delivery.components.documents.account.action_role import DENIED_OVERRIDES
from amplify_delivery.components.documents.fields import (
    BadValueError,
    Compute,
    EnvironmentName,
    Flag,
    List,
    Minutes,
    Model,
    PolicyArn,
    ResourceTypes,
    Right,
    RoleArn,
    Tags,
    Text,
    pattern,
)
from amplify_delivery.stacks.config.ci import GitHub, GitLab
from amplify_delivery.stacks.config.pipeline import Engine

PipelineName = Annotated[
    str, pattern("[a-z][a-z0-9-]{0,29}", "pipeline, which has up to 30 lower-case letters, digits and hyphens")
]
Service = Annotated[str, pattern("[a-z][a-z0-9-]*", "prefix of IAM actions, such as bedrock")]


def _override(value: Any) -> str:
    text = str(value)
    if text not in DENIED_OVERRIDES:
        close = difflib.get_close_matches(text, DENIED_OVERRIDES, n=1, cutoff=0.5)
        guess = f", did you mean {close[0]!r}?" if close else ""
        raise BadValueError(
            f"{text!r} is not an override that is denied{guess}", f"one of {', '.join(DENIED_OVERRIDES)}"
        )
    return text


Override = Annotated[str, BeforeValidator(_override)]


class Timeouts(Model):
    """How long a build of each project may take."""

    publish: Minutes = Field(default=60, description="bringing an assembly to the staging bucket")
    plan: Minutes = Field(
        default=60, description="finding out what would change, after the deployment that may be going on"
    )
    deploy: Minutes = Field(default=240, description="deploying")
    check: Minutes = Field(default=60, description="a step; raised to the longest of the pipeline's steps")

    @model_validator(mode="after")
    def _in_range(self) -> Timeouts:
        for project in ("publish", "plan", "deploy", "check"):
            minutes = getattr(self, project)
            if not 5 <= minutes <= 2160:
                raise BadValueError(f"{project} may take {minutes} minutes", "a build of CodeBuild takes 5m to 36h")
        return self


class StepNetwork(Model):
    """A VPC of the account in which the steps run. It needs a way to AWS's endpoints and to the sources of what is
    installed: a NAT gateway, or VPC endpoints."""

    vpc: Annotated[str, pattern("vpc-[0-9a-f]+", "VPC, such as vpc-0123456789abcdef0")] = Field(description="the VPC")
    subnets: Annotated[tuple[Annotated[str, pattern("subnet-[0-9a-f]+", "subnet, such as subnet-0123")], ...], List] = (
        Field(min_length=1, max_length=16, description="private subnets of it")
    )
    security_groups: Annotated[
        tuple[Annotated[str, pattern("sg-[0-9a-f]+", "security group, such as sg-0123")], ...], List
    ] = Field(min_length=1, max_length=5, description="security groups of it")


class AccountConfig(Model):
    """A stack that lets a pipeline into an account, made once by its administrator: `Pulumi.prod-account.yaml`.

    Account and region are those of the environments, in their own stack files.
    """

    program: Literal["account"] = Field(description="`account`")
    environments: Annotated[tuple[EnvironmentName, ...], List] = Field(
        min_length=1,
        description="environments of this one account, by their stack files. Default: the Pulumi stack's name without "
        "`-account`",
    )
    pipeline: PipelineName = Field(
        default="pipeline", description="stack of the one pipeline that may come in, by its stack file"
    )
    github: GitHub | None = Field(
        default=None,
        description="jobs of GitHub Actions that may come in (docs/ci.md), beside the pipeline, or in its place where "
        "that has no stack file",
    )
    gitlab: GitLab | None = Field(default=None, description="the same of GitLab CI; one of the two")
    engine: Engine | None = Field(
        default=None, description="the Pulumi engine for images that do not hold it. Default: the pipeline's"
    )
    profile: Text | None = Field(default=None, description="profile of the AWS configuration, of an administrator")
    role_arn: RoleArn | None = Field(default=None, description="role of the account to assume, of an administrator")
    program_types: ResourceTypes = Field(
        default=(),
        description="CloudFormation types of what the program (components/stage.py) adds beside the backend: `deploy` "
        "may make these; `plan` says which are missing",
    )
    backend_types: ResourceTypes = Field(
        default=(),
        description="CloudFormation types that the backend may be made of beside those of the export: of what is still "
        "deployed and the export no longer has, until it is removed",
    )
    deploy_rights: Annotated[tuple[Right, ...], List] = Field(default=(), description="further rights of `deploy`")
    deploy_policies: Annotated[tuple[PolicyArn, ...], List] = Field(
        default=(), description="ARNs of managed policies for `deploy`; no administrator's"
    )
    boundary_services: Annotated[tuple[Service, ...], List] = Field(
        default=(),
        description="AWS services, by the prefix of their IAM actions (`bedrock`, `iot`), that roles of the backend "
        "and of the program may use beside those that Amplify's own categories use; `plan` says which are missing",
    )
    allowed_overrides: Annotated[tuple[Override, ...], List] = Field(
        default=(),
        description="overrides of StartBuild that the action role no longer denies, for the case that CodePipeline "
        "sends one (docs/pipeline.md tells when, docs/trust.md what each opens)",
    )
    roles_boundary: PolicyArn | None = Field(
        default=None, description="permissions boundary of your organization, put on all roles that this stack makes"
    )
    images: Flag = Field(
        default=False, description="the app has container images of its own: an ECR repository, Docker in `publish`"
    )
    staging_key: Flag = Field(
        default=False, description="encrypt the staging bucket with a KMS key of its own, which costs a monthly fee"
    )
    trust_source_arn: Flag = Field(
        default=True, description="CodeBuild may use a role for its one project only; off: for any of the account"
    )
    build: Compute = Field(default_factory=Compute, description="where the four projects run")
    step_network: StepNetwork | None = Field(
        default=None, description="VPC in which the steps run, of the environments' region. Default: in none"
    )
    timeouts: Timeouts = Field(default_factory=Timeouts, description="how long their builds may take")
    tags: Tags = Field(default_factory=dict, description="tags of everything that this stack makes")
    protect: Flag = Field(
        default=True, description="refuse to destroy what holds data: staging area, state bucket and its key"
    )

    @model_validator(mode="after")
    def _one_ci(self) -> AccountConfig:
        if self.github and self.gitlab:
            raise BadValueError("github and gitlab do not go together", "one CI delivers an environment")
        return self

    @property
    def ci(self) -> bool:
        """Whether a CI's jobs may come in."""
        return bool(self.github or self.gitlab)
