"""A rehearsal that is told to end: nothing that it has started outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal import commands, ending
from aws_rehearsal_tests.clock import replace_for

pytestmark = pytest.mark.processes
real = subprocess.Popen
SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


class Started(subprocess.Popen[str]):
    """A process in whose start somebody tells us to end."""

    all: list[subprocess.Popen[str]]
    number: int

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.all.append(self)
        os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_only_being_started_ends_too(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is gone a moment later, and it would write there: the engine makes its state's folder anew."""
    started: list[subprocess.Popen[str]] = []
    monkeypatch.setattr(Started, "all", started, raising=False)
    monkeypatch.setattr(Started, "number", number, raising=False)
    replace_for(monkeypatch, commands, subprocess, Popen=Started)
    with pytest.raises(KeyboardInterrupt), ending.tidy():
        commands.run(SLEEP, tmp_path, os.environ, print)
    assert [process.poll() for process in started] == [-signal.SIGTERM]


def test_a_command_of_another_thread_ends_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All were told to end before it was known."""

    def late(*args: Any, **options: Any) -> subprocess.Popen[str]:
        commands.interrupt_all()
        return real(*args, **options)

    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(commands.run(SLEEP, tmp_path, os.environ, print)[0]))
    with monkeypatch.context() as patch, ending.tidy():
        replace_for(patch, commands, subprocess, Popen=late)
        thread.start()
        thread.join()
    assert codes == [-signal.SIGTERM]
    assert commands.run((sys.executable, "-c", ""), tmp_path, os.environ, print)[0] == 0


def test_whoever_is_told_to_end_tells_the_commands_of_all_threads(tmp_path: Path) -> None:
    codes: list[int] = []
    runs = threading.Event()
    command = (sys.executable, "-c", "import time; print('runs', flush=True); time.sleep(60)")
    thread = threading.Thread(
        target=lambda: codes.append(commands.run(command, tmp_path, os.environ, lambda _: runs.set())[0])
    )
    with pytest.raises(KeyboardInterrupt), ending.tidy():
        thread.start()
        runs.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        thread.join()
    thread.join()
    assert codes == [-signal.SIGTERM]
