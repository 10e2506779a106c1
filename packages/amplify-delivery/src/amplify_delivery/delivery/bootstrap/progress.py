"""How far many accounts are: a table that is drawn again on a terminal, plain lines everywhere else.

What has ended is a line above the table, for good; the table has a row for each that is being worked on. So it has as
many rows as there are workers, and five hundred accounts are five hundred lines.
"""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TextIO

from amplify_delivery.delivery import output

CHECKING, UPDATING = "comparing", "updating"
UNCHANGED, CHANGED, FAILED = "unchanged", "done", "failed"
_UP_AND_CLEAR = "\x1b[{}A\x1b[J"
"""Lines up, and everything below away ("CUU" and "ED" in ECMA-48)."""


class Progress:
    """Of so many accounts, told from several threads. Results go to standard output, all else to `stream`."""

    def __init__(self, total: int, stream: TextIO, *, plain: bool, line: Callable[[str], None] = output.line) -> None:
        self._total, self._stream, self._plain, self._line = total, stream, plain, line
        self._lock = threading.Lock()
        self._active: dict[str, tuple[str, float]] = {}
        self._ended: Counter[str] = Counter()
        self._drawn = 0

    @classmethod
    def on(cls, stream: TextIO, total: int, variables: Mapping[str, str], line: Callable[[str], None]) -> Progress:
        """A table where `stream` is a terminal that knows how to go up; not in CI, whose terminal is a file."""
        plain = not stream.isatty() or bool(variables.get("CI")) or variables.get("TERM") == "dumb"
        return cls(total, stream, plain=plain, line=line)

    def now(self, name: str, what: str) -> None:
        """What is being done with one of them."""
        with self._lock:
            before = self._active.get(name)
            self._active[name] = (what, before[1] if before else time.monotonic())
            if not self._plain:
                self._draw()
            elif what != CHECKING and (self._total > 1 or what != UPDATING):  # of one alone the engine tells
                print(f"{self._counts()} {name}: {what}", file=self._stream, flush=True)

    def ended(self, name: str, how: str, *lines: str) -> None:
        """One of them has ended, one way or another; `lines` are what is to be read of it."""
        with self._lock:
            self._active.pop(name, None)
            self._ended[how] += 1
            self._clear()
            for text in lines:
                self._line(text)
            if not self._plain:
                self._draw()

    def tick(self) -> None:
        """Some time has passed."""
        with self._lock:
            if not self._plain and self._active:
                self._draw()

    def close(self) -> None:
        """The table is no longer needed."""
        with self._lock:
            self._clear()

    def _counts(self) -> str:
        return f"[{self._ended.total()}/{self._total}]"

    def _draw(self) -> None:
        self._clear()
        counted = ", ".join(f"{number} {how}" for how, number in sorted(self._ended.items()))
        rows = [f"{self._counts()} {counted}".rstrip()]
        width = max(map(len, self._active), default=0)
        now = time.monotonic()
        for name, (what, since) in self._active.items():
            rows.append(f"  {name.ljust(width)}  {what}, {now - since:.0f} s")
        print("\n".join(rows), file=self._stream, flush=True)
        # A terminal folds what is longer than it is wide.
        columns = max(shutil.get_terminal_size().columns, 1)
        self._drawn = sum(max(math.ceil(len(row) / columns), 1) for row in rows)

    def _clear(self) -> None:
        if self._drawn:
            self._stream.write(_UP_AND_CLEAR.format(self._drawn))
            self._stream.flush()
            self._drawn = 0


def duration(seconds: float) -> str:
    """`45 s`, `3 min 20 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
