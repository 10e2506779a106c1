"""Stacks for the planner's tests: real exports as they would be deployed, with changes by path."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from amplify_delivery.delivery.planning import Stacks
from amplify_delivery.export import EnvironmentValues, assemble, read_export, render_root
from unit.command_line import export

VALUES = EnvironmentValues("dev", 2_000_000_000, "12345")


@functools.cache
def stacks_of(name: str, boundary: str | None = None) -> Stacks:
    """One of `tests/exports` as it would be deployed to the environment `dev`, with a permissions boundary or none."""
    return stacks_of_export(export(name), boundary)


def stacks_of_export(folder: Path, boundary: str | None = None) -> Stacks:
    """Any export as it would be deployed to the environment `dev`."""
    assembly = assemble(read_export(folder))
    root = render_root(assembly, replace(VALUES, permissions_boundary=boundary), "staging-bucket")
    return Stacks.of(assembly, root, root.parameters)


def changed(stacks: Stacks, place: str, change: Callable[[dict[str, Any]], object]) -> Stacks:
    """A copy in which `change` was done to the template of the stack at `place` (`a/b`, empty for the root)."""
    path = tuple(place.split("/")) if place else ()
    template = copy.deepcopy(dict(stacks.templates[path]))
    change(template)
    templates: dict[tuple[str, ...], Mapping[str, Any]] = {**stacks.templates, path: template}
    return Stacks(templates, stacks.parameters)


def with_resource(stacks: Stacks, place: str, **changes: Any) -> Stacks:
    """A copy in which a resource's properties are set, or its attributes (`DeletionPolicy`); None takes one away."""
    *above, name = place.split("/")

    def change(template: dict[str, Any]) -> None:
        resource = template["Resources"][name]
        for key, value in changes.items():
            holder = resource if key in ("DeletionPolicy", "UpdateReplacePolicy", "Type") else resource["Properties"]
            if value is None:
                holder.pop(key, None)
            else:
                holder[key] = value

    return changed(stacks, "/".join(above), change)


def without(stacks: Stacks, place: str) -> Stacks:
    """A copy without a resource or nested stack."""
    *above, name = place.split("/")
    path = tuple(place.split("/"))
    left = changed(stacks, "/".join(above), lambda t: t["Resources"].pop(name))
    return Stacks({p: t for p, t in left.templates.items() if p[: len(path)] != path}, left.parameters)
