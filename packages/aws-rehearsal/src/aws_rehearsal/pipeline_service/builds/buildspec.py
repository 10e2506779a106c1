"""Buildspecs (version 0.2): read and checked. Pure; `builds` runs them.

After "Build specification reference for CodeBuild" of the CodeBuild User Guide. Ignored: reports, cache, batch, proxy,
`run-as`, `install.runtime-versions` (a rehearsal's builds run with what is on this machine).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from string import Template
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")


class BuildspecError(Exception):
    """The buildspec can't be used; CodeBuild fails the build's DOWNLOAD_SOURCE phase with `YAML_FILE_ERROR`."""


@dataclass(frozen=True)
class Phase:
    """The commands of a phase, those that run whatever happened in it, and what a failure means."""

    commands: tuple[str, ...] = ()
    finally_commands: tuple[str, ...] = ()
    goes_on_after_failure: bool = False


@dataclass(frozen=True)
class Files:
    """Files of an artifact."""

    patterns: tuple[str, ...]
    base: str = "."
    excludes: tuple[str, ...] = ()
    discards_paths: bool = False


@dataclass(frozen=True)
class Buildspec:
    """What a build does."""

    phases: dict[str, Phase]
    variables: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    shell: str = "sh"
    artifact: Files | None = None
    secondary: dict[str, Files] = field(default_factory=dict)


def read_buildspec(text: str) -> Buildspec:
    """A buildspec from its text. Raises `BuildspecError`."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BuildspecError(f"stat buildspec: {error}") from error
    if not isinstance(found, dict):
        raise BuildspecError("the buildspec is not a mapping")
    if str(found.get("version")) != "0.2":
        raise BuildspecError(f"buildspec version {found.get('version')!r} is not supported: only 0.2 is")
    phases = _mapping(found, "phases")
    if not phases:
        raise BuildspecError("the buildspec has no phases")
    for name in phases:
        if name not in PHASES:
            raise BuildspecError(f"invalid phase: {name}")
    env = _mapping(found, "env")
    artifacts = _mapping(found, "artifacts")
    secondary = _mapping(artifacts, "secondary-artifacts")
    shell = str(env.get("shell", "sh"))
    if shell not in ("sh", "bash", "/bin/sh", "/bin/bash"):
        raise BuildspecError(f"env.shell {shell} is not supported")
    return Buildspec(
        phases={name: _phase(name, phases.get(name)) for name in PHASES if name in phases},
        variables=_texts(_mapping(env, "variables")),
        parameters=_texts(_mapping(env, "parameter-store")),
        secrets=_texts(_mapping(env, "secrets-manager")),
        exported=tuple(str(name) for name in env.get("exported-variables") or ()),
        shell="bash" if shell.endswith("bash") else "sh",
        artifact=_files(artifacts) if artifacts.get("files") else None,
        secondary={str(name): _files(item) for name, item in secondary.items()},
    )


def with_variables(buildspec: Buildspec, variables: Mapping[str, str]) -> Buildspec:
    """The buildspec with shell variables in the folders and files of its artifacts replaced by their values."""

    def filled(files: Files) -> Files:
        patterns = tuple(Template(pattern).safe_substitute(variables) for pattern in files.patterns)
        return replace(files, patterns=patterns, base=Template(files.base).safe_substitute(variables))

    return replace(
        buildspec,
        artifact=filled(buildspec.artifact) if buildspec.artifact else None,
        secondary={name: filled(files) for name, files in buildspec.secondary.items()},
    )


def _phase(name: str, declared: Any) -> Phase:
    if declared is None:
        return Phase()
    if not isinstance(declared, dict):
        raise BuildspecError(f"phases.{name} is not a mapping")
    failure = str(declared.get("on-failure", "ABORT"))
    if failure not in ("ABORT", "CONTINUE"):
        raise BuildspecError(f"phases.{name}.on-failure {failure} is not supported: ABORT or CONTINUE")
    return Phase(_commands(name, declared, "commands"), _commands(name, declared, "finally"), failure == "CONTINUE")


def _commands(phase: str, declared: dict[str, Any], key: str) -> tuple[str, ...]:
    found = declared.get(key) or ()
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list | tuple) or any(isinstance(item, dict | list) for item in found):
        raise BuildspecError(
            f"phases.{phase}.{key} is not a list of commands: Expected Commands[n] to be of string type"
        )
    return tuple(str(item) for item in found)


def _files(declared: Any) -> Files:
    if not isinstance(declared, dict) or not declared.get("files"):
        raise BuildspecError("an artifact has no files")
    files, excludes = declared["files"], declared.get("exclude-paths") or ()
    return Files(
        patterns=(files,) if isinstance(files, str) else tuple(str(item) for item in files),
        base=str(declared.get("base-directory", ".")),
        excludes=(excludes,) if isinstance(excludes, str) else tuple(str(item) for item in excludes),
        discards_paths=str(declared.get("discard-paths", "no")).lower() in ("yes", "true"),
    )


def _mapping(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BuildspecError(f"{key} is not a mapping")
    return value


def _texts(values: dict[str, Any]) -> dict[str, str]:
    def text(value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    return {str(name): text(value) for name, value in values.items()}
