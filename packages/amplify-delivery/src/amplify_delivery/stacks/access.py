"""From an account's stack file, its environments' and the pipeline's to what each environment's roles may do.

Without Pulumi: `amplify-delivery rights` asks here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amplify_delivery.components.backend.contents import pages
from amplify_delivery.components.documents.environment import IMAGES, BuildEnvironment, EnvironmentAccess
from amplify_delivery.components.documents.fields import Compute, Right
from amplify_delivery.components.documents.naming import CHECK, DEPLOY, PLAN, PUBLISH, EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.pipeline.buildspecs import EngineDownload
from amplify_delivery.components.documents.pipeline.stage_models import Stage
from amplify_delivery.components.documents.rights.serverless import types_of
from amplify_delivery.components.documents.statements import Network, allow
from amplify_delivery.components.documents.web_identity import WebIdentity, github, gitlab
from amplify_delivery.components.names import staging_bucket_name
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, render_root
from amplify_delivery.export.documents import parse_json
from amplify_delivery.stacks.config import AccountConfig, EnvironmentConfig, PipelineConfig, Project
from amplify_delivery.stacks.config.account import StepNetwork
from amplify_delivery.stacks.config.pipeline import Engine
from amplify_delivery.stacks.inputs import environment_values, read_without_secrets

_MARGIN_MINUTES = 15
"""What a build needs around a step: to install, to verify, to report."""


def environment_names(app: str, environment: EnvironmentConfig) -> EnvironmentNames:
    """The names of an environment in its account."""
    return EnvironmentNames(
        app, environment.account, environment.region, environment.environment, former=environment.enrolled
    )


def staging_bucket(app: str, environment: EnvironmentConfig) -> str:
    """Name of an environment's staging bucket, whether its account makes it or its own program.

    Of `environment_names` it is not asked: they refuse a name that no environment may have, and `render_root`, which
    wants this, says better what is wrong with it.
    """
    return staging_bucket_name(app, environment.environment, environment.account, environment.region)


def pipeline_names(app: str, name: str, pipeline: PipelineConfig) -> PipelineNames:
    """The names of a pipeline in the tooling account; its own name is its stack's."""
    return PipelineNames(app, pipeline.account, pipeline.region, name)


def bootstrapped_environment(project: Project, name: str) -> EnvironmentConfig:
    """An environment that a pipeline delivers. Raises `ConfigError` unless its account's stack makes its place."""
    environment = project.environment(name)
    if not environment.bootstrapped:
        raise ConfigError(
            f"the environment {name} is not bootstrapped: it makes its own staging area, under the name that the "
            "account's stack gives to the pipeline's",
            where=str(project.file(name)),
            remedy=f"set `bootstrapped: true` there and run `pulumi up -s {name}-account`",
        )
    return environment


def account_environments(project: Project, config: AccountConfig, where: str) -> tuple[EnvironmentConfig, ...]:
    """The environments of an account's stack. Raises `ConfigError` unless all are of one account, and bootstrapped."""
    found = tuple(bootstrapped_environment(project, name) for name in config.environments)
    accounts = {environment.account for environment in found}
    if len(accounts) > 1:
        raise ConfigError(
            f"environments of several accounts: {', '.join(sorted(accounts))}",
            where=where,
            remedy="make a stack for each account",
        )
    return found


def environment_access(
    project: Project,
    app: str,
    config: AccountConfig,
    environment: EnvironmentConfig,
    assembly: Assembly | None = None,
    *,
    types: frozenset[str] | None = None,
) -> EnvironmentAccess:
    """What `environment` needs in its account, as the files say. Raises `ConfigError`.

    The types that its backend is made of are those of `assembly`, by default of the configured export; `types` are
    they, if they are known.
    """
    pipeline = let_in(project, config)
    name = environment.environment
    stage = pipeline.stage_of(name) if pipeline else None
    if pipeline and stage is None:
        raise ConfigError(
            f"the pipeline does not deliver the environment {name!r}",
            where=str(project.file(config.pipeline)),
            remedy="name it in a stage, or name its own pipeline with `pipeline` in the account's file",
        )
    return access_of(
        config,
        environment,
        assembly or read_without_secrets(environment, project.directory, app),
        project.directory,
        pipeline=pipeline_names(app, config.pipeline, pipeline) if pipeline else None,
        stage=stage,
        neighbours=neighbours(project, app, environment),
        types=types,
    )


def access_of(
    config: AccountConfig,
    environment: EnvironmentConfig,
    assembly: Assembly,
    directory: Path,
    *,
    pipeline: PipelineNames | None,
    stage: Stage | None,
    neighbours: tuple[EnvironmentNames, ...],
    types: frozenset[str] | None = None,
) -> EnvironmentAccess:
    """What `environment` needs in its account, whoever says so: stack files, or the arguments of a component.

    `stage` is the one of the pipeline that deploys it; `directory` is where a second export lies. Raises `ConfigError`.
    """
    app = assembly.project
    names = environment_names(app, environment)
    values = environment_values(environment, directory, datetime.now(UTC), app)
    # The account comes first, then the key that encrypts secrets, then these: no right hangs on one. Nor on the tags
    # that the environment sets: a changed one would be refused until the account is bootstrapped again.
    supplied = replace(values, secrets=values.secrets | _secrets_of(assembly), tags={})
    root = render_root(assembly, supplied, names.staging_bucket)
    own = stage.steps if stage else ()
    steps = [step.timeout + _MARGIN_MINUTES for step in own]
    if stage and stage.bake:
        steps.append(stage.bake.time + _MARGIN_MINUTES)
    return EnvironmentAccess(
        names=names,
        pipeline=pipeline,
        ci=web_identity(config, names),
        stack_name=root.stack_name,
        resource_types=(types or resource_types(assembly)) | frozenset(config.backend_types),
        program_types=frozenset(config.program_types),
        deploy_statements=tuple(_statements("Deploy", config.deploy_rights)),
        deploy_managed_policies=config.deploy_policies,
        check_statements=tuple(s for step in own for s in _statements(f"Step{_word(step.name)}", step.rights)),
        page_buckets=frozenset(pages(assembly, root.stack_name)),
        boundary_services=config.boundary_services,
        allowed_overrides=config.allowed_overrides,
        neighbours=neighbours,
        own_boundary=config.roles_boundary,
        images=config.images or bool(environment.container_images or assembly.images),
        staging_key=config.staging_key,
        tags=root.tags,
        check_source_arn=config.trust_source_arn,
        build=build_environment(config.build),
        step_network=_network(config.step_network),
        timeouts={
            PUBLISH: config.timeouts.publish,
            PLAN: config.timeouts.plan,
            DEPLOY: config.timeouts.deploy,
            CHECK: max([config.timeouts.check, *steps]),
        },
    )


def check_arns(config: AccountConfig, environment: EnvironmentConfig, where: str) -> None:
    """Raise `ConfigError` for a role or policy of another account than the environments'."""
    arns = {"roleArn": config.role_arn, "rolesBoundary": config.roles_boundary}
    arns |= {f"deployPolicies.{number}": arn for number, arn in enumerate(config.deploy_policies)}
    for key, arn in arns.items():
        if arn and arn.split(":")[4] not in (environment.account, "aws"):
            raise ConfigError(
                f"{key} is of account {arn.split(':')[4]}, but {environment.environment} lies in {environment.account}",
                where=where,
                remedy="name the one of that account",
            )


def let_in(project: Project, config: AccountConfig) -> PipelineConfig | None:
    """The pipeline that an account lets in; None where only a CI comes in: then it needs no stack file. Raises
    `ConfigError`."""
    if config.ci and not project.file(config.pipeline).is_file():
        return None
    return project.pipeline(config.pipeline)


def engine_of(project: Project, config: AccountConfig) -> EngineDownload | None:
    """Where an account's projects get Pulumi from: its own file's, else its pipeline's. Raises `ConfigError`."""
    pipeline = let_in(project, config)
    return engine_download(config.engine or (pipeline.engine if pipeline else None))


def web_identity(config: AccountConfig, names: EnvironmentNames) -> WebIdentity | None:
    """The jobs of a CI that an account lets in for an environment."""
    if config.github:
        ours = config.github
        return github(names, ours.repository, ours.ids, ours.branch, ours.workflow)
    if config.gitlab:
        return gitlab(config.gitlab.host, config.gitlab.subjects(names.environment))
    return None


def neighbours(project: Project, app: str, environment: EnvironmentConfig) -> tuple[EnvironmentNames, ...]:
    """The other environments that the project's files name in the account of `environment`. Raises `ConfigError`."""
    found = []
    for stack in project.backends_in((environment.account,)):
        other = project.at(stack)
        if other.environment != environment.environment:
            found.append(environment_names(app, other))
    return tuple(sorted(found, key=lambda names: names.environment))


def declared_types(project: Project, environment: EnvironmentConfig) -> tuple[frozenset[str], frozenset[str]]:
    """The types that the accounts' files name beside the export's: of the backend, and of what the team's program adds.
    Raises `ConfigError`."""
    backend, program = frozenset[str](), frozenset[str]()
    for stack in project.stacks("account"):
        account = project.account(stack)
        if environment.environment in account.environments:
            backend |= set(account.backend_types)
            program |= set(account.program_types)
    return backend, program


def _secrets_of(assembly: Assembly) -> frozenset[tuple[str, str]]:
    nested = assembly.root.nested.items()
    return frozenset((name, p) for name, stack in nested for p, v in stack.parameters.items() if v.source == "secret")


def resource_types(assembly: Assembly) -> frozenset[str]:
    """The CloudFormation types of everything in an assembly's templates."""
    templates = [assembly.root_template]
    templates += [parse_json(assembly.read(item.key)) for item in assembly.objects if item.kind == "template"]
    return frozenset(_types(templates))


def build_environment(config: Compute, *, privileged: bool = False) -> BuildEnvironment:
    """Where CodeBuild runs, as a stack file says it."""
    image = config.image or IMAGES[config.architecture]
    return BuildEnvironment(image, config.compute_type, privileged, config.architecture)


def _network(config: StepNetwork | None) -> Network | None:
    return Network(config.vpc, config.subnets, config.security_groups) if config else None


def engine_download(engine: Engine | None) -> EngineDownload | None:
    """Where the projects get Pulumi from; None where their image holds it."""
    return EngineDownload(engine.url, engine.sha256) if engine else None


def _types(templates: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for template in templates:
        for resource in (template.get("Resources") or {}).values():
            yield from types_of(resource)


def _statements(sid: str, rights: Iterable[Right]) -> Iterable[dict[str, Any]]:
    for number, right in enumerate(rights, start=1):
        yield allow(f"{sid}{number}", right.actions, right.resources)


def _word(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", "_").split("_"))
