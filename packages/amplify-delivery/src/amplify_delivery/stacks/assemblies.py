"""The assemblies of many environments, each export read and assembled once: environments mostly share one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.export import Assembly
from amplify_delivery.stacks.access import environment_access, resource_types
from amplify_delivery.stacks.config import AccountConfig, EnvironmentConfig, Project
from amplify_delivery.stacks.inputs import as_configured, assembly_source, read_without_secrets


def accesses(
    project: Project, config: AccountConfig, environments: Iterable[EnvironmentConfig], assemblies: Assemblies
) -> dict[str, EnvironmentAccess]:
    """What each environment of an account's stack needs there, by name. Raises `ConfigError`."""
    found = {}
    for environment in environments:
        assembly, types = assemblies.of(environment)
        access = environment_access(project, project.app, config, environment, assembly, types=types)
        found[environment.environment] = access
    return found


class Assemblies:
    """Those of a project's environments, as their stack files name them. Raises what `read_without_secrets` raises."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._shared: dict[Any, tuple[Assembly, frozenset[str]]] = {}

    def of(self, environment: EnvironmentConfig) -> tuple[Assembly, frozenset[str]]:
        """The assembly of an environment, and the types of everything in its templates."""
        key = (assembly_source(environment, self._project.directory), environment.secret_names)
        if key not in self._shared:
            plain = environment.model_copy(update={"production": None})
            assembly = read_without_secrets(plain, self._project.directory, self._project.app)
            self._shared[key] = (assembly, resource_types(assembly))
        assembly, types = self._shared[key]
        # What `production` asks for protects resources, and adds none.
        return as_configured(assembly, environment), types
