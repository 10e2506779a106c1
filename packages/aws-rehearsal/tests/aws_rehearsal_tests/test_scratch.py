"""A rehearsal's files go into memory where that has room, and where nobody has said otherwise."""

import os
import tempfile
from pathlib import Path

import pytest

from aws_rehearsal import scratch

PLENTY = scratch.ROOM >> 10


def meminfo(folder: Path, kilobytes: int) -> Path:
    file = folder / "meminfo"
    file.write_text(f"MemTotal: 99999999 kB\nMemAvailable: {kilobytes} kB\n", encoding="ascii")
    return file


def file_system(patched: pytest.MonkeyPatch, free: int, flags: int = 0) -> None:
    found = os.statvfs_result((4096, 4096, 1 << 40, free >> 12, free >> 12, 0, 0, 0, flags, 255))
    patched.setattr(os, "statvfs", lambda _: found)


@pytest.mark.parametrize(
    ("sizes", "flags", "room"),
    [
        ((scratch.ROOM, PLENTY), 0, True),
        ((64 << 20, PLENTY), 0, False),  # a container's
        ((scratch.ROOM, PLENTY - 1), 0, False),
        ((scratch.ROOM, PLENTY), os.ST_NOEXEC, False),
    ],
)
def test_room_is_that_of_file_system_and_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int], flags: int, *, room: bool
) -> None:
    free, memory = sizes
    file_system(monkeypatch, free, flags)
    assert scratch.has_room(tmp_path, meminfo(tmp_path, memory)) is room


def test_where_there_is_no_such_file_system_there_is_no_room(tmp_path: Path) -> None:
    assert not scratch.has_room(tmp_path / "none", meminfo(tmp_path, PLENTY))
    assert not scratch.has_room(tmp_path, tmp_path / "none")


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for memory, with room, and an environment that says nothing about temporary files."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, "")  # so that it is undone, whatever is tested sets
        monkeypatch.delenv(name)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setattr(scratch, "has_room", lambda _: True)
    return tmp_path


@pytest.mark.parametrize(("variables", "used"), [({}, True), ({"TMPDIR": ""}, True), ({"TMP": "/somewhere"}, False)])
def test_whoever_says_where_temporary_files_go_is_heard(
    memory: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, used: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = os.environ.get("TMPDIR")
    with scratch.in_memory():
        found = Path(tempfile.gettempdir())
        assert (found.parent == memory, Path(os.environ.get("TMPDIR") or "/").parent == memory) == (used, used)
        assert not used or found.stat().st_mode & 0o777 == 0o700
    assert (os.environ.get("TMPDIR"), list(memory.iterdir())) == (before, [])


def test_what_a_killed_rehearsal_left_goes_and_what_runs_or_is_kept_stays(memory: Path) -> None:
    """Nobody says that a process was killed: the lock that it held is gone."""
    killed, others = memory / "rehearsal-killed", memory / "pytest-of-somebody"
    for folder in (killed, others):
        folder.mkdir()
        (folder / "artifact.zip").touch()
    link = memory / "rehearsal-link"
    link.symlink_to(others)
    with scratch.in_memory():
        runs = Path(tempfile.gettempdir())
        assert not killed.exists()
        os.environ.pop("TMPDIR")  # another one begins beside it
        with pytest.raises(KeyboardInterrupt), scratch.in_memory(keep=True):
            interrupted = Path(tempfile.gettempdir())
            raise KeyboardInterrupt
        with scratch.in_memory(keep=True):
            kept = Path(tempfile.gettempdir())
            (kept / "state").touch()
        with scratch.in_memory():
            assert (runs.exists(), interrupted.exists(), (kept / "state").exists()) == (True, False, True)
    (kept / "state").unlink()  # as the command does that ends it
    with scratch.in_memory():
        assert {*memory.iterdir()} == {others, link, Path(tempfile.gettempdir())}
    assert {*memory.iterdir()} == {others, link}
    assert (others / "artifact.zip").exists()
