"""Groups of processes: whether one lives, what is in it, and how it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

_PATIENCE = 2.0
"""Seconds that a group has after a signal."""


def end_group(pid: int, process: subprocess.Popen[bytes] | None) -> None:
    """End the group of `pid`, which may be `process` of ours: politely, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if process is not None:
                process.poll()
            if not group_lives(pid):
                return
            time.sleep(0.01)


def group_lives(pid: int) -> bool:
    """Whether any process of this group still runs.

    A dead one that nobody has collected does not count: in a container whose first process is no init, the server
    of a parent that was killed stays in the table for ever.
    """
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    members = group_members(pid)
    return members is None or any(state != "Z" for _, state in members)


def group_members(pid: int) -> list[tuple[str, str]] | None:
    """(Command, state) of each process of a group; None where there is no `/proc` to ask (macOS).

    From `/proc`, because a slim machine has no `ps`: proc(5), /proc/pid/stat.
    """
    if not Path("/proc/self/stat").exists():
        return None
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = stat.read_text(errors="replace")
            command, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
            if rest[2] == str(pid):
                members.append((command, rest[0]))
    return members
