"""The configuration of a running program of the kinds `account` and `pipeline`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import get_config, is_config_secret  # `Config.get` warns of secrets

from amplify_delivery.components.documents.fields import Model
from amplify_delivery.stacks.config.account import AccountConfig
from amplify_delivery.stacks.config.backend_program import own_keys
from amplify_delivery.stacks.config.environment import keys
from amplify_delivery.stacks.config.own_keys import own_keys_of
from amplify_delivery.stacks.config.pipeline import PipelineConfig
from amplify_delivery.stacks.config.project import Project, validated
from amplify_delivery.stacks.config.reader import as_written, parsed, secret_refused, written_keys_in


@dataclass(frozen=True)
class Running:
    """The stack that runs, and the project that it belongs to."""

    stack: str
    project: Project


def running() -> Running:
    """The stack that runs."""
    # Inline programs have no folder of their own.
    return Running(pulumi.get_stack(), Project(Path(pulumi.get_root_directory() or ".").resolve()))


def account_config() -> AccountConfig:
    """The configuration of the running account's stack. Raises `ConfigError`."""
    here = running()
    return validated(AccountConfig, _given(here, AccountConfig), here.project.file(here.stack).name, here.stack)


def pipeline_config() -> PipelineConfig:
    """The configuration of the running pipeline's stack. Raises `ConfigError`."""
    here = running()
    return validated(PipelineConfig, _given(here, PipelineConfig), here.project.file(here.stack).name)


def _given(here: Running, model: type[Model]) -> dict[str, Any]:
    name, file = pulumi.get_project(), here.project.file(here.stack)
    written = written_keys_in(file) if file.is_file() else {}
    given: dict[str, Any] = {}
    of_environments = {*keys(), *own_keys_of(here.project.directory, (*keys(), *model.written_names()))}
    for key in own_keys(name):
        if key in of_environments and key not in {*written, *model.written_names()}:
            continue  # what Pulumi.yaml says to environments, Pulumi says to every stack
        if is_config_secret(f"{name}:{key}"):
            raise secret_refused(key, file.name)
        given[key] = as_written(parsed(get_config(f"{name}:{key}") or ""), written.get(key))
    return given
