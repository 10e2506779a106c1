"""What an export, or an assembly, says of each resource of Amplify: its name, its template, its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.export import Assembly, Export
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.model import AmplifyResource


@dataclass(frozen=True)
class Declared:
    """A resource of Amplify as it was exported. `parameters` are its stack's: with their JSON types from an export, as
    text from an assembly."""

    resource: AmplifyResource
    template: Mapping[str, Any]
    parameters: Mapping[str, Any]

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """Those of the template."""
        found: Mapping[str, Mapping[str, Any]] = self.template.get("Resources") or {}
        return found

    def of_type(self, resource_type: str) -> list[Mapping[str, Any]]:
        """The properties of the template's resources of a type."""
        return [r.get("Properties") or {} for r in self.resources.values() if r.get("Type") == resource_type]


PASSWORD_LENGTH = "passwordPolicyMinLength"  # noqa: S105 - the name of a parameter
"""The only parameter that a client gets as a number: an export has it as one, or as text in old projects."""


def typed(name: str, value: str) -> str | int:
    """The value of a stack's parameter, which is always text, as a client gets it."""
    return int(value) if name == PASSWORD_LENGTH and value.isdecimal() else value


def of_export(export: Export) -> tuple[Declared, ...]:
    """The resources in the order of the export, which is that of the project's amplify-meta.json."""
    nested = export.root.nested
    return tuple(
        Declared(resource, stack.template, stack.parameters)
        for resource in export.resources
        if (stack := nested.get(resource.logical_id)) is not None
    )


def of_assembly(assembly: Assembly) -> tuple[Declared, ...]:
    """The same of an assembly. It has none if it was made before assemblies knew what Amplify calls its resources."""
    nested = assembly.root.nested
    return tuple(
        Declared(
            resource,
            parse_json(assembly.read(stack.template)),
            {name: typed(name, value.text) for name, value in stack.parameters.items() if value.source == "literal"},
        )
        for resource in assembly.resources
        if (stack := nested.get(resource.logical_id)) is not None
    )
