"""What is wrong with exports that are to be rehearsed one after the other is told before anything starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amplify_delivery import cli
from amplify_delivery_rehearsal import story
from amplify_delivery_rehearsal.workspace import Workspace
from aws_rehearsal import setup
from unit.export.mutations import EXPORTS, MANIFEST, copy_export


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the set-up nor, after it, a local AWS."""

    def started(*_: object) -> None:
        pytest.fail("it has begun")

    monkeypatch.setattr(setup, "ensure_all", started)
    monkeypatch.setattr(story, "_stage", started)


def rehearse(capsys: pytest.CaptureFixture[str], *exports: Path) -> str:
    assert cli.main(["rehearse", *map(str, exports)]) == 3
    return capsys.readouterr().err


def test_an_export_of_another_app_is_named_with_the_command_that_rehearses_it_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = rehearse(capsys, EXPORTS["todo-series/v1"], EXPORTS["todo"])
    assert f"{EXPORTS['todo']}: is of the app mytodoapp, the first one of seriesapp" in said
    assert f"-> `amplify-delivery rehearse {EXPORTS['todo']}` rehearses it by itself" in said


def test_exports_of_two_environments(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Of two suffixes: each makes a root stack of its own, and a stack cannot be renamed."""
    production = copy_export("todo-series/v2", tmp_path / "amplify-export-seriesapp")
    manifest = production / MANIFEST
    name = json.loads(manifest.read_text())["stackName"]
    manifest.write_text(manifest.read_text().replace(name, "amplify-seriesapp-prod-99999"))
    said = rehearse(capsys, EXPORTS["todo-series/v1"], production)
    assert f"{production}: was exported as amplify-seriesapp-prod-99999, the first one as {name}" in said


def test_a_later_one_that_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    broken = copy_export("todo-series/v2", tmp_path / "amplify-export-seriesapp")
    (broken / MANIFEST).unlink()
    assert "AD102" in rehearse(capsys, EXPORTS["todo-series/v1"], broken)


def test_a_folder_of_any_name_is_where_the_program_looks(tmp_path: Path) -> None:
    """And takes the place of the one before."""
    (tmp_path / "Pulumi.yaml").write_text("name: seriesapp\nruntime: python\n")
    workspace = Workspace(tmp_path, {})
    for version in ("v1", "v2"):
        workspace.put_export(copy_export(f"todo-series/{version}", tmp_path / "elsewhere" / version))
    (found,) = tmp_path.glob("amplify-export-*")
    assert (found / MANIFEST).read_bytes() == (EXPORTS["todo-series/v2"] / MANIFEST).read_bytes()
    assert not (tmp_path / "v1").exists()
