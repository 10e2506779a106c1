"""How long the parts of a stack's last operation took, from its events (DescribeStackEvents). Pure.

A stack's events tell of its resources, and of a nested stack's as of one resource; so the events of the stacks that
have nested ones tell how long each stack took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from amplify_delivery.delivery.deployment.live.events import BEGINNINGS, Event
from amplify_delivery.delivery.reporting.page.report_model import Span, Timings, Tone

Path = tuple[str, ...]
_BEGINS = (*BEGINNINGS, "IMPORT_IN_PROGRESS")
"""States with which an operation on a stack begins; all others follow one of these."""


def _begins(event: Event) -> bool:
    """Whether an operation on its stack begins with it."""
    return event.is_own and event.status in _BEGINS


def last(events: Iterable[Event], since: datetime | None = None) -> Iterator[Event]:
    """Of the events of a stack, newest first, those of its last operation; with `since` those from then on."""
    for event in events:
        if since is not None and event.time < since:
            return
        yield event
        if since is None and _begins(event):
            return


def timings(events: Mapping[Path, Sequence[Event]]) -> Timings | None:
    """The last operation of the root stack; None if nothing is known of it. `events` are those of the root and of every
    stack with nested ones, by path."""
    whole = [event for event in events.get((), ()) if event.is_own]
    if not whole:
        return None
    began, ended = min(e.time for e in whole), max(e.time for found in events.values() for e in found)
    spans = [span for path, found in events.items() for span in _spans(path, found, began)]
    kind = next((e.status.partition("_")[0].lower() for e in whole if _begins(e)), "operation")
    names = {"create": "Creation", "update": "Update", "delete": "Deletion", "import": "Import"}
    state = max(whole, key=lambda e: e.time).status
    note = "What is in a stack without nested ones takes its time within that stack's."
    title = f"{names.get(kind, 'Last operation')} of {began:%Y-%m-%d %H:%M} UTC, {state}"
    return Timings(title, _seconds(began, ended), tuple(sorted(spans, key=lambda s: (s.start, s.name))), note)


def _spans(path: Path, events: Sequence[Event], began: datetime) -> Iterator[Span]:
    by_name: dict[str, list[Event]] = {}
    for event in events:
        if not event.is_own:
            by_name.setdefault(event.logical_id, []).append(event)
    for name, found in by_name.items():
        first, newest = min(e.time for e in found), max(found, key=lambda e: e.time)
        place = "/".join((*path, name))
        yield Span(place, _seconds(began, first), _seconds(first, newest.time), newest.status, tone(newest.status))


def tone(status: str) -> Tone:
    """How a state of a stack or resource is to be seen."""
    if "FAILED" in status or "ROLLBACK" in status:
        return "bad"
    return "warn" if "IN_PROGRESS" in status else "good"


def _seconds(begin: datetime, end: datetime) -> float:
    return round((end - begin).total_seconds(), 1)
