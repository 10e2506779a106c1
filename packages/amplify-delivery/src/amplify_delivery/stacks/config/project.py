"""The stack files of a project, read by name: how the pipeline and the accounts know their environments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from amplify_delivery.components.documents.fields import WRITTEN, Model, unknown
from amplify_delivery.components.documents.pipeline.source_models import PipelineSource
from amplify_delivery.components.documents.pipeline.stage_models import Step
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config.absent import expect_project, no_stack
from amplify_delivery.stacks.config.account import AccountConfig
from amplify_delivery.stacks.config.environment import EnvironmentConfig, keys
from amplify_delivery.stacks.config.pipeline import PipelineConfig
from amplify_delivery.stacks.config.reader import (
    as_config_error,
    own_keys_in,
    project_name,
    secret_refused,
    secure_paths,
    unset,
)

Config = TypeVar("Config", AccountConfig, PipelineConfig)


@dataclass(frozen=True)
class Project:
    """The folder of `Pulumi.yaml`. Its methods raise `ConfigError` for a file that is missing or wrong."""

    directory: Path

    @property
    def app(self) -> str:
        """The app's name."""
        return project_name(self.directory)

    def file(self, stack: str) -> Path:
        return self.directory / f"Pulumi.{stack}.yaml"

    def stacks(self, program: str) -> tuple[str, ...]:
        """The stacks with that program, by name."""
        found = []
        for path in sorted(self.directory.glob("Pulumi.*.yaml")):
            if (own_keys_in(path).get("program") or "backend") == program:
                found.append(path.name.removeprefix("Pulumi.").removesuffix(".yaml"))
        return tuple(found)

    def once(self) -> Project:
        """The project as it is now: every file is read once, however often it is asked for. For what asks for many."""
        return _Once(self.directory)

    def backends_in(self, accounts: Collection[str]) -> tuple[str, ...]:
        """The environments' stacks whose files name one of these accounts, by name. Of other files nothing is looked
        at: a mistake in one of them matters there."""
        return tuple(s for s in self.stacks("backend") if own_keys_in(self.file(s)).get("account") in accounts)

    def at(self, stack: str) -> EnvironmentConfig:
        """The environment of the stack `stack`, whatever it calls itself."""
        return EnvironmentConfig.from_file(self.file(stack), stack)

    def environment(self, name: str) -> EnvironmentConfig:
        """The environment called `name`, for which a pipeline needs a stack of the same name."""
        self._must_exist(name, "environment", "backend")
        config = self.at(name)
        if config.environment != name:
            raise ConfigError(
                f"the stack {name} delivers the environment {config.environment!r}; a pipeline's environment has its "
                "stack's name",
                where=str(self.file(name)),
                remedy=f"call the file Pulumi.{config.environment}.yaml (`pulumi stack rename`)",
            )
        return config

    def pipeline(self, name: str) -> PipelineConfig:
        self._must_exist(name, "pipeline", "pipeline")
        return read_pipeline(self.file(name))

    def account(self, stack: str) -> AccountConfig:
        self._must_exist(stack, "account", "account")
        return read_account(self.file(stack), stack)

    def chain(self, stack: str) -> tuple[str, ...]:
        """The pipeline `stack` and all that follow it, at any depth: those that deliver what its Build makes."""
        after: dict[str, list[str]] = {}
        for name in self.stacks("pipeline"):
            source = self.pipeline(name).source
            if isinstance(source, PipelineSource):
                after.setdefault(source.pipeline, []).append(name)
        found = [stack]
        for name in found:
            found += [follower for follower in after.get(name, ()) if follower not in found]
        return tuple(found)

    def first(self, stack: str) -> str:
        """The pipeline whose Build makes what the pipeline `stack` delivers: the first one that it follows."""
        passed = [stack]
        while isinstance(source := self.pipeline(passed[-1]).source, PipelineSource) and source.pipeline not in passed:
            passed.append(source.pipeline)
        return passed[-1]

    def pipeline_of(self, environment: str) -> tuple[str, PipelineConfig]:
        """The pipeline that delivers `environment`, and its name. Where several name it, the one that its account lets
        in."""
        found = {n: c for n in self.stacks("pipeline") if environment in (c := self.pipeline(n)).environments}
        if len(found) > 1:
            let_in = {account.pipeline for _, account in self.accounts().get(environment, ())}
            found = {name: config for name, config in found.items() if name in let_in} or found
        if len(found) == 1:
            return next(iter(found.items()))
        if found:
            raise ConfigError(
                f"several pipelines deliver the environment {environment!r}: {', '.join(found)}",
                where=str(self.directory),
                remedy="an account lets one pipeline in: take it out of the others, or name the one with `pipeline` in "
                "the account's file",
            )
        raise ConfigError(
            f"no pipeline delivers the environment {environment!r}",
            where=str(self.directory),
            remedy="name it in a stage of Pulumi.pipeline.yaml",
        )

    def accounts(self) -> dict[str, list[tuple[str, AccountConfig]]]:
        """The account stacks that name an environment, with their files, by environment. Every file is read once: ask
        once for all environments."""
        found: dict[str, list[tuple[str, AccountConfig]]] = {}
        for stack in self.stacks("account"):
            config = self.account(stack)
            for environment in config.environments:
                found.setdefault(environment, []).append((stack, config))
        return found

    def step(self, environment: str, name: str) -> Step:
        """A step of `environment`, as its pipeline's file describes it."""
        pipeline, config = self.pipeline_of(environment)
        steps = {step.name: step for step in config.steps_of(environment)}
        if name not in steps:
            known = ", ".join(steps) or "none"
            raise ConfigError(
                f"{environment} has no step {name!r}", where=str(self.file(pipeline)), remedy=f"its steps are {known}"
            )
        return steps[name]

    def _must_exist(self, stack: str, what: str, program: str) -> None:
        if self.file(stack).is_file():
            return
        expect_project(self.directory)
        raise no_stack(self.file(stack), what, self.stacks(program))


class _Once(Project):
    """A project of which every file is read once. What is asked for again, even by another thread, is the same model;
    models are immutable."""

    def once(self) -> Project:
        return self

    @cached_property
    def app(self) -> str:
        return super().app

    @cached_property
    def _by_program(self) -> dict[str, tuple[str, ...]]:
        return {program: super(_Once, self).stacks(program) for program in ("backend", "account", "pipeline")}

    @cached_property
    def _by_account(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for stack in self.stacks("backend"):
            found.setdefault(str(own_keys_in(self.file(stack)).get("account")), []).append(stack)
        return found

    @cached_property
    def _models(self) -> dict[tuple[str, str], Any]:
        return {}

    def _kept(self, kind: str, name: str, read: Callable[[str], Any]) -> Any:
        if (kind, name) not in self._models:
            self._models[kind, name] = read(name)
        return self._models[kind, name]

    def stacks(self, program: str) -> tuple[str, ...]:
        return self._by_program[program]

    def backends_in(self, accounts: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted(stack for account in accounts for stack in self._by_account.get(account, ())))

    def at(self, stack: str) -> EnvironmentConfig:
        found: EnvironmentConfig = self._kept("at", stack, super().at)
        return found

    def environment(self, name: str) -> EnvironmentConfig:
        found: EnvironmentConfig = self._kept("environment", name, super().environment)
        return found

    def pipeline(self, name: str) -> PipelineConfig:
        found: PipelineConfig = self._kept("pipeline", name, super().pipeline)
        return found

    def account(self, stack: str) -> AccountConfig:
        found: AccountConfig = self._kept("account", stack, super().account)
        return found

    def accounts(self) -> dict[str, list[tuple[str, AccountConfig]]]:
        found: dict[str, list[tuple[str, AccountConfig]]] = self._kept(
            "accounts", "", lambda _: super(_Once, self).accounts()
        )
        return found


def read_pipeline(path: Path) -> PipelineConfig:
    """The configuration in a pipeline's stack file. Raises `ConfigError`."""
    return validated(PipelineConfig, own_keys_in(path, PipelineConfig.written_names()), str(path))


def read_account(path: Path, stack: str) -> AccountConfig:
    """The configuration in an account's stack file, of the stack `stack`. Raises `ConfigError`."""
    return validated(AccountConfig, own_keys_in(path, AccountConfig.written_names()), str(path), stack)


def validated(model: type[Config], given: Mapping[str, Any], where: str, stack: str = "") -> Config:
    """The model of an account's or a pipeline's values, which are text, lists and mappings. Raises `ConfigError`."""
    data = {key: value for key, value in given.items() if not unset(value) and not _foreign_default(model, key, value)}
    for path in secure_paths(data):
        refused = secret_refused(path, where)
        refused.remedy = f"{refused.remedy}; a secret of a step belongs in Secrets Manager"
        raise refused
    for key in data:
        if key not in model.written_names():
            wrong = unknown(key, model.written_names())
            remedy = f"{wrong.remedy}; give your own keys a namespace, as in `dns:zone`"
            raise ConfigError(str(wrong), where=where, remedy=remedy)
    if model is AccountConfig:
        data.setdefault("environments", [stack.removesuffix("-account")])
    try:
        return model.model_validate(data, context=WRITTEN)
    except ValidationError as error:
        raise as_config_error(error, where, "source") from None


def _foreign_default(model: type[Model], key: str, value: Any) -> bool:
    """Whether it is what Pulumi.yaml gives to every stack: a flag of the environments that is off."""
    return value == "false" and key not in model.written_names() and key in keys()
