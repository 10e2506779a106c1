"""What this machine has: the engine, its plugins, this Python and its packages."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from amplify_delivery.components.documents.pipeline.buildspecs import LOCK
from amplify_delivery.delivery.doctor.judging.tools import Machine, normal
from amplify_delivery.delivery.engine.pulumi_command import Command
from amplify_delivery.errors import SetupError
from amplify_delivery.stacks.config.reader import read_yaml

_PLUGIN = "resource-"


def machine(folder: Path, variables: Mapping[str, str]) -> Machine:
    """What is here, for the project in `folder`, if there is one. Raises `ConfigError` if its Pulumi.yaml is wrong."""
    file = folder / "Pulumi.yaml"
    project = read_yaml(file) if file.is_file() else {}
    runtime = project.get("runtime")
    options = runtime.get("options") if isinstance(runtime, Mapping) else None
    environment = options.get("virtualenv") if isinstance(options, Mapping) else None
    lock = folder / LOCK
    return Machine(
        engine=_engine(),
        required=str(project.get("requiredPulumiVersion") or ""),
        plugins=_plugins(variables),
        installed={normal(d.metadata["Name"]): d.version for d in metadata.distributions() if d.metadata["Name"]},
        lock=lock.read_text(encoding="utf-8") if lock.is_file() else None,
        python=f"Python {platform.python_version()}",
        environment=str(environment) if environment else None,
        environment_there=bool(environment) and any((folder / str(environment)).glob("*/python*")),
    )


def _engine() -> str:
    try:
        return str(Command().version or "")
    except SetupError:
        return ""


def _plugins(variables: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The versions of the installed provider plugins, by plugin: folders `resource-NAME-vVERSION` in Pulumi's home."""
    home = variables.get("PULUMI_HOME")
    folder = (Path(home) if home else Path.home() / ".pulumi") / "plugins"
    found: dict[str, set[str]] = {}
    for path in folder.glob(f"{_PLUGIN}*-v*"):
        name, _, version = path.name.removeprefix(_PLUGIN).rpartition("-v")
        if path.is_dir():
            found.setdefault(name, set()).add(version)
    return {name: frozenset(versions) for name, versions in found.items()}
