"""The rehearsal where there is no checkout: three wheels in a virtualenv, an export, and an empty folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functional.delivery.built_wheels import released, run, virtualenv
from unit.places import EXPORTS


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
