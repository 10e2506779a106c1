"""The workflows that `init --ci` writes: linted, held to what makes them safe, and their commands run."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from amplify_delivery import cli
from amplify_delivery.delivery.scaffold import ci
from amplify_delivery.stacks.config import Project
from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.environments import ensure_environment, wheel_environment
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal_tests.absent import IN_CI
from unit.delivery.planning.offline.test_against import Repository
from unit.delivery.scaffold.workflows.ci_files import Job, expressions, workflow
from unit.delivery.scaffold.workflows.workflow_linter import (
    actionlint,
    github_scripts,
    gitlab_scripts,
    problems,
    script_problems,
)
from unit.places import EXPORTS
from unit.this_wheel import wheel_of_this_version

TODO = EXPORTS / "todo" / "amplify-export-mytodoapp"
MARK = "<!-- amplify-delivery plan -->"
GH = """#!/bin/sh
echo "$@" >> "$GH_LOG"
case "$*" in
  *"$GH_FAILS"*) echo "HTTP 403" >&2; exit 1 ;;
esac
case "$*" in
  *--paginate*) printf '%s' "$GH_THERE" ;;
  *body=@*) for last in "$@"; do :; done; cat "${last#body=@}" > "$GH_LOG.body" ;;
esac
"""


@pytest.fixture(autouse=True)
def _one_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amplify_delivery.commands.init.installed_wheel", wheel_of_this_version)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mapping[str, str]:
    """The workflows of a new project with two environments, by path."""
    monkeypatch.chdir(tmp_path)
    place = ("--environment", "preprod=222222222222/us-east-1", "--environment", "prod=033333333333/eu-west-1")
    ours = ("--ci", "github", "--repository", "octo/shop")
    assert cli.main(["init", ".", "--from", str(TODO), *place, *ours]) == 3
    said = capsys.readouterr().err
    assert "these are missing: --ids OWNER/REPOSITORY (`gh api repos/octo/shop --jq '.owner.id, .id'` tells" in said
    assert cli.main(["init", ".", "--from", str(TODO), *place, *ours, "--ids", "1234/567890"]) == 0
    said = capsys.readouterr().out
    assert "backend-plan.yml" in said
    assert "amplify-delivery bootstrap preprod prod" in said
    assert "fill in `engine` in the accounts' files" in said
    found = {p.name: p.read_text() for p in sorted((tmp_path / ".github/workflows").iterdir())}
    assert found
    return found


@pytest.mark.processes
def test_actionlint_finds_nothing(written: Mapping[str, str], tmp_path: Path) -> None:
    assert problems(*(tmp_path / ".github/workflows" / name for name in written)) == ""
    broken = tmp_path / "broken.yml"
    broken.write_text(written["backend-plan.yml"].replace("github.base_ref", "github.base_reference"))
    assert "base_reference" in problems(broken)


@pytest.mark.processes
def test_each_script_is_one_that_bash_reads(written: Mapping[str, str], gitlab: dict[str, dict[str, Any]]) -> None:
    """actionlint itself leaves the scripts alone, and knows nothing of GitLab."""
    github = [script for text in written.values() for script in github_scripts(workflow(text))]
    jobs = gitlab_scripts(gitlab)
    assert len(github) > 15
    assert len(jobs) > 8
    assert script_problems([*github, *jobs]) == ""
    assert "unexpected end of file" in script_problems([f"if true; then\n{github[0]}"])


def test_without_actionlint_a_test_is_skipped_and_in_a_ci_it_fails() -> None:
    def lacking(_: Progress) -> Path:
        raise SetupError("go is missing", remedy="install it")

    with pytest.raises(pytest.skip.Exception, match="no actionlint: go is missing"):
        actionlint(lacking, {})
    with pytest.raises(pytest.fail.Exception, match="no actionlint"):
        actionlint(lacking, {IN_CI: "true"})


def test_nothing_runs_with_more_rights_than_it_needs(written: Mapping[str, str]) -> None:
    for text in written.values():
        document = workflow(text)
        assert "pull_request_target" not in document["on"]
        assert document["permissions"] == {}
        for job in document["jobs"].values():
            assert "timeout-minutes" in job
            for step in job["steps"]:
                assert not expressions(step.get("run", "")), "a branch's or a title's name would be part of the command"
                if "uses" in step:
                    assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
                if str(step.get("uses", "")).startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False


def test_each_environment_is_planned_after_the_one_before_and_deployed_as_planned(
    written: Mapping[str, str], tmp_path: Path
) -> None:
    document = workflow(written["backend-deploy.yml"])
    assert document["on"] == {"push": {"branches": ["main"]}}
    assert document["concurrency"]["cancel-in-progress"] is False
    jobs = document["jobs"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "build": None,
        "plan-preprod": ["build"],
        "deploy-preprod": ["build", "plan-preprod"],
        "plan-prod": ["build", "deploy-preprod"],
        "deploy-prod": ["build", "plan-prod"],
    }
    # Whoever plans has no environment in the token, and whoever builds has no token at all.
    assert {name: job.get("environment") for name, job in jobs.items() if "environment" in job} == {
        "deploy-preprod": "preprod",
        "deploy-prod": "prod",
    }
    assert {name for name, job in jobs.items() if "id-token" in job["permissions"]} == set(jobs) - {"build"}
    assert jobs["deploy-prod"]["env"]["PLAN"] == "${{ needs.plan-prod.outputs.plan }}"
    project = Project(tmp_path)
    account = project.account("prod-account")
    assert account.github
    assert (account.github.repository, account.github.branch) == ("octo/shop", "main")
    assert project.environment("prod").bootstrapped
    assert project.stacks("pipeline") == ()
    # What it leaves to be filled in is read once the signs of a comment are gone.
    file = tmp_path / "Pulumi.prod-account.yaml"
    text = file.read_text().replace("SHA256", "0" * 64).replace("vVERSION", "v3.220.0")
    file.write_text(re.sub(r"(?m)^  # (mytodoapp:engine:|  url:|  sha256:)", r"  \1", text))
    account = project.account("prod-account")
    assert account.github
    assert account.engine
    assert (account.github.ids, account.engine.sha256) == (("1234", "567890"), "0" * 64)


@pytest.mark.processes
def test_what_is_built_is_packed_with_the_assembly(written: Mapping[str, str], tmp_path: Path) -> None:
    tools = tmp_path / ".tools"
    tools.mkdir()
    (tools / "amplify-delivery").write_text(f'#!/bin/sh\nexec {sys.executable} -m amplify_delivery "$@"\n')
    (tools / "amplify-delivery").chmod(0o755)
    temporary = tmp_path / ".runner"
    temporary.mkdir()
    document = workflow(written["backend-deploy.yml"])["jobs"]["build"]
    job = Job(document, tmp_path, {}, {"PATH": f"{tools}:/usr/bin:/bin"}, temporary)
    for step in ("Check and assemble", "Pack"):
        ran = job.run(step)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    with zipfile.ZipFile(temporary / "artifact.zip") as archive:
        names = set(archive.namelist())
    assert {"assembly/assembly.json", "__main__.py", "requirements.lock", "Pulumi.prod.yaml"} <= names
    assert any(name.startswith("assembly-examined/") for name in names)
    assert not any(name.startswith(".") for name in names)


@pytest.mark.processes
def test_a_cancelled_runs_signal_reaches_what_works(written: Mapping[str, str], tmp_path: Path) -> None:
    """GitHub's runner sends SIGINT to the step's shell, 7.5 seconds later SIGTERM: a shell would wait for its command
    and hand on nothing. The command ends in order, and leaves no lease."""
    tool = tmp_path / "amplify-delivery"
    tool.write_text(f"""#!{sys.executable}
import pathlib, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: (pathlib.Path("told").write_text("SIGINT"), sys.exit(4)))
pathlib.Path("begun").touch()
time.sleep(600)
""")
    tool.chmod(0o755)
    jobs = workflow(written["backend-preview.yml"])["jobs"]
    long = [(job, step) for job in jobs.values() for step in job["steps"] if "preview " in step.get("run", "")]
    acting = [step["run"] for _, step in long if step["name"] != "Sign in"]
    assert len(acting) == 3
    for run in acting:
        for name in ("begun", "told"):
            (tmp_path / name).unlink(missing_ok=True)
        shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-e", "-c", run], cwd=tmp_path, start_new_session=True,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "NUMBER": "12"},
        )  # fmt: skip
        until = time.monotonic() + 300
        while not (tmp_path / "begun").exists() and time.monotonic() < until:
            time.sleep(0.02)
        shell.send_signal(signal.SIGINT)
        assert shell.wait() == 4
        assert (tmp_path / "told").read_text() == "SIGINT"


def test_a_forks_run_writes_no_comment(written: Mapping[str, str]) -> None:
    steps = workflow(written["backend-plan.yml"])["jobs"]["plan"]["steps"]
    preview = workflow(written["backend-preview.yml"])["jobs"]
    # Unreviewed code with nearly every right in an account: the repository's own branches only, and only if asked for.
    assert "github.event.pull_request.head.repo.full_name == github.repository" in preview["preview"]["if"]
    assert all("vars.BACKEND_PREVIEW_ROLE != ''" in job["if"] for job in preview.values())
    assert preview["collect"]["if"].startswith("github.event_name == 'schedule'")
    with_token = [step for step in steps if "GH_TOKEN" in step.get("env", {})]
    assert [step["name"] for step in with_token] == ["Comment"]
    assert with_token[0]["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


def _job(written: Mapping[str, str], repository: Repository, tmp_path: Path, **values: str) -> Job:
    temporary = tmp_path / "runner"
    temporary.mkdir()
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    (tools / "amplify-delivery").write_text(f'#!/bin/sh\nexec {sys.executable} -m amplify_delivery "$@"\n')
    (tools / "amplify-delivery").chmod(0o755)
    given = {
        "github.event.pull_request.head.repo.full_name != github.repository": "false",
        "github.base_ref": "main",
        "github.token": "token",
        "github.event.pull_request.number": "12",
        **values,
    }
    variables = {
        "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
        "GH_LOG": str(tmp_path / "gh.log"),
        "GH_THERE": "",
        "GH_FAILS": "nothing",
        "GITHUB_REPOSITORY": "octo/shop",
    }
    document = workflow(written["backend-plan.yml"])["jobs"]["plan"]
    return Job(document, repository.project, given, variables, temporary)


def _told(tmp_path: Path) -> tuple[str, str]:
    return (tmp_path / "gh.log").read_text(), (tmp_path / "gh.log.body").read_text()


@pytest.mark.processes
def test_the_plan_is_a_comment_and_the_next_one_replaces_it(written: Mapping[str, str], tmp_path: Path) -> None:
    repository = Repository(tmp_path / "clone")
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repository.take("v3")
    job = _job(written, repository, tmp_path)
    ran = job.run("Plan against the target branch")
    assert ran.returncode == 0, ran.stderr
    assert "`dev`: 32 changes" in job.summary
    assert job.run("Comment").returncode == 0
    calls, body = _told(tmp_path)
    assert "--method POST repos/octo/shop/issues/12/comments" in calls
    assert body.startswith(MARK)
    assert body == job.summary
    job.variables = {**job.variables, "GH_THERE": "77\n99\n"}
    assert job.run("Comment").returncode == 0
    assert "--method PATCH repos/octo/shop/issues/comments/77 " in _told(tmp_path)[0]
    # Without the right, or if GitHub fails, there is no comment; the checks that follow do not wait for it.
    for call in ("--paginate", "--method"):
        job.variables = {**job.variables, "GH_FAILS": call}
        ran = job.run("Comment")
        assert ran.returncode == 0
        assert "::warning title=No comment::" in ran.stdout
    job.variables = {**job.variables, "GH_FAILS": "nothing"}
    # GitHub takes 65,536 characters.
    (job.temporary / "plan.md").write_text(f"{MARK}\n" + "ä" * 70_000)
    assert "::warning" not in job.run("Comment").stdout
    body = _told(tmp_path)[1]
    assert body.startswith(MARK)
    assert len(body) < 65_536
    assert body.endswith("the run's summary has all of it.\n")


@pytest.mark.processes
def test_what_is_refused_is_told_in_the_comment_and_fails_the_job(written: Mapping[str, str], tmp_path: Path) -> None:
    repository = Repository(tmp_path / "clone")
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repository.configure("dev", "  regoin: x\n  <b>@team: y\n")
    job = _job(written, repository, tmp_path)
    ran = job.run("Plan against the target branch")
    assert ran.returncode == 3
    assert "regoin" in ran.stderr
    assert job.summary.startswith(f"{MARK}\n**There is no plan.**\n\n    ")
    assert all(line.startswith("    ") for line in job.summary.split("\n\n", 1)[1].splitlines())
    assert job.step("The plan was refused")["if"] == "steps.plan.outcome == 'failure'"
    assert job.step("Plan against the target branch")["continue-on-error"] is True
    assert job.run("The plan was refused").returncode == 1


def _lock(repository: Repository, version: str, *, sound: bool = True) -> None:
    """A project that has locked a package with one command."""
    info = f"engine-{version}.dist-info"
    files = {
        "engine.py": f"VERSION = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: engine\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    wheel = repository.project / "wheels" / f"engine-{version}-py3-none-any.whl"
    wheel.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    digest = sha256(wheel.read_bytes()).hexdigest() if sound else "0" * 64
    (repository.project / "requirements.lock").write_text(f"./wheels/{wheel.name} \\\n    --hash=sha256:{digest}\n")


@pytest.mark.processes
def test_of_a_fork_the_target_branchs_engine_is_installed(written: Mapping[str, str], tmp_path: Path) -> None:
    repository = Repository(tmp_path / "clone")
    _lock(repository, "1.0")
    repository.git("update-ref", "refs/remotes/origin/main", repository.commit("engine"))
    _lock(repository, "6.6.6", sound=False)
    job = _job(
        written, repository, tmp_path,
        **{"github.event.pull_request.head.repo.full_name != github.repository": "true"},
    )  # fmt: skip
    ran = job.run("Install the engine")
    assert ran.returncode == 0, ran.stderr
    engine = job.temporary / "engine/bin/python"
    command = [str(engine), "-c", "import engine; print(engine.VERSION)"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1.0\n"
    assert (job.temporary / "GITHUB_PATH").read_text() == f"{engine.parent}\n"


@pytest.fixture
def existing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project with one personal environment, from which a person has removed files of the example."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init", "--from", str(TODO), "--personal", "dev=444444444444/eu-central-1"]) == 0
    for path in ("components/hello_service.py", "tests/test_stage.py"):
        (tmp_path / path).unlink()
    capsys.readouterr()
    return tmp_path


def test_an_existing_project_gets_workflows_and_nothing_else(
    existing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p for p in existing.rglob("*") if p.is_file()}
    (existing / ".gitlab-ci.yml").write_text("include: []\n")
    assert cli.main(["init", "--ci", "gitlab", "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["written"] == [ci.GITLAB_INCLUDED]
    assert document["left"] == [".gitlab-ci.yml"]
    assert any(f"include `local: {ci.GITLAB_INCLUDED}`" in note for note in document["notes"])
    # The project has its virtualenv, its export and its stacks.
    assert document["next"] == ["# commit and push: the next pull request gets its plan (docs/pull-requests.md)"]
    assert cli.main(["init", "--ci", "github", "--json"]) == 0
    made = {p for p in existing.rglob("*") if p.is_file()} - before
    assert {p.relative_to(existing).parts[0] for p in made} == {".github", ".gitlab", ".gitlab-ci.yml"}


def test_of_an_environment_that_is_added_only_what_is_left_to_do_is_told(
    existing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = ("--ci", "gitlab", "--repository", "octo/web/shop", "--ids", "4711", "--json")
    assert cli.main(["init", "--environment", "prod=333333333333/eu-west-1", *ours]) == 0
    said = json.loads(capsys.readouterr().out)
    assert not any("lets the jobs of" in note for note in said["notes"])
    then = "\n".join(said["next"])
    assert then.splitlines()[1] == "amplify-delivery bootstrap prod"
    assert "protect the environments prod" in then
    assert "components[]=environment_protected' " in then
    assert then.index("https://gitlab.com/api/v4/projects/4711") < then.index("commit and push")
    assert not any(
        word in then for word in ("venv", "pip install", "pytest", "amplify-delivery check", "pulumi stack init")
    )
    account = Project(existing).account("prod-account")
    assert account.gitlab
    assert account.gitlab.subjects("prod")[1].endswith(":environment_protected:true:deployment_tier:production")
    # Its account lets in the jobs of one CI.
    assert cli.main(["init", "--ci", "github", "--json"]) == 0
    [note] = [note for note in json.loads(capsys.readouterr().out)["notes"] if "lets the jobs of GitHub in" in note]
    assert "write `github` into it (docs/ci.md), then `amplify-delivery bootstrap prod`" in note


def test_nobody_is_told_to_deploy_the_pattern_of_previews(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays empty. Written by hand, it may be there before anything else."""
    monkeypatch.chdir(tmp_path)
    place = '  mytodoapp:account: "444444444444"\n  mytodoapp:region: eu-west-1\n'
    (tmp_path / "Pulumi.preview.yaml").write_text(f"config:\n{place}  mytodoapp:disposable: true\n")
    given = (
        "--environment",
        "prod=333333333333/eu-west-1",
        "--ci",
        "github",
        "--repository",
        "octo/shop",
        "--ids",
        "1/2",
    )
    assert cli.main(["init", "--from", str(TODO), *given, "--json"]) == 0
    then = "\n".join(json.loads(capsys.readouterr().out)["next"])
    assert "amplify-delivery bootstrap prod" in then
    assert not any(word in then for word in ("pulumi login", "stack init", "pulumi up"))


GITLAB_KEYWORDS = {
    "artifacts", "before_script", "environment", "extends", "id_tokens", "image", "interruptible", "needs",
    "resource_group", "rules", "script", "stage", "timeout", "variables", "when",
}  # fmt: skip
"""Of a job ("CI/CD YAML syntax reference"), those that are used."""


@pytest.fixture(scope="module")
def gitlab() -> dict[str, dict[str, Any]]:
    """The jobs of a project with two environments, by name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(ci.files(ci.GITLAB, ["preprod", "prod"])[ci.GITLAB_INCLUDED])
    return found


def test_gitlabs_jobs_are_whole(gitlab: dict[str, dict[str, Any]]) -> None:
    root = yaml.safe_load(ci.files(ci.GITLAB, ["preprod", "prod"])[".gitlab-ci.yml"])
    assert root["include"] == [{"local": ci.GITLAB_INCLUDED}]
    for name, job in gitlab.items():
        assert set(job) <= GITLAB_KEYWORDS, name
        if not name.startswith("."):
            assert {**gitlab[job["extends"]], **job}["stage"] in root["stages"]
            assert job["script"]
            assert job["rules"]
            assert all(isinstance(line, str) for line in job["script"])
        assert job.get("extends", name) in gitlab
        assert all(needed in gitlab for needed in job.get("needs", ()))
    assert gitlab["backend-plan-prod"]["needs"] == ["backend-build", "backend-deploy-preprod"]


def test_gitlabs_production_is_deployed_by_a_person(gitlab: dict[str, dict[str, Any]]) -> None:
    """In the tier that its account asks for of the job's token: the account's file derives it from the name as well."""
    assert gitlab["backend-deploy-prod"]["rules"][0]["when"] == "manual"
    assert gitlab["backend-deploy-prod"]["environment"] == {"name": "prod", "deployment_tier": "production"}
    assert gitlab["backend-deploy-preprod"]["environment"]["deployment_tier"] == "staging"


def test_gitlabs_digests_go_from_job_to_job_in_files(gitlab: dict[str, dict[str, Any]]) -> None:
    """Not in variables, which whoever starts a pipeline by hand may give."""
    assert gitlab["backend-build"]["artifacts"]["paths"] == ["artifact.zip", "build.env"]
    assert gitlab["backend-plan-prod"]["artifacts"]["paths"] == ["plan-prod.env"]
    assert not any("reports" in job.get("artifacts", {}) for job in gitlab.values())
    assert "$" not in gitlab["backend-deploy-prod"]["script"][0].replace("$(sed", "")


def test_gitlabs_schedule_delivers_nothing(gitlab: dict[str, dict[str, Any]]) -> None:
    """It collects previews."""
    delivering = [name for name in gitlab if name.startswith(("backend-build", "backend-plan-", "backend-deploy-"))]
    assert len(delivering) == 5
    for name in delivering:
        [rule] = gitlab[name]["rules"]
        assert rule["if"] == '$CI_COMMIT_BRANCH == "main" && $CI_PIPELINE_SOURCE != "schedule"'


def test_gitlabs_jobs_in_an_account_end_undisturbed_and_one_by_one(gitlab: dict[str, dict[str, Any]]) -> None:
    for name in ("preprod", "prod"):
        assert gitlab[f"backend-deploy-{name}"]["resource_group"] == f"backend-{name}"
    assert [name for name, job in gitlab.items() if job.get("interruptible")] == ["backend-plan"]


def test_gitlabs_jobs_with_a_token_say_how_long_they_take(gitlab: dict[str, dict[str, Any]]) -> None:
    """A token lives as long as its job's timeout, where it names one; else for five minutes."""
    assert all("timeout" in {**gitlab[job.get("extends", "")], **job} for name, job in gitlab.items()
               if name in ("backend-preview", "backend-preview-stop", "backend-preview-collect")
               or name.startswith(("backend-plan-", "backend-deploy-")))  # fmt: skip
    with_token = {name for name, job in gitlab.items() if job.get("extends") == ".backend-deploy"}
    assert with_token == {f"backend-{what}-{name}" for what in ("plan", "deploy") for name in ("preprod", "prod")}


def test_gitlabs_previews_are_of_the_projects_own_branches_and_go() -> None:
    included = yaml.safe_load(ci.files(ci.GITLAB)[ci.GITLAB_INCLUDED])
    up, stop, collect = (included[f"backend-preview{name}"] for name in ("", "-stop", "-collect"))
    ours = {
        '$CI_PIPELINE_SOURCE == "merge_request_event"',
        "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID",
        "$CI_MERGE_REQUEST_PROJECT_ID == $CI_PROJECT_ID",
        "$BACKEND_PREVIEW_ROLE",
    }
    for job in (up, stop):
        [rule] = job["rules"]
        assert set(rule["if"].split(" && ")) == ours
        assert job["environment"]["name"] == "backend-preview/$CI_MERGE_REQUEST_IID"
        assert job["resource_group"] == "backend-preview-$CI_MERGE_REQUEST_IID"
    assert up["environment"]["on_stop"] == "backend-preview-stop"
    assert "auto_stop_in" in up["environment"]
    assert stop["environment"]["action"] == "stop"
    # GitLab starts it by itself; a merge request need not wait for it.
    assert (stop["rules"][0]["when"], stop["rules"][0]["allow_failure"]) == ("manual", True)
    [rule] = collect["rules"]
    assert set(rule["if"].split(" && ")) == {
        '$CI_PIPELINE_SOURCE == "schedule"',
        "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
        "$BACKEND_PREVIEW_ROLE",
    }
    lines = [" ".join(job["script"]) for job in (up, stop, collect)]
    assert "preview up --pull-request" in lines[0]
    assert "preview down --pull-request" in lines[1]
    assert lines[2] == "amplify-delivery preview collect --older-than 7"
    with_role = {name for name, job in included.items() if job.get("extends") == ".backend-preview"}
    assert with_role == {"backend-preview", "backend-preview-stop", "backend-preview-collect"}


@pytest.mark.processes
def test_gitlabs_own_schema_takes_them(tmp_path: Path) -> None:
    """The JSON schema that GitLab publishes, as check-jsonschema carries it."""
    check = ensure_environment(wheel_environment("check-jsonschema"), Progress()).parent / "check-jsonschema"
    command = [str(check), "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    files: list[Path] = []
    for name, text in ci.files(ci.GITLAB, ["preprod", "prod"]).items():
        files.append(tmp_path / f"{len(files)}{Path(name).name}")
        files[-1].write_text(text)
    ran = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    files[0].write_text(files[0].read_text().replace("rules:", "rulez:"))
    assert subprocess.run([*command, files[0]], capture_output=True, check=False).returncode == 1


class Notes:
    """A merge request's notes, as GitLab's API has them: 130 of other people's, and what is written beside."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = [
            {"id": i, "author": {"id": 7 + i % 2}, "body": f"note {i}"} for i in range(130)
        ]
        self.fails = False
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = int(self.path.partition("&page=")[2].partition("&")[0] or 1)
                self.answer({"id": 7} if self.path == "/user" else api.written[(page - 1) * 100 : page * 100])

            def do_POST(self) -> None:
                api.written.append({"id": len(api.written), "author": {"id": 7}, **self.sent()})
                self.answer({})

            def do_PUT(self) -> None:
                api.written[int(self.path.rpartition("/")[2])].update(self.sent())
                self.answer({})

            def sent(self) -> dict[str, Any]:
                found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                return found

            def answer(self, body: Any) -> None:
                assert self.headers["PRIVATE-TOKEN"] == "token"
                self.send_response(403 if api.fails else 200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def ours(self) -> list[str]:
        return [note["body"] for note in self.written if note["body"].startswith(MARK)]


@pytest.mark.processes
def test_gitlabs_commands_make_the_plan(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "clone")
    repository.take("v3")
    script = yaml.safe_load(ci.files(ci.GITLAB)[ci.GITLAB_INCLUDED])["backend-plan"]["script"]
    planning = [line for line in script if "check" not in line and "pytest" not in line]
    assert len(planning) == len(script) - 2
    tool = tmp_path / "amplify-delivery"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m amplify_delivery "$@"\n')
    tool.chmod(0o755)
    base = repository.git("rev-parse", "HEAD")
    variables = {"PATH": f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin"}
    variables["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = base

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(planning)],
            cwd=repository.project, env={**variables, **more}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    ran = run()
    assert ran.returncode == 0, ran.stderr
    assert (repository.project / "plan.md").read_text().startswith(MARK)
    notes = Notes()
    token = {"BACKEND_COMMENT_TOKEN": "token", "CI_API_V4_URL": f"http://127.0.0.1:{notes.server.server_port}"}
    token |= {"CI_PROJECT_ID": "4711", "CI_MERGE_REQUEST_IID": "12"}
    assert run(**token).returncode == 0
    [first] = notes.ours
    assert "32 changes" in first
    # What is refused takes the place of the plan: an old one would be taken for what merging does.
    repository.configure("dev", "  regoin: x\n")
    ran = run(**token)
    assert ran.returncode == 3
    [second] = notes.ours
    assert second.startswith(f"{MARK}\n**There is no plan.**\n\n    ")
    assert "regoin" in second
    assert (repository.project / "plan.md").read_text() == second
    notes.fails = True
    ran = run(**token)
    assert ran.returncode == 3
    assert "could not be written into the merge request" in ran.stdout
    notes.server.shutdown()


@pytest.mark.parametrize("branch", ["main", "release/1"])
def test_the_branchs_name_stands_in_no_variables_name(branch: str) -> None:
    """GitLab makes no job whose rule asks for a variable that there is not, and says nothing."""
    text = ci.files(ci.GITLAB, ["prod"], branch)[ci.GITLAB_INCLUDED]
    assert f'$CI_COMMIT_BRANCH == "{branch}"' in text
    assert not re.search(r"\bBRANCH\b", text)
