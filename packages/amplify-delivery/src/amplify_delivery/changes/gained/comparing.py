"""Two trees compared: the rights of one that the other does not have, in as few lines as tell them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from amplify_delivery.changes.gained.grants import ANYONE, Grant, Kind, uncovered
from amplify_delivery.changes.gained.graphql import NOTHING, Contents, Found, nothing_known, opened
from amplify_delivery.changes.gained.handed_out import handed_out
from amplify_delivery.changes.gained.openings import openings, unblocked, unbounded
from amplify_delivery.changes.gained.policies import grants
from amplify_delivery.changes.gained.runs_as import runs_as
from amplify_delivery.changes.gained.sign_in import unasked
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.templates.resolve import ResolvedResource

_ORDER: tuple[Kind, ...] = ("open", "principal", "trust", "boundary", "denial", "network", "action")
"""Kinds by how far they reach."""


@dataclass(frozen=True)
class Gained:
    """`who` may do `rights` with each of `on`, if all of `conditions` hold, which could not be before.

    `path` and `type` are the resource in which it stands. `on` is empty where the rights say it themselves.
    """

    kind: Kind
    path: Path
    type: str
    who: str
    rights: tuple[str, ...]
    on: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return "/".join(self.path)

    @property
    def open(self) -> bool:
        """Whether it is for whoever comes."""
        return self.kind == "open" or self.who == ANYONE

    @property
    def what(self) -> str:
        """One sentence for people."""
        rights, on = ", ".join(self.rights), ", ".join(self.on)
        if self.kind == "boundary":
            return rights
        if self.kind == "denial":
            told = f"{self.who} is no longer denied {rights}" + (f" on {on}" if on else "")
        elif self.kind == "trust":
            told = f"{self.who} may become {on} ({rights})"
        elif self.kind == "open":
            told = f"{self.who}: {rights}" + (f" ({on})" if self.on != (self.place,) else "")
        else:
            here = self.kind == "principal" and self.on == (self.place,)
            told = f"{self.who} may {rights} on {on}" if on and not here else f"{self.who} may {rights}"
        return told + (f", if {' and '.join(self.conditions)}" if self.conditions else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "path": self.place,
            "type": self.type,
            "who": self.who,
            "rights": list(self.rights),
            "on": list(self.on),
            "conditions": list(self.conditions),
            "open": self.open,
        }


@dataclass(frozen=True)
class Comparison:
    """`rights` that are gained, what stands open first; `unread` are schemas and resolvers of which nobody can say."""

    rights: tuple[Gained, ...]
    unread: tuple[str, ...] = ()


def gained(
    deployed: Stacks | None,
    wanted: Stacks,
    contents_before: Contents = nothing_known,
    contents_after: Contents = nothing_known,
) -> Comparison:
    """What `wanted` allows that `deployed` (None: nothing) does not. The contents are the objects' of either side.

    A policy that says the same in other words, or in another order, or in another place, gains nothing; nor does one
    that is made narrower. What only moves from a wide policy into several narrow ones is covered by it.
    """
    new = (wanted.known_to(deployed) if deployed else wanted).resolved.resources
    old = deployed.known_to(wanted).resolved.resources if deployed else {}
    graphql = opened(old, new, contents_before, contents_after)
    return Comparison(gained_between(old, new, graphql), tuple(graphql.unread))


def gained_between(
    old: Mapping[Path, ResolvedResource], new: Mapping[Path, ResolvedResource], beside: Found = NOTHING
) -> tuple[Gained, ...]:
    """The same of resources by themselves: policies, what is open in them, and what stands `beside` the templates."""
    before = [*grants(old), *openings(old), *handed_out(old), *beside.before]
    after = [*grants(new), *openings(new), *handed_out(new), *beside.after]
    allowed = uncovered([g for g in after if not g.denied], [g for g in before if not g.denied])
    denials = uncovered([g for g in before if g.denied], [g for g in after if g.denied])
    fallen = [replace(g, kind="denial") for g in denials if _is_there_still(g, old, new)]
    lifted = [*unblocked(old, new), *unbounded(old, new), *unasked(old, new)]
    return tuple(_grouped([*allowed, *fallen, *lifted, *runs_as(old, new)]))


def _is_there_still(denial: Grant, old: Mapping[Path, ResolvedResource], new: Mapping[Path, ResolvedResource]) -> bool:
    """Whether what was denied something, or denied it itself, is there on both sides: it fell not with its holder."""
    holder = denial.who if denial.kind == "action" else denial.resource.pattern.partition(": ")[0]
    path = tuple(holder.split("/"))
    return path in new if path in old else True


def _grouped(found: Iterable[Grant]) -> Iterator[Gained]:
    """Grants that differ in their actions only, or in their resources only, in one."""
    by_resource: dict[tuple[Any, ...], dict[str, set[str]]] = {}
    for grant in found:
        conditions = tuple(sorted({*map(str, grant.conditions), *grant.when}))
        key = (_ORDER.index(grant.kind), grant.path, grant.type, grant.who, conditions)
        by_resource.setdefault(key, {}).setdefault(str(grant.resource), set()).add(str(grant.action))
    for key in sorted(by_resource):
        order, path, kind, who, conditions = key
        same: dict[tuple[str, ...], list[str]] = {}
        for resource, actions in sorted(by_resource[key].items()):
            same.setdefault(tuple(sorted(actions)), []).append(resource)
        for rights, on in same.items():
            yield Gained(_ORDER[order], path, kind, who, rights, tuple(r for r in on if r), conditions)
