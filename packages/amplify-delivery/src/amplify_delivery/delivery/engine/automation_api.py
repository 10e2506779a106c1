"""The Automation API's classes as they are used here: a stack and a workspace that ask for less, an inline program."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

from pulumi import RunError, automation
from pulumi.automation import CommandError, LocalWorkspace, UpdateSummary

from amplify_delivery.delivery.engine import state_faults
from amplify_delivery.delivery.engine.engine_errors import stderr

Before = Callable[[threading.Event], None]
"""What is done while the engine holds a stack's lock."""
_LISTINGS, _A_MOMENT = 9, 0.1
"""How often a listing is tried again, and after how many seconds."""


class Program:
    """A program without resources, for the engine to run."""

    def __init__(self, before: Before) -> None:
        self._before, self.stopped = before, threading.Event()
        self._running = threading.Lock()
        self.failure: Exception | None = None

    def __call__(self) -> None:
        with self._running:
            if self.stopped.is_set():
                raise RunError("interrupted: nothing is destroyed")
            try:
                self._before(self.stopped)
            except Exception as error:  # noqa: BLE001 - raised again, where the engine was asked
                self.failure = error
                raise RunError("nothing is destroyed") from None

    def end(self) -> None:
        """Wait until it does nothing any more: the lock may be somebody else's by now."""
        self.stopped.set()
        with self._running:
            pass


_NOT_ASKED = UpdateSummary("update", datetime.min, "", {}, {}, "not asked")


class Stack(automation.Stack):
    """A stack whose `up` ends with the update. The SDK's asks for the outputs twice and for the history then: three
    processes, each of which reads the state again, for what the engine's events have told."""

    def outputs(self) -> automation.OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary:  # noqa: ARG002 - of the SDK
        return _NOT_ASKED


class Workspace(LocalWorkspace):
    """A workspace that selects nothing: every command of the Automation API names its stack anyway."""

    def select_stack(self, stack_name: str) -> None:
        pass

    def list_stacks(self, include_all: bool | None = None) -> list[automation.StackSummary]:
        """Asked again where another engine has just written into the folder that is listed."""
        for _ in range(_LISTINGS):
            try:
                return super().list_stacks(include_all)
            except CommandError as error:
                if not state_faults.being_written(stderr(error)):
                    raise
                time.sleep(_A_MOMENT)
        return super().list_stacks(include_all)
