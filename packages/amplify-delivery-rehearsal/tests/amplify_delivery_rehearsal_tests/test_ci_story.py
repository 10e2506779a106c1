"""The rehearsal of a project that a CI delivers: what `init --ci` has written is what is played."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from rich.console import Console

from amplify_delivery import cli
from amplify_delivery.delivery.scaffold import ci
from amplify_delivery.errors import ConfigError, SetupError
from amplify_delivery.stacks.config import Project
from amplify_delivery_rehearsal.ci_story import is_delivered_by_ci, run
from amplify_delivery_rehearsal.ci_story.declared import DeclaredCi, declared
from amplify_delivery_rehearsal.ci_story.play import CiPlay, CiRun
from amplify_delivery_rehearsal.ci_story.telling import CiTeller
from amplify_delivery_rehearsal.pipeline_story.page import told
from amplify_delivery_rehearsal.pipeline_story.pipeline import Pipeline
from amplify_delivery_rehearsal.pipeline_story.record import Story, Subject
from amplify_delivery_rehearsal.pipeline_story.setting import machine
from amplify_delivery_rehearsal.pipeline_story.source import Repository
from amplify_delivery_rehearsal.pipeline_story.telling import Teller, sourced
from amplify_delivery_rehearsal_tests import looking
from aws_rehearsal.ci_service import Job, Push, Ran, changed_files, checked_out
from aws_rehearsal.pipeline_service.state import IN_PROGRESS
from unit.places import EXPORTS
from unit.this_wheel import wheel_of_this_version

TODO = EXPORTS / "todo" / "amplify-export-mytodoapp"
ENVIRONMENTS = ("preprod", "prod")
Make = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _one_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amplify_delivery.commands.init.installed_wheel", wheel_of_this_version)


@pytest.fixture
def make(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Make:
    """A new project for a CI."""

    def made(kind: str) -> Path:
        folder = tmp_path / "shop"
        place = ("--environment", "preprod=222222222222/us-east-1", "--environment", "prod=033333333333/eu-west-1")
        ids = "11/22" if kind == "github" else "4711"
        repository = ("--ci", kind, "--repository", "octo/shop", "--ids", ids)
        assert cli.main(["init", str(folder), "--from", str(TODO), *place, *repository]) == 0
        capsys.readouterr()
        return folder

    return made


def of(folder: Path) -> DeclaredCi:
    return declared(Project(folder))


@pytest.mark.parametrize(("kind", "prefix"), [("github", ""), ("gitlab", "backend-")])
def test_the_jobs_that_init_writes_are_played_each_with_a_token_of_its_own(make: Make, kind: str, prefix: str) -> None:
    folder = make(kind)
    assert is_delivered_by_ci(Project(folder))
    ci = of(folder)
    assert (ci.kind, ci.repository, ci.environments) == (kind, "octo/shop", ENVIRONMENTS)
    push = Push(Path("host"), "c0ffee", "main", ci.repository)
    jobs = {job.name.removeprefix(prefix): job for job in ci.jobs(push, folder)}
    assert list(jobs) == ["build", "plan-preprod", "deploy-preprod", "plan-prod", "deploy-prod"]
    assert [job.signs for job in jobs.values()] == [False, True, True, True, True]
    # What the account's role asks for, of each: plan and deploy are let in by different ones.
    account = Project(folder).account("prod-account")
    said = {name: ci.claims(job, push) for name, job in jobs.items()}
    if account.github:
        assert said["plan-prod"]["sub"] == "repo:octo/shop:ref:refs/heads/main"
        assert said["deploy-prod"]["sub"] == "repo:octo/shop:environment:prod"
        assert said["plan-prod"]["repository_id"] == account.github.repository_id
    else:
        assert account.gitlab is not None
        assert (said["plan-prod"]["sub"], said["deploy-prod"]["sub"]) == account.gitlab.subjects("prod")


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_who_is_let_in_nowhere_has_a_token_in_which_what_aws_compares_is_another(make: Make, kind: str) -> None:
    folder = make(kind)
    found = of(folder)
    push = Push(Path("host"), "c0ffee", "main", found.repository)
    compared = ("sub", "ref", "repository_id") if kind == "github" else ("sub",)
    jobs = [job for job in found.jobs(push, folder) if job.signs]
    ours = [[found.claims(job, push)[name] for name in compared] for job in jobs]
    branch, elsewhere = [
        [[theirs.claims(job, pushed)[name] for name in compared] for job in jobs]
        for _, theirs, pushed in found.strangers(push)
    ]
    assert [who for who, _, _ in found.strangers(push)] == ["another branch", "another repository"]
    assert not [claims for claims in (*branch, *elsewhere) if claims in ours]
    if kind == "gitlab":
        own = {"plan_subject": "project_id:4711:a", "deploy_subject": "project_id:4711:b"}
        in_full = replace(found, says=found.says.model_copy(update=own))
        assert list(in_full.strangers(push)) == []


def test_another_project_is_none_that_a_ci_delivers(make: Make, tmp_path: Path) -> None:
    folder = make("github")
    for file in folder.glob("Pulumi.*-account.yaml"):
        file.unlink()
    assert not is_delivered_by_ci(Project(folder))
    with pytest.raises(ConfigError, match="no account's stack file lets a CI's jobs in"):
        of(folder)


def test_what_a_run_lacks_is_told_before_anything_starts(make: Make) -> None:
    folder = make("github")
    environment = folder / "Pulumi.prod.yaml"
    shutil.rmtree(folder / ".github")
    environment.write_text('config:\n  mytodoapp:account: "033333333333"\n  mytodoapp:region: eu-west-1\n')
    with pytest.raises(ConfigError, match="its account is not prepared for that"):
        of(folder)
    environment.write_text(f'{environment.read_text()}  mytodoapp:bootstrapped: "true"\n')
    with pytest.raises(ConfigError, match=r"backend-deploy\.yml is not there: no job of GitHub would run") as caught:
        of(folder)
    assert "`amplify-delivery init --ci github` writes it" in caught.value.remedy


def test_a_branch_that_the_workflow_does_not_deliver_starts_nothing(make: Make) -> None:
    folder = make("github")
    workflow = folder / ".github" / "workflows" / "backend-deploy.yml"
    workflow.write_text(workflow.read_text().replace("branches: [main]", "branches: [next]"))
    ci = of(folder)
    with pytest.raises(ConfigError, match="a push to main starts no job"):
        ci.jobs(Push(Path("host"), "c0ffee", "main", ci.repository), folder)


def test_a_push_of_files_that_no_job_asks_for_starts_nothing(make: Make) -> None:
    folder = make("github")
    workflow = folder / ".github" / "workflows" / "backend-deploy.yml"
    workflow.write_text(
        workflow.read_text().replace("branches: [main]", "branches: [main]\n    paths: ['amplify-*/**']")
    )
    ci = of(folder)
    push = Push(Path("host"), "c0ffee", "main", ci.repository)
    assert len(ci.jobs(push, folder)) == 5
    assert ci.jobs(replace(push, changed=("REHEARSED.md",)), folder) == []


def test_what_is_not_played_is_told_before_anything_starts(make: Make) -> None:
    folder = make("github")
    workflow = folder / ".github" / "workflows" / "backend-deploy.yml"
    workflow.write_text(
        workflow.read_text().replace("    environment: prod\n", "    environment: prod\n    if: always()\n")
    )
    with pytest.raises(ConfigError, match="job deploy-prod: a rehearsal does not play `if`"):
        run(folder)


def test_a_job_of_gitlab_has_the_tier_of_its_environments_name(make: Make) -> None:
    """Where it names none; and one with a token that a push does not start is told."""
    folder = make("gitlab")
    included = folder / ci.GITLAB_INCLUDED
    included.write_text(
        included.read_text().replace("    deployment_tier: production", "    url: https://shop.example")
    )
    found = of(folder)
    push = Push(Path("host"), "c0ffee", "main", found.repository)
    (deploy,) = (job for job in found.jobs(push, folder) if job.environment == "prod")
    account = Project(folder).account("prod-account").gitlab
    assert account is not None
    assert (deploy.tier, found.claims(deploy, push)["sub"]) == ("", account.subjects("prod")[1])
    assert found.left_out(push, folder) == ["backend-preview", "backend-preview-stop", "backend-preview-collect"]
    assert set(found.files) == {".github", ".gitlab", ".gitlab-ci.yml", ci.GITLAB_INCLUDED}


def test_a_job_whose_last_command_was_well_and_that_failed_is_no_green_one() -> None:
    """What hands on an artifact, or reads what was written for the CI, is no command."""
    jobs = [Job(name, (), "", False, {}) for name in ("build", "plan", "deploy")]
    ran = [Ran(name, "step", 0, 0.0, 1.0, "") for name in ("build", "plan")]
    told_ = CiRun(Push(Path("host"), "c0ffee", "main", "a/b"), "", jobs, 0.0, ran, failed="plan").told()
    assert [stage["status"] for stage in told_.stages] == ["Succeeded", "Failed", ""]


def test_lines_for_a_shell_are_quoted() -> None:
    console = Console(file=(said := io.StringIO()), soft_wrap=True)
    console.print(sourced(Path("/tmp/my [red] folder/job-a.sh"), "the job a [b]"))
    assert said.getvalue() == "  . '/tmp/my [red] folder/job-a.sh'   # the job a [b]\n"


def test_a_project_in_a_folder_of_its_repository_is_found_there(make: Make, tmp_path: Path) -> None:
    folder = make("github")
    (tmp_path / ".git").mkdir()
    shutil.move(folder / ".github", tmp_path / ".github")
    ci = of(folder)
    assert (ci.root, ci.inside) == (tmp_path.resolve(), "shop")


def test_a_step_that_fails_shows_the_log_of_the_build_that_it_names() -> None:
    """Its file goes with the rehearsal. What a command says of its calls in a CI is no reason."""
    log = "[Container] Phase is build\ndebug: codebuild\nerror: prod: no secret\n"
    service = SimpleNamespace(log={"shop-prod-plan:1": log}.__getitem__)
    play = CiPlay(SimpleNamespace(service=service), *[None] * 6)  # type: ignore[arg-type]
    said = "exit code 3\nthe last 2 debug lines:\ndebug: a\nerror: the build {} has ended with FAILED: exit status 3"
    assert play._why(said.format("shop-prod-plan:1")).splitlines() == [
        "exit code 3",
        "error: the build shop-prod-plan:1 has ended with FAILED: exit status 3",
        "",
        "The end of that log:",
        "error: prod: no secret",
    ]
    assert play._why("exit code 1\nno build").splitlines() == ["exit code 1", "no build"]
    assert "The end" not in play._why(said.format("another:1"))


def test_what_is_typed_by_hand_is_what_the_jobs_run() -> None:
    """docs/ci.md shows the commands of the written jobs, with the files that they hand on beside the checkout."""
    plan, deploy, look = looking.by_hand()
    assert look.splitlines()[-1].endswith(' && amplify-delivery client-config prod --out "$OLDPWD/web/src")')
    by_hand = [line.replace("../", "") for line in (plan + deploy).splitlines() if line.startswith("amplify-delivery ")]
    jobs = yaml.safe_load(ci.files(ci.GITLAB, ("prod",))[ci.GITLAB_INCLUDED])
    scripts = [line for what in ("build", "plan-prod", "deploy-prod") for line in jobs[f"backend-{what}"]["script"]]
    assert by_hand == [line for line in scripts if line.startswith("amplify-delivery ")]


def test_nobody_is_taken_to_agree_who_cannot_be_asked(make: Make) -> None:
    with pytest.raises(ConfigError, match="--pause asks a person before a job deploys"):
        run(make("github"), pause=True)


def test_whoever_is_asked_is_shown_the_newest_plan(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its log ends with the rehearsal: there is no other place to read it."""
    ci = of(make("github"))
    builds = []
    for number, name in enumerate(("prod-plan", "prod-plan", "prod-deploy", "preprod-plan")):
        log = tmp_path / f"{number}.log"
        log.write_text("[Container] Phase is build\n" + f"prod: {number} [changes]\n" * 100)
        builds.append(SimpleNamespace(name=f"mytodoapp-{name}", log=log))
    said = io.StringIO()
    teller = CiTeller(Console(file=said, soft_wrap=True), pause=True)
    monkeypatch.setattr(teller.console, "input", lambda _: "yes")
    service = SimpleNamespace(builds=lambda: builds)
    setting = SimpleNamespace(service=service, folder=tmp_path, project=Project(tmp_path / "shop"))
    play = CiPlay(setting, print, ci, *[None] * 2, teller.meet, print)  # type: ignore[arg-type, call-arg]
    push = Push(Path("host"), "c0ffee", "main", ci.repository)
    monkeypatch.setattr(play, "push_of", lambda _: push)
    monkeypatch.setattr(play, "_player", lambda *_: SimpleNamespace(play=lambda _: None))
    monkeypatch.setattr("amplify_delivery_rehearsal.ci_story.play.checked_out", lambda *_: tmp_path / "shop")
    play.deliver("c0ffee", "")
    assert "    prod: 1 [changes]\n" in said.getvalue()
    assert f"and 40 lines more, in {tmp_path / '1.log'}" in said.getvalue()
    assert "prod: 0 " not in said.getvalue()
    assert "[Container]" not in said.getvalue()


def test_before_an_approval_of_a_pipeline_the_plans_of_its_stage_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = SimpleNamespace(category="Approval", name="Approve")
    waits = SimpleNamespace(action=action, status=IN_PROGRESS, token="t", stage="Prod-Approve", configuration={})
    runs = [
        SimpleNamespace(stage=f"{stage}-Plan", action=SimpleNamespace(name=name), external_id=f"{stage}:{name}")
        for stage in ("PreProd", "Prod")
        for name in ("Plan-a", "test-a")
    ]
    stage_run = SimpleNamespace(actions={"Approve": waits})
    execution = SimpleNamespace(inside=True, stage_run=stage_run, history=runs)
    found = [SimpleNamespace(id=run.external_id, log=tmp_path / run.external_id) for run in runs]
    for build in found:
        build.log.write_text(f"{build.id} changes\n")
    pipeline = Pipeline("p", SimpleNamespace(builds=lambda: found), None)  # type: ignore[arg-type]
    teller = Teller(Console(file=(said := io.StringIO()), soft_wrap=True), pause=True)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(teller, "_ask", lambda *_: None)
    teller.decide(pipeline, execution)  # type: ignore[arg-type]
    assert said.getvalue().splitlines()[1:] == ["    Prod:Plan-a changes"]


@pytest.mark.processes
def test_nothing_is_pushed_before_the_first_push(tmp_path: Path) -> None:
    """So what `--keep` leaves can be looked at, however early the story has ended."""
    (tmp_path / "checkout").mkdir()
    repository = Repository.make(tmp_path, tmp_path / "checkout", tmp_path, branch="release/1")
    assert repository.pushed == ""
    (repository.clone / "a.txt").write_text("a")
    first = repository.push("One")
    assert first == repository.pushed
    (repository.clone / "b.txt").write_text("b")
    assert changed_files(repository.host, first, repository.push("Two")) == ("b.txt",)
    # What a CI checks out is the branch that it delivers.
    files = checked_out(Push(repository.host, repository.head, "release/1", "a/b"), tmp_path / "files")
    assert (files / "b.txt").is_file()


def test_the_page_says_what_was_played() -> None:
    page = told(Story([], of=Subject("the CI", "jobs of x.yml", "Runs of the CI")))
    assert (page.title, [fact.label for fact in page.facts]) == (
        "Rehearsal of the CI",
        ["Chapters as expected", "Runs of the CI"],
    )
    assert "Real engine, jobs of x.yml, " in page.lead


def test_a_project_without_a_lock_is_told_before_anything_starts(make: Make) -> None:
    project = Project(make("github"))
    (project.directory / "requirements.lock").unlink()
    with pytest.raises(SetupError, match=r"there is no requirements\.lock"), machine(project, None):  # type: ignore[arg-type]
        pass
