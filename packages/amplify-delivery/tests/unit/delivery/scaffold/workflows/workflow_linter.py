"""actionlint, bash and shellcheck, for tests of workflows that we write."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from aws_rehearsal.setup.actionlint import ensure_actionlint
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal_tests.absent import fetched


def actionlint(
    ensure: Callable[[Progress], Path] = ensure_actionlint, variables: Mapping[str, str] = os.environ
) -> Path:
    """Where it is, built if it has to be. Where it cannot be, a test is skipped and says so; in a CI it fails."""
    with fetched("actionlint", variables):
        return ensure(Progress())
    raise AssertionError("unreachable")


SHELLCHECK = shutil.which("shellcheck")
"""It is in no registry of packages with a pin, but Debian's: where it is on PATH it reads each script, too."""


def problems(*files: Path) -> str:
    """What actionlint finds in workflows, and shellcheck in what they run; nothing where all is well."""
    given = (f"-shellcheck={SHELLCHECK or ''}", "-pyflakes=")
    environment = {**os.environ, "SHELLCHECK_OPTS": "--severity=warning"}
    ran = subprocess.run([actionlint(), *given, *files], env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode != 0) is bool(ran.stdout), ran.stderr
    return ran.stdout


def github_scripts(document: Mapping[str, Any]) -> list[str]:
    """What a workflow's steps run."""
    return [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]


def gitlab_scripts(document: Mapping[str, Any]) -> list[str]:
    """What GitLab's jobs run, each part in one shell."""
    lists = [job.get(part) for job in document.values() for part in ("before_script", "script")]
    return ["\n".join(lines) for lines in lists if lines]


def script_problems(scripts: Iterable[str]) -> str:
    """What bash says that it cannot read, and shellcheck of what it can; nothing where all is well. Both CIs run them
    with `-e`."""
    commands = [["bash", "-n"], *([[SHELLCHECK, "--shell=bash", "--severity=warning", "-"]] if SHELLCHECK else [])]
    return "".join(
        ran.stdout + ran.stderr
        for script in scripts
        for command in commands
        if (
            ran := subprocess.run(command, input=f"set -e\n{script}", capture_output=True, text=True, check=False)
        ).returncode
    )
