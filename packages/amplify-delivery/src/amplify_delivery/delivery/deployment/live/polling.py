"""Asking CloudFormation for new events: of the root, and of the nested stacks that are at work; never too often.

Whoever deploys asks, with her own rights, or the project `deploy` with those of its role:
`cloudformation:DescribeStackEvents` on the backend's stacks. AWS throttles these reads for account and region, where
others deploy as well. So nothing is asked but while the engine is at the root stack, a round has a limit of
calls, and the pause grows when there is no news, and when AWS throttles.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from amplify_delivery.delivery.deployment.live.board import Board, Item
from amplify_delivery.delivery.deployment.live.events import Earlier, Event, earlier
from amplify_delivery.delivery.engine.watch import RootWork
from amplify_delivery.publishing.aws_errors import suppressing, suppressing_all

CALLS = 8
"""Nested stacks that are asked about in a round."""
LAST_CALLS = 40
"""And in the last one: what has ended should be told."""
_PAGES = 5
"""Of 100 events each: older ones are not looked for."""
_QUIET = 4
"""So many times the usual pause is the longest without news: a table's index takes minutes in which nothing is told."""
_LONGEST = 60.0
"""Seconds between rounds, however often AWS throttles."""
_NOT_THERE = "ValidationError"
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})


class Polling:
    """Rounds of questions about the root stack `name`, while the engine is at `work` on it."""

    def __init__(self, client: Any, name: str, work: RootWork) -> None:
        self._client, self._root, self._work = client, name, work
        self._seen: dict[str, str] = {}
        """The newest event that is known, by stack."""
        self._turn = 0
        self.board = Board()
        self.earlier: dict[str, Earlier] = {}
        self.denied = False
        """Whether CloudFormation does not tell: nothing is asked any more then."""

    def begin(self) -> None:
        """Before anything has begun: what there is is old, and tells how long it took."""
        events = list(self._ask(self._root, None))
        if events:
            self._seen[self._root] = events[0].id
            self.earlier = earlier(events)

    def round(self, *, last: bool = False) -> list[Item]:
        """What has changed since the last one; in the `last` one of every stack that was told of. Raises botocore's
        errors."""
        # Once it is known, by its id: by its name a deleted stack is not found.
        root = self.board.root or self._root
        changed = self.board.take(self._news(root))
        if self.board.began is None:
            return changed
        limit, asked = LAST_CALLS if last else CALLS, set[str]()
        # What a stack tells of may be stacks again: at the end these are asked as well.
        while turn := self._in_turn([s for s in self._due(last=last) if s not in asked], limit - len(asked)):
            for stack in turn:
                changed += self.board.take(self._news(stack))
            asked.update(turn)
            if not last:
                break
        return changed

    def _due(self, *, last: bool) -> list[str]:
        return self.board.stacks() if last else self.board.asked_next()

    def follow(self, stop: threading.Event, pause: float, told: Callable[[list[Item]], None]) -> None:
        """Rounds, until told to stop, and a last one. Whatever AWS refuses, the deployment goes on without this; so it
        does where nothing can be written any more."""
        with suppress(OSError):
            self._follow(stop, pause, told)

    def _follow(self, stop: threading.Event, pause: float, told: Callable[[list[Item]], None]) -> None:
        waited, asked = pause, 0
        while not self.denied and not stop.wait(waited):
            begun = self._work.begun
            if not self._work.now and asked == begun:
                waited = pause
                continue
            with suppressing_all() as refusal:
                news = self.round()
                told(news)
                waited = pause if news else max(pause, min(pause * _QUIET, waited * 1.5))
                # Of what has ended there is one round more.
                asked = asked if self._work.now else begun
            if refusal:
                self.denied = refusal.denied
                waited = min(_LONGEST, waited * 2) if refusal.code in _THROTTLED else waited
        if not self.denied and self._work.begun:
            with suppressing_all():
                told(self.round(last=True))

    def _in_turn(self, stacks: list[str], calls: int) -> list[str]:
        """So many of them; the others next time."""
        if len(stacks) <= calls:
            return stacks
        if not calls:
            return []
        start = self._turn % len(stacks)
        self._turn += calls
        return (stacks[start:] + stacks[:start])[:calls]

    def _news(self, stack: str) -> list[Event]:
        """Events that are not known yet, oldest first."""
        key = self._root if stack == self.board.root else stack
        found = list(self._ask(stack, self._seen.get(key)))
        if found:
            self._seen[key] = found[0].id
        began = self.board.began
        # A nested stack's events of earlier operations were never asked for.
        return [e for e in reversed(found) if key == self._root or began is None or e.time >= began]

    def _ask(self, stack: str, until: str | None) -> Iterator[Event]:
        """A stack's events, newest first, up to one that is known; none of a stack that is not there."""
        with suppressing(_NOT_THERE):
            pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack)
            for number, page in enumerate(pages, start=1):
                for told in page["StackEvents"]:
                    if told["EventId"] == until:
                        return
                    yield Event.of(told)
                if number == _PAGES:
                    return
