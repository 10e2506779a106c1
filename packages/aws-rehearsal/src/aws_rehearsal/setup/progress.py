"""What the set-up is doing, and how long each step took, on one line per step.

On a terminal the line of the running step is rewritten every second; elsewhere (a log, a pipe) a step that takes long
says so every 15 seconds, in plain text without control codes.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Step:
    """One running step; `detail` is what it is at now, `outcome` what it came to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.detail = ""
        self.outcome = "done"


class Progress:
    """Writes steps to `stream` (default: standard error)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._tty = self._stream.isatty()

    def say(self, text: str) -> None:
        """One line of its own."""
        self._write(f"{text}\n")

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """A step called `name`; its line is finished with the step's outcome and time, or "failed"."""
        step, started, ended = Step(name), time.monotonic(), threading.Event()
        every = 1 if self._tty else 15
        ticker = threading.Thread(target=self._tick, args=(step, started, ended, every), daemon=True)
        ticker.start()
        failed = True
        try:
            yield step
            failed = False
        finally:
            ended.set()
            ticker.join()
            self._finish(step, "failed" if failed else step.outcome, time.monotonic() - started)

    def _tick(self, step: Step, started: float, ended: threading.Event, every: int) -> None:
        if self._tty:
            self._rewrite(step, 0)
        while not ended.wait(every):
            seconds = time.monotonic() - started
            if self._tty:
                self._rewrite(step, seconds)
            else:
                self._write(f"  {step.name}: {step.detail or 'working'} ({seconds:.0f} s)\n")

    def _rewrite(self, step: Step, seconds: float) -> None:
        line = f"  {step.name:<20} {step.detail or '...'} ({seconds:.0f} s)"
        self._write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")

    def _finish(self, step: Step, outcome: str, seconds: float) -> None:
        start = "\r\x1b[K" if self._tty else ""
        self._write(f"{start}  {step.name:<20} {outcome:<58} {seconds:6.1f} s\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
