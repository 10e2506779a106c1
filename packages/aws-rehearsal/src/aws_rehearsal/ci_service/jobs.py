"""What GitHub's and GitLab's files have in common once they are read: jobs, in order, with commands to run."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_rehearsal.ci_service.tokens import Claims, Issuer
from aws_rehearsal.errors import RehearsalError

Shell = Callable[[Sequence[str], Path, Mapping[str, str]], tuple[int, str]]
"""Runs a command in a folder, with an environment and nothing else; its exit code and output."""
Says = Callable[["Job"], Claims]
"""What the CI signs for a job."""
Told = Callable[["Ran"], None]


class JobFailedError(RehearsalError):
    """A command of a job has failed."""


class NotPlayedError(RehearsalError):
    """A CI's file says something that only the real CI does."""


def not_played(what: str, where: str) -> NotPlayedError:
    return NotPlayedError(
        f"a rehearsal does not play {what}",
        where=where,
        remedy="run its commands by hand, against what `--keep` leaves running",
    )


@dataclass(frozen=True)
class Push:
    """What a push has brought: a commit on a branch of the bare repository `host`, which is called `repository`.
    `changed` are the files that it has changed; None for a new branch's, to which all belong."""

    host: Path
    commit: str
    branch: str
    repository: str
    changed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Job:
    """`environment` is the CI's own, whose protection rules somebody has to meet; `signs` says whether it gets a token.
    `tier` is GitLab's `deployment_tier`."""

    name: str
    needs: tuple[str, ...]
    environment: str
    signs: bool
    document: Mapping[str, Any]
    tier: str = ""

    @property
    def folder(self) -> str:
        """A file's name for it."""
        return folder_of(self.name)


def folder_of(name: str) -> str:
    """A file's name for a job, which GitLab may call anything."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    return plain if plain == name else f"{plain}-{zlib.crc32(name.encode()):08x}"


@dataclass(frozen=True)
class Ran:
    """A step that has ended. `started` and `seconds` are of the clock of `time.monotonic`."""

    job: str
    step: str
    code: int
    started: float
    seconds: float
    output: str


@dataclass
class Runner:
    """A machine of the CI's: `variables` are what is in the environment of every job, `shell` runs its commands."""

    folder: Path
    variables: Mapping[str, str]
    shell: Shell
    issuer: Issuer
    says: Says
    told: Told

    def run(self, job: Job, step: str, command: Sequence[str], here: Path, environment: Mapping[str, str]) -> str:
        """Run a step; its output. Raises `JobFailedError`."""
        if not here.is_dir():
            raise JobFailedError(
                f"there is no folder {here.name} to work in",
                where=f"job {job.name}, step {step!r}",
                remedy="check out before, or correct the step's `working-directory`",
            )
        started = time.monotonic()
        code, output = self.shell(command, here, environment)
        self.told(Ran(job.name, step, code, started, time.monotonic() - started, output))
        if code:
            raise JobFailedError(
                f"exit code {code}\n{output.rstrip()}",
                where=f"job {job.name}, step {step!r}",
                remedy="the message above is the command's own; `--keep` leaves everything to look at",
            )
        return output

    def checked_out(self, job: Job, push: Push) -> Path:
        """A fresh clone of what was pushed, for a job."""
        return checked_out(push, self.folder / job.folder / "work")


def checked_out(push: Push, place: Path) -> Path:
    """A fresh clone of what was pushed, in `place`, whatever was there. Raises `JobFailedError`."""
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    for command in (
        ("clone", "--quiet", "--branch", push.branch, str(push.host), str(place)),
        ("-C", str(place), "checkout", "--quiet", "-B", push.branch, push.commit),
    ):
        ran = subprocess.run(["git", *command], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if ran.returncode:
            raise JobFailedError(
                f"what was pushed cannot be checked out: {ran.stderr.strip()}", where=push.branch, remedy="push again"
            )
    return place


def changed_files(host: Path, before: str, commit: str) -> tuple[str, ...]:
    """The files in which two commits differ, by their paths in the repository."""
    command = ["git", "--git-dir", str(host), "diff", "--name-only", "--no-renames", "-z", before, commit]
    ran = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return tuple(name for name in ran.stdout.split("\0") if name)


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """Each job behind those that it needs, else as they stand in the file. Raises `NotPlayedError`."""
    left, done = list(jobs), list[Job]()
    while left:
        names = {job.name for job in done}
        following = next((job for job in left if set(job.needs) <= names), None)
        if following is None:
            raise NotPlayedError(
                f"{', '.join(job.name for job in left)} wait for jobs that do not run",
                where="needs",
                remedy="name jobs there that a push to the branch starts",
            )
        left.remove(following)
        done.append(following)
    return done
