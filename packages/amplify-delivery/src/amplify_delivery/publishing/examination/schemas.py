"""The public schemas of CloudFormation's resource types, as cfn-lint bundles them."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_REGION = "us-east-1"
"""Whose schemas are read: it has every type. What a property is does not depend on the region."""


@functools.cache
def schema(kind: str) -> Mapping[str, Any]:
    """The schema of a type; empty if there is none. Of a custom resource, that of all of them."""
    known = "AWS::CloudFormation::CustomResource" if kind.startswith("Custom::") else kind
    folder = _bundled()
    if folder is None:
        return _by_the_linter(known)
    name = _index(folder).get(known)
    found: Mapping[str, Any] = json.loads((folder / "resources" / f"{name}.json").read_bytes()) if name else {}
    return found


@functools.cache
def by_region(extension: str) -> Mapping[str, Mapping[str, Any]]:
    """What cfn-lint adds to the schemas that is another in each region, by region; empty where it has no such file."""
    folder = _bundled()
    file = folder / "extensions" / f"{extension}.json" if folder else None
    found: Mapping[str, Mapping[str, Any]] = json.loads(file.read_bytes()) if file and file.is_file() else {}
    return found


@functools.cache
def _bundled() -> Path | None:
    """Where cfn-lint keeps the schemas, if it keeps them as the version does that this was written for. Its own modules
    take half a second and 60 MiB to import."""
    found = find_spec("cfnlint")
    for place in (found and found.submodule_search_locations) or ():
        folder = Path(place, "data", "schemas")
        if (folder / "providers" / f"{_REGION}.json").is_file() and (folder / "resources").is_dir():
            return folder
    return None


@functools.cache
def _index(folder: Path) -> Mapping[str, str]:
    """Names of files by type."""
    found: Mapping[str, str] = json.loads((folder / "providers" / f"{_REGION}.json").read_bytes())
    return found


def _by_the_linter(kind: str) -> Mapping[str, Any]:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError  # noqa: PLC0415 - a second, if needed

    try:
        found: Mapping[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, kind).schema
    except ResourceNotFoundError:
        return {}
    return found
