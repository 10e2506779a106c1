"""The workflows that `init --ci` writes, run from the event to the last command: which jobs and steps an event starts,
in which order, what each command is given, and what goes from job to job. The commands are stubs (`ci_stubs`)."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.delivery.scaffold import ci
from aws_rehearsal.ci_service import Issuer, Job, JobFailedError, Push, Runner, github, gitlab
from aws_rehearsal.ci_service.gitlab_rules import expanded, starts
from unit.delivery.scaffold.workflows.ci_files import workflow
from unit.delivery.scaffold.workflows.ci_stubs import Stubs

ENVIRONMENTS = ("preprod", "prod")
EXAMINED = " AMPLIFY_DELIVERY_EXAMINED=assembly-examined"
INSTALLED = "python -m pip install --quiet --no-compile --no-deps --require-hashes -r requirements.lock"


@pytest.fixture
def repository(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The files of the CI that the test's parameter names, of a project that is the repository, or a folder of it."""
    kind, inside = request.param if isinstance(request.param, tuple) else (request.param, None)
    work = tmp_path / "repository"
    project = work / inside.folder if inside else work
    project.mkdir(parents=True)
    (project / "requirements.lock").touch()
    for path, text in ci.files(kind, ENVIRONMENTS, inside=inside).items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    return work


def commit(work: Path) -> str:
    """A commit of all that there is, in a new repository."""
    me = ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "one")
    for command in (("init", "-q", "-b", "main"), ("add", "--all"), me):
        subprocess.run(["git", *command], cwd=work, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=work, check=True, capture_output=True, text=True).stdout
    return head.strip()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as made:
        yield made


def delivered(of: str) -> list[str]:
    """What has to be called to deliver one environment; `of` stands before each file that is handed on."""
    return [
        f"amplify-delivery start {of} publish --artifact artifact.zip",
        f"amplify-delivery start {of} plan --digest d1 --variables OUT",
        f"amplify-delivery start {of} deploy --digest d1 --plan p-{of}",
    ]


def pipeline(repository: Path, stubs: Stubs, issuer: Issuer, folder: Path) -> tuple[github.Run | gitlab.Run, list[Job]]:
    """A push's run on one of the CIs, and its jobs in their order."""
    push = Push(repository, commit(repository), "main", "octo/shop")
    runner = Runner(folder, stubs.variables, stubs.shell, issuer, lambda _: {}, lambda _: None)
    if (repository / ".github").is_dir():
        [workflow_of_deliveries] = repository.glob(".github/workflows/backend-deploy*.yml")
        run = github.Run(github.load(repository, str(workflow_of_deliveries.relative_to(repository))), push, runner)
        return run, run.workflow.jobs
    return gitlab.Run(push, runner, "gitlab.com", "4711"), gitlab.read(repository).jobs(push, "4711")


@pytest.mark.processes
@pytest.mark.parametrize("repository", [ci.GITHUB, ci.GITLAB], indirect=True, ids=["github", "gitlab"])
def test_a_plan_that_fails_ends_its_job(repository: Path, issuer: Issuer, tmp_path: Path) -> None:
    """Though it is shown as well: what shows it ends well. Nothing is deployed without its digest."""
    stubs = Stubs(tmp_path)
    stubs.variables["PLAN_ENDS"] = "3"
    run, (build, plan, *_) = pipeline(repository, stubs, issuer, tmp_path / "run")
    run.play(build)
    with pytest.raises(JobFailedError, match="exit code 3"):
        run.play(plan)


INSIDE = ci.Inside("shop", "backends/a shop")
EITHER = (ci.GITHUB, ci.GITLAB)


@pytest.mark.processes
@pytest.mark.parametrize(
    "repository", [*EITHER, *((kind, INSIDE) for kind in EITHER)], indirect=True,
    ids=[*EITHER, *(f"{kind}-inside" for kind in EITHER)],
)  # fmt: skip
def test_a_push_goes_through_every_job_with_what_the_one_before_has_made(
    repository: Path, issuer: Issuer, tmp_path: Path
) -> None:
    """The artifact, its digest and each plan's digest; publish and plan in one job, deploy in one of its own."""
    stubs = Stubs(tmp_path)
    run, jobs = pipeline(repository, stubs, issuer, tmp_path / "run")
    calls: dict[str, list[str]] = {}
    for job in jobs:
        run.play(job)
        venv, installed, *called = [_plain(line) for line in stubs.called()]
        assert (venv, installed.replace(EXAMINED, "")) == ("python3 -m venv ENGINE", INSTALLED)
        calls[job.name.removeprefix("backend-").removeprefix("shop-")] = called
    [tested, *_] = built = calls.pop("build")
    assert f"amplify-delivery build{EXAMINED}" in built, "the accounts' projects examine everything again"
    assert [line.replace(EXAMINED, "") for line in (tested, *built[1:])] == [
        "python -m pytest -q tests",
        "amplify-delivery build",
        "amplify-delivery pack --out artifact.zip --variables OUT",
    ]
    assert calls == {
        f"{what}-{name}": lines
        for name in ENVIRONMENTS
        for what, lines in (("plan", delivered(name)[:2]), ("deploy", delivered(name)[2:]))
    }
    if isinstance(run, github.Run):
        assert run.summary == "".join(f"### {name}\n```\nThe plan of {name}\n```\n" for name in ENVIRONMENTS)


def _plain(line: str) -> str:
    """A call with the files that a CI names, without their folders."""
    line = re.sub(r"\S+/(?=artifact\.zip)", "", re.sub(r"(--variables) \S+", r"\1 OUT", line))
    return re.sub(r"^(python3 -m venv) \S+/(?:backend-)?engine( .*)?$", r"\1 ENGINE", line)


READS, SIGNS = {"contents": "read"}, {"contents": "read", "id-token": "write"}


def test_each_job_on_github_may_do_what_its_commands_do_and_no_more() -> None:
    """A comment is written; a token is signed; whether the run that has left a preview half done has ended is asked
    (`ci_runs`), without which it stays locked. All else that a token may do is nobody's here."""
    may: dict[str, dict[str, str]] = {}
    for path, text in ci.files(ci.GITHUB, ENVIRONMENTS).items():
        document = workflow(text)
        assert document["permissions"] == {}
        may |= {f"{Path(path).stem} {name}": job["permissions"] for name, job in document["jobs"].items()}
    assert may == {
        "backend-plan plan": {**READS, "pull-requests": "write"},
        **{f"backend-preview {name}": {**SIGNS, "actions": "read"} for name in ("preview", "collect")},
        "backend-deploy build": READS,
        **{f"backend-deploy {what}-{name}": SIGNS for what in ("plan", "deploy") for name in ENVIRONMENTS},
    }


class Event:
    """What happens on GitHub, as expressions see it: contexts, by their dotted names. What is not there is nothing."""

    def __init__(self, name: str, **more: str) -> None:
        of_a_pull_request = {
            "github.event.action": "synchronize",
            "github.event.pull_request.number": "12",
            "github.event.pull_request.head.repo.full_name": "octo/shop",
        }
        self.context: dict[str, str] = {
            "github.event_name": name,
            "github.repository": "octo/shop",
            "github.base_ref": "main" if name == "pull_request" else "",
            "github.token": "github-token",
            "vars.BACKEND_PREVIEW_ROLE": "arn:aws:iam::4:role/shop-previews",
            "vars.BACKEND_PREVIEW_REGION": "eu-central-1",
            "vars.BACKEND_PREVIEW_STATE": "s3://states",
            **(of_a_pull_request if name == "pull_request" else {}),
            **more,
        }

    def value(self, expression: str) -> Any:
        """Of an expression: `||`, `&&`, `==`, `!=`, texts and contexts ("Evaluate expressions" in GitHub's docs)."""
        if "||" in expression:
            left, _, right = expression.partition("||")
            return self.value(left) or self.value(right)
        if "&&" in expression:
            left, _, right = expression.partition("&&")
            return self.value(left) and self.value(right)
        for sign in ("==", "!="):
            left, found, right = expression.partition(sign)
            if found:
                return (self.value(left) == self.value(right)) is (sign == "==")
        word = expression.strip()
        if word.startswith("'"):
            assert re.fullmatch(r"'[^']*'", word), word
            return word.strip("'")
        assert re.fullmatch(r"[a-z]+\.[\w.-]+", word), word
        return self.context.get(word, "")

    def text(self, text: str) -> str:
        """A text with the values of its expressions."""

        def value(found: re.Match[str]) -> str:
            said = self.value(found[1])
            return str(said).lower() if isinstance(said, bool) else str(said)

        return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", value, text)


@dataclass
class OnGitHub:
    """A runner of GitHub's, without GitHub: plays a workflow's jobs for an event."""

    document: Mapping[str, Any]
    stubs: Stubs
    folder: Path

    def jobs(self, event: Event) -> list[str]:
        """Those that the event starts."""
        on = self.document["on"]
        name = event.context["github.event_name"]
        types = ((on.get(name) if isinstance(on, dict) else None) or {}) if name == "pull_request" else {}
        asked = name in ([on] if isinstance(on, str) else on)
        # "By default, a workflow only runs when the activity type is opened, synchronize, or reopened".
        default = ["opened", "synchronize", "reopened"]
        action = event.context.get("github.event.action", "opened")
        if not asked or action not in (types.get("types", default) if isinstance(types, dict) else default):
            return []
        return [name for name, job in self.document["jobs"].items() if event.value(job.get("if", "'yes'"))]

    def plays(self, name: str, event: Event, **variables: str) -> list[str]:
        """What a job calls, and the actions that it uses with what they are given, in order. A step that fails ends it,
        unless it may."""
        job, done, failed = self.document["jobs"][name], list[str](), False
        temporary = self.folder / "runner-temp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        context = Event("", **{**event.context, "runner.temp": str(temporary)})
        files = {key: temporary / key for key in ("GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for step in job["steps"]:
            if failed or not context.value(step.get("if", "'yes'")):
                continue
            if "uses" in step:
                given = {key: context.text(str(value)) for key, value in step.get("with", {}).items()}
                path = given.get("path")
                assert path is None or Path(path).exists(), f"{path}: what it hands on is not there"
                shown = ", ".join(f"{key}={value}" for key, value in given.items() if key != "persist-credentials")
                done.append(f"{step['uses'].partition('@')[0]} {shown}".replace(str(temporary), "TEMP").rstrip())
                continue
            declared = {**job.get("env", {}), **step.get("env", {})}
            environment = {
                **self.stubs.variables, "RUNNER_TEMP": str(temporary), "GITHUB_REPOSITORY": "octo/shop",
                **{key: context.text(str(value)) for key, value in declared.items()}, **variables,
                **{key: str(file) for key, file in files.items()},
            }  # fmt: skip
            added = files["GITHUB_PATH"].read_text().split() if files["GITHUB_PATH"].exists() else []
            environment["PATH"] = ":".join([*reversed(added), environment["PATH"]])
            shell = ["bash", "--noprofile", "--norc", "-e", "-c", step["run"]]
            code, _ = self.stubs.shell(shell, self.folder, environment)
            done += self.stubs.called(TEMP=temporary)
            if "id" in step:
                context.context[f"steps.{step['id']}.outcome"] = "failure" if code else "success"
            failed = bool(code) and not step.get("continue-on-error")
        return [*done, "failed"] if failed else done


@pytest.fixture
def on_github(tmp_path: Path, request: pytest.FixtureRequest) -> OnGitHub:
    """Of the workflow that the test's parameter names; its commands work in a repository."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "requirements.lock").touch()
    text = ci.files(ci.GITHUB)[f".github/workflows/backend-{request.param}.yml"]
    return OnGitHub(workflow(text), Stubs(tmp_path), work)


FORK = {"github.event.pull_request.head.repo.full_name": "mallory/shop"}
ENGINE = ["python3 -m venv .venv", INSTALLED]
PREVIEW = " AWS_CONFIG_FILE=AWS AWS_PROFILE=backend-preview AWS_REGION=eu-central-1"
STATE = " GH_TOKEN=github-token PULUMI_BACKEND_URL=s3://states"


def named(calls: list[str], *more: str) -> list[str]:
    """The calls of a preview's job: of `amplify-delivery`, and `more`, each with the role's profile."""
    signed_in = "amplify-delivery preview credentials --role arn:aws:iam::4:role/shop-previews"
    return [f"amplify-delivery {call}{PREVIEW}" for call in (signed_in.partition(" ")[2], *calls, *more)]


UP = ["preview up --pull-request 12 --wait 30", "client-config pr12 --platform javascript --out OUT"]
DOWN = ["preview down --pull-request 12 --wait 30"]
COLLECT = ["preview collect --older-than 7"]
MERGED = {"github.event.action": "closed"}


@pytest.mark.processes
@pytest.mark.parametrize("on_github", ["preview"], indirect=True)
def test_a_pull_request_on_github_has_its_preview_and_the_clock_collects(on_github: OnGitHub) -> None:
    """What is closed is checked out from the target branch: it may have none of its own any more."""
    config = {"AWS_CONFIG_FILE": str(on_github.folder / "aws")}
    for event, name, ref, commands in (
        *((Event("pull_request", **{"github.event.action": how}), "preview", "", UP) for how in ("opened", "reopened")),
        (Event("pull_request"), "preview", "", UP),
        (Event("pull_request", **MERGED), "preview", "main", DOWN),
        (Event("schedule"), "collect", None, COLLECT),
    ):
        assert on_github.jobs(event) == [name]
        checked_out, *called = on_github.plays(name, event, **config)
        assert checked_out == "actions/checkout" + ("" if ref is None else f" ref={ref}".rstrip())
        uploaded = ["actions/upload-artifact name=client-config, path=TEMP/client-config"] if commands == UP else []
        assert called[len(called) - len(uploaded) :] == uploaded
        said = [_of_preview(line, on_github.folder) for line in called[: len(called) - len(uploaded)]]
        assert said[:2] == [f"{line}{PREVIEW}" for line in ENGINE]
        assert said[2:] == named(commands)
        assert all(line.count(STATE) == 1 for line in called[: len(called) - len(uploaded)])


def _of_preview(line: str, folder: Path) -> str:
    return re.sub(r"--out \S+", "--out OUT", line.replace(f"{folder}/aws", "AWS").replace(".venv/bin/", "")).replace(
        STATE, ""
    )


@pytest.mark.parametrize("on_github", ["preview"], indirect=True)
@pytest.mark.parametrize(
    "event",
    [
        Event("pull_request", **FORK),
        Event("pull_request", **FORK, **MERGED),
        Event("pull_request", **{"vars.BACKEND_PREVIEW_ROLE": ""}),
        Event("schedule", **{"vars.BACKEND_PREVIEW_ROLE": ""}),
        Event("pull_request", **{"github.event.action": "labeled"}),
        Event("push"),
    ],
)
def test_nothing_else_starts_a_preview_on_github(on_github: OnGitHub, event: Event) -> None:
    assert on_github.jobs(event) == []


@pytest.mark.parametrize("on_github", ["preview"], indirect=True)
def test_the_runs_of_one_preview_wait_for_each_other(on_github: OnGitHub) -> None:
    concurrency = on_github.document["concurrency"]
    assert concurrency["cancel-in-progress"] is False
    assert Event("pull_request").text(concurrency["group"]) == "backend-preview-12"
    assert Event("schedule").text(concurrency["group"]) == "backend-preview-collect"


CHECKED = ["amplify-delivery check", "python -m pytest -q tests"]
PLANNED = "amplify-delivery plan --against origin/main --markdown"


@pytest.mark.processes
@pytest.mark.parametrize("on_github", ["plan"], indirect=True)
@pytest.mark.parametrize("ends", ["0", "3"])
def test_a_pull_request_on_github_is_planned_and_checked(on_github: OnGitHub, ends: str) -> None:
    """Whatever the plan says: the comment, the check and the tests come all the same. All commits are there: the plan
    compares with one."""
    commit(on_github.folder)
    assert on_github.jobs(Event("pull_request")) == ["plan"]
    checked_out, venv, installed, planned, listed, *rest = on_github.plays(
        "plan", Event("pull_request"), PLAN_ENDS=ends
    )
    assert (checked_out, venv) == ("actions/checkout fetch-depth=0", "python3 -m venv TEMP/engine")
    assert (installed, planned) == (INSTALLED, PLANNED)
    assert listed.startswith("gh api --paginate repos/octo/shop/issues/12/comments") or listed.startswith("python3 -")
    assert sum("GH_TOKEN=github-token" in line for line in rest) == sum(
        line.startswith(("gh ", "python3 -")) for line in rest
    )
    assert [line for line in rest if not line.startswith(("gh ", "python3 -"))] == [
        *CHECKED, *(["failed"] if ends == "3" else [])
    ]  # fmt: skip
    assert any("--method POST repos/octo/shop/issues/12/comments" in line for line in rest)


@pytest.mark.processes
@pytest.mark.parametrize("on_github", ["plan"], indirect=True)
def test_a_forks_pull_request_on_github_is_planned_by_our_engine_and_gets_no_comment(on_github: OnGitHub) -> None:
    target = ("update-ref", "refs/remotes/origin/main", commit(on_github.folder))
    subprocess.run(["git", *target], cwd=on_github.folder, check=True)
    event = Event("pull_request", **FORK)
    assert on_github.jobs(event) == ["plan"]
    assert on_github.plays("plan", event)[1:] == ["python3 -m venv TEMP/engine", INSTALLED, PLANNED, *CHECKED]


GITLAB_GIVEN = {
    "CI_PROJECT_ID": "4711",
    "CI_DEFAULT_BRANCH": "main",
    "CI_SERVER_URL": "https://gitlab.com",
    "BACKEND_PREVIEW_ROLE": "arn:aws:iam::4:role/shop-previews",
    "BACKEND_PREVIEW_REGION": "eu-central-1",
    "BACKEND_PREVIEW_STATE": "s3://states",
}
MERGE_REQUEST = {
    "CI_COMMIT_BRANCH": "",  # "Not available in merge request pipelines"
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "12",
    "CI_MERGE_REQUEST_PROJECT_ID": "4711",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "4711",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": "ba5e",
}
DELIVERING = ["build", *(f"{what}-{name}" for name in ENVIRONMENTS for what in ("plan", "deploy"))]


def on_branch(source: str, branch: str = "main") -> dict[str, str]:
    return {"CI_PIPELINE_SOURCE": source, "CI_COMMIT_BRANCH": branch}


@pytest.mark.parametrize("repository", [ci.GITLAB], indirect=True)
@pytest.mark.parametrize(
    ("given", "jobs"),
    [
        (MERGE_REQUEST, ["plan", "preview", "preview-stop"]),
        ({**MERGE_REQUEST, "BACKEND_PREVIEW_ROLE": ""}, ["plan"]),
        # A fork's, run in this project; and one of this project, in its fork.
        ({**MERGE_REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "815"}, ["plan"]),
        ({**MERGE_REQUEST, "CI_MERGE_REQUEST_PROJECT_ID": "815"}, ["plan"]),
        (on_branch("schedule"), ["preview-collect"]),
        ({**on_branch("schedule"), "BACKEND_PREVIEW_ROLE": ""}, []),
        (on_branch("schedule", "feature"), []),
        (on_branch("push"), DELIVERING),
        (on_branch("web"), DELIVERING),
        (on_branch("push", "feature"), []),
    ],
)
def test_what_starts_which_jobs_on_gitlab(repository: Path, given: dict[str, str], jobs: list[str]) -> None:
    documents = gitlab.read(repository).documents
    found = [
        name.removeprefix("backend-")
        for name, document in documents.items()
        if not name.startswith(".") and starts(name, document, {**GITLAB_GIVEN, **given}, None)
    ]
    assert sorted(found) == sorted(jobs)


@pytest.mark.parametrize("repository", [ci.GITLAB], indirect=True)
def test_gitlabs_jobs_run_where_python_is_and_those_that_begin_an_engine_where_that_is(repository: Path) -> None:
    """In the version of the engine's Python package; without an `image` GitLab takes the runner's own."""
    documents = {name: job for name, job in gitlab.read(repository).documents.items() if not name.startswith(".")}
    preview = {name: documents.pop(name)["image"] for name in list(documents) if name.startswith("backend-preview")}
    assert len(preview) == 3
    locked = metadata.version("pulumi")
    assert all(image["name"].endswith(f":{locked}") and image["entrypoint"] == [""] for image in preview.values())
    assert all(image["name"].startswith("pulumi/pulumi-python-3.") for image in preview.values())
    assert all(document["image"].startswith("python:3.") for document in documents.values())


@pytest.mark.processes
@pytest.mark.parametrize("repository", [ci.GITLAB], indirect=True)
def test_merge_requests_and_the_clock_call_on_gitlab_what_they_call_on_github(repository: Path, tmp_path: Path) -> None:
    """Those are played on the real engine (`functional/delivery/deployment/test_previews.py`)."""
    stubs, documents = Stubs(tmp_path), gitlab.read(repository).documents
    (tmp_path / "requirements.lock").touch()
    state = STATE.replace("GH_TOKEN=github-token", "GITLAB_TOKEN=comment-token")
    for name, given, commands in (
        ("preview", MERGE_REQUEST, UP),
        ("preview-stop", MERGE_REQUEST, DOWN),
        ("preview-collect", on_branch("schedule"), COLLECT),
    ):
        document = documents[f"backend-{name}"]
        called = _called_on_gitlab(stubs, document, {**given, "BACKEND_COMMENT_TOKEN": "comment-token"}, tmp_path)
        engine, signing = called[:2], [_of_preview(line, tmp_path).replace(state, "") for line in called[2:]]
        assert [line.partition(" AWS_")[0].replace(".venv/bin/", "") for line in engine] == ENGINE
        assert signing == named(commands)
        assert all(state in line for line in called[2:])
        kept = document.get("artifacts", {}).get("paths", [])
        assert kept == (["client-config"] if commands == UP else [])
        assert all((tmp_path / path).exists() for path in kept)
    called = _called_on_gitlab(stubs, documents["backend-plan"], MERGE_REQUEST, tmp_path)
    assert called[1:] == [INSTALLED, PLANNED.replace("origin/main", "ba5e"), *CHECKED]
    assert documents["backend-plan"]["variables"]["GIT_DEPTH"] == "0"
    # Shown by the merge request, where nobody comments, also when it was refused and the job has failed.
    shown = documents["backend-plan"]["artifacts"]
    assert (shown["when"], bool(shown["expose_as"])) == ("always", True)
    assert (tmp_path / documents["backend-plan"]["artifacts"]["paths"][0]).read_text() == "The plan\n"


def _called_on_gitlab(stubs: Stubs, document: Mapping[str, Any], given: Mapping[str, str], folder: Path) -> list[str]:
    """What a job calls, in its shell."""
    variables = {**GITLAB_GIVEN, **given, "CI_BUILDS_DIR": str(folder)}
    own = {name: expanded(str(value), variables) for name, value in document.get("variables", {}).items()}
    lines = "\n".join([*document["before_script"], *document["script"]])
    environment = {**variables, **own, **stubs.variables}
    code, said = stubs.shell(["bash", "-eo", "pipefail", "-c", lines], folder, environment)
    assert code == 0, said
    return [line.replace(str(folder / "backend-preview-aws"), "AWS") for line in stubs.called()]
