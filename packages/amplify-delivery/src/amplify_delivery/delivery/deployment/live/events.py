"""Events of stacks, as DescribeStackEvents tells them, and how long what they tell of took before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amplify_delivery.export.model import STACK_TYPE

_EMBEDDED = re.compile(r"Embedded stack (arn:\S+) was not")
"""How CloudFormation says of a nested stack that it has failed."""
BEGINNINGS = {"CREATE_IN_PROGRESS": "create", "UPDATE_IN_PROGRESS": "update", "DELETE_IN_PROGRESS": "delete"}
"""Statuses with which an operation on a stack begins, and what it is called."""
_ENDS = {"CREATE_COMPLETE": "create", "UPDATE_COMPLETE": "update", "DELETE_COMPLETE": "delete"}
"""Statuses with which one ends that went well."""


@dataclass(frozen=True)
class Event:
    """One event of a stack: what has happened to one of its resources, or to itself."""

    id: str
    stack: str
    """The stack's id."""
    logical_id: str
    type: str
    physical_id: str
    status: str
    reason: str
    time: datetime

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Event:
        """As CloudFormation tells it."""
        return cls(
            str(told["EventId"]),
            str(told["StackId"]),
            str(told.get("LogicalResourceId", "")),
            str(told.get("ResourceType", "")),
            str(told.get("PhysicalResourceId") or ""),
            str(told.get("ResourceStatus", "")),
            str(told.get("ResourceStatusReason") or ""),
            told["Timestamp"],
        )

    @property
    def is_own(self) -> bool:
        """Whether it tells of the stack itself."""
        return self.physical_id == self.stack

    @property
    def nested(self) -> str:
        """The id of the nested stack that it tells of; empty if of something else, or not known yet. A failure names
        it in its reason too."""
        if self.type != STACK_TYPE or self.is_own:
            return ""
        named = _EMBEDDED.match(self.reason) if self.failed and not self.physical_id else None
        return named[1] if named else self.physical_id

    @property
    def under_way(self) -> bool:
        return self.status.endswith("_IN_PROGRESS")

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")


@dataclass(frozen=True)
class Earlier:
    """How long the last operation of its kind on a stack took that went well, in seconds."""

    kind: str
    total: float
    nested: Mapping[str, float]
    """Each nested stack of the root's, by logical id."""


def earlier(events: Iterable[Event]) -> dict[str, Earlier]:
    """The last operations that went well, by kind, of a root stack's own events, newest first."""
    found: dict[str, Earlier] = {}
    ended: Event | None = None
    ends: dict[str, Event] = {}
    nested: dict[str, float] = {}
    for event in events:
        if event.is_own and event.status in _ENDS:
            ended, ends, nested = event, {}, {}
        elif event.is_own and ended and BEGINNINGS.get(event.status) == _ENDS[ended.status]:
            kind = _ENDS[ended.status]
            found.setdefault(kind, Earlier(kind, _between(event, ended), nested))
            ended = None
        elif event.is_own and not event.status.endswith("_CLEANUP_IN_PROGRESS"):
            ended = None  # it was rolled back, or something else came between
        elif ended and event.nested:
            if event.status in _ENDS:
                ends.setdefault(event.logical_id, event)
            elif event.under_way and event.logical_id in ends:
                # Newest first: of two beginnings (a second one tells the id) the older counts.
                nested[event.logical_id] = _between(event, ends[event.logical_id])
    return found


def _between(begin: Event, end: Event) -> float:
    return max(0.0, (end.time - begin.time).total_seconds())
