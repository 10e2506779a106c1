"""Where the files of a rehearsal go: into memory, where that has room.

A rehearsal makes some 50,000 files that nobody looks at afterwards: artifacts unpacked by every build, what builds
install, states, templates. A file system in memory takes a tenth of a disk's time for each. What a killed rehearsal
leaves there takes memory until somebody finds it: so each has a folder of its own, which the next one takes away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's; as open to all as /tmp, and with as sticky a bit
ROOM = 4 << 30
"""Bytes that have to be free, of the file system and of memory: a container's 64 MB would be full at once."""
_CHOSEN = ("TMPDIR", "TEMP", "TMP")
"""With one of these somebody has said where temporary files go (`tempfile.gettempdir`)."""


_PREFIX = "rehearsal-"
_KEPT = "kept"
"""A file in a folder that is somebody's now, as long as there is anything else in it."""


@contextmanager
def in_memory(*, keep: bool = False) -> Iterator[None]:
    """Over the block, has this process and those that it starts put temporary files into a folder in memory, which is
    gone afterwards; nothing where the environment says where they go, or where there is no room.

    With `keep` the folder stays if the block ends well. What rehearsals left that were killed is taken away.
    """
    if any(os.environ.get(name) for name in _CHOSEN) or not has_room(MEMORY):
        yield
        return
    _sweep()
    folder, lock = _own_folder()
    before = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield
        if keep:
            (folder / _KEPT).touch()
    finally:
        tempfile.tempdir = before[1]
        os.environ.pop("TMPDIR", None)
        if before[0] is not None:
            os.environ["TMPDIR"] = before[0]
        if not (folder / _KEPT).exists():
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _own_folder() -> tuple[Path, int]:
    """A folder for this user alone, and what holds it: a lock, which the system gives up with the process."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=MEMORY))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)  # another one took it for a killed rehearsal's before it was locked


def _sweep() -> None:
    """Take away what this user's rehearsals left that do not run any more. No process id is asked for: another
    container may share the memory, and has ids of its own."""
    for folder in MEMORY.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if os.fstat(lock).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not {_KEPT} < {path.name for path in folder.iterdir()}:
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # one that runs
        finally:
            os.close(lock)


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
