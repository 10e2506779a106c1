"""Which commands of the real engine a step costs, and that nothing is lost by asking for less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandResult

from amplify_export.errors import SetupError
from delivery.engine import Engine
from delivery.pulumi_command import Command
from delivery.stack_outputs import Output
from tests.rehearsal.conftest import project, pulumi_home
from tests.rehearsal.pulumi_project import PulumiProject

__all__ = ["project", "pulumi_home"]

pytestmark = pytest.mark.engine

PLAIN = {"name": "x", "deep": {"list": [1, "two", None, True], "text": "é"}}
PROGRAM = f"""
    for name, value in {PLAIN!r}.items():
        pulumi.export(name, value)
"""


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was run of `pulumi`, the first two words of each."""
    ran: list[list[str]] = []
    run = Command.run

    def noted(self: Command, args: list[str], *more: Any) -> CommandResult:
        ran.append(args[:2] if args[0] == "stack" else args[:1])
        return run(self, args, *more)

    monkeypatch.setattr(Command, "run", noted)
    return ran


def engine_of(project: PulumiProject, monkeypatch: pytest.MonkeyPatch) -> Engine:
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return Engine("dev", project.folder, lambda _: None)


def test_an_update_is_one_command_and_has_told_its_outputs(
    project: PulumiProject, monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]
) -> None:
    project.init().program(PROGRAM)
    engine = engine_of(project, monkeypatch)
    engine.up()
    told = engine.outputs()
    assert commands == [["up"]]
    assert told == Engine("dev", project.folder, lambda _: None).outputs()
    assert {name: o.value for name, o in told.items()} == PLAIN


def test_secret_outputs_are_asked_for(project: PulumiProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.init().program(PROGRAM + '    pulumi.export("key", pulumi.Output.secret({"inner": "hush"}))\n')
    engine = engine_of(project, monkeypatch)
    watch = engine.up()
    assert "hush" not in str(watch.outputs)
    assert engine.outputs()["key"] == Output({"inner": "hush"}, secret=True)
    assert engine.outputs()["name"] == Output("x", secret=False)
    assert "hush" not in str(engine.state())


def test_an_engine_that_the_sdk_does_not_work_with_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "bin" / "pulumi"
    old.parent.mkdir()
    old.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v2.0.0 || touch {tmp_path}/ran\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    with pytest.raises(SetupError, match=r"(?s)`pulumi version` failed.*2\.0\.0"):
        Engine("dev", tmp_path, lambda _: None).up()
    assert not (tmp_path / "ran").exists()


def test_no_engine_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    with pytest.raises(SetupError, match="no `pulumi` on PATH"):
        Engine("dev", tmp_path, lambda _: None)
