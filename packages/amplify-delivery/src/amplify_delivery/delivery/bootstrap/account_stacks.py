"""Which stacks let a pipeline into accounts, as the project's files say; nobody is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.delivery.teardown import removal
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks import collisions
from amplify_delivery.stacks.access import (
    account_environments,
    check_arns,
    engine_of,
    environment_names,
    let_in,
)
from amplify_delivery.stacks.account_template import AccountTemplate, account_template
from amplify_delivery.stacks.assemblies import Assemblies, accesses
from amplify_delivery.stacks.config import AccountConfig, EnvironmentConfig, Project
from amplify_delivery.stacks.config.absent import expect_project


@dataclass(frozen=True)
class AccountStack:
    """An account's stack and the environments that it makes a place for."""

    name: str
    config: AccountConfig
    environments: tuple[EnvironmentConfig, ...]


def account_stacks(project: Project, environments: Iterable[str]) -> tuple[AccountStack, ...]:
    """The account stacks of `environments`, each once, in that order. Raises `ConfigError` unless all files fit."""
    project = project.once()
    accounts = project.accounts()
    found = dict.fromkeys(_stack_of(project, name, [s for s, _ in accounts.get(name, ())]) for name in environments)
    stacks = tuple(_checked(project, stack) for stack in found)
    named = {e.environment: environment_names(project.app, e) for stack in stacks for e in stack.environments}
    collisions.check(project, project.app, named)
    return stacks


def every_environment(project: Project) -> list[str]:
    """The environments that the account stacks of a project name. Raises `ConfigError` if there is none."""
    expect_project(project.directory)
    found = list(project.accounts())
    if not found:
        raise ConfigError(
            "no stack file has `program: account`: there is no account to let a pipeline into",
            where=str(project.directory),
            remedy="make Pulumi.ENV-account.yaml for each environment (docs/configuration.md)",
        )
    return found


def check_places(project: Project, stack: str, config: AccountConfig, resources: Iterable[Mapping[str, Any]]) -> None:
    """Raise `ConfigError` if an account's file does not name an environment any more that the stack has made a place
    for."""
    ending = (
        f". To remove one, destroy it first (`amplify-delivery destroy {{0}}`); then, with `protect: false` here, "
        f"`pulumi up -s {stack}` shows what goes with it"
    )
    removal.check_all_named(resources, config.environments, str(project.file(stack)), ending=ending)


def template(project: Project, stacks: Sequence[AccountStack]) -> AccountTemplate:
    """What these stacks make, as one CloudFormation template, and its parameters for each environment. Asks nobody.
    Raises `ConfigError` where one template cannot be for all."""
    project = project.once()
    assemblies = Assemblies(project)
    found: dict[str, EnvironmentAccess] = {}
    engines = set()
    for stack in stacks:
        found |= accesses(project, stack.config, stack.environments, assemblies)
        engines.add(engine_of(project, stack.config))
    if len(engines) > 1:
        raise ConfigError(
            "the pipelines of these environments get their engine from different places",
            where=str(project.directory),
            remedy="make a template for the environments of each pipeline",
        )
    return account_template(found, engines.pop())


def _stack_of(project: Project, environment: str, found: Sequence[str]) -> str:
    """The account stack that makes a place for `environment`, of those that name it."""
    project.environment(environment)
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(
            f"several accounts' stacks name {environment}: {', '.join(found)}",
            where=str(project.directory),
            remedy=f"take {environment} out of `environments` of all but one",
        )
    raise ConfigError(
        f"no account's stack names {environment}",
        where=str(project.file(f"{environment}-account")),
        remedy="make the file, with `program: account` (docs/configuration.md)",
    )


def _checked(project: Project, stack: str) -> AccountStack:
    config = project.account(stack)
    where = str(project.file(stack))
    environments = account_environments(project, config, where)
    check_arns(config, environments[0], where)
    pipeline = let_in(project, config)
    for environment in environments:
        if pipeline and environment.environment not in pipeline.environments:
            raise ConfigError(
                f"the pipeline does not deliver the environment {environment.environment!r}",
                where=str(project.file(config.pipeline)),
                remedy="name it in a stage, or its own pipeline with `pipeline` in the account's file",
            )
    return AccountStack(stack, config, environments)
