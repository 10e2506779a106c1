"""Who holds something: a build of CodeBuild, or a process on a machine; and whether there still is one.

Of a build CodeBuild is asked, of a run of another CI that CI, where it may be (its word for an end counts after ten
minutes only). Of a process the machine that it runs on can tell, and no other one: a machine is known by its name, its
id and its boot, a process by its number and when it began, both within one process namespace (a container has its
own). What cannot be known is said to be so: nobody is taken for gone on a guess.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from amplify_delivery.publishing.aws_errors import suppressing_all

BUILD, BUILD_ARN = "CODEBUILD_BUILD_ID", "CODEBUILD_BUILD_ARN"
"""Set by CodeBuild ("Environment variables in build environments")."""
_RUNS = (
    (
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
        "GITHUB_RUN_ID",
    ),
    ("{CI_JOB_URL}", "CI_JOB_URL"),
    ("{BUILD_URL}", "BUILD_URL"),
)
"""Where a run of another CI is looked at (GitHub Actions, GitLab, Jenkins), and the variable that tells of it."""
_FIRST_NAMESPACE = "pid:[4026531836]"
"""The process namespace that a Linux machine starts with (`PROC_PID_INIT_INO`)."""
_CLOCK = 2.0
"""Seconds that two clocks of one machine may be apart: that of processes, and that of files."""


class Life(Enum):
    """Whether a holder still is there."""

    ALIVE = "it runs"
    GONE = "it has ended"
    UNKNOWN = "whether it still runs cannot be known here"


@dataclass(frozen=True)
class Machine:
    """A machine, or a container: `machine` is its id, `boot` when it was started, `namespace` that of its processes."""

    host: str
    machine: str = ""
    boot: str = ""
    namespace: str = ""

    @property
    def whole(self) -> bool:
        """Whether all processes of the machine are seen, not those of a container only."""
        return self.namespace in ("", _FIRST_NAMESPACE)


@dataclass(frozen=True)
class Holder:
    """Who holds a stack, as it is written down. `since` is in UTC; `previous` is whose place this one has taken."""

    command: str
    since: str
    who: str
    host: str
    pid: int
    started: str
    machine: str = ""
    boot: str = ""
    namespace: str = ""
    build: str = ""
    arn: str = ""
    run: str = ""
    token: str = ""
    previous: tuple[Holder, ...] = field(default=())

    @classmethod
    def here(cls, command: str, variables: Mapping[str, str]) -> Holder:
        """This very process, for a run of `command`."""
        here = machine()
        return cls(
            command=command,
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            who=_user(),
            host=here.host,
            pid=os.getpid(),
            started=began(os.getpid()) or "",
            machine=here.machine,
            boot=here.boot,
            namespace=here.namespace,
            build=variables.get(BUILD, ""),
            arn=variables.get(BUILD_ARN, ""),
            run=next((text.format_map(_Blank(variables)) for text, name in _RUNS if variables.get(name)), ""),
            token=secrets.token_hex(8),
        )

    @classmethod
    def read(cls, body: bytes) -> Holder | None:
        """What `written` wrote; None if that is something else."""
        try:
            return cls._of(json.loads(body))
        except (ValueError, TypeError, AttributeError):
            return None

    @classmethod
    def _of(cls, data: Mapping[str, Any]) -> Holder:
        known = {f.name for f in fields(cls)}
        previous = tuple(cls._of(p) for p in data.get("previous") or ())
        return cls(**{k: v for k, v in data.items() if k in known and k != "previous"}, previous=previous)

    @property
    def written(self) -> bytes:
        """The content of its lease: one JSON object, in UTF-8."""
        return (json.dumps(asdict(self), indent=1) + "\n").encode()

    @property
    def place(self) -> Machine:
        """Where it runs."""
        return Machine(self.host, self.machine, self.boot, self.namespace)

    def is_process(self, other: Holder) -> bool:
        """Whether it is the same process."""
        return (self.place, self.pid, self.started) == (other.place, other.pid, other.started)

    def __str__(self) -> str:
        what = f"build {self.build}" if self.build else self.run or f"process {self.pid} of {self.who} on {self.host}"
        return f"`{self.command}` of {what}, since {self.since}"


@dataclass(frozen=True)
class Verdict:
    """What is known about a holder, and why."""

    life: Life
    why: str


Builds = Callable[[str], Any]
"""A client of CodeBuild in a region. Raises botocore's errors."""


Runs = Callable[[str], tuple[bool, str] | None]
"""Whether the run of a CI with that address has ended, and in what words; None if that is not known."""


def judge(holder: Holder, here: Holder, builds: Builds, runs: Runs = lambda _: None) -> Verdict:
    """Whether a holder still is there, as far as it can be known `here`."""
    if holder.build and holder.build != here.build:
        return _build(holder, builds)
    found = process(holder.place, holder.pid, holder.started)
    if found.life is Life.UNKNOWN and holder.run and holder.run != here.run:
        asked = runs(holder.run)
        return Verdict(Life.GONE if asked[0] else Life.ALIVE, asked[1]) if asked else found
    return found


def process(place: Machine, pid: int, started: str) -> Verdict:
    """Whether that process still is there."""
    here = machine()
    other = Verdict(Life.UNKNOWN, f"it runs on {place.host}, or did: no other machine can tell")
    if (place.host, place.machine) != (here.host, here.machine):
        return other
    if place.boot != here.boot:
        # Only a whole machine is known by its id: containers may have that of their image.
        rebooted = bool(place.machine) and place.whole and here.whole
        return Verdict(Life.GONE, f"{place.host} was started again since") if rebooted else other
    if place.namespace != here.namespace:
        return other
    now = began(pid)
    if now is None or now != started:
        return Verdict(Life.GONE, f"process {pid} is gone")
    return Verdict(Life.ALIVE, f"process {pid} runs")


def process_since(place: Machine, pid: int, when: float) -> Verdict:
    """Whether a process of that machine still is there that was there at that time already."""
    if place != machine():
        return Verdict(Life.UNKNOWN, f"it runs on {place.host}, or did: no other machine can tell")
    seconds = began_at(pid)
    if seconds is None or seconds > when + _CLOCK:
        return Verdict(Life.GONE, f"process {pid} is gone")
    return Verdict(Life.ALIVE, f"process {pid} runs")


def _build(holder: Holder, builds: Builds) -> Verdict:
    region = holder.arn.split(":")[3] if holder.arn.count(":") > 4 else ""
    if not region:
        return Verdict(Life.UNKNOWN, "where the build ran is not written down")
    with suppressing_all() as refusal:
        found = builds(region).batch_get_builds(ids=[holder.build]).get("builds") or ()
    if refusal:
        return Verdict(Life.UNKNOWN, f"CodeBuild does not say whether the build has ended: {refusal.said}")
    for build in found:
        if build.get("arn", holder.arn) == holder.arn:
            status = str(build.get("buildStatus", ""))
            ended = build.get("buildComplete") is True
            return Verdict(Life.GONE if ended else Life.ALIVE, f"the build is {status}")
    return Verdict(Life.UNKNOWN, "CodeBuild does not know the build: it is older than a year, or another account's")


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


@cache
def machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(platform.node(), _text("/etc/machine-id"), _boot(), _link("/proc/self/ns/pid"))


def _boot() -> str:
    return _text("/proc/sys/kernel/random/boot_id") or _said(["sysctl", "-n", "kern.bootsessionuuid"])


def began(pid: int) -> str | None:
    """When a process began, in whatever its system counts; None if there is none (or one that has ended already)."""
    stat = _text(f"/proc/{pid}/stat")
    if stat:
        # The name may hold spaces and brackets. Then follow the state, and, 19 fields later, the ticks since the boot.
        rest = stat.rpartition(")")[2].split()
        return None if rest[0] in "ZX" else rest[19]
    if Path("/proc/self/stat").exists():
        return None
    return _said(["ps", "-o", "lstart=", "-p", str(pid)]) or None


def began_at(pid: int) -> float | None:
    """The same, in seconds since 1970."""
    counted = began(pid)
    if counted is None:
        return None
    if not counted.isdecimal():
        return time.mktime(time.strptime(counted, "%a %b %d %H:%M:%S %Y"))
    booted = next(line for line in _text("/proc/stat").splitlines() if line.startswith("btime "))
    return float(booted.split()[1]) + int(counted) / os.sysconf("SC_CLK_TCK")


def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(file: str) -> str:
    try:
        return str(Path(file).readlink())
    except OSError:
        return ""


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
