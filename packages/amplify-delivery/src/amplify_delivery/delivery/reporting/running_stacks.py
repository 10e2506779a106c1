"""The stacks as they run: their states, and what their last operation did. A few reading calls, however many there are:
two for each stack that has nested ones, and one listing for all states."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.delivery.deployment.live.events import Event
from amplify_delivery.delivery.reporting.last_operation import last
from amplify_delivery.publishing.stack_state import described

Path = tuple[str, ...]


@dataclass(frozen=True)
class Running:
    """A root stack and what is below it. `status` is None where there is none, `changed` is the last time."""

    status: str | None = None
    protected: bool = False
    changed: datetime | None = None
    ids: Mapping[Path, str] = field(default_factory=dict)


def read(cloudformation: Any, stack: str, paths: Collection[Path]) -> Running:
    """The root stack, and the ids of the stacks at `paths` that are there. Raises botocore's errors."""
    found = described(cloudformation, stack)
    if found is None:
        return Running()
    ids: dict[Path, str] = {(): str(found["StackId"])}
    for parent in parents(paths):
        if parent in ids:
            ids |= {(*parent, name): child for name, child in deployed.nested(cloudformation, ids[parent]).items()}
    return Running(
        str(found["StackStatus"]),
        bool(found.get("EnableTerminationProtection")),
        found.get("LastUpdatedTime") or found.get("CreationTime"),
        ids,
    )


def parents(paths: Collection[Path]) -> list[Path]:
    """Those that have some below them, each before those below it."""
    return sorted({path[:-1] for path in paths if path}, key=lambda path: (len(path), path))


def states(cloudformation: Any, running: Running) -> dict[Path, str]:
    """The state of each stack. Raises botocore's errors."""
    nested = {path: stack for path, stack in running.ids.items() if path}
    own = {(): running.status or ""}
    return own | {path: state for path, (_, state) in deployed.states_of(cloudformation, nested).items()}


def events(cloudformation: Any, running: Running, paths: Collection[Path]) -> dict[Path, Sequence[Event]]:
    """The events of the root's last operation, of each stack that has nested ones. Raises botocore's errors."""
    if not running.ids:
        return {}
    found: dict[Path, Sequence[Event]] = {(): tuple(last(_events(cloudformation, running.ids[()])))}
    began = min((event.time for event in found[()]), default=None)
    for path in parents(paths):
        if path in running.ids and path and began:
            found[path] = tuple(last(_events(cloudformation, running.ids[path]), began))
    return found


def _events(cloudformation: Any, stack: str) -> Iterator[Event]:
    """Page by page: whoever has seen enough asks for no more."""
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        yield from map(Event.of, page["StackEvents"])
