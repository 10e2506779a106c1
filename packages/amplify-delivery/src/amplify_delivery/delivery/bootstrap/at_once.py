"""How many accounts are worked on at the same time where nobody says so: as many as this machine has room for.

An account is an engine, its program and two providers. Seen: engine 210, program 120 MiB; of the real classic provider
people report 300 to 430 MiB a process (pulumi-aws issue 5860). Of its minutes it computes for some seconds and waits
for AWS for the rest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

MEMORY = 1024
"""MiB for each."""
EACH_CORE = 4
MOST = 16
"""Unless somebody says so: the accounts throttle each for itself, but they share whoever assumes their roles."""
_MIB = 1 << 20


def fitting(memory: int | None, cores: int) -> int:
    """How many, of so many MiB that are free (None: nobody knows) and so many cores; 1 to 16."""
    most = min(MOST, EACH_CORE * cores)
    return max(1, most if memory is None else min(most, memory // MEMORY))


def here() -> int:
    """How many on this machine, as it is now."""
    free = free_memory()
    return fitting(half_of_all() if free is None else free, _cores())


def half_of_all() -> int | None:
    """MiB: half of the memory of a machine that does not say what is free (macOS); None if it says nothing at all."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 // _MIB
    except (ValueError, OSError):
        return None


def free_memory(root: Path = Path("/")) -> int | None:
    """MiB that a new process can have without another one giving any back: the machine's, or what its container leaves
    (`memory.max` and `memory.current` of cgroup v2, `memory.limit_in_bytes` and `memory.usage_in_bytes` of v1). None
    where neither is told.

    A cgroup counts the pages of files that it has read, too, which it gives back: so does its `inactive_file`.
    """
    found = [*_machine(root), *_container(root)]
    return min(found) if found else None


def _machine(root: Path) -> Iterable[int]:
    try:
        text = (root / "proc/meminfo").read_text()
    except OSError:
        return
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable" and value.split():
            yield int(value.split()[0]) // 1024  # it says kB, and means KiB (proc_meminfo(5))


def _container(root: Path) -> Iterable[int]:
    base = root / "sys/fs/cgroup"
    for limit, used in (
        (base / "memory.max", base / "memory.current"),
        (base / "memory/memory.limit_in_bytes", base / "memory/memory.usage_in_bytes"),
    ):
        most, now = _number(limit), _number(used)
        if most is not None and now is not None:
            yield max(0, most - now + _given_back(limit.with_name("memory.stat"))) // _MIB


def _given_back(stat: Path) -> int:
    try:
        lines = stat.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))


def _number(file: Path) -> int | None:
    """The number in a file; None where there is none (`max` is none)."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _cores() -> int:
    """Those that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
