"""`TargetAccount` for other languages: what the program of an account declares for one environment.

No `from __future__ import annotations` here: the SDK makes the schema of the types themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pulumi
from pydantic import Field

from amplify_delivery.components import lost_state, target_account
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.fields import Account, EnvironmentName, List, Model, Region, Texts
from amplify_delivery.components.documents.naming import APP_TAG, EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.pipeline.stage_models import Stage
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.components.providers import Access, aws_native_provider, aws_provider
from amplify_delivery.components.remembered import unchanged
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks import collisions
from amplify_delivery.stacks.access import access_of, check_arns, engine_download, environment_names
from amplify_delivery.stacks.config import AccountConfig, EnvironmentConfig
from amplify_delivery.stacks.config.account import PipelineName
from amplify_delivery.stacks.inputs import is_adopting
from amplify_delivery.stacks.packaged.arguments import TargetAccountArgs
from amplify_delivery.stacks.packaged.inputs import PROGRAMS_FOLDER, assembly_of, chosen, validated

TYPE = "amplify-delivery:index:TargetAccount"

OF_ENVIRONMENT = (
    *("account", "region", "environment", "export", "assembly", "valuesFrom", "suffix", "parameters"),
    *("keptLiterals", "containerImages"),
)
"""The keys of an environment's stack file that count for its account."""
OF_ACCOUNT = tuple(
    key for key in AccountConfig.written_names() if key not in ("program", "environments", "pipeline")
)  # fmt: skip


class LetIn(Model):
    """The one pipeline that may come in."""

    name: PipelineName = Field(description="its name, as `DeliveryPipeline` or its stack file has it")
    account: Account = Field(description="the tooling account, 12 digits, in quotes")
    region: Region = Field(description="the pipeline's region")


class Neighbour(Model):
    """Another environment of the app in the same account."""

    environment: EnvironmentName = Field(description="its name")
    region: Region | None = Field(default=None, description="its region. Default: the same")


class Own(Model):
    """What the files of a project say by being there, and by their names."""

    environment: EnvironmentName
    pipeline: LetIn | None = None
    stage: Stage | None = None
    neighbours: Annotated[tuple[Neighbour, ...], List] = ()
    secret_names: Mapping[str, Texts] = Field(default_factory=dict)


@dataclass(frozen=True)
class Described:
    """A target account, as its component's arguments describe it."""

    environment: EnvironmentConfig
    config: AccountConfig
    access: EnvironmentAccess


class TargetAccount(pulumi.ComponentResource):
    """One environment's place in a target account, as `amplify-delivery bootstrap` makes it: staging area, state bucket
    and key, the role that CloudFormation uses, a permissions boundary, four CodeBuild projects with their roles, and
    the one role that the pipeline may assume."""

    staging_bucket: pulumi.Output[str]
    """Name of the bucket that the environment's objects are published to."""
    state_bucket: pulumi.Output[str]
    """Name of the bucket that the engine's state of the environment lies in."""
    secrets_provider: pulumi.Output[str]
    """What the engine encrypts that state with, for `pulumi stack init --secrets-provider`."""
    action_role_arn: pulumi.Output[str | None]
    """ARN of the role that the pipeline assumes, if one comes in."""
    ci_roles: pulumi.Output[dict[str, str]]
    """ARNs of the roles that a CI's jobs assume, by `plan` and `deploy`; none where no CI comes in."""
    execution_role_arn: pulumi.Output[str]
    """ARN of the role that CloudFormation uses."""
    boundary_arn: pulumi.Output[str]
    """ARN of the permissions boundary of every role that the environment makes."""
    projects: pulumi.Output[dict[str, str]]
    """Names of the four projects, by `publish`, `plan`, `deploy` and `check`."""
    repository_url: pulumi.Output[str | None]
    """Address of the ECR repository, if the app has images."""
    version: pulumi.Output[str]
    """The bootstrap version, written last of all: what every command asks for first."""

    def __init__(self, name: str, args: TargetAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, {}, opts)
        with as_run_error():
            made = self._account(name, described(args, PROGRAMS_FOLDER, name))
        self.staging_bucket, self.state_bucket = made.staging_bucket, made.state_bucket
        self.secrets_provider, self.action_role_arn = made.secrets_provider, made.action_role_arn
        self.ci_roles = made.ci_roles.apply(dict)
        self.execution_role_arn, self.boundary_arn = made.execution_role_arn, made.boundary_arn
        self.projects = made.projects.apply(dict)
        self.repository_url, self.version = made.repository_url, made.version
        self.register_outputs(
            {
                "stagingBucket": self.staging_bucket,
                "stateBucket": self.state_bucket,
                "secretsProvider": self.secrets_provider,
                "actionRoleArn": self.action_role_arn,
                "ciRoles": self.ci_roles,
                "executionRoleArn": self.execution_role_arn,
                "boundaryArn": self.boundary_arn,
                "projects": self.projects,
                "repositoryUrl": self.repository_url,
                "version": self.version,
            }
        )

    def _account(self, name: str, given: Described) -> target_account.TargetAccount:
        """The component of ours."""
        config, names = given.config, given.access.names
        tags = {**config.tags, APP_TAG: names.app}
        access = Access(names.account, names.region, config.profile, config.role_arn, tags)
        first = lost_state.first_create(
            f"{name}-first-create",
            access,
            partial(lost_state.bootstrapped, names=names),
            held=lost_state.held_by("TargetAccount", name),
            adopting=is_adopting(),
            way_back=lost_state.OTHER_LANGUAGES,
        )
        place = unchanged(
            f"{name}-place",
            {"account": names.account, "region": names.region, "environment": names.environment},
            "put it back; another place is another component, with another name",
            pulumi.ResourceOptions.merge(first, pulumi.ResourceOptions(parent=self)),
        )
        # Elsewhere, nothing at all is planned.
        only_here = pulumi.ResourceOptions(parent=self, depends_on=place.apply(lambda _: []))
        return target_account.TargetAccount(
            name,
            target_account.TargetAccountArgs(given.access, engine_download(config.engine), protect=config.protect),
            pulumi.ResourceOptions(
                parent=self,
                providers=[
                    aws_provider(f"{name}-aws", access, only_here),
                    aws_native_provider(f"{name}-native", access, only_here),
                ],
            ),
        )


def described(args: Mapping[str, Any], directory: Path, name: str) -> Described:
    """What the arguments of the component `name` describe; a relative folder is in `directory`. Raises `ConfigError`,
    which names the component."""
    own = validated(Own, chosen(args, Own.written_names()), name)
    secrets = frozenset((nested, key) for nested, keys in own.secret_names.items() for key in keys)
    environment = validated(
        EnvironmentConfig, {**chosen(args, OF_ENVIRONMENT), "bootstrapped": True, "secretNames": secrets}, name
    )
    config = validated(
        AccountConfig,
        {**chosen(args, OF_ACCOUNT), "program": "account", "environments": [environment.environment]},
        name,
    )
    check_arns(config, environment, name)
    _check_visitor(own, config, name)
    assembly = assembly_of(environment, directory)
    pipeline = _pipeline(own, assembly.project)
    if own.pipeline and pipeline and pipeline.account == environment.account:
        names = environment_names(assembly.project, environment)
        collisions.check_two((own.environment, names), (own.pipeline.name, pipeline), name)
    neighbours = _neighbours(own, environment, assembly.project, name)
    access = access_of(
        config, environment, assembly, directory, pipeline=pipeline, stage=own.stage, neighbours=neighbours
    )
    return Described(environment, config, access)


def _pipeline(own: Own, app: str) -> PipelineNames | None:
    let_in = own.pipeline
    return PipelineNames(app, let_in.account, let_in.region, let_in.name) if let_in else None


def _neighbours(own: Own, environment: EnvironmentConfig, app: str, name: str) -> tuple[EnvironmentNames, ...]:
    """In the order in which a project's files have them."""
    found = {n.environment: n.region or environment.region for n in own.neighbours}
    twice = len(found) < len(own.neighbours)
    if twice or own.environment in found:
        raise ConfigError(
            "`neighbours` has an environment twice" if twice else f"{own.environment} is not its own neighbour",
            where=name,
            remedy="name each other environment of the app in this account once",
        )
    return tuple(EnvironmentNames(app, environment.account, found[other], other) for other in sorted(found))


def _check_visitor(own: Own, config: AccountConfig, name: str) -> None:
    """Raise `ConfigError` unless somebody comes in, and the stage is one of the environment's."""
    stage = own.stage
    if not own.pipeline and not config.ci:
        raise ConfigError("it lets nobody in", where=name, remedy="pass `pipeline`, `github` or `gitlab`")
    if stage and not own.pipeline:
        raise ConfigError(
            "`stage` is one of a pipeline, and no pipeline comes in", where=name, remedy="pass `pipeline`"
        )
    if stage and own.environment not in stage.environments:
        raise ConfigError(
            f"the stage {stage.name} does not deploy the environment {own.environment!r}",
            where=name,
            remedy="pass the stage that does, or name the environment in its `environments`",
        )
