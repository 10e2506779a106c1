"""Runs a command as a person does at her terminal: told line by line, ended cleanly, waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 30
"""Seconds that an interrupted command has for ending by itself."""

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_running: set[subprocess.Popen[str]] = set()
_ended = threading.Event()
"""Whether all were told to end: also those that another thread is only starting."""


def typed_by_a_person(path: str) -> str:
    """A command's PATH as a shell gets it: behind the engine's folder, which comes first, that of this Python. So
    `python -m amplify_delivery` is what was rehearsed, whether its virtualenv is active or not."""
    engine, _, others = path.partition(os.pathsep)
    return os.pathsep.join((engine, str(Path(sys.executable).parent), others))


def begin() -> None:
    """From now on commands run."""
    _ended.clear()


def interrupt_all() -> None:
    """Tell every command that runs, in whatever thread, to end."""
    _ended.set()
    for process in tuple(_running):
        process.terminate()


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], line: Callable[[str], None]
) -> tuple[int, str]:
    """The command's exit code and output; `line` gets each line as it comes.

    An interrupt reaches it through the terminal's process group, so that the engine can end cleanly; it is waited for.
    """
    process: subprocess.Popen[str] | None = None
    lines: list[str] = []
    try:
        with _held_back():
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            _running.add(process)
        if _ended.is_set():
            process.terminate()
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for text in process.stdout:
            lines.append(text)
            line(text.rstrip("\n"))
        code = process.wait()
    except BaseException:
        if process:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        raise
    finally:
        if process:
            _running.discard(process)
    return code, "".join(lines)


@contextmanager
def _held_back() -> Iterator[None]:
    """A signal that ends us comes once the process that is started within is known: before that nobody would end it,
    and it would go on in a folder that is taken away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handled = [number for number in _ENDING if callable(signal.getsignal(number))]
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for late in came:
        signal.raise_signal(late)
