"""What a re-export touches: the leaf resources and the nested stacks that CloudFormation would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from amplify_delivery.export.assembling.root import render_root
from amplify_delivery.export.assembly import Assembly, NestedStack
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.names import StackName
from amplify_delivery.export.templates.resolve import Path, ResolvedTree, resolve
from amplify_delivery.export.values.environment import EnvironmentValues

Change = Literal["added", "changed", "removed"]

_SOME_DATE = 2_000_000_000
"""An expiry for both sides: it belongs to the environment, not to the export."""


@dataclass(frozen=True)
class TouchedResource:
    """A leaf resource, by the logical ids of its stacks and its own. `properties` are the changed ones."""

    path: Path
    type: str
    change: Change
    properties: tuple[str, ...] = ()


@dataclass(frozen=True)
class TouchedStack:
    """A nested stack whose template or parameters change."""

    path: Path
    change: Change


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between two assemblies of one app."""

    resources: tuple[TouchedResource, ...]
    stacks: tuple[TouchedStack, ...]


def compare(old: Assembly, new: Assembly) -> Comparison:
    """Compare two assemblies as they would be deployed one after the other to the same environment."""
    before, after = _resolved(old, new.stack_name), _resolved(new, new.stack_name)
    resources = []
    for path in sorted({*before.resources, *after.resources}):
        a, b = before.resources.get(path), after.resources.get(path)
        if a is None and b is not None:
            resources.append(TouchedResource(path, b.type, "added"))
        elif b is None and a is not None:
            resources.append(TouchedResource(path, a.type, "removed"))
        elif a is not None and b is not None and a != b:
            resources.append(TouchedResource(path, b.type, "changed", _differing(a.properties, b.properties)))
    stacks = []
    for path in sorted({*before.stacks, *after.stacks}):
        one, two = before.stacks.get(path), after.stacks.get(path)
        if one != two:
            change: Change = "added" if one is None else "removed" if two is None else "changed"
            stacks.append(TouchedStack(path, change))
    return Comparison(tuple(resources), tuple(stacks))


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(k for k in {*old, *new} if old.get(k) != new.get(k)))


def _resolved(assembly: Assembly, name: StackName) -> ResolvedTree:
    secrets = frozenset(
        (name, p)
        for name, stack in assembly.root.nested.items()
        for p, v in stack.parameters.items()
        if v.source == "secret"
    )
    kept = frozenset(bound.literal for bound in assembly.bound)
    values = EnvironmentValues(name.environment, _SOME_DATE, name.suffix, secrets=secrets, kept_literals=kept)
    root = render_root(assembly, values, "staging-bucket")

    def template(path: Path, _: Any) -> tuple[str, Mapping[str, Any]]:
        stack: NestedStack = assembly.root
        for logical_id in path:
            if logical_id not in stack.nested:
                return "", {}  # a stack of the user's own, with a TemplateURL of her own
            stack = stack.nested[logical_id]
        return stack.template, parse_json(assembly.read(stack.template))

    return resolve(root.template, root.parameters, template)
