"""`update-pipeline --program`: the update of a pipeline that a program in another language declares."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.components.documents.pipeline.model import OtherProgram
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.pipeline import program_update
from amplify_delivery.delivery.pipeline.program_update import ProgramUpdate, put_plugin
from amplify_delivery.delivery.pipeline.self_update import PIPELINE, Updated
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.errors import ConfigError, DeployError, RefusedError
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.reader import read_yaml
from amplify_delivery.stacks.packaged.declared import PIPELINE_TYPE, Declared
from unit.stacks.projects import APP, make

PROGRAM = OtherProgram("pipeline", "delivery", "main")
OUTER = f"urn:pulumi:main::delivery::{PIPELINE_TYPE}::release"
INNER = f"urn:pulumi:main::delivery::{PIPELINE_TYPE}${PIPELINE_TYPE}"
ROLE = "aws:iam/role:Role"


class Previewed:
    """An engine whose state and whose program declare these."""

    def __init__(self, applied: Declared | None, declared: Declared | None, *steps: ProgramStep) -> None:
        self.applied, self.updates = applied, 0
        found = [ProgramStep(OUTER, PIPELINE_TYPE, "same", (), declared.inputs, custom=False)] if declared else []
        self.found = (*found, *steps)

    def state(self) -> dict[str, Any]:
        bucket = {"urn": f"{INNER}$aws:s3/bucket:Bucket::release-eu-north-1", "type": "aws:s3/bucket:Bucket"}
        own = {"urn": OUTER, "type": PIPELINE_TYPE, "inputs": self.applied.inputs if self.applied else {}}
        return {"resources": [own, bucket]}

    def succeeded(self) -> bool:
        return True

    def preview(self) -> Any:
        return SimpleNamespace(steps=self.found)

    def up(self) -> Any:
        self.updates += 1
        return SimpleNamespace(changes={"update": 1})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """What is delivered; its own file is the one that Build has put."""
    monkeypatch.setattr(secrets_provider, "check", lambda *_, **__: None)
    monkeypatch.setattr(resolving, "settle_lost", lambda *_: None)
    make(tmp_path)
    return Project(tmp_path)


def declared(project: Project, digest: str, environments: int = 2) -> Declared:
    """What the project's file says, of its first environments."""
    document = read_yaml(project.file("pipeline"))
    stages = document["config"][f"{APP}:stages"]
    document["config"][f"{APP}:stages"] = stages[:environments]
    return Declared("pipeline", json.dumps(document), digest)


def bring(project: Project, engine: Any) -> Updated:
    context = Context(project.directory / "pipeline", {"EXECUTION_ID": "0a1b"})
    update = ProgramUpdate(PROGRAM, "pipeline", project.pipeline("pipeline"), project, context)
    return update.when_free(engine, Patience(0))


def pipeline_changes() -> ProgramStep:
    return ProgramStep(f"{INNER}${PIPELINE}::release", PIPELINE, "update")


def test_what_the_commit_declares_is_applied_and_only_if_it_differs(project: Project) -> None:
    same = declared(project, "a")
    engine = Previewed(same, same)
    assert not bring(project, engine).updated
    assert engine.updates == 0
    engine = Previewed(same, declared(project, "b"), pipeline_changes())
    done = bring(project, engine)
    assert (done.updated, done.restarts, done.by_itself, done.declared) == (True, True, True, "b")
    assert engine.updates == 1


@pytest.mark.parametrize("killed", [True, False])
def test_what_did_not_end_well_is_made_though_nothing_differs(
    project: Project, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    """A run that was killed stands in no history."""
    same = declared(project, "a")
    engine = Previewed(same, same)
    before = engine.state()
    monkeypatch.setattr(resolving, "resolve", lambda *_: before)
    if killed:
        pending = [{"type": "updating", "resource": {}}]
        monkeypatch.setattr(engine, "state", lambda: {**before, "pending_operations": pending})
    else:
        monkeypatch.setattr(engine, "succeeded", lambda: False)
    assert bring(project, engine).updated


def test_an_environment_that_the_commit_has_no_more_is_none_that_is_looked_for(project: Project) -> None:
    """What was applied last names it, and its stack file has gone with it."""
    before, after = declared(project, "a"), declared(project, "b", environments=1)
    gone = json.loads(before.file)["config"][f"{APP}:stages"][1]["environments"][0]
    project.file(gone).unlink()
    assert bring(project, Previewed(before, after, pipeline_changes())).updated


def test_what_a_person_has_to_do_is_told_with_a_command_in_the_programs_folder(project: Project) -> None:
    step = ProgramStep(f"{INNER}${ROLE}::app-build", ROLE, "update", ("path",))
    engine = Previewed(declared(project, "a"), declared(project, "b"), step)
    with pytest.raises(DeployError, match="may not make these changes itself") as caught:
        bring(project, engine)
    assert "pulumi up -C pipeline -s main`" in caught.value.remedy
    engine = Previewed(declared(project, "a"), declared(project, "a"), pipeline_changes())
    with pytest.raises(DeployError, match="again and again") as caught:
        bring(project, engine)
    assert "`pulumi up -C pipeline -s main`" in caught.value.remedy
    assert engine.updates == 0


def test_a_program_without_this_pipeline_does_not_delete_it(project: Project) -> None:
    other = Declared("second", "{}", "c")
    for found in (None, other):
        engine = Previewed(declared(project, "a"), found, ProgramStep(OUTER, PIPELINE, "delete"))
        with pytest.raises(RefusedError, match="the program in pipeline declares no pipeline 'pipeline' any more"):
            bring(project, engine)
        assert engine.updates == 0


def test_a_store_that_no_environment_needs_is_told_before_the_engine_advises_to_lift_its_protection(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Previewed(declared(project, "a"), declared(project, "b"))
    urn = engine.state()["resources"][1]["urn"]
    said = f"resource {urn!r} cannot be deleted because it is protected. Use `pulumi state unprotect`"

    def preview() -> Any:
        raise DeployError(said, where="main")

    monkeypatch.setattr(engine, "preview", preview)
    with pytest.raises(RefusedError, match="no environment lies in eu-north-1 any more") as caught:
        bring(project, engine)
    assert "`artifactRegions: [eu-north-1]`" in caught.value.remedy
    assert "unprotect" not in str(caught.value)
    said = "something else"
    with pytest.raises(DeployError, match="something else"):
        bring(project, engine)


def test_it_is_run_by_update_pipeline_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By hand `pulumi up` does it; and a commit without the program is told as such."""
    monkeypatch.chdir(project.directory)
    for name in ("EXECUTION_ID", "STACK"):
        monkeypatch.delenv(name, raising=False)
    command = ["update-pipeline", "--program", "pipeline", "--program-stack", "main"]
    assert cli.main(command) == 3
    assert "`pulumi up -C pipeline -s main`" in capsys.readouterr().err
    monkeypatch.setenv("EXECUTION_ID", "0a1b")
    assert cli.main(command) == 3
    assert "the commit has no pipeline/Pulumi.yaml" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        program_update.program_of("elsewhere", "main", Context(project.directory, {"EXECUTION_ID": "0a1b"}))


@pytest.mark.processes
def test_the_packages_executable_is_put_where_the_program_has_the_engine_look(tmp_path: Path) -> None:
    """An image that holds what is locked has it elsewhere."""
    program, place = tmp_path / "pipeline", tmp_path / ".venv" / "bin"
    program.mkdir()
    settings = program / "Pulumi.yaml"
    settings.write_text("name: delivery\nruntime: yaml\n")
    put_plugin(program)
    assert not place.exists()
    settings.write_text(
        settings.read_text() + "plugins:\n  providers:\n    - {name: amplify-delivery, path: ../.venv/bin}\n"
    )
    put_plugin(program)
    executable = place / program_update.PLUGIN
    asked = subprocess.run([executable, "--help"], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert "engine" in asked.stdout + asked.stderr
    assert "Traceback" not in asked.stderr
    executable.write_text("as it was installed")
    put_plugin(program)
    assert executable.read_text() == "as it was installed"
