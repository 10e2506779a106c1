"""The memory of this process in huge pages, so that a fork copies a hundredth of the page table.

What a server has loaded are 50,000 pages: to copy the table of them for each child, and to drop it at the child's end,
is 10 ms of processor time. In pages of 2 MiB it is 2 ms; a child that writes to one gets a copy of the 4 KiB it writes
to, as before. Linux moves memory into huge pages when it is asked to (MADV_COLLAPSE in madvise(2), since 6.1), also
where they are given to nobody by default.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_SIZE = 1 << 21
_COLLAPSE = 25
_OWN = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ 00:00 0\s*(?:\[heap\])?")
"""A mapping of /proc/self/maps that is memory of this process alone, and no file's."""


def collapse() -> None:
    """Where that cannot be had, the memory stays as it is: on another system, an older kernel, a full machine."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        madvise = ctypes.CDLL(None).madvise
        madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start, end in list(_ranges(Path("/proc/self/maps").read_text(encoding="utf-8"))):
            madvise(start, end - start, _COLLAPSE)


def _ranges(maps: str) -> Iterator[tuple[int, int]]:
    """What of this process's own memory has room for huge pages."""
    for line in maps.splitlines():
        found = _OWN.fullmatch(line)
        if found:
            start, end = -(-int(found[1], 16) // _SIZE) * _SIZE, int(found[2], 16) // _SIZE * _SIZE
            if start < end:
                yield start, end
