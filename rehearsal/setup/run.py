"""Run a set-up command, show its last line while it runs, and say plainly when it fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from amplify_export.errors import SetupError
from rehearsal.setup.progress import Progress


def run(
    command: Sequence[str | Path],
    progress: Progress,
    *,
    remedy: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """The command's output. Raises `SetupError` with its last lines and the remedy."""
    words = [str(c) for c in command]
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise SetupError(f"cannot be started: {error.strerror}", where=words[0], remedy=remedy) from None
    lines: list[str] = []
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with process:
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                progress.detail(lines[-1])
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        tail = "\n".join(lines[-15:])
        raise SetupError(f"exit code {process.returncode}\n{tail}", where=" ".join(words[:4]), remedy=remedy)
    return "\n".join(lines)
