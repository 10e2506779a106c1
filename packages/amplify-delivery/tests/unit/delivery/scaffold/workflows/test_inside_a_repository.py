"""Workflows of a project that is a folder of its repository: at the root, under names of its own, working in it."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from amplify_delivery import cli
from amplify_delivery.delivery.scaffold import ci
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import Project
from amplify_delivery_rehearsal.ci_story.declared import declared
from aws_rehearsal.ci_service import Push, github
from unit.delivery.scaffold.workflows.ci_files import workflow
from unit.delivery.scaffold.workflows.workflow_linter import actionlint
from unit.places import EXPORTS
from unit.this_wheel import wheel_of_this_version

APPS = {
    "mytodoapp": EXPORTS / "todo" / "amplify-export-mytodoapp",
    "seriesapp": EXPORTS / "todo-series" / "v1" / "amplify-export-seriesapp",
}
INSIDE = ci.Inside("shop", "backends/shop")


@pytest.fixture(autouse=True)
def _one_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amplify_delivery.commands.init.installed_wheel", wheel_of_this_version)


def made(root: Path, kind: str) -> Mapping[str, Project]:
    """Two apps in the folders of one repository, each with what `init` writes."""
    (root / ".git").mkdir()
    place, ids = "prod=033333333333/eu-west-1", "11/22" if kind == ci.GITHUB else "4711"
    for app, export in APPS.items():
        ours = ("--ci", kind, "--repository", "octo/shop", "--ids", ids, "--environment", place)
        assert cli.main(["init", str(root / "backends" / app), "--from", str(export), *ours]) == 0
    return {app: Project(root / "backends" / app) for app in APPS}


def test_github_finds_them_at_the_root_of_the_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    projects = made(tmp_path, ci.GITHUB)
    assert "  ../../.github/workflows/backend-deploy-mytodoapp.yml\n" in capsys.readouterr().out
    files = {path.name for path in (tmp_path / ".github" / "workflows").iterdir()}
    assert files == {f"backend-{what}-{app}.yml" for app in APPS for what in ("plan", "preview", "deploy")}
    documents = {name: workflow((tmp_path / ".github" / "workflows" / name).read_text()) for name in files}
    assert len({document["name"] for document in documents.values()}) == len(files)
    assert len({document["concurrency"]["group"] for document in documents.values()}) == len(files)
    for app, project in projects.items():
        folder = f"backends/{app}"
        for what in ("plan", "preview", "deploy"):
            assert documents[f"backend-{what}-{app}.yml"]["defaults"] == {"run": {"working-directory": folder}}
        # The account lets in the jobs of this file, and no other's.
        says = project.account("prod-account").github
        assert says is not None
        assert says.workflow == f".github/workflows/backend-deploy-{app}.yml"
        paths = [f"{folder}/**", says.workflow]
        assert documents[f"backend-deploy-{app}.yml"]["on"] == {"push": {"branches": ["main"], "paths": paths}}
        found = declared(project)
        assert (found.root, found.inside) == (tmp_path.resolve(), folder)
        jobs = found.jobs(Push(Path("host"), "c0ffee", "main", "octo/shop"), tmp_path)
        assert [job.name for job in jobs] == ["build", "plan-prod", "deploy-prod"]


@pytest.mark.processes
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    made(tmp_path, ci.GITHUB)
    linter = actionlint()
    files = sorted((tmp_path / ".github" / "workflows").iterdir())
    ran = subprocess.run([linter, "-shellcheck=", "-pyflakes=", *files], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_gitlab_includes_them_at_the_root_of_the_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    projects = made(tmp_path, ci.GITLAB)
    said = capsys.readouterr().out
    note = "include `local: .gitlab/backend-seriesapp.gitlab-ci.yml` in it, and add its stages backend-seriesapp-plan, "
    assert f"{note}backend-seriesapp-preview, backend-seriesapp-deploy" in said
    root = tmp_path / ".gitlab-ci.yml"
    first = yaml.safe_load(root.read_text())
    assert first["stages"] == list(ci.gitlab_stages(ci.Inside("mytodoapp", "backends/mytodoapp")))
    second = "  - local: .gitlab/backend-seriesapp.gitlab-ci.yml\n"
    root.write_text(root.read_text() + second)
    push = Push(Path("host"), "c0", "main", "octo/shop")
    with pytest.raises(ConfigError, match="the stage backend-seriesapp-plan, which `stages` does not name"):
        declared(projects["seriesapp"]).jobs(push, tmp_path)
    stages = [stage for app in APPS for stage in ci.gitlab_stages(ci.Inside(app, f"backends/{app}"))]
    root.write_text(re.sub(r"(?m)^stages: .*$", f"stages: {stages}", root.read_text()))
    documents: dict[str, Any] = {}
    for app in APPS:
        own = yaml.safe_load((tmp_path / f".gitlab/backend-{app}.gitlab-ci.yml").read_text())
        assert not documents.keys() & own.keys(), "a job of the one would be a job of the other"
        assert own[f".backend-{app}"]["before_script"][0] == f"cd backends/{app}"
        used = {job["stage"] for job in own.values() if "stage" in job}
        assert used == set(ci.gitlab_stages(ci.Inside(app, f"backends/{app}")))
        documents |= own
    for app, project in projects.items():
        jobs = {job.name: job for job in declared(project).jobs(push, tmp_path)}
        assert set(jobs) == {f"backend-{a}-{what}" for a in APPS for what in ("build", "plan-prod", "deploy-prod")}
        build = jobs[f"backend-{app}-build"].document
        assert build["before_script"][0] == f"cd backends/{app}"
        assert build["artifacts"]["paths"] == [f"backends/{app}/artifact.zip", f"backends/{app}/build.env"]
        assert build["rules"][0]["changes"] == [f"backends/{app}/**/*"]
        assert jobs[f"backend-{app}-deploy-prod"].needs == (f"backend-{app}-build", f"backend-{app}-plan-prod")


@pytest.mark.parametrize("kind", ci.KINDS)
def test_each_app_has_a_comment_of_its_own(kind: str) -> None:
    for text in ci.files(kind, ("prod",), "main", INSIDE).values():
        assert "<!-- amplify-delivery plan -->" not in text
    (plan,) = (t for p, t in ci.files(kind, (), "main", INSIDE).items() if re.search(r"plan-shop|backend-shop", p))
    own = "<!-- amplify-delivery plan of shop -->"
    (put,) = (line.strip() for line in plan.splitlines() if "removeprefix" in line)
    name = put.split()[0]
    for before in (f"{own}\n**There is no plan.**", "<!-- amplify-delivery plan -->\nplan"):
        values = {name: before}
        exec(put, values)
        assert values[name].startswith(f"{own}\n")
        assert values[name].count(own) == 1


def test_at_the_root_nothing_is_another(tmp_path: Path) -> None:
    for kind in ci.KINDS:
        files = ci.files(kind, ("prod",), "main")
        assert not any(path.startswith("..") for path in files)
        assert "working-directory" not in "".join(files.values())


@pytest.mark.parametrize("branch", ["main", "release/1", "1.10", "2024", "true", "a,b", "a+b", "!a", "a]"])
def test_a_branch_of_any_name_starts_the_jobs(branch: str) -> None:
    """YAML and GitHub's filters make something else of some."""
    deploy = ci.files(ci.GITHUB, ("prod",), branch)[".github/workflows/backend-deploy.yml"]
    found = github.read("deploy.yml", deploy)
    assert found.started_by_push(branch)
    assert not found.started_by_push("other")


def test_a_folder_of_any_name_is_entered() -> None:
    for folder in ("a b", "a #b", "a: b", "it's"):
        inside = ci.Inside("shop", folder)
        text = ci.files(ci.GITLAB, ("prod",), "main", inside)[f"{inside.up}{ci.gitlab_included(inside)}"]
        assert yaml.safe_load(text)[".backend-shop"]["before_script"][0] == f"cd {shlex.quote(folder)}"
