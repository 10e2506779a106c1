"""A command that meets a wrong stack file says so; it has not asked AWS, nor run the engine, nor written a file."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import boto3.session
import botocore.client
import pytest
import yaml

from amplify_delivery import cli
from unit.stacks.projects import APP, HOME, account_of, make
from unit.written_yaml import as_yaml

ENVIRONMENT, ACCOUNT, PIPELINE = "Pulumi.preprod.yaml", "Pulumi.preprod-account.yaml", "Pulumi.pipeline.yaml"
PREPROD = {"account": account_of(0), "region": HOME, "bootstrapped": "true", "suffix": "a8d04"}
COMMANDS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "publish": (["preprod"], (ENVIRONMENT,)),
    "plan": (["preprod"], (ENVIRONMENT,)),
    "deploy": (["preprod", "--plan", "0" * 64], (ENVIRONMENT,)),
    "destroy": (["preprod"], (ENVIRONMENT,)),
    "step": (["preprod", "test"], (ENVIRONMENT, PIPELINE)),
    "rights": (["preprod"], (ENVIRONMENT, ACCOUNT)),
    "bootstrap": (["preprod"], (ENVIRONMENT, ACCOUNT, PIPELINE)),
    "update-pipeline": ([], (ENVIRONMENT, PIPELINE)),
    "unlock": (["preprod"], (ENVIRONMENT,)),
    "adopt": (["preprod"], (ENVIRONMENT,)),
    "handover": (["preprod"], (ENVIRONMENT,)),
    "client-config": (["preprod"], (ENVIRONMENT,)),
    "start": (["preprod", "plan", "--digest", "0" * 64], (ENVIRONMENT,)),
    "preview": (["up", "--pull-request", "1", "--pattern", "preprod"], (ENVIRONMENT,)),
    "doctor": (["preprod"], (ENVIRONMENT,)),
    "report": (["preprod"], (ENVIRONMENT,)),
    "images": (["preprod"], (ENVIRONMENT,)),
}
"""Commands with their arguments, and the files that they must find right."""
CASES = [(command, file) for command, (_, files) in COMMANDS.items() for file in files]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose commands can reach nothing: whoever tries fails the test."""

    def reached(*arguments: Any, **_: Any) -> None:
        raise AssertionError(f"something was reached before the files were looked at: {arguments!r:.200}")

    monkeypatch.chdir(make(tmp_path))
    monkeypatch.setattr(boto3.session.Session, "client", reached)
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", reached)
    monkeypatch.setattr(subprocess.Popen, "__init__", reached)
    return tmp_path


def changed(path: Path, **keys: Any) -> None:
    document = yaml.safe_load(path.read_text())
    document["config"] |= {f"{APP}:{key}": value for key, value in keys.items()}
    path.write_text(as_yaml(document))


def files(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("command", "file"), CASES)
def test_one_error_with_the_file_and_nothing_reached(
    directory: Path, capsys: pytest.CaptureFixture[str], command: str, file: str
) -> None:
    changed(directory / file, protekt="true")
    before = files(directory)

    code = cli.main([command, *COMMANDS[command][0]])

    said = capsys.readouterr()
    assert code == 3
    assert said.out == ""
    assert said.err.count("error:") == 1
    assert file in said.err
    assert "unknown key 'protekt', did you mean 'protect'?" in said.err
    assert "\n  -> " in said.err
    assert files(directory) == before


@pytest.mark.parametrize("command", [c for c, (_, names) in COMMANDS.items() if ENVIRONMENT in names])
def test_an_account_that_was_not_quoted(directory: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    text = (directory / ENVIRONMENT).read_text().replace(f"'{account_of(0)}'", "12345678901")
    (directory / ENVIRONMENT).write_text(text)

    assert cli.main([command, *COMMANDS[command][0]]) == 3

    said = capsys.readouterr().err
    assert "account: '12345678901' is not an AWS account, which has 12 digits: quote it" in said
    assert ENVIRONMENT in said


OTHERS = {
    "up": "the engine runs the program, which refuses its file by itself (unit/stacks/config/test_every_field.py)",
    "outputs": "reads the state alone",
    "setup": "takes its values as arguments",
    **dict.fromkeys(("init", "upgrade"), "writes a project's own files"),
    **dict.fromkeys(
        ("check", "assemble", "build", "compare", "root", "pack", "docs"), "touches neither AWS nor the engine"
    ),
    "rehearse": "reaches no AWS at all",
    **dict.fromkeys(("rollback", "gc"), "read their files as `plan` does, before anything else"),
}


def test_every_command_is_tried_or_has_a_reason() -> None:
    assert set(cli.COMMANDS) - set(COMMANDS) - set(OTHERS) == set()
