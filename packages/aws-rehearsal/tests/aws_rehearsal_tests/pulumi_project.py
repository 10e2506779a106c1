"""A small Pulumi project and the plain command in it, as a user has them."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_rehearsal.providers.wire import SECRET_SIGNATURE, SIGNATURE
from aws_rehearsal_tests import initialised_stacks
from aws_rehearsal_tests.local_account import LocalAccount

HEADER = "import json\nimport os\nimport pulumi\nimport pulumi_aws as aws\nimport pulumi_aws_native as native\n"


@dataclass(frozen=True)
class PulumiProject:
    """`folder` is the project's, `home` the environment of the engine, `developer` whose account it deploys to."""

    folder: Path
    home: Mapping[str, str]
    developer: LocalAccount

    @classmethod
    def make(cls, folder: Path, home: Mapping[str, str], developer: LocalAccount) -> PulumiProject:
        project = cls(folder, {**home, "PULUMI_BACKEND_URL": (folder / "state").as_uri()}, developer)
        (folder / "state").mkdir()
        project.settings()
        # What `pulumi stack init` writes, without the second it takes.
        (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
        project.program("pass")
        return project

    def settings(self, more: str = "") -> None:
        """Write Pulumi.yaml; `more` are further lines of it."""
        (self.folder / "Pulumi.yaml").write_text(f"name: small\nruntime: python\n{textwrap.dedent(more)}")

    def program(self, text: str) -> None:
        """Write `__main__.py`. `ACCOUNT` is a variable in it, for names that are unique in the world."""
        account = f"ACCOUNT = {self.developer.account!r}\n"
        (self.folder / "__main__.py").write_text(HEADER + account + textwrap.dedent(text))

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a command: no `AWS_` and `PULUMI_` ones of whoever runs the tests."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
        return {**inherited, **self.home, **self.developer.environment, "PULUMI_STACK": "dev"}

    def pulumi(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the plain command with further environment variables; output and error in one text."""
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def init(self, *, passphrase: bool = False) -> PulumiProject:
        """The stack `dev`. A key of the developer's account encrypts its secrets: of a passphrase the engine derives a
        key in each of its operations, which takes it 0.2 s. With a passphrase is what runs with other credentials."""
        key = None if passphrase else initialised_stacks.Key.make(self.developer.client("kms"))
        initialised_stacks.init(
            "small",
            self.folder,
            self.folder / "state",
            lambda *given: self.succeed("stack", "init", "dev", *given),
            key,
        )
        return self

    def init_with_key(self, *stacks: str) -> None:
        """Any other stacks, in the same way."""
        initialised_stacks.init_with_key(self.developer.client("kms"), self.succeed, *stacks)

    def up(self, *arguments: str, **variables: str) -> str:
        """`pulumi up` without its preview; fails the test unless it succeeds."""
        done = self.pulumi("up", "--yes", "--skip-preview", *arguments, **variables)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def fail(self, *arguments: str, **variables: str) -> str:
        """`pulumi up` without its preview; fails the test unless it fails, cleanly."""
        done = self.pulumi("up", "--yes", "--skip-preview", *arguments, **variables)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout

    def succeed(self, *arguments: str, **variables: str) -> str:
        """Any other command."""
        done = self.pulumi(*arguments, **variables)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def state(self) -> str:
        """The whole state as it lies in the backend: what a secret must not be readable in."""
        return "\n".join(file.read_text() for file in (self.folder / "state").rglob("*.json"))

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources in the state by name, secrets still encrypted."""
        return {resource["urn"].rsplit("::", 1)[-1]: resource for resource in self._resources()}

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, as `pulumi stack output --json` shows them."""
        (stack,) = [r for r in self._resources() if r["type"] == "pulumi:pulumi:Stack"]
        found: dict[str, Any] = _masked(stack.get("outputs", {}))
        return found

    def _resources(self) -> list[dict[str, Any]]:
        """Those in the state of the stack `dev`, read where it lies: an engine takes a tenth of a second to start."""
        (file,) = (self.folder / "state" / ".pulumi" / "stacks").glob("*/dev.json")
        latest = json.loads(file.read_text())["checkpoint"]["latest"] or {}
        resources: list[dict[str, Any]] = latest.get("resources") or []
        return resources


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return "[secret]" if value.get(SIGNATURE) == SECRET_SIGNATURE else {k: _masked(v) for k, v in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value
