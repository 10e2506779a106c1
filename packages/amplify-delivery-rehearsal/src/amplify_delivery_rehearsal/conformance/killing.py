"""Kills a command at one of its calls of AWS: a proxy in front of the local AWS counts them.

Neither the product nor the stand-in providers know of it. From the kill on nothing of the dead run reaches AWS, until
the proxy is armed again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from amplify_delivery_rehearsal.conformance.proxy import Proxy

BEFORE, LOST = "not sent", "answer lost"
"""Of the call at which a run is killed: AWS does not get it, or has carried it out."""


@dataclass(frozen=True)
class Point:
    """Where a run is killed: at its n-th call of an operation (`SERVICE:Operation`)."""

    operation: str
    when: str = LOST
    number: int = 1
    after: str = ""
    """An operation: only calls that follow one of it count."""
    also: str = ""
    """Words that the request's path or body holds."""
    after_words: str = ""
    """Words that the request of `after` holds."""

    def __str__(self) -> str:
        nth = "" if self.number == 1 else f" no. {self.number}"
        which = f" ({_readable(self.after_words)})" if self.after_words else ""
        then = f" after {self.after.partition(':')[2]}{which}" if self.after else ""
        words = f" ({_readable(self.also)})" if self.also else ""
        return f"{self.operation.partition(':')[2]}{nth}{words}{then}: {self.when}"


def _readable(words: str) -> str:
    return unquote(words).strip('"')


class KillingProxy(Proxy):
    """`reached` is set when the point has been reached, and the processes are gone."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        vars(self._server)["handle_error"] = _ignore  # the dead close nothing properly
        self._guard = threading.Lock()
        self._point: Point | None = None
        self._count = 0
        self._begun = False
        self._dead = False
        self._pid = 0
        self._warm: int | None = None
        self.reached = threading.Event()

    def arm(self, point: Point | None) -> None:
        """From now on calls pass; at this point the process that `kills` names goes, and all below it."""
        with self._guard:
            self._point, self._count, self._begun, self._dead, self._pid = point, 0, False, False, 0
            self.reached.clear()

    def kills(self, pid: int, server: int | None = None) -> None:
        """That process, and what the warm server has started, if one is named."""
        self._pid, self._warm = pid, server

    def passes(self, called: str, request: str) -> bool:
        return not self._at(called, BEFORE, request)

    def answers(self, called: str, request: str) -> bool:
        return not self._at(called, LOST, request)

    def _at(self, called: str, when: str, request: str) -> bool:
        """Whether the run is dead by now."""
        with self._guard:
            point = self._point
            if self._dead:
                return True
            if point is not None and called == point.after and point.after_words in request:
                self._begun = True
            if point is None or (called, when) != (point.operation, point.when) or point.also not in request:
                return False
            if point.after and not self._begun:
                return False
            self._count += 1
            if self._count < point.number:
                return False
            self._dead = True
            end = time.monotonic() + 30
            while not self._pid and time.monotonic() < end:
                time.sleep(0.01)
            kill_tree(self._pid, self._warm)
            self.reached.set()
            return True


def _ignore(*_: object) -> None:
    pass


def kill_tree(pid: int, server: int | None = None) -> None:
    """Kill a process and everything below it, whatever group it is in: as a machine that is gone. Below a warm `server`
    is what it has started for the process."""
    pids = list(_run(pid, server))
    for each in pids:
        try:
            os.kill(each, signal.SIGSTOP)  # so that nobody sees another one die
        except ProcessLookupError:
            continue
    pids = list({*pids, *_run(pid, server)})
    for each in pids:
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue
    # A large one takes a moment to go, and whoever looks for it meanwhile finds that it runs.
    end = time.monotonic() + 30
    while not all(map(_gone, pids)) and time.monotonic() < end:
        time.sleep(0.002)


def _gone(pid: int) -> bool:
    """Whether a process has ended, though its parent may not have heard of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return True


def _run(pid: int, server: int | None) -> Iterator[int]:
    yield from below(pid)
    yield from (each for each in below(server) if each != server) if server else ()


def below(pid: int) -> Iterator[int]:
    """A process and everything below it; whatever ends meanwhile is left out."""
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from below(child)


def killed(
    proxy: KillingProxy, process: subprocess.Popen[str], point: Point, seconds: float = 60, server: int | None = None
) -> str:
    """Wait until a command that was started when the proxy was armed has been killed; what it said. Raises
    `AssertionError` if it never came to the point."""
    proxy.kills(process.pid, server)
    said, _ = process.communicate(timeout=seconds)
    if not proxy.reached.wait(5):
        raise AssertionError(f"it ended with {process.returncode}, and never came to {point}:\n{said}")
    return said
