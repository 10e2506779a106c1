"""The configuration of a running program of the kind `backend`, secrets included.

Pulumi is not imported until it is asked for: commands import this package without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amplify_delivery.stacks.config.environment import EnvironmentConfig, keys, model_of
from amplify_delivery.stacks.config.parameters import SecretKey, as_text, from_json, in_plain
from amplify_delivery.stacks.config.reader import (
    as_written,
    own_keys_in,
    parsed,
    refuse_other_prefix,
    secret_refused,
    written_keys_in,
)

if TYPE_CHECKING:
    import pulumi


@dataclass(frozen=True)
class Configuration:
    """A program's configuration, and the values of its secrets, which Pulumi keeps secret."""

    environment: EnvironmentConfig
    secrets: Mapping[SecretKey, pulumi.Output[str]]
    directory: Path
    """The project's folder: paths of the configuration are relative to it."""
    where: str
    """The stack file, for messages."""


def from_pulumi() -> Configuration:
    """The configuration of the running program. Raises `ConfigError`."""
    import pulumi  # noqa: PLC0415 - tools read stack files without Pulumi
    from pulumi.runtime.config import get_config, is_config_secret  # noqa: PLC0415 - Config.get warns of secrets

    project, stack = pulumi.get_project(), pulumi.get_stack()
    directory = Path(pulumi.get_root_directory() or ".").resolve()  # inline programs have none
    file = directory / f"Pulumi.{stack}.yaml"
    if file.is_file():
        refuse_other_prefix(file, file.name)
    in_file = written_keys_in(file) if file.is_file() else {}
    given: dict[str, Any] = {}
    secret_keys: set[str] = set()
    for key in own_keys(project):
        text = get_config(f"{project}:{key}") or ""
        # A list where the file has to have a text arrives as JSON, which is a text too.
        given[key] = text if key == "parameters" else as_written(parsed(text), in_file.get(key))
        if is_config_secret(f"{project}:{key}"):
            secret_keys.add(key)
    for key in sorted((secret_keys & set(keys())) - {"parameters"}):
        raise secret_refused(key, file.name)
    values: dict[SecretKey, pulumi.Output[str]] = {}
    if "parameters" in given:
        parameters = from_json(given["parameters"], file.name)
        if "parameters" in secret_keys:
            # Pulumi says that something in there is secret, but not what. Only what stands in plain in the stack file,
            # with the same value, is taken as plain.
            written = in_plain(own_keys_in(file).get("parameters")) if file.is_file() else {}
            for nested, leaves in parameters.items():
                for parameter, leaf in list(leaves.items()):
                    value = as_text(leaf, f"parameters.{nested}.{parameter}", file.name)
                    if written.get((nested, parameter)) != value:
                        del leaves[parameter]
                        values[nested, parameter] = pulumi.Output.secret(value)
        given["parameters"] = parameters
    model = model_of(given, frozenset(values), stack, file, file.name)
    return Configuration(model, values, directory, file.name)


def own_keys(project: str) -> list[str]:
    """All keys of the project that are set, known or not."""
    from pulumi.runtime.config import CONFIG, get_config_env  # noqa: PLC0415

    prefix = f"{project}:"
    return sorted({k.removeprefix(prefix) for k in (*CONFIG.get(), *get_config_env()) if k.startswith(prefix)})
