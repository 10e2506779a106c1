"""A rehearsal's folder: a copy of the project, its engine's state and home, and the plain `pulumi` command in it.

The copy is what a user has checked out; only Pulumi.yaml's name and the stack file are made again when the
export to be delivered is of another project than the one of this checkout.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amplify_delivery.errors import FailedError
from amplify_delivery_rehearsal import commands

IGNORED = (".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "build", "dist")
FOLDER = "amplify-delivery-rehearsal-"
"""What the folder of a rehearsal begins with, among temporary files."""
ENVIRONMENT = "dev"
LOOKED_AT = "REHEARSED_PROJECT"
"""The variable that names the copy of the project, in the shell of whoever looks into what is kept."""
PRODUCT = ("amplify_delivery", "amplify_delivery.publishing.examination.lint:linter", "pytest")
"""What programs and commands of a rehearsal import, and what each makes for itself: a warm server does it ahead."""
COMMANDS = ("amplify_delivery", "amplify-delivery", "amplify_delivery.stacks.packaged", "pytest")
"""What starts warm of what people, builds and UpdatePipeline's engine run: modules and scripts."""
_NAME = re.compile(r"^name:.*$", re.MULTILINE)


def copy_checkout(checkout: Path, copy: Path, *without: str) -> None:
    """Copy what a user has checked out; `without` are patterns of further names that are left out.

    The folder for temporary files may lie in the checkout (TMPDIR), and the copy in there: neither is copied.
    """
    inside = {copy.resolve().parent, Path(tempfile.gettempdir()).resolve()} - {checkout.resolve()}
    by_name = shutil.ignore_patterns(*IGNORED, f"{FOLDER}*", *without)

    def ignored(folder: str, names: list[str]) -> set[str]:
        here = Path(folder).resolve()
        return {*by_name(folder, names), *(name for name in names if here / name in inside)}

    shutil.copytree(checkout, copy, ignore=ignored, symlinks=True)


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
        """Copy the checkout into `folder/project`, without the export folders, which are delivered one by
        one, and the engine's own, which is installed."""
        project = folder / "project"
        copy_checkout(checkout, project, "amplify-export-*", "tests", "benchmarks", "docs", "packages")
        # Pulumi.yaml names it, for the vendor's language host.
        (project / ".venv").symlink_to(checkout / ".venv")
        return cls(project, environment)

    @property
    def name(self) -> str:
        """The Pulumi project's name, which is the app's."""
        found = _NAME.search((self.project / "Pulumi.yaml").read_text())
        return found[0].partition(":")[2].strip() if found else ""

    def rename(
        self, project: str, account: str, region: str, parameters: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        """Make this the program of the app `project`: its name, and the stack file of one environment, with plain
        `parameters` by nested stack."""
        file = self.project / "Pulumi.yaml"
        file.write_text(_NAME.sub(f"name: {project}", file.read_text(), count=1))
        for stack_file in self.project.glob("Pulumi.*.yaml"):
            stack_file.unlink()
        given = f"  {project}:parameters: {json.dumps(parameters)}\n" if parameters else ""  # JSON is YAML
        (self.project / f"Pulumi.{ENVIRONMENT}.yaml").write_text(
            f'config:\n  {project}:account: "{account}"\n  {project}:region: {region}\n{given}'
        )

    def put_export(self, export: Path) -> None:
        """What a developer commits: the export's folder, whatever it is called, in the place of the one before."""
        for old in self.project.glob("amplify-export-*"):
            shutil.rmtree(old)
        shutil.copytree(export, self.project / f"amplify-export-{self.name}")

    def pulumi(self, *arguments: str, line: Callable[[str], None] = lambda _: None) -> Finished:
        """Run the plain `pulumi` command; `line` gets each line of its output as it comes."""
        return self.run(["pulumi", *arguments, "--non-interactive"], line)

    def run(self, command: Sequence[str], line: Callable[[str], None] = lambda _: None) -> Finished:
        """Run a command in the project's folder."""
        start = time.monotonic()
        code, output = commands.run(command, self.project, self.environment, line)
        return Finished(code, output, time.monotonic() - start)

    def succeed(self, *arguments: str, line: Callable[[str], None] = lambda _: None) -> Finished:
        """As `pulumi`. Raises `FailedError` with the command's own words when it fails."""
        finished = self.pulumi(*arguments, line=line)
        if finished.exit_code:
            raise FailedError(
                f"exit code {finished.exit_code}\n{finished.output.rstrip()}",
                where=f"pulumi {' '.join(arguments)}",
                remedy="the message above is the engine's own; `--keep` leaves everything to look at",
            )
        return finished
