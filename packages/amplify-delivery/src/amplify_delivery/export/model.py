"""What an export is, once read: frozen, checked in its shape, not yet in its meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amplify_delivery.errors import ExportRefused
from amplify_delivery.findings import Finding

ROOT_PARAMETERS = ("AuthRoleName", "UnauthRoleName", "DeploymentBucketName")
"""The parameters that every root template of Amplify declares."""

STACK_TYPE = "AWS::CloudFormation::Stack"

Template = Mapping[str, Any]


@dataclass(frozen=True)
class ExportedStack:
    """A node of `amplify-export-manifest.json` with its template.

    `parameters` holds the manifest's literals with their JSON types. `file` is relative to the export.
    """

    logical_id: str
    file: str
    template: Template
    parameters: Mapping[str, Any]
    nested: Mapping[str, ExportedStack]

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ExportedStack]]:
        """This stack and all below it, parents first, each with its path of logical ids."""
        yield path, self
        for name, child in self.nested.items():
            yield from child.walk((*path, name))

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        resources: Mapping[str, Mapping[str, Any]] = self.template.get("Resources") or {}
        return resources

    @property
    def declared(self) -> Mapping[str, Mapping[str, Any]]:
        """The template's parameter declarations."""
        declared: Mapping[str, Mapping[str, Any]] = self.template.get("Parameters") or {}
        return declared

    def wired(self, logical_id: str) -> Mapping[str, Any]:
        """What this template itself passes to its nested stack `logical_id`: intrinsics, by parameter."""
        properties = self.resources.get(logical_id, {}).get("Properties") or {}
        parameters: Mapping[str, Any] = properties.get("Parameters") or {}
        return parameters


@dataclass(frozen=True)
class AmplifyResource:
    """An entry of `category-stack-mapping.json`."""

    category: str
    name: str
    service: str

    @property
    def logical_id(self) -> str:
        return f"{self.category}{self.name}"


@dataclass(frozen=True)
class Export:
    """An export's folder. `files` maps every file's path (relative, `/`) to its size in bytes. With a `reader` it is
    not on the disk: that gives the bytes of a file, or raises `OSError`."""

    path: Path
    stack_name: str
    root: ExportedStack
    resources: tuple[AmplifyResource, ...]
    tags: tuple[tuple[str, str], ...]
    files: Mapping[str, int]
    reader: Callable[[str], bytes] | None = field(default=None, repr=False, compare=False)

    def read(self, file: str) -> bytes:
        """The bytes of a file. Raises `ExportRefused` when it cannot be read (any more)."""
        try:
            if self.reader is not None:
                return self.reader(file)
            with open(f"{self.path}/{file}", "rb", buffering=0) as stream:  # noqa: PTH123 - thousands of files
                return stream.read()
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
            remedy = "check that the file is there and its permissions"
            raise ExportRefused([Finding("AD103", "refused", file, problem, remedy)]) from None
