"""What stacks of CloudFormation have let go of and not deleted, by their events: DELETE_SKIPPED.

That is the status of what its template keeps (`DeletionPolicy`, `UpdateReplacePolicy`), when its stack is deleted and
when an update takes it out of the stack, or replaces it. Events are told for 90 days ("DescribeStackEvents" in the
API reference), newest first; those of a deleted stack by its id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from amplify_delivery.changes.stateful import data_of
from amplify_delivery.delivery.teardown.held import Held
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.publishing.aws_errors import suppressing

_BEGUN, _MADE = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"), ("CREATE_COMPLETE", "UPDATE_COMPLETE")
"""Of a resource that an update replaces, UPDATE_COMPLETE tells the id of the one that was made."""


def left_by(cloudformation: Any, stack: str, path: tuple[str, ...] = (), *, updates: bool = False) -> Iterator[Held]:
    """What stays of a stack that is deleted, and of those nested in it, though it can hold data; with `updates` also
    what they have left before that, and what a stack that lives has left. `stack` is its id."""
    events, told = _events(cloudformation, stack), set[str]()
    for event in events:
        kind, physical = str(event["ResourceType"]), str(event.get("PhysicalResourceId") or "")
        below, status = (*path, str(event["LogicalResourceId"])), str(event.get("ResourceStatus"))
        if physical == event["StackId"]:
            if not (updates or status.startswith("DELETE_")):
                return  # what was left before, an update has left
        elif not physical or physical in told:
            continue
        elif kind == STACK_TYPE and (updates or status == "DELETE_COMPLETE"):
            told.add(physical)
            yield from left_by(cloudformation, physical, below, updates=updates)
        elif status == "DELETE_SKIPPED" and (data := data_of(kind, None)):
            told.add(physical)
            place, left, made = "/".join(below), event["Timestamp"], _made(events, event)
            yield Held(place, kind, physical, data, kept=True, stack=str(event["StackId"]), left=left, made=made)


def _events(cloudformation: Any, stack: str) -> list[Mapping[str, Any]]:
    """All of them; none of a stack that CloudFormation has forgotten."""
    with suppressing("ValidationError", saying="does not exist"):
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        return [event for page in pages for event in page["StackEvents"]]
    return []


def _made(events: Sequence[Mapping[str, Any]], left: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """When the stack has made what it left. None for what was imported, and where one of that name was there already:
    its creation has failed then."""
    begun: datetime | None = None
    for event in reversed(events):
        if event["LogicalResourceId"] != left["LogicalResourceId"]:
            continue
        status = str(event.get("ResourceStatus"))
        if status in _BEGUN:
            begun = begun or event["Timestamp"]
        elif status.endswith("_COMPLETE") and event.get("PhysicalResourceId") == left["PhysicalResourceId"]:
            return (begun, event["Timestamp"]) if begun and status in _MADE else None
        else:
            begun = None
    return None
