"""Which version the engine has is asked once of each binary."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from semver import VersionInfo

from amplify_delivery.delivery.engine import pulumi_command
from amplify_delivery.delivery.engine.pulumi_command import Command

BINARY = b"\x7fELF"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], int]:
    """How often the SDK has asked; the engine of this version is whatever lies on PATH."""
    times: list[str] = []

    class Sdk:
        version = VersionInfo(3, 259, 0)

        def __init__(self) -> None:
            times.append("asked")

    monkeypatch.setattr(pulumi_command, "PulumiCommand", Sdk)
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(tmp_path / "cache"))
    return lambda: len(times)


def on_path(monkeypatch: pytest.MonkeyPatch, file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(file.parent))


def test_the_same_binary_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Callable[[], int]
) -> None:
    on_path(monkeypatch, tmp_path / "bin" / "pulumi", BINARY)
    assert [str(Command().version) for _ in range(3)] == ["3.259.0"] * 3
    assert asked() == 1


def test_another_binary_in_its_place_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Callable[[], int]
) -> None:
    file = tmp_path / "bin" / "pulumi"
    on_path(monkeypatch, file, BINARY)
    assert Command().version
    os.utime(file, (1, 1))
    assert Command().version
    on_path(monkeypatch, file, BINARY + b"longer")
    assert Command().version
    assert asked() == 3


def test_what_stands_for_others_is_asked_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Callable[[], int]
) -> None:
    """The shims of version managers: a script, or one program with many names."""
    on_path(monkeypatch, tmp_path / "asdf" / "pulumi", b"#!/bin/sh\n")
    assert Command().version
    assert Command().version
    assert asked() == 2
    (tmp_path / "mise").write_bytes(BINARY)
    (tmp_path / "mise").chmod(0o755)
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "pulumi").symlink_to(tmp_path / "mise")
    monkeypatch.setenv("PATH", str(shims))
    assert Command().version
    assert Command().version
    assert asked() == 4


def test_half_a_file_in_the_cache_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Callable[[], int]
) -> None:
    on_path(monkeypatch, tmp_path / "bin" / "pulumi", BINARY)
    assert Command().version
    (kept,) = (tmp_path / "cache" / "engine").rglob("*.json")
    kept.write_text('"3."')
    assert Command().version
    assert asked() == 2


# --- signals ----------------------------------------------------------------------------------------------------------

ENGINE = """#!{python}
import os, signal, sys, time
def got(number, _):
    open({got!r}, "a").write(f"{{number}}\\n")
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, got)
for line in range(600):
    print("line", line, flush=True)
    time.sleep(0.05)
    if os.path.exists({sent!r}):
        break
print("in a group of its own:", os.getpgrp() == os.getpid())
print("ended", flush=True)
"""
COMMAND = """
import signal
if {heard}:  # the tests themselves may be run by `nohup`, and what is ignored is inherited
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
from amplify_delivery.delivery.engine.pulumi_command import Command
Command().run(["stack", "export"], ".", {{}}, lambda line: print(line, flush=True))
"""


class Run:
    """The command with an engine that writes down which signals reach it; `before` says what is ignored."""

    def __init__(self, folder: Path, ignored: str = "") -> None:
        self.got, self.told, self.sent = folder / "got", folder / "told", folder / "sent"
        engine = folder / "bin" / "pulumi"
        engine.parent.mkdir()
        engine.write_text(ENGINE.format(python=sys.executable, got=str(self.got), sent=str(self.sent)))
        engine.chmod(0o755)
        self.process = subprocess.Popen(
            ["sh", "-c", f'{ignored} exec "$@"', "sh", sys.executable, "-c", COMMAND.format(heard=not ignored)],
            cwd=folder,
            env={**os.environ, "PATH": f"{engine.parent}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=self.told.open("w"),
            text=True,
        )
        assert self.process.stdout
        first = self.process.stdout.readline()
        assert first == "line 0\n", (self.process.poll(), self.told.read_text())

    def send(self, *numbers: signal.Signals, heard: bool = True) -> tuple[list[str], str]:
        """Send signals, each once the one before was heard (two that wait are one), and have the engine end; what the
        command has said by then, and what it told on stderr. One that nobody hears is given a second."""
        for number in numbers:
            before, until = self.told.stat().st_size, time.monotonic() + (300 if heard else 1)
            self.process.send_signal(number)
            while self.told.stat().st_size == before and time.monotonic() < until:
                time.sleep(0.02)
        self.sent.touch()
        said, _ = self.process.communicate()
        return said.splitlines(), self.told.read_text()


@pytest.mark.processes
def test_of_many_signals_the_first_reaches_the_engine_and_it_is_waited_for(tmp_path: Path) -> None:
    """A CI sends SIGTERM and, a moment later, another one; a person presses Ctrl-C twice, and closes the terminal."""
    run = Run(tmp_path)
    said, told = run.send(signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    assert run.got.read_text().split() == [str(int(signal.SIGINT))]
    # Else a terminal's Ctrl-C, which goes to the whole group, would reach it beside what is passed on.
    assert said[-2:] == ["in a group of its own: True", "ended"]
    assert "interrupted: the engine ends what it has begun" in told
    assert told.count("the engine still ends what it has begun") == 3
    assert "KeyboardInterrupt" in told


@pytest.mark.processes
def test_what_is_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    """As `nohup` starts it."""
    run = Run(tmp_path, "trap '' HUP;")
    said, told = run.send(signal.SIGHUP, heard=False)
    assert not run.got.exists()
    assert (said[-1], told, run.process.returncode) == ("ended", "", 0)


def test_an_engine_that_nobody_hears_ends_its_work() -> None:
    """It is read to its end, else it would stop in the middle; what went wrong is told then."""
    lines = pulumi_command._Lines(_full)

    class Stream(list[str]):
        def __enter__(self) -> Stream:
            return self

        def __exit__(self, *_: object) -> None: ...

    lines.read(Stream(["one\n", "two\n"]))
    assert lines.lines == ["one", "two"]
    assert lines.problem


def _full(_: str) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.processes
def test_an_update_of_some_resources_does_not_refresh(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Callable[[], int]
) -> None:
    """The engine fails to refresh a target that is not in its state yet."""
    on_path(monkeypatch, tmp_path / "bin" / "pulumi", b'#!/bin/sh\necho "$@"\n')
    command = Command()
    with command.not_refreshing():
        assert "--refresh=false" in command.run(["up", "--yes"], str(tmp_path), {}).stdout
        assert "--refresh=false" not in command.run(["preview"], str(tmp_path), {}).stdout
    assert "--refresh=false" not in command.run(["up", "--yes"], str(tmp_path), {}).stdout
    assert asked()
