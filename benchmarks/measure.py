"""Run a command as a whole process and read what the operating system says about it."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One finished process: wall-clock seconds, peak resident memory in MiB, exit code."""

    seconds: float
    mebibytes: float
    exit_code: int


@dataclass(frozen=True)
class Series:
    """Several runs of one command; the median is what is quoted."""

    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        return statistics.median(r.seconds for r in self.runs)

    @property
    def mebibytes(self) -> float:
        return max(r.mebibytes for r in self.runs)

    def __str__(self) -> str:
        low, high = min(r.seconds for r in self.runs), max(r.seconds for r in self.runs)
        return f"{self.seconds:.2f} s ({low:.2f} to {high:.2f}), {self.mebibytes:.0f} MiB"


def run_once(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Run:
    """Run `command` and wait for it. Raises RuntimeError, with its output, when it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}:\n{output.decode(errors='replace')}")
    # Linux counts kilobytes, macOS bytes.
    scale = 1024 if os.uname().sysname == "Linux" else 1024 * 1024
    return Run(seconds, usage.ru_maxrss / scale, process.returncode)


def series(
    command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None, runs: int = 5, warm_up: int = 1
) -> Series:
    """`warm_up` runs that are not counted, then `runs` that are."""
    for _ in range(warm_up):
        run_once(command, cwd, env)
    return Series(tuple(run_once(command, cwd, env) for _ in range(runs)))
