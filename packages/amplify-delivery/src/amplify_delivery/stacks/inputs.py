"""From an environment's configuration to what is deployed: assembly and values. Without Pulumi."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from amplify_delivery.changes.stateful import CALLOUT_PROPERTIES, CLOUDFORMATION_TYPES
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.errors import ConfigError, ExportRefused
from amplify_delivery.export import (
    Assembly,
    EnvironmentValues,
    RootStack,
    assemble,
    exported_values,
    in_production,
    load_assembly,
    read_export,
    with_successors,
)
from amplify_delivery.export.names import StackName
from amplify_delivery.export.values.environment import ROOT
from amplify_delivery.export.values.parameters import API_KEY_EXPIRES, needed_secrets
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.config.absent import PROJECT, nearby, no_project
from amplify_delivery.stacks.images import FOLDER, given_images

MAX_KEY_DAYS = 365
"""AppSync allows an API key at most this many days (AppSync API reference, CreateApiKey)."""

ASSEMBLY_VARIABLE = "AMPLIFY_DELIVERY_ASSEMBLY"
"""Environment variable with the folder of an assembly, relative to the project's folder, which is then deployed instead
of what the stack files name. What runs in the pipeline after Build has it: the assembly that Build made, and tested."""

ADOPT_VARIABLE = "AMPLIFY_DELIVERY_ADOPT"
"""Environment variable with the ARN of a root stack that runs: the program takes it into the engine's state as it is.
`amplify-delivery adopt` sets it, together with what else belongs to that. Of an account or a pipeline it holds the
Pulumi stack whose lost state is made again."""


def is_adopting() -> bool:
    """Whether what runs is taken in, and nothing is made."""
    return bool(os.environ.get(ADOPT_VARIABLE))


def read_assembly(config: EnvironmentConfig, directory: Path, project: str, folder: str | None = None) -> Assembly:
    """The assembly in `folder`, else in the one that the environment variable names, else the configuration's: an
    assembled folder, or an export, assembled here.

    `directory` is the project's folder, `project` its name in Pulumi.yaml. Raises `ExportRefused`, `AssemblyError`,
    or `ConfigError`: there is no export, or several, or it is another project's.
    """
    given = folder or os.environ.get(ASSEMBLY_VARIABLE)
    if given:
        path = directory / given
        if not path.is_dir():
            raise ConfigError(
                f"there is no such folder, but {ASSEMBLY_VARIABLE} says that its assembly is deployed",
                where=str(path),
                remedy=f"`amplify-delivery assemble --out {given}`, or unset the variable",
            )
        return as_configured(of_project(load_assembly(path), project, path), config)
    named = named_assembly(config, directory)
    path = named.path
    if named.export:
        images = given_images(config.container_images, directory / FOLDER)
        assembly = assemble(read_export(path), config.secret_names, images)
    else:
        assembly = load_assembly(path)
    return as_configured(of_project(assembly, project, path), config)


_OF_SECRETS = frozenset({"AD304", "AD305"})
"""What is refused for a secret that an environment does not supply."""


def read_without_secrets(config: EnvironmentConfig, directory: Path, project: str) -> Assembly:
    """As `read_assembly`, where nothing hangs on what the environment supplies as secrets: an account is prepared
    before there is a key that could encrypt them in the stack file. Raises the same for all else."""
    try:
        return read_assembly(config, directory, project)
    except ExportRefused as error:
        if not {f.id for f in error.findings if f.severity == "refused"} <= _OF_SECRETS:
            raise
    needed = needed_secrets(read_export(named_assembly(config, directory).path))
    supplied = config.model_copy(update={"secret_names": config.secret_names | needed})
    return read_assembly(supplied, directory, project)


def as_configured(assembly: Assembly, config: EnvironmentConfig) -> Assembly:
    """The assembly as this environment is delivered: with what `production` asks for, and with tables under the names
    that `replacedTables` gives them."""
    if config.production is not None:
        assembly = in_production(assembly, config.production, CLOUDFORMATION_TYPES, CALLOUT_PROPERTIES)
    return with_successors(assembly, config.successors)


@dataclass(frozen=True)
class NamedAssembly:
    """Where the assembly of an environment comes from: a folder, and what is in it."""

    path: Path
    export: bool
    """Whether it is an export, which has to be assembled."""


def named_assembly(config: EnvironmentConfig, directory: Path) -> NamedAssembly:
    """What the configuration alone names, whatever the environment variable says. Raises `ConfigError` if there is no
    export, or several."""
    if config.assembly:
        return NamedAssembly(directory / config.assembly, export=False)
    return NamedAssembly(export_folder(config, directory), export=True)


def assembly_source(config: EnvironmentConfig, directory: Path) -> str | NamedAssembly:
    """Where `read_assembly` gets the environment's assembly from: the folder that the environment variable names, else
    what the configuration does. Raises `ConfigError`."""
    return os.environ.get(ASSEMBLY_VARIABLE) or named_assembly(config, directory)


def root_parameters(root: RootStack, values: EnvironmentValues, config: EnvironmentConfig) -> dict[str, str]:
    """The root's parameters, without what only the deployment knows: the version of a secret, and the expiry of API
    keys, which is chosen once and then remembered by the engine's state."""
    from amplify_delivery.changes import deployed  # noqa: PLC0415 - botocore, which the program does without

    parameters = deployed.known(root)
    if keeps_api_key_expiry(config) and parameters.get(API_KEY_EXPIRES) == str(values.api_key_expires):
        parameters[API_KEY_EXPIRES] = deployed.LATER
    return parameters


def root_stack_name(config: EnvironmentConfig, directory: Path, project: str) -> str:
    """What the environment's root stack is called, by what `read_assembly` would read; nothing is checked or assembled.

    Raises what `read_assembly` raises when there is no export, or it is another project's.
    """
    given = os.environ.get(ASSEMBLY_VARIABLE) or config.assembly
    path = directory / given if given else export_folder(config, directory)
    name = load_assembly(path).stack_name if given else StackName.parse(read_export(path).stack_name)
    if name is None:
        raise ConfigError(
            "its stack is not named as Amplify names one: amplify-APP-ENV-SUFFIX",
            where=str(path),
            remedy="run `amplify export` again; docs/getting-started.md says what an export is",
        )
    if name.project != project:
        raise _another_project(name.project, project, path)
    second = _second(config, directory, project)
    suffix = EnvironmentValues(config.environment, 0, config.suffix, from_export=second).own_suffix
    return str(name.for_environment(config.environment, suffix))


def of_project(assembly: Assembly, project: str, path: Path) -> Assembly:
    """`assembly`, read from `path`, if it is that of `project`. Raises `ConfigError`."""
    if assembly.project != project:
        raise _another_project(assembly.project, project, path)
    return assembly


def _another_project(exported: str, project: str, path: Path) -> ConfigError:
    return ConfigError(
        f"this is the export of {exported!r}, but the Pulumi project is {project!r}: one app must not be "
        "deployed over another",
        where=str(path),
        remedy="deliver its own export (before the first deployment `name` in Pulumi.yaml can be changed)",
    )


def export_folder(config: EnvironmentConfig, directory: Path) -> Path:
    """The configured export, else the only `amplify-export-*` folder in `directory`. Raises `ConfigError`."""
    return directory / config.export if config.export else only_export(directory)


def only_export(directory: Path) -> Path:
    """The only `amplify-export-*` folder in `directory`. Raises `ConfigError`."""
    found = sorted(p for p in directory.glob("amplify-export-*") if p.is_dir())
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(
            f"there are several exports here: {', '.join(p.name for p in found)}",
            where=str(directory),
            remedy="say which one: `pulumi config set export FOLDER`",
        )
    if not (directory / PROJECT).is_file() and nearby(directory):
        raise no_project(directory)
    raise ConfigError(
        "there is no amplify-export-* folder here",
        where=str(directory),
        remedy="run `amplify export --out FOLDER` in the Amplify project, with this folder",
    )


def environment_values(config: EnvironmentConfig, directory: Path, now: datetime, app: str) -> EnvironmentValues:
    """What this environment of `app` sets on top of the assembly: for the program, for its plan and for every command.

    Raises `ExportRefused` for a bad second export, `ConfigError` for one of another app or environment.
    """
    return EnvironmentValues(
        name=config.environment,
        api_key_expires=api_key_expires(config, now),
        suffix=config.suffix,
        parameters=config.parameters,
        from_export=_second(config, directory, app),
        secrets=config.secret_names,
        permissions_boundary=permissions_boundary(config, app) if config.boundary else None,
        kept_literals=frozenset(config.kept_literals),
        tags=config.tags,
    )


def _second(config: EnvironmentConfig, directory: Path, app: str) -> Mapping[str, Mapping[str, str]]:
    """The values of the second export, if there is one. Raises `ConfigError` unless it is this very environment's:
    names, ids and limits of another one would be delivered here without anybody having said so."""
    if not config.values_from:
        return {}
    path = directory / config.values_from
    export = read_export(path)
    name = StackName.parse(export.stack_name)
    if name is not None and name.project != app:
        raise _another_project(name.project, app, path)
    if name is not None and name.environment != config.environment:
        raise ConfigError(
            f"this is the export of the environment {name.environment!r}, but `valuesFrom` of {config.environment!r} "
            "names it: its values would be delivered here",
            where=str(path),
            remedy=f"`amplify env checkout {config.environment}`, `amplify export --out ...` there and name that "
            "folder; single values of another environment belong in `parameters`",
        )
    return exported_values(export)


def permissions_boundary(config: EnvironmentConfig, app: str) -> str | None:
    """The boundary that the account's stack has made for the roles of this environment; that of a personal stack is
    its organization's, if it names one."""
    if not config.bootstrapped:
        return config.permissions_boundary
    return EnvironmentNames(app, config.account, config.region, config.environment).boundary_arn


def keeps_api_key_expiry(config: EnvironmentConfig) -> bool:
    """Whether the expiry of API keys is chosen once and then left alone: the stack file says nothing of it, neither as
    a day nor as the root's parameter, which an adopted environment has."""
    return config.api_key_expires is None and API_KEY_EXPIRES not in config.parameters.get(ROOT, {})


def api_key_expires(config: EnvironmentConfig, now: datetime) -> int:
    """When API keys expire, as an epoch in seconds: 00:00 UTC of the configured day, else of 364 days from today.

    AppSync counts at most 365 days from the moment of the call, so the default leaves a day for the deployment.
    Raises `ConfigError` for a day further away.
    """
    today = datetime.combine(now.astimezone(UTC).date(), time.min, UTC)
    default = today + timedelta(days=MAX_KEY_DAYS - 1)
    if config.api_key_expires is None:
        return int(default.timestamp())
    day = datetime.combine(config.api_key_expires, time.min, UTC)
    if day > now + timedelta(days=MAX_KEY_DAYS):
        raise ConfigError(
            f"apiKeyExpires is {config.api_key_expires}, AppSync allows at most {MAX_KEY_DAYS} days from now",
            remedy=f"`pulumi config set apiKeyExpires {default.date()}`",
        )
    return int(day.timestamp())
