"""Processes of builds: each in a group of its own, ended with the build, and with us however we end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""

# Runs in a process of its own: when its standard input closes, because we closed it or died, it ends every group that
# was announced and not taken back. Groups are announced as "+ID", taken back as "-ID".
_REAPER = """
import os, signal, sys, time
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 0)):
    for group in groups:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            pass
    time.sleep(patience if groups else 0)
"""


class Reaper:
    """Ends the groups of builds when this process ends without having done so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _REAPER],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            env={},
        )

    def announce(self, group: int) -> None:
        """This group is to be ended with us."""
        self._write(f"+{group}\n")

    def take_back(self, group: int) -> None:
        """This group has ended."""
        self._write(f"-{group}\n")

    def close(self) -> None:
        """End the reaper, and with it what is still announced."""
        stdin = self._process.stdin
        if stdin is not None:
            with contextlib.suppress(OSError):
                stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)

    def _write(self, line: str) -> None:
        stdin = self._process.stdin
        with self._lock, contextlib.suppress(OSError, ValueError):
            if stdin is not None:
                stdin.write(line)
                stdin.flush()


class Group:
    """A running command in a process group of its own, its output handed over line by line."""

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        folder: Path,
        on_output: Callable[[str], None],
        reaper: Reaper | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        self.id = self._process.pid
        self._reaper = reaper
        if reaper is not None:
            reaper.announce(self.id)
        self._reader = threading.Thread(target=self._read, args=(on_output,), name=f"output-{self.id}", daemon=True)
        self._reader.start()

    def wait(self, seconds: float) -> int | None:
        """The exit code once the command has ended, None if it has not within `seconds`."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        # What it wrote last; a child it left behind may hold the output open, so not for ever.
        self._reader.join(0.5)
        return code

    def end(self, grace: float) -> None:
        """End the whole group: SIGTERM, after `grace` seconds SIGKILL."""
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 2.0)):
            if not self._lives():
                break
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.id, number)
            deadline = time.monotonic() + patience
            while self._lives() and time.monotonic() < deadline:
                time.sleep(0.02)
        if self._reaper is not None:
            self._reaper.take_back(self.id)
        self._reader.join(0.5)

    def _lives(self) -> bool:
        self._process.poll()
        try:
            os.killpg(self.id, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return not _only_zombies(self.id)

    def _read(self, on_output: Callable[[str], None]) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        with contextlib.suppress(ValueError, OSError), stdout:
            for line in stdout:
                on_output(line)


def _only_zombies(group: int) -> bool:
    """Whether all that is left of a group has ended and waits for a parent that does not ask.

    Where nobody adopts orphans properly (a container without an init) they stay for ever.
    """
    processes = Path("/proc")
    if not processes.is_dir():
        return False
    for folder in processes.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                # "pid (command) state parent group ...": the command may hold anything, also brackets.
                state, _, its_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(its_group) == group and state != "Z":
                    return False
    return True


def end_strays(mark: str) -> None:
    """Kill what still runs with `mark` (NAME=value) in the environment it was started with.

    On AWS a build's container ends with everything in it; a process that left its group would outlive ours.
    """
    for process in _marked(mark.encode()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)


def _marked(mark: bytes) -> Iterable[int]:
    processes = Path("/proc")
    if not processes.is_dir():
        return
    for folder in processes.iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)
