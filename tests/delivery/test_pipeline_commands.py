"""`enrol` and `update-pipeline` on the real engine, over the stack files of a pipeline and small programs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rehearsal.pulumi_home import prepare
from rehearsal.setup import tools
from rehearsal.workspace import Finished, Workspace
from tests.delivery.conftest import ROOT
from tests.local_account import LocalAccount
from tests.stacks.projects import TOOLING, make, write

pytestmark = pytest.mark.engine


@pytest.fixture
def workspace(tmp_path: Path, developer: LocalAccount) -> Workspace:
    """A project whose pipeline delivers the environment `preprod` to the developer's account."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
    home = prepare(tmp_path / "home", tools().python, ROOT, tools().engine_root)
    project = tmp_path / "project"
    project.mkdir()
    make(project, 1)
    with (project / "Pulumi.yaml").open("a") as file:
        file.write("options:\n  refresh: always\n")
    environment = {"account": developer.account, "region": developer.region, "enrolled": "true", "suffix": "a8d04"}
    write(project, "preprod", environment)
    return Workspace(project, {**clean, **home, **developer.environment, "PYTHONPATH": str(ROOT)})


def program(workspace: Workspace, digest: str) -> None:
    """A program with one resource and an output."""
    lines = ("import pulumi", f"pulumi.Stash('x', input={digest!r})", f"pulumi.export('definitionDigest', {digest!r})")
    (workspace.project / "__main__.py").write_text("\n".join(lines))


def delivery(workspace: Workspace, *arguments: str) -> Finished:
    return workspace.run([str(tools().python), "-m", "delivery", *arguments])


def succeeds(finished: Finished) -> str:
    assert finished.exit_code == 0, finished.output
    return finished.output


def test_enrol_makes_the_stack_and_is_done_once(workspace: Workspace) -> None:
    program(workspace, "a")
    assert succeeds(delivery(workspace, "enrol", "preprod")).endswith("preprod-account: 2 created\n")
    assert succeeds(delivery(workspace, "enrol", "preprod")).endswith("preprod-account: nothing to change\n")


def test_enrol_with_credentials_of_another_account_makes_nothing(workspace: Workspace) -> None:
    write(workspace.project, "preprod", {"account": TOOLING, "region": "us-east-1", "enrolled": "true"})
    done = delivery(workspace, "enrol", "preprod")
    assert done.exit_code == 1
    assert f"not to {TOOLING}" in done.output
    assert not list(workspace.project.parent.glob("**/preprod-account.json"))


def test_update_pipeline_updates_what_differs_and_only_that(workspace: Workspace) -> None:
    program(workspace, "a")
    workspace.succeed("stack", "init", "pipeline")
    workspace.succeed("up", "-s", "pipeline", "--yes", "--skip-preview")
    assert succeeds(delivery(workspace, "update-pipeline")) == "pipeline: nothing to change\n"
    program(workspace, "b")
    assert succeeds(delivery(workspace, "update-pipeline")).endswith("pipeline: 1 updated\n")
