"""Publishes what notification rules name to their topics, as CodeStar Notifications would.

Changes are noted in the thread they happen in, and published in one of the notifier's own: an event must not wait.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from aws_rehearsal.pipeline_service.gate import Gate
from aws_rehearsal.pipeline_service.notifications.events import Event
from aws_rehearsal.pipeline_service.notifications.notification_rules import (
    SERVICE,
    NotificationRule,
    changes,
    message,
)
from aws_rehearsal.pipeline_service.notifications.notifications_api import NotificationsApi
from aws_rehearsal.pipeline_service.state import Execution


class Notifier:
    """Hears the engine's events; `find` gives the execution of an id."""

    def __init__(self, gate: Gate, api: NotificationsApi, find: Callable[[str], Execution]) -> None:
        self._gate, self._api, self._find = gate, api, find
        self._told: set[str] = set()
        self._queue: queue.SimpleQueue[tuple[NotificationRule, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._publish, name="notifications", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def close(self) -> None:
        """Publish what was noted, and end."""
        self._queue.put(None)
        self._thread.join(5)

    def hear(self, event: Event) -> None:
        """Note what an event is to the rules of its pipeline."""
        if event.kind == "build":
            return
        execution = self._find(event.execution)
        for change in changes(event, execution):
            # The engine also tells what only goes on.
            if change.key in self._told:
                continue
            self._told.add(change.key)
            for rule in self._api.rules_for(execution.pipeline.arn, change.event_type):
                about = {"summary": event.detail} if event.detail else {}
                self._queue.put((rule, message(rule, change, event.at, about)))

    def _publish(self) -> None:
        while (item := self._queue.get()) is not None:
            rule, text = item
            for kind, address in rule.targets:
                if kind == "SNS":
                    published = self._gate.publish(address, SERVICE, rule.account, text)
                    rule.statuses[address] = "ACTIVE" if published else "UNREACHABLE"
