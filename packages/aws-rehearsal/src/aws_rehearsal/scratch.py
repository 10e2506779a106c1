"""Where the files of a rehearsal go: into memory, where that has room.

A rehearsal makes some 50,000 files that nobody looks at afterwards: artifacts unpacked by every build, what builds
install, states, templates. A file system in memory takes a tenth of a disk's time for each.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's; as open to all as /tmp, and with as sticky a bit
ROOM = 4 << 30
"""Bytes that have to be free, of the file system and of memory: a container's 64 MB would be full at once."""
_CHOSEN = ("TMPDIR", "TEMP", "TMP")
"""With one of these somebody has said where temporary files go (`tempfile.gettempdir`)."""


def use_memory() -> None:
    """Has this process, and those that it starts, put temporary files into memory; nothing where the environment says
    where they go, or where there is no room."""
    if not any(os.environ.get(name) for name in _CHOSEN) and has_room(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def has_room(folder: Path, meminfo: Path = Path("/proc/meminfo")) -> bool:
    """Whether `folder` and memory have room for a rehearsal, and programs may be started in it."""
    try:
        found = os.statvfs(folder)
        available = _available(meminfo.read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return False
    usable = os.access(folder, os.W_OK | os.X_OK) and not found.f_flag & os.ST_NOEXEC
    return usable and min(found.f_bavail * found.f_frsize, available) >= ROOM


def _available(lines: Iterable[str]) -> int:
    """Bytes of memory that can be had (proc(5), MemAvailable, in kB)."""
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), 0)
