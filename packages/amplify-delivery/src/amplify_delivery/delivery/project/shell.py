"""The shell of a step or of Build: its commands in one process group, bounded in time, secrets masked in its output."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amplify_delivery.errors import DeployError

MASK = "***"
"""Printed in place of a secret."""
GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""
LAST_LINES = 20
"""So many lines are kept for the error."""

_OUTPUT_PATIENCE = 2.0
"""Seconds to wait for output of a process that has left the group and keeps the pipe open."""


@dataclass(frozen=True)
class Ended:
    """How a shell ended; `code` is negative if a signal ended it, as in `subprocess`."""

    code: int
    timed_out: bool
    last_lines: tuple[str, ...]
    seconds: float

    @property
    def failed(self) -> str | None:
        """Why it has failed by itself; None if it has not."""
        if not self.code:
            return None
        return f"exit code {self.code}" if self.code > 0 else f"ended by signal {-self.code}"

    def error(self, kind: type[DeployError], why: str, where: str, remedy: str) -> DeployError:
        """The failure, with the last lines of output; of which `kind`, the commands' purpose says."""
        return kind(
            "\n".join([f"failed: {why}", *(f"  {text}" for text in self.last_lines)]), where=where, remedy=remedy
        )


def run(
    commands: Sequence[str],
    variables: Mapping[str, str],
    seconds: float | None,
    line: Callable[[str], None],
    secrets: Collection[str] = (),
    *,
    without: Collection[str] = (),
    arguments: Sequence[str] = (),
) -> Ended:
    """Run `commands` in one `sh -eu` that gets `variables` beside its environment; `line` gets each line of output.
    Variables of this process that are named in `without` are no part of that environment; `arguments` are `"$@"`.

    After `seconds` (None: no bound), or when this process is interrupted, the whole process group gets SIGTERM and
    `GRACE` seconds later SIGKILL. So does what the commands have left in the background. `secrets`, see `hidden`, are
    masked in every line.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    began = time.monotonic()

    def read(stream: Any) -> None:
        with stream:
            for text in stream:
                shown = masked(text.rstrip(), secrets)
                last.append(shown)
                line(shown)

    process = subprocess.Popen(
        ["sh", "-eu", "-c", "\n".join(commands), "sh", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**{name: value for name, value in os.environ.items() if name not in without}, **variables},
        text=True,
        encoding="utf-8",
        errors="replace",
        process_group=0,
    )
    reader = threading.Thread(target=read, args=(process.stdout,), daemon=True)
    timed_out = False
    with _termination_interrupts():
        try:
            reader.start()
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _end(process)
    reader.join(_OUTPUT_PATIENCE)
    return Ended(process.returncode, timed_out, tuple(last), time.monotonic() - began)


def hidden(values: Iterable[Any]) -> frozenset[str]:
    """The texts to mask for secret values: as they are, as JSON writes them, and line by line, as they are printed."""
    found: set[str] = set()
    for value in values:
        if isinstance(value, Mapping):
            found |= hidden(value.values()) | {json.dumps(value)}
        elif isinstance(value, list):
            found |= hidden(value) | {json.dumps(value)}
        elif value is not None and not isinstance(value, bool):
            text = str(value)
            found |= {text, json.dumps(text)[1:-1], *text.splitlines()}
    return frozenset(text.strip() for text in found if text.strip())


def masked(text: str, secrets: Collection[str]) -> str:
    """`text` with `MASK` for each secret; one for several that overlap."""
    covered = bytearray(len(text))
    for secret in secrets:
        at = text.find(secret)
        while at >= 0:
            covered[at : at + len(secret)] = b"\1" * len(secret)
            at = text.find(secret, at + 1)
    parts = itertools.groupby(zip(covered, text, strict=True), key=lambda pair: pair[0])
    return "".join(MASK if is_secret else "".join(c for _, c in pairs) for is_secret, pairs in parts)


def _end(process: subprocess.Popen[str]) -> None:
    """End what is left of the group."""
    patience = time.monotonic() + GRACE
    if _signal(process, signal.SIGTERM):
        while _signal(process, _ANYBODY) and _runs(process.pid):
            if time.monotonic() > patience:
                _signal(process, signal.SIGKILL)
                break
            time.sleep(0.05)
    process.wait()


_ANYBODY = 0
"""The signal that only asks whether there is somebody to get it."""


def _signal(process: subprocess.Popen[str], number: int) -> bool:
    """Send a signal to the group; whether there was anybody. The shell is reaped first: a zombie counts as somebody."""
    process.poll()
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _runs(group: int) -> bool:
    """Whether a process of the group still runs. In a container nobody may reap orphans: they have ended all the same.

    "proc_pid_stat(5)" in the Linux manual; where there is no /proc, whoever is in the group counts.
    """
    found = list(Path("/proc").glob("[0-9]*/stat"))
    for stat in found:
        try:
            state, _, its_group = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it has ended meanwhile
        if int(its_group) == group and state not in ("Z", "X"):
            return True
    return not found


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Make SIGTERM an interrupt, as Ctrl-C is: the commands must not outlive this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
