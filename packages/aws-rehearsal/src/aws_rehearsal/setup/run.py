"""Runs one tool, line by line, and turns its failure into an error a user can act on."""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aws_rehearsal.errors import SetupError

# Another environment's settings must not reach the tools; byte code must be written (without it `import pulumi_aws`
# costs 1.5 s in every process of a rehearsal).
_DROPPED = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "UV_PROJECT_ENVIRONMENT",
)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would mislead a tool, plus `extra`."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return {**kept, **(extra or {})}


def run(
    command: Sequence[str | Path],
    *,
    remedy: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run `command` to its end and return what it wrote (standard output and error together).

    Each line goes to `on_line` as it comes. Raises `SetupError` with the last lines and `remedy` if the tool
    cannot be started or ends with another code than 0. The tool is ended with us.
    """
    lines: list[str] = []
    arguments = [str(part) for part in command]
    try:
        process = subprocess.Popen(
            arguments, cwd=cwd, env=environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
    except OSError as error:
        raise SetupError(f"cannot be started: {error.strerror}", where=arguments[0], remedy=remedy) from error
    with process:
        try:
            for line in process.stdout or ():
                lines.append(line)
                if on_line:
                    on_line(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        last = "".join(deque(lines, maxlen=12)).rstrip() or "(it wrote nothing)"
        words = " ".join(Path(part).name if index == 0 else part for index, part in enumerate(arguments[:4]))
        raise SetupError(f"failed with code {process.returncode}:\n{last}", where=f"`{words} ...`", remedy=remedy)
    return "".join(lines)


def answer(*command: str | Path, env: Mapping[str, str] | None = None) -> str | None:
    """What a short command writes to standard output, stripped; None if it fails, is broken, or takes over 20 s."""
    try:
        done = subprocess.run(
            command,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def version(text: str | None) -> tuple[int, ...]:
    """The numbers of the first word of `text` that looks like a version: "go1.26.8" -> (1, 26, 8); () if none does."""
    for word in (text or "").split():
        digits = word.lstrip("vgo")
        if digits[:1].isdigit():
            return tuple(int(part) for part in digits.split("-")[0].split("+")[0].split(".") if part.isdigit())
    return ()
