"""Letting the pipeline into accounts: which stacks that updates, what is checked before, and doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.account import build_quota, former_names
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import environment_state, secrets_provider
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.session import holding
from amplify_delivery.delivery.engine.waiting import Patience
from amplify_delivery.delivery.planning.program import changes_something
from amplify_delivery.delivery.reports.changes import told
from amplify_delivery.errors import ConfigError, midway
from amplify_delivery.stacks import collisions
from amplify_delivery.stacks.access import account_environments, environment_names
from amplify_delivery.stacks.config import AccountConfig, EnvironmentConfig, Project


@dataclass(frozen=True)
class AccountStack:
    """An account's stack and the environments that it makes a place for."""

    name: str
    config: AccountConfig
    environments: tuple[EnvironmentConfig, ...]


@dataclass(frozen=True)
class Bootstrapped:
    """What was done: changes by kind of each stack, and the environments whose Pulumi stack was made."""

    stacks: Mapping[str, Mapping[str, int]]
    initialised: list[str]
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        return {"stacks": self.stacks, "initialised": self.initialised, "notes": self.notes}


def bootstrap(stacks: Sequence[AccountStack], context: Context, said: Callable[[str], None]) -> Bootstrapped:
    """Update the stacks, one after the other, and make the Pulumi stack of each environment in its account. What was
    done is `said` at once: the next account may refuse. Raises `DeliveryError`s."""
    # All before the first is touched: credentials of another account end the command with nothing changed.
    accounts = {
        environment.environment: Account(
            environment.account, environment.region, stack.config.profile, stack.config.role_arn
        )
        for stack in stacks
        for environment in stack.environments
    }
    app, folder = context.project.app, context.folder.resolve()
    done: dict[str, Mapping[str, int]] = {}
    made = []
    with midway(lambda: any(map(changes_something, done.values()))):
        for stack in stacks:
            engine = Engine(stack.name, folder, output.progress)
            with holding(engine, "bootstrap", context, Patience(None, context.variables)):
                engine.create()
                secrets_provider.check(stack.name, engine.state(), context)
                former_names.check_order(engine.resources(), [environment_names(app, e) for e in stack.environments])
                changes = done[stack.name] = engine.up().changes
            said(f"{stack.name}: {told(changes)}")
            for environment in stack.environments:
                name = environment.environment
                names = environment_names(app, environment)
                if environment_state.make(folder, names, accounts[name], output.progress):
                    made.append(name)
                    said(f"{name}: its state lies in {names.state_bucket}; commit Pulumi.{name}.yaml")
    return Bootstrapped(done, made, [*_notes(stacks, accounts), *_next_steps(app, stacks)])


def _notes(stacks: Iterable[AccountStack], accounts: Mapping[str, Account]) -> list[str]:
    """Which accounts run too few builds at the same time."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for stack in stacks:
        for environment in stack.environments:
            place = (environment.account, environment.region, stack.config.build.compute_type)
            places.setdefault(place, []).append(environment.environment)
    notes = (
        build_quota.note(build_quota.quota_of(accounts[names[0]], compute_type), account, region, len(names))
        for (account, region, compute_type), names in places.items()
    )
    return [note for note in notes if note]


def _next_steps(app: str, stacks: Iterable[AccountStack]) -> list[str]:
    """What is to be done for environments with the names of before."""
    return [
        former_names.next_step(environment_names(app, environment), stack.config.pipeline)
        for stack in stacks
        for environment in stack.environments
        if environment.enrolled
    ]


def account_stacks(project: Project, environments: list[str]) -> tuple[AccountStack, ...]:
    """The account stacks of `environments`, each once, in that order. Raises `ConfigError` unless all files fit."""
    accounts = project.accounts()
    found = dict.fromkeys(_stack_of(project, name, [s for s, _ in accounts.get(name, ())]) for name in environments)
    stacks = tuple(_checked(project, stack) for stack in found)
    named = {e.environment: environment_names(project.app, e) for stack in stacks for e in stack.environments}
    collisions.check(project, project.app, named)
    return stacks


def _stack_of(project: Project, environment: str, found: Sequence[str]) -> str:
    """The account stack that makes a place for `environment`, of those that name it."""
    project.environment(environment)
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(
            f"several stacks make a place for {environment}: {', '.join(found)}",
            where=str(project.directory),
            remedy=f"take {environment} out of `environments` of all but one",
        )
    raise ConfigError(
        f"no account's stack makes a place for {environment}",
        where=str(project.file(f"{environment}-account")),
        remedy="make the file, with `program: account` (docs/configuration.md)",
    )


def _checked(project: Project, stack: str) -> AccountStack:
    config = project.account(stack)
    where = str(project.file(stack))
    environments = account_environments(project, config, where)
    account = environments[0].account
    arns = {"roleArn": config.role_arn, "rolesBoundary": config.roles_boundary}
    arns |= {f"deployPolicies.{number}": arn for number, arn in enumerate(config.deploy_policies)}
    for key, arn in arns.items():
        if arn and arn.split(":")[4] not in (account, "aws"):
            raise ConfigError(
                f"{key} is of account {arn.split(':')[4]}, but {environments[0].environment} lies in {account}",
                where=where,
                remedy="name the one of that account",
            )
    delivered = project.pipeline(config.pipeline).environments
    for environment in environments:
        if environment.environment not in delivered:
            raise ConfigError(
                f"the pipeline does not deliver the environment {environment.environment!r}",
                where=str(project.file(config.pipeline)),
                remedy="name it in a stage, or its own pipeline with `pipeline` in the account's file",
            )
    return AccountStack(stack, config, environments)
