"""How many accounts at the same time: what memory and cores have room for."""

from __future__ import annotations

from pathlib import Path

import pytest

from amplify_delivery.delivery.bootstrap import at_once
from amplify_delivery.delivery.bootstrap.at_once import fitting, free_memory, half_of_all, here


@pytest.mark.parametrize(
    ("memory", "cores", "together"),
    [
        (512, 2, 1),  # one there always is
        (3 * 1024, 2, 3),  # a small laptop, or a CI's container
        (64 * 1024, 2, 8),  # the cores have no room for more
        (64 * 1024, 64, 16),
        (None, 2, 8),  # nobody knows
        (None, 1, 4),
    ],
)
def test_so_many_engines_fit_into_memory_and_cores(memory: int | None, cores: int, together: int) -> None:
    assert fitting(memory, cores) == together


def put(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


MACHINE = "MemTotal:       32000000 kB\nMemFree:         1000000 kB\nMemAvailable:   16777216 kB\n"


def test_a_machine_says_what_is_free_and_a_container_what_it_leaves(tmp_path: Path) -> None:
    assert free_memory(tmp_path) is None
    put(tmp_path, "proc/meminfo", MACHINE)
    assert free_memory(tmp_path) == 16 * 1024
    put(tmp_path, "sys/fs/cgroup/memory.max", "max\n")
    put(tmp_path, "sys/fs/cgroup/memory.current", "1073741824\n")
    assert free_memory(tmp_path) == 16 * 1024
    put(tmp_path, "sys/fs/cgroup/memory.max", "4294967296\n")
    assert free_memory(tmp_path) == 3 * 1024
    # Of what it uses, half a GiB are files that were read: they make room.
    put(tmp_path, "sys/fs/cgroup/memory.stat", "anon 1\ninactive_file 536870912\nactive_file 7\n")
    assert free_memory(tmp_path) == 3 * 1024 + 512


def test_an_older_container_says_it_elsewhere(tmp_path: Path) -> None:
    put(tmp_path, "proc/meminfo", MACHINE)
    put(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648")
    put(tmp_path, "sys/fs/cgroup/memory/memory.usage_in_bytes", "3221225472")
    assert free_memory(tmp_path) == 0
    # Without a limit it says the largest number that it knows.
    put(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")
    assert free_memory(tmp_path) == 16 * 1024


def test_a_machine_that_does_not_say_what_is_free_gives_half_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac of 8 GiB with eight cores: sixteen would have it swap."""
    pages = {"SC_PHYS_PAGES": 2 * 1024 * 1024, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr("os.sysconf", pages.__getitem__)
    monkeypatch.setattr(at_once, "free_memory", lambda: None)
    monkeypatch.setattr(at_once, "_cores", lambda: 8)
    assert (half_of_all(), here()) == (4096, 4)

    def unknown(_: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr("os.sysconf", unknown)
    assert (half_of_all(), here()) == (None, 16)
