"""What the engine is asked of a stack that Pulumi Cloud has, and of no other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import create_command_error

from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.stored_state import StoredStack
from amplify_delivery.errors import LockedError

CLOUD, FOLDER = "https://api.pulumi.com", "file:///home/ann/state"
SHOWN = """Current stack is dev:
    Owner: ann
    {} in progress:
\tStarted: 3 minutes ago
\tRequested By: ann
    Last updated: 1 hour ago
Current stack resources (0):
"""


class Pulumi:
    """The command: what it answers, and how it was called."""

    def __init__(self, stdout: str = "", stderr: str = "") -> None:
        self.stdout, self.stderr = stdout, stderr
        self.calls: list[list[str]] = []
        self.files: list[set[str]] = []
        """Names in the folder that each call was made in."""

    def run(self, args: list[str], cwd: str, _: Mapping[str, str]) -> CommandResult:
        self.calls.append(args)
        self.files.append({path.name for path in Path(cwd).iterdir()})
        if self.stderr:
            raise create_command_error(CommandResult(stdout="", stderr=self.stderr, code=255))
        return CommandResult(stdout=self.stdout, stderr="", code=0)


def engine(folder: Path, backend: str, command: Pulumi) -> Engine:
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("secretsprovider: awskms://alias/a\nencryptedkey: abc\n")
    made: Any = Engine.__new__(Engine)
    made.stack, made.folder, made.wrote = "dev", folder, False
    made._command, made._workspace = command, SimpleNamespace(env_vars={"PULUMI_BACKEND_URL": backend})
    made._stored = StoredStack("dev", folder, lambda: made.variables)
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("backend", "shown", "said"),
    [
        (CLOUD, SHOWN.format("Update"), "update of ann"),
        (CLOUD, SHOWN.format("Destroy"), "destroy of ann"),
        (CLOUD, SHOWN.format("Preview"), ""),  # it holds nothing
        (CLOUD, "Current stack is dev:\n    Owner: ann\n", ""),
        (FOLDER, SHOWN.format("Update"), ""),
    ],
)
def test_what_is_going_on(tmp_path: Path, backend: str, shown: str, said: str) -> None:
    command = Pulumi(shown)
    assert engine(tmp_path, backend, command).going_on() == said
    assert command.calls == ([["stack", "--stack", "dev"]] if backend == CLOUD else [])


def test_an_update_that_has_just_ended_need_not_be_cancelled(tmp_path: Path) -> None:
    engine(tmp_path, CLOUD, Pulumi(stderr="error: [409] Conflict: The Update has already completed")).cancel()
    with pytest.raises(LockedError):
        engine(
            tmp_path, CLOUD, Pulumi(stderr="error: [409] Conflict: Another update is currently in progress.")
        ).cancel()


@pytest.mark.parametrize("backend", [CLOUD, FOLDER])
def test_a_state_is_written_where_no_stack_file_is(tmp_path: Path, backend: str) -> None:
    """Of a state that Pulumi Cloud encrypts the engine takes the key out of the stack file that it finds."""
    command = Pulumi(json.dumps({"version": 3, "deployment": {}}))
    engine(tmp_path, backend, command).write({"resources": []})
    assert command.calls[-1][:2] == ["stack", "import"]
    assert "Pulumi.yaml" in command.files[-1]
    assert ("Pulumi.dev.yaml" in command.files[-1]) == (backend != CLOUD)
