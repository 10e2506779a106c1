"""Plan a backend: what CloudFormation would do, resource by resource, through all nested stacks. Pure.

Both sides are resolved as CloudFormation would resolve them (`amplify_delivery.export.templates.resolve`) and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from amplify_delivery.changes.ordered.successors import keeps_its_items
from amplify_delivery.changes.references import targets
from amplify_delivery.changes.replacement import causes
from amplify_delivery.changes.stacks import DELETES, Stacks
from amplify_delivery.changes.stateful import data_of, remade_by
from amplify_delivery.changes.steps import (
    AddResource,
    ChangeResource,
    MoveStack,
    Path,
    RemoveResource,
    ReplaceResource,
    Step,
    UpdateStack,
    digest,
)
from amplify_delivery.export.templates.literals import text
from amplify_delivery.export.templates.resolve import ResolvedResource, ResolvedTree

_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Metadata", "Description", "Transform")
_SCALARS = (str, bool, int, float)
_NOTHING = Stacks({(): {}}, {})


def plan_backend(deployed: Stacks | None, wanted: Stacks) -> tuple[Step, ...]:
    """The steps from what is deployed (None: nothing) to what is wanted, by path; empty if nothing changes."""
    old, new = (deployed or _NOTHING).known_to(wanted), wanted
    resources = _Resources(old, new).steps()
    moves = list(_moves(old.resolved, new.resolved))
    steps = sorted([*resources, *moves], key=lambda s: (s.path, s.mark))
    return (*steps, *(_silent_updates(deployed and old, new, [s.path for s in steps])))


class _Resources:
    """The resources of two trees, compared."""

    def __init__(self, old: Stacks, new: Stacks) -> None:
        self.old, self.new = old, new
        self.before, self.after = old.resolved.resources, new.resolved.resources
        self.replaced: set[Path] = set()
        """What gets another physical id: whoever refers to it changes too."""

    def steps(self) -> list[AddResource | ChangeResource | ReplaceResource | RemoveResource]:
        both = sorted(self.before.keys() & self.after.keys())
        referring = _References(self.after)
        found: dict[Path, ChangeResource | ReplaceResource] = {}
        pending = both
        while pending:
            replaced = set()
            for path in pending:
                step = self.compared(path, referring.properties(path, self.replaced))
                if step:
                    found[path] = step
                if isinstance(step, ReplaceResource) and step.certain and path not in self.replaced:
                    replaced.add(path)
            self.replaced |= replaced
            pending = sorted({p for r in replaced for p in referring.by(r) if p in self.before})
        added = [AddResource(p, r.type, self.wanted(p)) for p, r in self.after.items() if p not in self.before]
        removed = [self.removed(p, r) for p, r in self.before.items() if p not in self.after]
        return [*found.values(), *added, *removed]

    def compared(self, path: Path, touched: frozenset[str]) -> ChangeResource | ReplaceResource | None:
        """How a resource that is on both sides changes. `touched` are properties that refer to what is replaced."""
        a, b = self.before[path], self.after[path]
        if a.type != b.type:
            return ReplaceResource(path, b.type, ("Type",), ("Type",), True, _loss(a), self.wanted(path))
        old, new = _properties(a), _properties(b)
        changed = {k for k in {*old, *new} if not _equal(old.get(k), new.get(k))} | touched
        policies = {p for p in _POLICIES if self.old.policy(path, p) != self.new.policy(path, p)}
        if not changed and not policies:
            return None
        properties = tuple(sorted(changed | policies))
        after = self.wanted(path)
        why = causes(b.type, old, new, touched) if changed else None
        # An older template may know it by fewer properties than the new one.
        either = {**new, **old}
        remade = tuple(sorted(remade_by(a.type, either, frozenset(changed))))
        if remade and (why is None or not why.properties):
            return ReplaceResource(path, b.type, properties, remade, False, data_of(a.type, either), after)
        if why is None or not why.properties:
            return ChangeResource(path, b.type, properties, after)
        loss = "" if keeps_its_items(self.old, self.new, path) else _loss(a)
        return ReplaceResource(path, b.type, properties, why.properties, why.certain, loss, after)

    def wanted(self, path: Path) -> str:
        """The digest of what a resource should be, however it comes to be so."""
        return digest([self.after[path].properties, [self.new.policy(path, p) for p in _POLICIES]])

    def removed(self, path: Path, resource: ResolvedResource) -> RemoveResource:
        kept = any(
            self.old.policy(path[:depth], "DeletionPolicy") != DELETES
            for depth in range(1, len(path) + 1)
            if depth == len(path) or path[:depth] not in self.new.resolved.stacks
        )
        return RemoveResource(path, resource.type, kept, "" if kept else _loss(resource))


def _equal(one: Any, other: Any) -> bool:
    """Whether two values of a property are the same to CloudFormation. It hands scalars on as texts ("Custom resource
    request objects": all values are strings), so a number that a parameter gives now is no change; inside of JSON it
    might be one."""
    if one == other:
        return True
    scalars = isinstance(one, _SCALARS) and isinstance(other, _SCALARS)
    return scalars and text(one) == text(other)


def _loss(resource: ResolvedResource) -> str:
    """What data a resource holds. One that is replaced and kept (UpdateReplacePolicy) is lost to the app
    all the same: the new one is empty."""
    return data_of(resource.type, resource.properties)


class _References:
    """Which resources refer to which, in a resolved tree: by `Ref` or `Fn::GetAtt`."""

    def __init__(self, resources: Mapping[Path, ResolvedResource]) -> None:
        self._to: dict[Path, dict[Path, set[str]]] = {}
        for path, resource in resources.items():
            for name, value in _properties(resource).items():
                for target in targets(value):
                    self._to.setdefault(target, {}).setdefault(path, set()).add(name)

    def by(self, target: Path) -> frozenset[Path]:
        return frozenset(self._to.get(target, ()))

    def properties(self, path: Path, targets: set[Path]) -> frozenset[str]:
        """The properties of `path` that refer to one of `targets`."""
        return frozenset(name for target in targets for name in self._to.get(target, {}).get(path, ()))


def _properties(resource: ResolvedResource) -> Mapping[str, Any]:
    return resource.properties if isinstance(resource.properties, Mapping) else {}


def _moves(before: ResolvedTree, after: ResolvedTree) -> Iterator[MoveStack]:
    """Nested stacks that are gone and stand elsewhere with the same resources in them."""
    gone = {p: _contents(before, p) for p in before.stacks if p not in after.stacks}
    come = {p: _contents(after, p) for p in after.stacks if p not in before.stacks}
    for path, contents in sorted(come.items()):
        same = sorted((p[-1] != path[-1], p) for p, c in gone.items() if c and c == contents)
        if same:
            was = same[0][1]
            del gone[was]
            yield MoveStack(path, was)


def _contents(tree: ResolvedTree, stack: Path) -> frozenset[tuple[Path, str]]:
    depth = len(stack)
    return frozenset((p[depth:], r.type) for p, r in tree.resources.items() if p[:depth] == stack)


def _silent_updates(old: Stacks | None, new: Stacks, touched: Sequence[Path]) -> Iterator[UpdateStack]:
    """Stacks that CloudFormation updates although no step stands in them or below them."""
    if old is None:
        return
    above = {p[:depth] for p in touched for depth in range(len(p) + 1)}
    for path in sorted(new.templates, key=lambda p: (-len(p), p)):
        if path in above or path not in old.templates:
            continue
        was, will = old.templates[path], new.templates[path]
        sections = [s for s in _SECTIONS if (was.get(s) or {}) != (will.get(s) or {})]
        if not path and _given(old, was) != _given(new, will) and "Parameters" not in sections:
            sections.insert(0, "Parameters")
        if sections:
            yield UpdateStack(path, tuple(sections), digest([will, _given(new, will) if not path else None]))
            above |= {path[:depth] for depth in range(len(path))}


def _given(stacks: Stacks, template: Mapping[str, Any]) -> dict[str, Any]:
    """The root's parameters with their values: given ones, else the defaults."""
    declared = template.get("Parameters") or {}
    return {name: stacks.parameters.get(name, d.get("Default")) for name, d in declared.items()}
