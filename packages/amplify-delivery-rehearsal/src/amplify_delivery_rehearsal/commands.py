"""Runs a command as a person does at her terminal: told line by line, ended cleanly, waited for."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PATIENCE = 30
"""Seconds that an interrupted command has for ending by itself."""

_running: set[subprocess.Popen[str]] = set()


def interrupt_all() -> None:
    """Tell every command that runs, in whatever thread, to end."""
    for process in tuple(_running):
        process.terminate()


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], line: Callable[[str], None]
) -> tuple[int, str]:
    """The command's exit code and output; `line` gets each line as it comes.

    An interrupt reaches it through the terminal's process group, so that the engine can end cleanly; it is waited for.
    """
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
    lines: list[str] = []
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        for text in process.stdout:
            lines.append(text)
            line(text.rstrip("\n"))
        code = process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    finally:
        _running.discard(process)
    return code, "".join(lines)
