"""A rehearsal's folder: a copy of the project, its engine's state and home, and the plain `pulumi` command in it.

The copy is what a user has checked out; only Pulumi.yaml's name and the stack file are made anew when the
export to be delivered is of another project than the one of this checkout.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amplify_export.errors import DeployError
from rehearsal import commands

IGNORED = (".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "build", "tests", "benchmarks", "docs")
ENVIRONMENT = "dev"
_NAME = re.compile(r"^name:.*$", re.MULTILINE)


@dataclass(frozen=True)
class Finished:
    """A finished `pulumi` command."""

    exit_code: int
    output: str
    seconds: float


@dataclass(frozen=True)
class Workspace:
    """`project` is the copy of the checkout; `environment` the variables of every command in it."""

    project: Path
    environment: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path, checkout: Path, environment: Mapping[str, str]) -> Workspace:
        """Copy the checkout into `folder/project`, without the export folders: they are delivered one by one."""
        project = folder / "project"
        ignored = shutil.ignore_patterns(*IGNORED, "amplify-export-*")
        shutil.copytree(checkout, project, ignore=ignored, symlinks=True)
        # Pulumi.yaml names it, for the vendor's language host.
        (project / ".venv").symlink_to(checkout / ".venv")
        return cls(project, environment)

    @property
    def name(self) -> str:
        """The Pulumi project's name, which is the app's."""
        found = _NAME.search((self.project / "Pulumi.yaml").read_text())
        return found[0].partition(":")[2].strip() if found else ""

    def rename(self, project: str, account: str, region: str) -> None:
        """Make this the program of the app `project`: its name, and the stack file of one environment."""
        file = self.project / "Pulumi.yaml"
        file.write_text(_NAME.sub(f"name: {project}", file.read_text(), count=1))
        for stack_file in self.project.glob("Pulumi.*.yaml"):
            stack_file.unlink()
        (self.project / f"Pulumi.{ENVIRONMENT}.yaml").write_text(
            f'config:\n  {project}:account: "{account}"\n  {project}:region: {region}\n'
        )

    def put_export(self, export: Path) -> None:
        """What a developer commits: the export's folder, in the place of the one before."""
        for old in self.project.glob("amplify-export-*"):
            shutil.rmtree(old)
        shutil.copytree(export, self.project / export.name)

    def pulumi(self, *arguments: str, line: Callable[[str], None] = lambda _: None) -> Finished:
        """Run the plain `pulumi` command; `line` gets each line of its output as it comes."""
        return self.run(["pulumi", *arguments, "--non-interactive"], line)

    def run(self, command: Sequence[str], line: Callable[[str], None] = lambda _: None) -> Finished:
        """Run a command in the project's folder."""
        start = time.monotonic()
        code, output = commands.run(command, self.project, self.environment, line)
        return Finished(code, output, time.monotonic() - start)

    def succeed(self, *arguments: str, line: Callable[[str], None] = lambda _: None) -> Finished:
        """As `pulumi`. Raises `DeployError` with the command's own words when it fails."""
        finished = self.pulumi(*arguments, line=line)
        if finished.exit_code:
            raise DeployError(
                f"exit code {finished.exit_code}\n{finished.output.rstrip()}",
                where=f"pulumi {' '.join(arguments)}",
                remedy="the message above is the engine's own; `--keep` leaves everything to look at",
            )
        return finished
