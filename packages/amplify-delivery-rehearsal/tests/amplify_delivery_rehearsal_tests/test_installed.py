"""The rehearsal where there is no checkout: three wheels in a virtualenv, an export, and an empty folder."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from functional.delivery.scaffold.built_wheels import released, run, virtualenv
from unit.places import EXPORTS, REPOSITORY

CONNECTION = "arn:aws:codeconnections:eu-central-1:333333333333:connection/11111111-2222-3333-4444-555555555555"


@pytest.mark.engine
@pytest.mark.xdist_group("wheels")
def test_an_export_is_rehearsed_from_wheels_alone(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    commands = virtualenv(tmp_path / "venv", list(released(tmp_path_factory).values()))
    here = tmp_path / "empty"
    here.mkdir()
    export = EXPORTS / "todo" / "amplify-export-mytodoapp"
    told = json.loads(run(commands / "amplify-delivery", "rehearse", export, "--json", cwd=here))
    assert [chapter["outcome"] for chapter in told["deliveries"]] == ["delivered"]
    assert list(here.iterdir()) == []


@pytest.mark.engine
def test_a_project_and_its_pipeline_are_rehearsed_from_wheels_alone(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What a newcomer does after `pip install`. That Build installs by hash what the project's lock names,
    `functional/delivery/scaffold/test_new_project.py` shows."""
    wheels = list(released(tmp_path_factory).values())
    commands = virtualenv(tmp_path / "venv", wheels, complete=True)
    project = tmp_path / "app"
    export = EXPORTS / "todo" / "amplify-export-mytodoapp"
    pipeline = ("--tooling", "333333333333/eu-central-1", "--connection", CONNECTION, "--repository", "octo/todo")
    prod = ("--environment", "prod=222222222222/eu-west-1")
    run(commands / "amplify-delivery", "init", project, "--from", export, *prod, *pipeline, cwd=tmp_path)
    rehearse = (commands / "amplify-delivery", "rehearse", "--json")
    ran = subprocess.run(rehearse, cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [chapter["outcome"] for chapter in json.loads(ran.stdout)["chapters"]] == ["as expected"] * 3
    assert str(REPOSITORY) not in ran.stderr
