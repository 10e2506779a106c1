"""What is known of a deployment that runs: every stack and resource that CloudFormation has told of. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from amplify_delivery.delivery.deployment.live.events import BEGINNINGS, Earlier, Event
from amplify_delivery.export.model import STACK_TYPE

Path = tuple[str, ...]
"""Logical ids from the root stack on."""


@dataclass(frozen=True)
class Item:
    """A resource, or a nested stack, in this operation."""

    path: Path
    type: str
    status: str
    began: datetime
    ended: datetime | None = None
    reason: str = ""

    @property
    def is_stack(self) -> bool:
        return self.type == STACK_TYPE

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")

    def seconds(self, now: datetime) -> float:
        """How long it took, or has taken until `now`."""
        return max(0.0, ((self.ended or now) - self.began).total_seconds())


class Board:
    """Takes events, each stack's in their order, and tells what changed. A new operation on the root restarts it."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        """Of each stack's id."""
        self.items: dict[Path, Item] = {}
        self.failures: list[Item] = []
        """What has failed, in that order, without what was only cancelled then; a rollback goes on with the same."""
        self.root = ""
        self.kind = ""
        """`create`, `update` or `delete`; empty as long as nothing has begun."""
        self.status = ""
        self.began: datetime | None = None
        self.ended: datetime | None = None

    def take(self, events: Iterable[Event]) -> list[Item]:
        """What has begun, ended or failed by them, in that order."""
        return [item for event in events if (item := self._take(event)) is not None]

    def _take(self, event: Event) -> Item | None:
        if event.is_own:
            if event.stack == self.root or not self.root:
                self._own(event)
            return None
        parent = () if event.stack == self.root else self._paths.get(event.stack)
        if parent is None:
            return None
        path = (*parent, event.logical_id)
        if event.nested:
            self._paths[event.nested] = path
        before = self.items.get(path)
        if event.under_way:
            return self._begin(event, path, before)
        began = before.began if before else event.time
        self.items[path] = item = Item(path, event.type, event.status, began, event.time, event.reason)
        if item.failed and not is_cancelled(item):
            self.failures.append(item)
        return item

    def _begin(self, event: Event, path: Path, before: Item | None) -> Item | None:
        """Something begins; or goes on (the second event tells the physical id), which is nothing new."""
        if before and before.ended is None and before.status == event.status:
            return None
        self.items[path] = item = Item(path, event.type, event.status, event.time, reason=event.reason)
        return item

    def _own(self, event: Event) -> None:
        self.root = event.stack
        self.status = event.status
        kind = BEGINNINGS.get(event.status)
        # A deletion after a create that failed belongs to it.
        if kind and not (kind == "delete" and self.kind == "create" and not self.ended):
            self.items, self._paths, self.failures = {}, {}, []
            self.kind, self.began, self.ended = kind, event.time, None
        elif not event.under_way:
            self.ended = event.time

    @property
    def at_work(self) -> list[Item]:
        """What is under way, longest first."""
        return sorted((i for i in self.items.values() if i.ended is None), key=lambda i: i.began)

    @property
    def done(self) -> int:
        """How many resources are done; nested stacks are none."""
        return sum(1 for i in self.items.values() if i.ended and not i.failed and not i.is_stack)

    @property
    def known(self) -> int:
        """How many resources have been told of."""
        return sum(1 for i in self.items.values() if not i.is_stack)

    def asked_next(self) -> list[str]:
        """The nested stacks of which there may be news: those under way, and those whose own end was told last, longest
        under way first."""
        under_way = {i.path for i in self.at_work if i.is_stack}
        begun = {path: self.items[path].began for path in under_way}
        ids = [stack for stack, path in self._paths.items() if path in under_way]
        return sorted(ids, key=lambda stack: begun[self._paths[stack]])

    def stacks(self) -> list[str]:
        """All nested stacks that were told of."""
        return list(self._paths)


def is_cancelled(item: Item) -> bool:
    """Whether it failed only because something else had failed."""
    return item.reason.lower().startswith("resource ") and item.reason.lower().rstrip(".").endswith("cancelled")


def left(board: Board, earlier: Earlier | None, now: datetime) -> float | None:
    """Seconds that are left, by how long it took before; None where nobody can tell, or it takes longer than then."""
    if earlier is None or board.began is None or board.ended or earlier.kind != board.kind:
        return None
    rest = [earlier.total - (now - board.began).total_seconds()]
    rest += [
        earlier.nested[item.path[0]] - item.seconds(now)
        for item in board.at_work
        if len(item.path) == 1 and item.path[0] in earlier.nested
    ]
    most = max(rest)
    return most if most > 0 else None
