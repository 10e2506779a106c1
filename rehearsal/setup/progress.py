"""Say what a set-up step does, while it does it, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """Steps on a text stream. On a terminal the running step's line shows its seconds and last detail; piped, a
    detail is printed at most every ten seconds, so that a log shows life without being flooded."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.terminal = stream.isatty()
        self._name = ""
        self._start = 0.0
        self._last = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step and, when it is done, its time. Nothing is said of an error: whoever catches it does."""
        self._name, self._start, self._last = name, time.monotonic(), time.monotonic()
        self.stream.write(f"{name} ...{'' if self.terminal else chr(10)}")
        self.stream.flush()
        try:
            yield
        except BaseException:
            self.stream.write("\n" if self.terminal else "")
            raise
        seconds = time.monotonic() - self._start
        self.stream.write(f"{self._begin()}{name}: {seconds:.1f} s\n")
        self.stream.flush()

    def detail(self, text: str) -> None:
        """What the running step is at."""
        now = time.monotonic()
        if now - self._last < (0.2 if self.terminal else 10):
            return
        self._last = now
        line = f"{self._name} ... {now - self._start:.0f} s  {text[:100]}"
        self.stream.write(f"{self._begin()}{line}" if self.terminal else f"{line}\n")
        self.stream.flush()

    def _begin(self) -> str:
        """Back to the start of the line, and clear it."""
        return "\r\x1b[K" if self.terminal else ""
