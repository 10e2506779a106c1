"""That packages of another lock are told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aws_rehearsal.setup.environments import Environment
from aws_rehearsal_tests import stale


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A virtualenv that is what its lock says."""
    folder, lock = tmp_path / ".venv", tmp_path / "requirements.lock"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    (folder / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    lock.write_text("boto3==1.0\n")
    made = Environment("packages", folder, lock)
    (folder / "complete.json").write_text(json.dumps({"lock": made.made_from, "names": []}))
    return made


def test_packages_of_another_lock_are_told(environment: Environment) -> None:
    assert stale.told(environment, environment.folder) is None
    environment.lock.write_text("boto3==2.0\n")
    said = stale.told(environment, environment.folder)
    assert said == "the packages in .venv are not those that requirements.lock names: `make setup`"


def test_a_python_of_ones_own_is_nobodys_business(environment: Environment, tmp_path: Path) -> None:
    other = replace(environment, lock=tmp_path / "pyproject.toml")
    other.lock.touch()
    assert stale.told(other, environment.folder)
    assert stale.told(other, tmp_path / "elsewhere") is None
