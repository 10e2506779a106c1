"""Run a command as a whole process and read what the operating system says about it."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amplify_delivery_rehearsal.conformance.killing import below


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


SAMPLE_SECONDS = 0.05


class Watch:
    """Memory of a process and all its descendants, looked at 20 times a second while it runs. Linux only."""

    def __init__(self, pid: int, kind: Callable[[str], str]) -> None:
        self.cpu = 0.0
        """Seconds of processor time of all of them together: what other work on the machine does not lengthen."""
        self.together = 0.0
        """Most that all had at one time, in MiB; what several of them share counts once."""
        self.most: dict[str, float] = {}
        """The same of each kind of process."""
        self._pid, self._kind = pid, kind
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            now: dict[str, float] = defaultdict(float)
            for pid in below(self._pid):
                command, mebibytes = _memory(pid)
                now[self._kind(command)] += mebibytes
            self.together = max(self.together, sum(now.values()))
            for kind, mebibytes in now.items():
                self.most[kind] = max(self.most.get(kind, 0.0), mebibytes)


def _memory(pid: int) -> tuple[str, float]:
    """Command line and proportional set size in MiB; nothing if the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return "", 0.0
    return command, sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def run_watched(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], kind: Callable[[str], str]
) -> tuple[Run, Watch]:
    """As `run_once`, with the memory of all its processes; `kind` names a process by its command line."""
    before, start = os.times(), time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with Watch(process.pid, kind) as watch:
        output = process.stdout.read()
        process.wait()
    seconds, after = time.perf_counter() - start, os.times()
    watch.cpu = after.children_user + after.children_system - before.children_user - before.children_system
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}:\n{output.decode(errors='replace')}")
    return Run(seconds, watch.together, process.returncode), watch
