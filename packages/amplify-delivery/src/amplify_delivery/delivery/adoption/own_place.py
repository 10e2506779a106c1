"""The state of an environment with a place of its own (staging area, image repository), which its account takes over.

Pure: states are what `pulumi stack export` has in `deployment`. The states on the way, in their order:

| state | the former one | the account's | the environment's own, in its account |
|---|---|---|---|
| `held` | everything; what is handed over is protected, and kept by the engine if it is deleted | | |
| | | holds what is handed over | |
| `moving` | the same; no program runs with it any more, and nothing in it goes | | |
| `moved` | | | everything else |
| `left_behind` | what says where it is now, and nothing else | | |
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.rights.pulumi_types import PULUMI_STACK
from amplify_delivery.components.remembered import (
    ITS_ACCOUNTS,
    MOVED,
    STAGING,
    STAGING_OWNER,
    THEN,
    WHOSE_STAGING,
)
from amplify_delivery.delivery.adoption.state import PLACE, STASH, root_of
from amplify_delivery.delivery.teardown.removal import BUCKET, REPOSITORY, closure, name_of
from amplify_delivery.stacks.images import IMAGES, PUSHED_IMAGES

State = Mapping[str, Any]
Resource = Mapping[str, Any]
_AREA = f"amplify-delivery:index:StagingArea::{STAGING}"
_BELOW = "::amplify-delivery:index:StagingArea$"
_PROTECTED = "protected"
"""Beside `MOVED`: the URNs of what was protected before, as JSON."""


@dataclass(frozen=True)
class Place:
    """What an environment has of its own: the names of its staging bucket and, where it has images, its repository."""

    bucket: str
    repository: str | None = None


def place_of(resources: Iterable[Resource]) -> Place | None:
    """The place that a state holds; None where its account's stack has made it."""
    resources = tuple(resources)
    handed = [r for r in resources if r["urn"] in handed_over(resources)]
    buckets = [str(r["id"]) for r in handed if r["type"] == BUCKET and r.get("id")]
    repositories = [str(r["id"]) for r in handed if r["type"] == REPOSITORY and r.get("id")]
    return Place(buckets[0], next(iter(repositories), None)) if buckets else None


def of_another_language(resources: Iterable[Resource]) -> str:
    """The name of the component by which a program in another language has made the environment (`stacks.packaged`),
    where that has a staging area of its own; empty for any other. What it holds has other names than the program of
    stack files gives it."""
    areas = (name_of(r) for r in resources if r["type"] == "amplify-delivery:index:StagingArea")
    return next((name.removesuffix(f"-{STAGING}") for name in areas if name != STAGING), "")


def holds(resources: Iterable[Resource], place: Place) -> bool:
    """Whether the state of an account's stack has taken a whole place over."""
    held = {(str(r["type"]), str(r.get("id") or "")) for r in resources}
    return held >= {(BUCKET, place.bucket), *([(REPOSITORY, place.repository)] if place.repository else [])}


def handed_over(resources: Iterable[Resource]) -> frozenset[str]:
    """The URNs of what the program of a bootstrapped environment does not declare: the account's stack does."""
    return frozenset(str(r["urn"]) for r in resources if _is_handed_over(str(r["urn"])))


def _is_handed_over(urn: str) -> bool:
    kind, _, name = urn.rpartition("::")
    own = ((REPOSITORY, IMAGES), ("aws:ecr/repositoryPolicy:RepositoryPolicy", IMAGES), (STASH, PUSHED_IMAGES))
    return urn.endswith(_AREA) or (_BELOW in urn and name == STAGING) or (kind.rpartition("::")[2], name) in own


def moving_to(resources: Iterable[Resource]) -> str:
    """What a state says of where the environment goes or has gone; empty for any other."""
    return str(next((_facts(r)[MOVED] for r in resources if MOVED in _facts(r)), ""))


def untold(resources: Iterable[Resource]) -> str:
    """What a state does not say that `moving` and `left_behind` need; empty if it says both. What is written into the
    place stops every program, and what says whose the staging area is holds the place where a program was refused."""
    resources = tuple(resources)
    if not any(_facts(r) for r in resources):
        return "where the environment lies"
    return "" if any(_is_owner(r) for r in resources) else "whose its staging area is"


def held(state: State) -> dict[str, Any]:
    """The state with what is handed over protected, and retained if somebody deletes it all the same."""
    handed = handed_over(_resources(state))
    return _with(state, [_kept(r) if r["urn"] in handed else r for r in _resources(state)])


def moving(state: State, told: str, then: str) -> dict[str, Any]:
    """`held`, with which no program runs any more, of whatever version and checkout, and of which nothing goes by plain
    `pulumi destroy`: `told` says why, `then` what to do."""
    resources = _resources(state)
    if moving_to(resources):
        return dict(state)
    before = json.dumps([r["urn"] for r in resources if r.get("protect")])
    said = {MOVED: told, THEN: then, _PROTECTED: before}
    return _with(state, [_said(_protected(r), said) for r in _resources(held(state))])


def moved(state: State) -> dict[str, Any]:
    """The state of the bootstrapped environment, of what `moving` has left: without what is handed over, protected as
    before, and the root in any case."""
    state = _unsaid_all(state)
    handed = handed_over(_resources(state))
    root = root_of(_resources(state))
    found = []
    for resource in _resources(state):
        if resource["urn"] not in handed:
            kept = _without(resource, handed)
            kept = _owned_by_account(kept) if _is_owner(kept) else kept
            found.append(_protected(kept) if root and kept["urn"] == root["urn"] else kept)
    return _with(state, found)


def left_behind(state: State, told: str, then: str) -> dict[str, Any]:
    """What stays where the state was: where it is now. Without it a program would find an empty state there.

    A program that is refused has taken `protect` off what it had declared by then. What remembers whose the staging
    area is comes after that, so that it stays protected, and holds what it depends on.
    """
    resources = [_owned_by_account(r) if _is_owner(r) else r for r in _resources(state)]
    needed = closure(resources, (r["urn"] for r in resources if _is_place(r) or _is_owner(r)))
    said = {MOVED: told, THEN: then}
    left = [_said(_protected(r), said) for r in resources if r["urn"] in needed or r["type"] == PULUMI_STACK]
    return _with(state, [{**r, "outputs": {}} if r["type"] == PULUMI_STACK else r for r in left])


def ids(state: State) -> dict[str, str]:
    """What a state holds: ids by URN."""
    return {str(r["urn"]): str(r.get("id") or "") for r in _resources(state)}


def _resources(state: State) -> list[Resource]:
    return list(state.get("resources") or ())


def _with(state: State, resources: list[Any]) -> dict[str, Any]:
    return {**state, "resources": resources}


def _facts(resource: Resource) -> Mapping[str, Any]:
    """What the program remembers in it of where the environment lies."""
    facts = (resource.get("outputs") or {}).get("output")
    return facts if _is_place(resource) and isinstance(facts, Mapping) else {}


def _is_place(resource: Resource) -> bool:
    return resource["type"] == STASH and name_of(resource) == PLACE


def _is_owner(resource: Resource) -> bool:
    return resource["type"] == STASH and name_of(resource) == STAGING_OWNER


def _protected(resource: Resource) -> Resource:
    """Components too: the engine deletes what has no child any more. Its own, the stack and providers, it takes away
    with the last that needs them."""
    return resource if resource["type"] == PULUMI_STACK else {**resource, "protect": True}


def _kept(resource: Resource) -> Resource:
    return {**resource, "protect": True, **({"retainOnDelete": True} if resource.get("custom") else {})}


def _said(resource: Resource, said: Mapping[str, str]) -> Resource:
    """A version that does not know `MOVED` stops at an environment with another name."""
    facts = _facts(resource)
    if not facts:
        return resource
    own = _own(facts)
    told = {**own, "environment": f"{own['environment']} ({said[MOVED]})", **said}
    return {**resource, "outputs": {**resource["outputs"], "output": told}}


def _own(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the program has remembered itself. The name of an environment has no bracket."""
    own = {key: value for key, value in facts.items() if key not in (MOVED, THEN, _PROTECTED)}
    return {**own, "environment": str(own.get("environment")).partition(" (")[0]}


def _unsaid_all(state: State) -> dict[str, Any]:
    """`state` without what `moving` says and protects."""
    resources = _resources(state)
    said = next((_facts(r) for r in resources if MOVED in _facts(r)), None)
    if said is None:
        return dict(state)
    before = set(json.loads(said[_PROTECTED]))
    return _with(
        state, [_unsaid({k: v for k, v in r.items() if k != "protect"}, r["urn"] in before) for r in resources]
    )


def _unsaid(resource: Resource, protected: bool) -> Resource:
    found = {**resource, "protect": True} if protected else resource
    facts = _facts(found)
    return {**found, "outputs": {**found["outputs"], "output": _own(facts)}} if facts else found


def _owned_by_account(resource: Resource) -> Resource:
    """In its input as well: the engine compares what the program says with that."""
    inputs, outputs = dict(resource.get("inputs") or {}), dict(resource.get("outputs") or {})
    for values in (inputs, outputs):
        for key in ("input", "output"):
            if isinstance(values.get(key), Mapping):
                values[key] = {**values[key], WHOSE_STAGING: ITS_ACCOUNTS}
    return {**resource, "inputs": inputs, "outputs": outputs}


def _without(resource: Resource, gone: Collection[str]) -> Resource:
    """The same, needing nothing of what is not in the state any more: the engine takes no state that names it."""
    found = dict(resource)
    if found.get("dependencies"):
        found["dependencies"] = [urn for urn in found["dependencies"] if urn not in gone]
    if found.get("propertyDependencies"):
        found["propertyDependencies"] = {
            key: [urn for urn in urns or () if urn not in gone] for key, urns in found["propertyDependencies"].items()
        }
    if found.get("deletedWith") in gone:
        found["deletedWith"] = ""
    return found
