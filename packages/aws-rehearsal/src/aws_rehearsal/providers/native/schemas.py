"""CloudFormation's resource schemas, as cfn-lint bundles them, found by the token of a Pulumi type.

The files are read as they lie (`cfnlint/data/schemas`): loading cfn-lint itself would cost each start 0.4 s. Where a
version of cfn-lint keeps them differently, its public `PROVIDER_SCHEMA_MANAGER` is asked.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_rehearsal.providers.errors import Unsupported
from aws_rehearsal.providers.native.names import sdk_name

_RENAMED_MODULES = {"configuration": "config"}
"""Modules whose name is taken in Pulumi."""

Schema = dict[str, Any]


@dataclass(frozen=True)
class TypeSchema:
    """One resource type: its CloudFormation name and its schema."""

    name: str
    schema: Schema

    @property
    def properties(self) -> Schema:
        found: Schema = self.schema.get("properties", {})
        return found

    def top_level(self, section: str) -> set[str]:
        """Properties that a section (`createOnlyProperties` ...) names as a whole."""
        return {path[2] for path in self._paths(section) if len(path) == 3}

    def nested(self, section: str) -> list[list[str]]:
        """Paths below the top level that a section names, from the top-level property on."""
        return [path[2:] for path in self._paths(section) if len(path) > 3]

    def _paths(self, section: str) -> Iterable[list[str]]:
        return (path.split("/") for path in self.schema.get(section) or ())

    @property
    def identifier(self) -> list[str]:
        return [path.rsplit("/", 1)[-1] for path in self.schema.get("primaryIdentifier") or ()]

    @property
    def read_only(self) -> list[str]:
        """Attributes that AWS makes up, in the schema's order."""
        return [path[2] for path in self._paths("readOnlyProperties") if len(path) == 3 and path[2] in self.properties]

    @property
    def inputs(self) -> Schema:
        """What a program may set, by the name it has in a Pulumi program."""
        made_up = set(self.read_only)
        return {sdk_name(name): name for name in self.properties if name not in made_up}

    @property
    def tags(self) -> str | None:
        tagging = self.schema.get("tagging")
        if not isinstance(tagging, dict) or not tagging.get("taggable", True):
            return None
        name = str(tagging.get("tagProperty", "/properties/Tags")).rsplit("/", 1)[-1]
        return name if name in self.properties else None

    def resolve(self, schema: Any) -> Schema:
        """The schema behind a `$ref`."""
        while isinstance(schema, dict) and "$ref" in schema:
            target: Any = self.schema
            for step in schema["$ref"].split("/")[1:]:
                target = target.get(step, {})
            schema = target
        return schema if isinstance(schema, dict) else {}


@functools.cache
def find(token: str, region: str) -> TypeSchema:
    """The schema behind `aws-native:s3:Bucket`.

    Raises Unsupported for a type that CloudFormation does not have.
    """
    _, module, kind = token.split(":")
    wanted = f"aws::{_RENAMED_MODULES.get(module, module)}::{kind}".lower()
    names, load = _source(region)
    for name in names:
        if name.lower() == wanted:
            return TypeSchema(name, load(name))
    raise Unsupported(f"resource type {token} not found: CloudFormation's schemas have no {wanted.upper()}")


@functools.cache
def _source(region: str) -> tuple[list[str], Any]:
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise Unsupported("the schemas come with cfn-lint, which is not installed: pip install -r requirements.txt")
    folder = Path(spec.submodule_search_locations[0]) / "data" / "schemas"
    index = folder / "providers" / f"{region}.json"
    if not index.is_file():
        index = folder / "providers" / "us-east-1.json"
    if index.is_file() and (folder / "resources").is_dir():
        files = json.loads(index.read_text())
        return list(files), lambda name: _read(folder / "resources" / f"{files[name]}.json")
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as MANAGER

    return list(MANAGER.get_resource_types(region)), lambda name: MANAGER.get_resource_schema(region, name).schema


@functools.cache
def _read(file: Path) -> Schema:
    """Most regions have a type's schema in common."""
    found: Schema = json.loads(file.read_text())
    return found
