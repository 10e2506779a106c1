"""What a destroy would lose, and what it would leave: resource by resource, through all nested stacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.changes.ordered.successors import base_name
from amplify_delivery.changes.stateful import CLOUDFORMATION_TYPES, data_beside, data_of, is_custom
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery.delivery.teardown.same_place import Place, of_stack
from amplify_delivery.export.documents import Malformed
from amplify_delivery.export.model import STACK_TYPE

_STAGING = "amplify-delivery:index:StagingArea$"
"""In the URN of what a staging area holds: published copies, which can be published again."""


@dataclass(frozen=True, order=True)
class Held:
    """A resource with data. `path` is its logical ids from the root stack on, or its name in the program."""

    path: str
    type: str
    physical_id: str
    data: str
    kept: bool = False
    """Whether it stays when its stack is deleted."""
    succeeds: str = ""
    """Name of the first table of the chain of which it is the last; empty for what has succeeded none."""
    stack: str = field(default="", compare=False)
    """Id of the CloudFormation stack that holds it, or has left it; empty for what was found by its name."""
    left: datetime | None = field(default=None, compare=False)
    """When that stack has left it; None for what it holds."""
    made: tuple[datetime, datetime] | None = field(default=None, compare=False)
    """Between which events that stack has made what it left; None where none tells that it has."""

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "type": self.type,
            "physical_id": self.physical_id,
            "data": self.data,
            "kept": self.kept,
        }


def in_stack(cloudformation: Any, stack: str, path: tuple[str, ...] = ()) -> Iterator[Held]:
    """What a CloudFormation stack and all below it hold. `stack` is a name or an id."""
    resources: Mapping[str, Any] | None = None
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        for item in page["StackResourceSummaries"]:
            name, kind = item["LogicalResourceId"], item["ResourceType"]
            physical = item.get("PhysicalResourceId")
            if not physical or item["ResourceStatus"] == "DELETE_COMPLETE":
                continue
            if kind == STACK_TYPE:
                yield from in_stack(cloudformation, physical, (*path, name))
            elif kind in CLOUDFORMATION_TYPES or is_custom(kind):
                if resources is None:
                    resources = _resources(cloudformation, stack)
                resource, place = resources.get(name) or {}, "/".join((*path, name))
                data = data_of(kind, resource.get("Properties"))
                kept = resource.get("DeletionPolicy", "Delete") != "Delete"
                if data:
                    holds = "" if item["ResourceStatus"] == "DELETE_SKIPPED" else stack
                    yield Held(place, kind, physical, data, kept, base_name(resource, physical), holds)


def deleted_last(cloudformation: Any, name: str) -> list[str]:
    """The id of the stack of this name that was deleted last; none if there was none in 90 days.

    That is the one that was made last: a name is free again when its stack is gone. A summary has to have that time
    only (StackSummary of the API Reference).
    """
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    found = [s for page in pages for s in page["StackSummaries"] if s.get("StackName") == name]
    return [str(max(found, key=lambda s: s["CreationTime"])["StackId"])] if found else []


def nested_in(cloudformation: Any, stack: str, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Place and id of the stacks nested in a CloudFormation stack, and in those."""
    for name, physical in deployed.nested(cloudformation, stack).items():
        below = (*path, name)
        yield below, physical
        yield from nested_in(cloudformation, physical, below)


def name_of(stack: str) -> str:
    """The name of a stack, by its id: `arn:...:stack/NAME/RANDOM`."""
    return stack.split("/")[1] if "/" in stack else stack


def living(cloudformation: Any, stack: str, path: tuple[str, ...] = ()) -> Iterator[str]:
    """`PATH (TYPE): ID` of the nested stacks of a CloudFormation stack, and of what all of them hold."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for item in page["StackResourceSummaries"]:
            kind, physical = item["ResourceType"], item.get("PhysicalResourceId")
            if not physical or item["ResourceStatus"] == "DELETE_COMPLETE":
                continue
            below = (*path, item["LogicalResourceId"])
            if kind == STACK_TYPE:
                yield f"{'/'.join(below)} ({kind}): {name_of(physical)}"
                yield from living(cloudformation, physical, below)
            elif kind in CLOUDFORMATION_TYPES:
                yield f"{'/'.join(below)} ({kind}): {physical}"


def _resources(cloudformation: Any, stack: str) -> dict[str, Mapping[str, Any]]:
    """The resources of one stack, as its template has them."""
    try:
        resources = deployed.template(cloudformation, stack).get("Resources") or {}
    except Malformed:
        return {}
    return {name: resource for name, resource in resources.items() if isinstance(resource, Mapping)}


def in_state(resources: Iterable[Mapping[str, Any]], here: Place) -> Iterator[Held]:
    """What the program's own resources hold, by the engine's state; staging areas do not count. A stack of its own that
    lies elsewhere than the environment (`here`), or stays, may hold anything: nobody looks into it."""
    for resource in resources:
        kind, urn = str(resource.get("type")), str(resource.get("urn"))
        if kind == ROOT_STACK and not resource.get("external") and not goes_from(here, resource):
            kept = bool(resource.get("retainOnDelete"))
            yield Held(urn.rpartition("::")[2], kind, str(resource.get("id")), "everything in the stack", kept)
        data = data_beside(kind, resource.get("inputs") or {}) if resource.get("custom") else ""
        if data and _STAGING not in urn and not resource.get("external"):
            kept = bool(resource.get("retainOnDelete"))
            yield Held(urn.rpartition("::")[2], kind, str(resource.get("id")), data, kept)


def goes_from(here: Place, resource: Mapping[str, Any]) -> bool:
    """Whether a resource in the state is a stack of CloudFormation that goes with the environment, and lies `here`: the
    backend's, or another one of the program's own. What it only reads (`Stack.get`) is somebody else's."""
    if resource.get("type") != ROOT_STACK:
        return False
    stays = resource.get("external") or resource.get("retainOnDelete") or of_stack(resource) not in (None, here)
    return BACKEND in str(resource.get("urn")) or not stays
