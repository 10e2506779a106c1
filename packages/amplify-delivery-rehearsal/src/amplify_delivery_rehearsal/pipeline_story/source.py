"""The app's git repository: what a team has at its host, a clone of it, commits and pushes.

The host's side is a bare repository on this machine; the pipeline service reads it in place of the connection's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amplify_delivery.errors import SetupError
from amplify_delivery_rehearsal.example import is_example
from amplify_delivery_rehearsal.workspace import copy_checkout

_WHO = {"NAME": "A Developer", "EMAIL": "developer@example.com"}


@dataclass(frozen=True)
class Repository:
    """`host` is the bare repository, `clone` the work tree in which everybody of the story works, on `branch`, which
    is delivered."""

    host: Path
    clone: Path
    branch: str = "main"

    @classmethod
    def make(
        cls, folder: Path, checkout: Path, environment: Path, inside: str = "", branch: str = "main"
    ) -> Repository:
        """A repository with the files of `checkout` in its clone, nothing committed yet.

        `environment` is the virtualenv for a checkout that has none; `inside` the folder of the repository that the
        checkout is, where that is not its root.
        """
        root = folder / "project"
        found = cls(folder / "host.git", root / inside, branch)  # as the property `root` has it
        # What a user has checked out. Of this repository, the engine's tests and the rehearsal do not matter to a
        # delivery; the project's own tests are run by its Build.
        if is_example(checkout):
            copy_checkout(checkout, found.clone, "tests", "benchmarks", "*-rehearsal")
            copy_checkout(checkout / "tests", found.clone / "tests")
        else:
            copy_checkout(checkout, found.clone)
        found._git("init", "--quiet", "--bare", "-b", branch, str(found.host))
        found._git("init", "--quiet", "-b", branch, str(root))
        found._git("remote", "add", "origin", str(found.host))
        # Whoever looks around commits and pulls here, on machines where git knows nobody yet.
        who = {f"user.{key.lower()}": value for key, value in _WHO.items()}
        followed = {f"branch.{branch}.remote": "origin", f"branch.{branch}.merge": f"refs/heads/{branch}"}
        for key, value in {**who, **followed}.items():
            found._git("config", key, value)
        # Pulumi.yaml names it, for the vendor's language host; `.gitignore` keeps it out of commits.
        (root / ".git" / "info" / "exclude").write_text(".venv\n")  # `.venv/` in a .gitignore is no link
        own = checkout / ".venv"
        (found.clone / ".venv").symlink_to((own if own.exists() else environment).resolve())
        return found

    def put_export(self, export: Path) -> None:
        """What `amplify export` leaves in the work tree: the folder of the one before, replaced."""
        for old in self.clone.glob("amplify-export-*"):
            shutil.rmtree(old)
        shutil.copytree(export, self.clone / export.name)

    def push(self, message: str) -> str:
        """Commit all that changed and push it; the commit's id."""
        for command in self.pushing(message):
            self._git(*command)
        return self.head

    def pushing(self, message: str) -> tuple[tuple[str, ...], ...]:
        """The arguments of git that `push` runs."""
        return ("add", "--all"), ("commit", "--message", message), ("push", "origin", self.branch)

    @property
    def root(self) -> Path:
        """The work tree, in whose folder or below it the project is."""
        return self.host.parent / "project"

    @property
    def head(self) -> str:
        """The id of the newest commit."""
        return self._git("rev-parse", "HEAD")

    @property
    def pushed(self) -> str:
        """The id of the newest commit that is at the host; empty before the first push."""
        ref = f"refs/heads/{self.branch}"
        return self._git("--git-dir", str(self.host), "for-each-ref", "--format=%(objectname)", ref)

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.clone,
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SetupError(f"git {' '.join(arguments)}: {done.stderr.strip()}", where=str(self.clone))
        return done.stdout.strip()


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """No setting of the user's git: a hook or a signing key of hers has no part in a rehearsal."""
    kept = {name: value for name, value in variables.items() if not name.startswith("GIT_")}
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _WHO.items()}
    return {**kept, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
