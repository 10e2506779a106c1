"""`init`: what it writes, what it takes from where, and that nothing of anybody's is lost."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.delivery.scaffold import templates
from amplify_delivery.delivery.scaffold.amplify_project import look
from amplify_delivery.stacks.access import environment_names, pipeline_names
from amplify_delivery.stacks.config import Project
from unit.command_line import Ran
from unit.places import EXPORTS, REPOSITORY
from unit.this_wheel import wheel_of_this_version

TODO = EXPORTS / "todo" / "amplify-export-mytodoapp"
CONNECTION = "arn:aws:codeconnections:us-east-1:111111111111:connection/11111111-2222-3333-4444-555555555555"
PIPELINE = ("--tooling", "111111111111/us-east-1", "--connection", CONNECTION, "--repository", "example/app")
TWO = ("--environment", "preprod=222222222222/us-east-1", "--environment", "prod=033333333333/eu-west-1")
PERSONAL = ("--personal", "dev=444444444444/eu-central-1")


Init = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Init:
    """`amplify-delivery init`, called in an empty folder where nobody can be asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("amplify_delivery.commands.init.installed_wheel", wheel_of_this_version)

    def call(*arguments: object) -> Ran:
        code = cli.main(["init", *map(str, arguments)])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A person at a terminal who gives these answers; the questions that she was asked."""

    def give(*texts: str) -> list[str]:
        asked: list[str] = []
        left = list(texts)

        def answer(question: str) -> str:
            asked.append(question)
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("builtins.input", answer)
        return asked

    return give


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def amplify_project(folder: Path, environments: Mapping[str, Any], name: str = "mytodoapp") -> Path:
    """An Amplify project, as far as anything here looks at it."""
    config = folder / "amplify" / ".config"
    config.mkdir(parents=True)
    (config / "project-config.json").write_text(json.dumps({"projectName": name, "version": "3.1"}))
    (config / "local-env-info.json").write_text(json.dumps({"projectPath": "/home/ann/app", "envName": "ann"}))
    (folder / "amplify" / "team-provider-info.json").write_text(json.dumps(environments))
    return folder


def pushed(environment: str, account: str, region: str = "eu-west-1") -> dict[str, Any]:
    stack = f"amplify-mytodoapp-{environment}-5af8b"
    role = f"arn:aws:iam::{account}:role/{stack}-authRole"
    return {"awscloudformation": {"AuthRoleArn": role, "Region": region, "StackName": stack, "StackId": "arn"}}


# --- what it writes --------------------------------------------------------------------------------------------------


def test_a_project_with_a_pipeline(run: Init, tmp_path: Path) -> None:
    ran = run("app", "--from", TODO, *TWO, *PERSONAL, *PIPELINE)
    assert (ran.code, ran.err) == (0, "")
    project = Project(tmp_path / "app")
    assert project.app == "mytodoapp"
    assert project.stacks("backend") == ("dev", "preprod", "prod")
    prod = project.environment("prod")
    assert (prod.account, prod.region, prod.bootstrapped) == ("033333333333", "eu-west-1", True)
    assert not project.environment("dev").bootstrapped
    assert project.account("prod-account").environments == ("prod",)
    pipeline = project.pipeline("pipeline")
    assert pipeline.environments == ("preprod", "prod")
    assert [bool(stage.approval) for stage in pipeline.stages] == [False, True]
    assert pipeline.build.commands == ("python -m pytest -q tests",)


def test_an_only_environment_of_a_pipeline_is_asked_about(run: Init, tmp_path: Path) -> None:
    run("--from", TODO, *TWO[2:], *PIPELINE)
    assert [bool(stage.approval) for stage in Project(tmp_path).pipeline("pipeline").stages] == [True]


def test_production_is_asked_about_wherever_it_stands(run: Init, tmp_path: Path) -> None:
    """Whoever names it first has not said that nobody need be asked."""
    assert run("app", "--from", TODO, *TWO[2:], *TWO[:2], *PIPELINE).code == 0
    stages = Project(tmp_path / "app").pipeline("pipeline").stages
    assert [(stage.name, stage.approval is not None) for stage in stages] == [("Prod", True), ("Preprod", True)]


def test_of_an_amplify_projects_environments_production_comes_last(run: Init, tmp_path: Path) -> None:
    """In the order of the alphabet it came before staging."""
    names = ("prod", "ann", "staging")
    source = amplify_project(tmp_path / "web", {name: pushed(name, "111111111111") for name in names})
    assert run("app", "--from", source, *PIPELINE).code == 0
    stages = Project(tmp_path / "app").pipeline("pipeline").stages
    assert [stage.name for stage in stages] == ["Ann", "Staging", "Prod"]


def test_without_a_pipeline_there_is_no_account_to_prepare(run: Init, tmp_path: Path) -> None:
    assert run("--from", TODO, *TWO).code == 0
    assert sorted(p.name for p in tmp_path.glob("Pulumi.*")) == [
        "Pulumi.preprod.yaml",
        "Pulumi.prod.yaml",
        "Pulumi.yaml",
    ]
    assert not Project(tmp_path).environment("prod").bootstrapped


def test_without_anything_but_the_export(run: Init, tmp_path: Path) -> None:
    """Each developer makes her own stack: `pulumi stack init`."""
    ran = run("--from", TODO)
    assert ran.code == 0
    assert Project(tmp_path).stacks("backend") == ()
    assert "pulumi stack init ENV && pulumi config set account ACCOUNT" in ran.out


def test_the_export_comes_with_it(run: Init, tmp_path: Path) -> None:
    run("app", "--from", TODO, *PERSONAL)
    assert contents(tmp_path / "app" / TODO.name) == contents(TODO)


def test_an_export_of_another_name_comes_under_the_exporters(
    run: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command would find it under its own; and the next `amplify export --out .` writes beside it."""
    elsewhere = tmp_path / "an exp\u00f6rt"
    shutil.copytree(TODO, elsewhere)
    for _ in range(2):
        ran = run("app", "--from", elsewhere, *PERSONAL)
        assert (ran.code, ran.err) == (0, "")
    assert "0 files written" in ran.out
    assert contents(tmp_path / "app" / "amplify-export-mytodoapp") == contents(TODO)
    monkeypatch.chdir(tmp_path / "app")
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().err == ""


def test_an_export_of_another_name_in_the_projects_own_folder(run: Init, tmp_path: Path) -> None:
    shutil.copytree(TODO, tmp_path / "exported")
    assert run("--from", "exported", *PERSONAL).code == 0
    assert contents(tmp_path / "amplify-export-mytodoapp") == contents(TODO)


@pytest.mark.parametrize("arguments", [(), ("app", "--from", ".")])
def test_a_project_of_gen_2_is_told_that_it_is_one(run: Init, tmp_path: Path, arguments: Sequence[str]) -> None:
    (tmp_path / "amplify" / "auth").mkdir(parents=True)
    (tmp_path / "amplify" / "backend.ts").write_text("defineBackend({});")
    ran = run(*arguments, *PERSONAL)
    assert ran.code == 3
    assert "is an Amplify project of Gen 2 (amplify/backend.ts)" in ran.err
    assert sorted(contents(tmp_path)) == ["amplify/backend.ts"]


def test_beside_code_of_gen_2_the_export_is_delivered(run: Init, tmp_path: Path) -> None:
    """A migration, on its way."""
    (tmp_path / "amplify").mkdir()
    (tmp_path / "amplify" / "backend.ts").write_text("defineBackend({});")
    shutil.copytree(TODO, tmp_path / TODO.name)
    assert run(*PERSONAL).code == 0


def test_the_files_are_the_examples(run: Init, tmp_path: Path) -> None:
    """One source: program, tests and Pulumi.yaml of the example are to the byte what a new project begins with."""
    run("app", "--from", REPOSITORY / "amplify-export-seriesapp", *PERSONAL)
    example = [
        REPOSITORY / "Pulumi.yaml",
        REPOSITORY / "__main__.py",
        *(path for folder in ("components", "tests") for path in (REPOSITORY / folder).rglob("*.py")),
    ]
    for path in example:
        made = tmp_path / "app" / path.relative_to(REPOSITORY)
        assert made.is_file()
        assert made.read_bytes() == path.read_bytes(), (
            "call `python -m amplify_delivery.delivery.scaffold` in the repository's root"
        )


def test_no_template_outlives_the_examples_file() -> None:
    assert set(templates.of_project("app")) == set(templates.of_example(REPOSITORY))


def test_the_engine_is_locked_by_file_and_hash(run: Init, tmp_path: Path) -> None:
    run("--from", TODO)
    wheel = wheel_of_this_version()
    path = f"./wheels/{wheel.file}"
    assert (tmp_path / path).read_bytes() == wheel.content
    assert path in (tmp_path / "requirements.txt").read_text().splitlines()
    lock = (tmp_path / "requirements.lock").read_text()
    assert lock.startswith(f"{path} \\\n    --hash=sha256:{wheel.sha256}\n")


def test_everything_else_is_locked_with_the_examples_versions(run: Init, tmp_path: Path) -> None:
    run("--from", TODO)
    of_example = (REPOSITORY / "requirements.lock").read_text()
    entries = (tmp_path / "requirements.lock").read_text().split("\n", 2)[2]
    pins = [line for line in entries.splitlines() if "==" in line]
    assert pins
    assert all(f"\n{pin}\n" in f"\n{of_example}" for pin in pins)
    assert {"pulumi", "pytest", "boto3"} <= {pin.partition("==")[0] for pin in pins}
    assert not {"ruff", "mypy", "hatchling", "hypothesis"} & {pin.partition("==")[0] for pin in pins}


def test_it_says_what_comes_next(run: Init) -> None:
    said = run("app", "--from", TODO, *TWO, *PERSONAL, *PIPELINE).out.partition("next:")[2]
    order = [
        "cd app",
        "amplify-delivery rehearse  #",
        "pip install --no-compile --no-deps --require-hashes",
        "pytest",
        "check",
        "up -s dev",
        "setup --account 111111111111",
    ]
    assert sorted(order, key=said.index) == order
    assert "amplify export" not in said


@pytest.mark.parametrize(
    ("asked", "command"),
    [
        (TWO + PIPELINE, "amplify-delivery rehearse  #"),
        (PERSONAL, "amplify-delivery rehearse amplify-export-mytodoapp  #"),
    ],
)
def test_it_names_the_rehearsal_where_that_is_installed(
    asked: tuple[str, ...], command: str, run: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command in run("--from", TODO, *asked).out
    monkeypatch.setattr(metadata, "entry_points", lambda **_: ())
    assert "rehearse" not in run("--from", TODO, *asked).out


def test_it_says_what_a_ci_needs_before_the_push(run: Init) -> None:
    """GitHub makes an environment that it does not know without any rule, so an approval has to be there before."""
    said = run(
        "app", "--from", TODO, *TWO, "--ci", "github", "--repository", "octo/shop", "--ids", "1/2"
    ).out.partition("next:")[2]
    order = ["bootstrap preprod prod", "Environments: make preprod, prod, with required reviewers", "commit and push"]
    assert sorted(order, key=said.index) == order


@pytest.mark.parametrize(("kind", "then"), [("github", "run this command again"), ("gitlab", "remove .gitlab/backend")])
def test_it_says_that_no_job_delivers_what_no_stack_file_wants_delivered(kind: str, then: str, run: Init) -> None:
    said = run("app", "--from", TODO, *PERSONAL, "--ci", kind).out
    assert "no job delivers" in said
    assert then in said


def test_it_says_what_the_pipeline_needs_beside(run: Init, tmp_path: Path) -> None:
    """AWS's build images hold no Pulumi, so the pipeline as it is written would not get past UpdatePipeline."""
    assert "fill in `engine` in Pulumi.pipeline.yaml" in run("--from", TODO, *TWO, *PIPELINE).out
    file = tmp_path / "Pulumi.pipeline.yaml"
    text = file.read_text().replace("SHA256", "0" * 64).replace("vVERSION", "v3.220.0")
    commented = text[text.index("  # mytodoapp:engine") :].partition("  mytodoapp:stages")[0]
    file.write_text(text.replace(commented, commented.replace("  # ", "  ")))
    engine = Project(tmp_path).pipeline("pipeline").engine
    assert engine is not None
    assert engine.sha256 == "0" * 64


def test_it_says_when_the_export_cannot_be_delivered_yet(run: Init) -> None:
    ran = run("--from", EXPORTS / "triggers" / "amplify-export-trigapp")
    assert ran.code == 0
    assert "the export cannot be delivered as it is (AD206)" in ran.out


@pytest.mark.parametrize("flag", ["--environment", "--personal"])
def test_it_says_that_the_amplify_cli_makes_no_environment_with_digits(run: Init, flag: str) -> None:
    """Who works with Amplify's CLI as well has to call it as that one would (`isEnvNameValid`)."""
    said = run("--from", TODO, flag, "eu1=111122223333/eu-west-1", flag, "ann=111122223333/eu-west-1").out
    assert "eu1: `amplify env add` and `amplify init` take 2 to 10 lower-case letters, no digits" in said
    assert "ann: `amplify" not in said


def test_what_was_written_is_told_to_machines(run: Init) -> None:
    document = run("--from", TODO, *PERSONAL, "--json").document
    assert document["project"] == "mytodoapp"
    assert "Pulumi.dev.yaml" in document["written"]
    assert document["left"] == []


# --- what it takes from an Amplify project ---------------------------------------------------------------------------


def test_an_amplify_projects_name_and_environments(run: Init, tmp_path: Path) -> None:
    source = amplify_project(
        tmp_path / "web", {"prod": pushed("prod", "222222222222"), "ann": pushed("ann", "033333333333")}
    )
    ran = run("app", "--from", source)
    project = Project(tmp_path / "app")
    assert (project.app, project.stacks("backend")) == ("mytodoapp", ("ann", "prod"))
    ann = project.environment("ann")
    assert (ann.account, ann.region, ann.suffix) == ("033333333333", "eu-west-1", "5af8b")
    assert "`amplify push` has made amplify-mytodoapp-prod-5af8b" in ran.out
    assert "`amplify-delivery adopt prod` takes it over as it runs" in ran.out
    assert f"cd {source} && amplify export --out {tmp_path / 'app'}" in ran.out


def test_a_project_made_before_its_export_adopts_all_the_same(run: Init, tmp_path: Path) -> None:
    """The first run finds no export and says how to make it; the second one still knows who has made `ann`."""
    source = amplify_project(tmp_path / "web", {"ann": pushed("ann", "033333333333")})
    said = ("amplify-delivery adopt ann\n", "`amplify push` has made amplify-mytodoapp-ann-5af8b", "pulumi stack init")
    assert [words in run("app", "--from", source).out for words in said] == [True, True, False]
    file = tmp_path / "app" / "Pulumi.ann.yaml"
    assert "`amplify push` has made: `amplify-delivery adopt ann`, once" in file.read_text()
    shutil.copytree(TODO, source / TODO.name)
    assert [words in run("app", "--from", source).out for words in said] == [True, True, False]
    file.write_text(f"encryptionsalt: v1:x\n{file.read_text()}")  # `adopt` has made the engine's stack
    assert [words in run("app", "--from", source).out for words in said] == [False, False, False]


@pytest.mark.parametrize(
    "delivered", [PIPELINE, ("--ci", "github", "--repository", "octo/shop", "--ids", "1/2")], ids=["pipeline", "ci"]
)
def test_what_is_delivered_to_its_account_is_adopted_before_the_first_push(
    delivered: tuple[str, ...], run: Init, tmp_path: Path
) -> None:
    """The first release would be refused: nobody has told the engine's state of what runs."""
    source = amplify_project(tmp_path / "web", {"prod": pushed("prod", "222222222222")})
    said = run("app", "--from", source, "--environment", "prod", *delivered).out.partition("next:")[2]
    order = ["amplify-delivery bootstrap prod", "amplify-delivery adopt prod", "commit and push"]
    assert sorted(order, key=said.index) == order


def test_what_is_missing_is_called_as_it_was_typed(run: Init) -> None:
    assert "missing: --personal ann=ACCOUNT/REGION" in run("--from", TODO, "--personal", "ann").err
    assert "error: --personal: '12' is not an AWS account" in run("--from", TODO, "--personal", "ann=12/eu-west-1").err


def test_the_folder_amplify_itself_will_do(run: Init, tmp_path: Path) -> None:
    source = amplify_project(tmp_path / "web", {})
    assert run("app", "--from", source / "amplify", *PERSONAL).code == 0
    assert Project(tmp_path / "app").app == "mytodoapp"


def test_inside_an_amplify_project_nothing_need_be_said(run: Init, tmp_path: Path) -> None:
    amplify_project(tmp_path, {"prod": pushed("prod", "222222222222")})
    shutil.copytree(TODO, tmp_path / TODO.name)
    # `ann` is checked out here, and nobody has pushed it: where it is to be, only a person can say.
    ran = run()
    assert (ran.code, "--environment ann=ACCOUNT/REGION" in ran.err) == (3, True)
    assert run("--environment", "prod").code == 0
    assert Project(tmp_path).environment("prod").account == "222222222222"


def test_an_environment_elsewhere_than_where_amplify_has_it(run: Init, tmp_path: Path) -> None:
    source = amplify_project(tmp_path / "web", {"prod": pushed("prod", "222222222222")})
    ran = run("app", "--from", source, "--environment", "prod=555555555555/eu-west-1")
    assert Project(tmp_path / "app").environment("prod").account == "555555555555"
    assert "amplify push" not in ran.out


# --- asked -----------------------------------------------------------------------------------------------------------


def test_a_person_is_asked_for_what_is_not_known(run: Init, answers: Callable[..., list[str]], tmp_path: Path) -> None:
    asked = answers("prod", "yes", "222222222222", "eu-west-1", "111111111111", "", CONNECTION, "example/app")
    assert run("--from", TODO).code == 0
    assert Project(tmp_path).pipeline("pipeline").region == "eu-west-1", "the environment's, unless she says otherwise"
    assert [question.split()[0] for question in asked] == [
        "Environments,", "A", "Account", "Region", "The", "The", "ARN", "Repository,",
    ]  # fmt: skip


@pytest.mark.parametrize("given", [("github", "octo/shop", "11/22"), ("gitlab", "octo/web/shop", "4711")])
def test_whoever_asks_for_a_ci_is_asked_what_its_jobs_need(
    run: Init, answers: Callable[..., list[str]], tmp_path: Path, given: tuple[str, str, str]
) -> None:
    """And for no pipeline, which would come beside."""
    ci, repository, ids = given
    asked = answers("prod", "yes", "shop", repository, "222222222222", "eu-west-1", ids)
    ran = run("--from", TODO, "--ci", ci)
    assert ran.code == 0, ran.err
    assert "'shop' is not a " in asked.pop(3)
    assert [question.split()[0] for question in asked] == [
        "Environments,", "Jobs", "Repository,", "Account", "Region", "Its",
    ]  # fmt: skip
    account = Project(tmp_path).account("prod-account")
    says = account.github or account.gitlab
    assert says is not None
    assert says.branch == "main"
    assert not Project(tmp_path).stacks("pipeline")
    assert Project(tmp_path).environment("prod").bootstrapped
    assert "deploy-prod" in "".join(path.read_text() for path in tmp_path.rglob("*backend*.y*ml"))


def test_a_wrong_answer_is_asked_for_again(run: Init, answers: Callable[..., list[str]], tmp_path: Path) -> None:
    asked = answers("dev", "no", "4444", "444444444444", "eu-central-1")
    assert run("--from", TODO).code == 0
    assert "'4444' is not an AWS account" in asked[3]
    assert "YAML" not in asked[3]
    assert Project(tmp_path).environment("dev").account == "444444444444"


def test_only_yes_or_no_answers_whether_a_pipeline_delivers(
    run: Init, answers: Callable[..., list[str]], tmp_path: Path
) -> None:
    asked = answers("ann", "123456789012/eu-central-1", "no", "123456789012", "eu-central-1")
    assert run("--from", TODO).code == 0
    assert asked[1] == asked[2]
    assert not Project(tmp_path).stacks("pipeline")


def test_wrong_names_of_environments_are_asked_for_again(
    run: Init, answers: Callable[..., list[str]], tmp_path: Path
) -> None:
    """At once: the next question is about these."""
    asked = answers("Prod dev", "dev dev", "dev", "no", "123456789012", "eu-central-1")
    assert run("--from", TODO).code == 0
    assert asked[1].startswith("'Prod' is not an environment's name: 2 to 10 lower-case letters and digits")
    assert asked[2].startswith("the environment dev is named twice")
    assert asked[3].startswith("A pipeline that delivers them?")
    assert Project(tmp_path).stacks("backend") == ("dev",)


def test_a_wrong_connection_is_asked_for_again(run: Init, answers: Callable[..., list[str]], tmp_path: Path) -> None:
    """All that was typed before is not lost to it."""
    asked = answers("github.com", CONNECTION, "app", "example/app")
    assert run("--from", TODO, *TWO, *PIPELINE[:2]).code == 0
    assert "'github.com' is not an ARN of a connection" in asked[1]
    assert "'app' is not a repository" in asked[3]
    assert Project(tmp_path).pipeline("pipeline").source.type == "connection"


def test_nobody_is_asked_for_what_was_given(run: Init, answers: Callable[..., list[str]]) -> None:
    asked = answers()
    assert run("--from", TODO, *TWO, *PERSONAL, *PIPELINE).code == 0
    assert asked == []


def test_an_answer_that_does_not_come_writes_nothing(
    run: Init, answers: Callable[..., list[str]], tmp_path: Path
) -> None:
    answers("prod", "no")
    assert run("--from", TODO).code == 3
    assert contents(tmp_path) == {}


# --- refused ---------------------------------------------------------------------------------------------------------

REFUSED: Sequence[tuple[str, Sequence[object], str]] = (
    ("no name", (), "these are missing: --name NAME"),
    ("no place of an environment", ("--name", "app", "--environment", "prod"), "--environment prod=ACCOUNT/REGION"),
    (
        "all that is missing at once",
        ("--tooling", "111111111111/eu-west-1", *TWO),
        "--name NAME; --connection ARN; --repo",
    ),
    ("an account that is none", ("--name", "app", "--environment", "prod=1/eu-west-1"), "is not an AWS account"),
    (
        "a region that is none",
        ("--name", "app", "--environment", "prod=111111111111/eu-wst-1"),
        "did you mean 'eu-west-1'",
    ),
    (
        "an environment's name",
        ("--name", "app", "--environment", "Prod=111111111111/eu-west-1"),
        "is not an environment",
    ),
    ("a project's name", ("--name", "my-app", *PERSONAL), "is not an Amplify project's name"),
    (
        "a connection that is none",
        ("--name", "app", *TWO, *PIPELINE[:3], "arn:aws:x", *PIPELINE[4:]),
        "ARN of a connection",
    ),
    (
        "an environment twice",
        ("--name", "app", *TWO, "--personal", "prod=111111111111/eu-west-1"),
        "prod is named twice",
    ),
    ("a pipeline for nothing", ("--name", "app", *PERSONAL, *PIPELINE), "a pipeline without an environment"),
    ("a folder that is not there", ("--from", "nowhere"), "there is no such folder"),
    ("a folder of something else", ("--from", EXPORTS), "holds neither an export nor an Amplify project"),
    (
        "another app's export",
        ("--name", "other", "--from", TODO),
        "the project is called 'mytodoapp', --name says 'other'",
    ),
)


@pytest.mark.parametrize(("arguments", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_refused_writes_nothing(run: Init, tmp_path: Path, arguments: Sequence[object], said: str) -> None:
    ran = run("app", *arguments)
    assert (ran.code, ran.out) == (3, "")
    assert said in ran.err
    assert contents(tmp_path) == {}


def test_a_broken_export_is_told_and_writes_nothing(run: Init, tmp_path: Path) -> None:
    broken = tmp_path / "amplify-export-broken"
    broken.mkdir()
    ran = run("app", "--from", broken, *PERSONAL)
    assert (ran.code, "AD102" in ran.err) == (3, True)
    assert not (tmp_path / "app").exists()


@pytest.mark.parametrize("exported", [True, False])
def test_an_amplify_project_whose_name_has_capitals(run: Init, tmp_path: Path, exported: bool) -> None:
    """Its stacks have none, and the stack of an export says what the app is called."""
    source = amplify_project(tmp_path / "web", {"ann": pushed("ann", "033333333333")}, name="MyTodoApp")
    if exported:
        shutil.copytree(TODO, source / "amplify-export-MyTodoApp")
    ran = run("app", "--from", source)
    assert (ran.code, ran.err) == (0, "")
    assert Project(tmp_path / "app").app == "mytodoapp"
    assert "amplify-delivery adopt ann\n" in ran.out
    # `amplify export` calls its folder by the name as it was typed.
    assert "`amplify-export-MyTodoApp/` is what" in (tmp_path / "app" / "README.md").read_text()


def test_an_export_under_another_name_is_called_as_the_exporter_calls_the_next(run: Init, tmp_path: Path) -> None:
    """Else there are two exports once `amplify export` was run, and every command asks which."""
    source = amplify_project(tmp_path / "web", {}, name="MyTodoApp")
    shutil.copytree(TODO, source / "amplify-export-MyTodoApp")
    assert look(source).export_folder == "amplify-export-MyTodoApp"
    (source / "amplify-export-MyTodoApp").rename(source / "exported")
    assert replace(look(source), export=source / "exported").export_folder == "amplify-export-MyTodoApp"


def test_files_of_amplify_that_contradict_the_export(run: Init, tmp_path: Path) -> None:
    amplify_project(tmp_path, {}, name="otherapp")
    shutil.copytree(TODO, tmp_path / TODO.name)
    ran = run(*PERSONAL)
    assert (ran.code, "the export is that of 'mytodoapp', the Amplify project is 'otherapp'" in ran.err) == (3, True)


@pytest.mark.parametrize("place", ["app", "app/components", "app/wheels"])
def test_a_file_where_a_folder_has_to_be(run: Init, tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("mine")
    before = contents(tmp_path)
    ran = run("app", "--from", TODO, *PERSONAL)
    assert (ran.code, "is a file where a folder has to be" in ran.err) == (3, True)
    assert contents(tmp_path) == before


def test_a_stack_file_that_is_wrong_already_is_told_first(run: Init, tmp_path: Path) -> None:
    run("--from", TODO)
    (tmp_path / "Pulumi.prod.yaml").write_text('config:\n  mytodoapp:account: "1"\n  mytodoapp:region: eu-west-1\n')
    before = contents(tmp_path)
    ran = run(*PERSONAL)
    assert (ran.code, ran.err.startswith("error: Pulumi.prod.yaml: ")) == (3, True)
    assert contents(tmp_path) == before


def test_a_second_export_is_refused(run: Init, tmp_path: Path) -> None:
    run("--from", TODO)
    (tmp_path / TODO.name).rename(tmp_path / "amplify-export-before")
    before = contents(tmp_path)
    ran = run("--from", TODO)
    assert (ran.code, "there is another export already: amplify-export-before" in ran.err) == (3, True)
    assert contents(tmp_path) == before


def test_a_full_disk_leaves_no_half_of_a_file(run: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        """A file of which only the beginning finds room."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, content: bytes) -> None:
            self.file.write(content[:10])
            raise OSError(errno.ENOSPC, "No space left on device", self.file.name)

    whole = Path.open

    def narrow(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        file = whole(path, mode, *args, **kwargs)
        return Full(file) if path.name == "requirements.lock" and mode == "xb" else file

    monkeypatch.setattr(Path, "open", narrow)
    ran = run("--from", TODO)
    assert (ran.code, "cannot be written: No space left on device" in ran.err) == (4, True), "some were written before"
    assert not (tmp_path / "requirements.lock").exists()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert run("--from", TODO).code == 0
    assert (tmp_path / "requirements.lock").read_text().count("--hash") > 100


# --- again -----------------------------------------------------------------------------------------------------------


def test_again_changes_nothing(run: Init, tmp_path: Path) -> None:
    first = run("--from", TODO, *TWO, *PIPELINE)
    before = contents(tmp_path)
    assert first.code == 0
    ran = run()
    assert (ran.code, ran.out.startswith("mytodoapp: 0 files written")) == (0, True)
    assert run("--from", TODO, *TWO, *PIPELINE).code == 0
    assert contents(tmp_path) == before


def test_again_with_one_more_environment_the_next_command_is_about_that(run: Init, tmp_path: Path) -> None:
    assert "pulumi stack init dev && pulumi up -s dev\n" in run("--from", TODO, *PERSONAL).out
    assert "pulumi stack init zoe && pulumi up -s zoe\n" in run("--personal", f"zoe{PERSONAL[1][3:]}").out
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(f"encryptionsalt: v1:x\n{file.read_text()}")
    assert "  pulumi up -s dev\n" in run().out  # there is such a stack: `pulumi stack init` would be refused


def test_again_leaves_what_somebody_has_edited_and_brings_back_what_is_gone(run: Init, tmp_path: Path) -> None:
    run("--from", TODO, *PERSONAL)
    for name in ("README.md", "requirements.txt", "Pulumi.dev.yaml", "__main__.py"):
        with (tmp_path / name).open("a") as file:
            file.write("# mine\n")
    before = contents(tmp_path)
    (tmp_path / ".gitignore").unlink()
    ran = run("--from", TODO, *PERSONAL)
    assert contents(tmp_path) == before
    assert "1 file written" in ran.out
    assert "left as they are: README.md, __main__.py, requirements.txt" in ran.out


def test_one_more_environment_later(run: Init, tmp_path: Path) -> None:
    run("--from", TODO, *PERSONAL)
    before = contents(tmp_path)
    assert run("--environment", "qa=555555555555/eu-west-1").code == 0
    new = contents(tmp_path)
    assert set(new) - set(before) == {"Pulumi.qa.yaml"}
    assert all(new[name] == content for name, content in before.items())


def test_one_more_environment_of_a_pipeline_later(run: Init, tmp_path: Path) -> None:
    run("--from", TODO, *TWO, *PIPELINE)
    before = contents(tmp_path)
    ran = run("--environment", "qa=555555555555/eu-west-1")
    assert {*contents(tmp_path)} - {*before} == {"Pulumi.qa.yaml", "Pulumi.qa-account.yaml"}
    assert Project(tmp_path).environment("qa").bootstrapped
    assert "no stage of Pulumi.pipeline.yaml names qa" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--environment", "prod=555555555555/eu-west-1"), "Pulumi.prod.yaml: it is 033333333333/eu-west-1"),
        (("--tooling", "555555555555/us-east-1"), "Pulumi.pipeline.yaml: it is 111111111111/us-east-1"),
    ],
)
def test_what_a_file_says_otherwise_is_told(run: Init, tmp_path: Path, arguments: Sequence[str], said: str) -> None:
    run("--from", TODO, *TWO, *PIPELINE)
    before = contents(tmp_path)
    ran = run(*arguments)
    assert (ran.code, said in ran.err) == (3, True)
    assert contents(tmp_path) == before


def test_a_pipeline_later_tells_what_its_environments_files_lack(run: Init, tmp_path: Path) -> None:
    run("--from", TODO, *TWO)
    before = contents(tmp_path)
    ran = run("--environment", "preprod", "--environment", "prod", *PIPELINE)
    assert ran.code == 0
    assert {*contents(tmp_path)} - {*before} == {
        "Pulumi.pipeline.yaml", "Pulumi.preprod-account.yaml", "Pulumi.prod-account.yaml",
    }  # fmt: skip
    assert "Pulumi.prod.yaml was there already" in ran.out


def test_with_another_engine_the_projects_own_stays(run: Init, tmp_path: Path) -> None:
    run("--from", TODO)
    for name in ("requirements.txt", "requirements.lock"):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(
            text.replace(wheel_of_this_version().file, "amplify_delivery-0.1.0-py3-none-any.whl")
        )
    (tmp_path / "wheels" / wheel_of_this_version().file).unlink()
    before = contents(tmp_path)
    ran = run()
    assert "the project has amplify_delivery-0.1.0-py3-none-any.whl" in ran.out
    assert "amplify-delivery upgrade" in ran.out
    assert contents(tmp_path) == before


def test_requirements_of_somebody_elses_are_left_and_told(run: Init, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    ran = run("--from", TODO)
    assert (tmp_path / "requirements.txt").read_text() == "flask\n"
    assert f"add the line ./wheels/{wheel_of_this_version().file}" in ran.out


def test_a_gitignore_of_somebody_elses_that_hides_the_wheel_is_told(run: Init, tmp_path: Path) -> None:
    """GitHub's template for Python has `wheels/`: a pipeline would not find the engine."""
    (tmp_path / ".gitignore").write_text("/.venv\n__pycache__/\nwheels/\n")
    ran = run("--from", TODO)
    assert ".gitignore keeps the engine's wheel out of commits (wheels/)" in ran.out
    made = ".pytest_cache/ /assembly/ /assembly-examined/ /container-images/ /build/"
    assert f"add to .gitignore what is made here: {made}" in ran.out
    (tmp_path / ".gitignore").unlink()
    assert ".gitignore" not in run("--from", TODO).out.replace("  .gitignore\n", "")


def test_the_keys_of_every_stack_file_are_the_projects(run: Init, tmp_path: Path) -> None:
    run("--from", TODO, *TWO, *PERSONAL, *PIPELINE)
    for path in tmp_path.glob("Pulumi.*.yaml"):
        keys = [line.strip() for line in path.read_text().splitlines() if re.match("  [^ #]", line)]
        assert keys
        assert all(key.startswith("mytodoapp:") for key in keys)


def test_two_apps_in_one_repository(run: Init, tmp_path: Path) -> None:
    """Each in a folder: each pipeline is started by its own folder's pushes alone, and nothing has one name."""
    (tmp_path / ".git").mkdir()
    made = {}
    for app, export in (("todo", TODO), ("series", EXPORTS / "todo-series" / "v1" / "amplify-export-seriesapp")):
        ran = run(f"backends/{app}", "--from", export, *TWO, *PIPELINE)
        assert ran.code == 0, ran.err
        project = made[app] = Project(tmp_path / "backends" / app)
        pipeline = project.pipeline("pipeline")
        assert pipeline.build.folder == f"backends/{app}"
        assert [(t.branches, t.paths) for t in pipeline.triggers] == [(("main",), (f"backends/{app}/**",))]
    names = {
        app: {
            taken
            for stack in ("pipeline", "preprod", "prod")
            for taken in (
                pipeline_names(project.app, stack, project.pipeline(stack))
                if stack == "pipeline"
                else environment_names(project.app, project.environment(stack))
            ).taken()
        }
        for app, project in made.items()
    }
    assert all(len(taken) > 20 for taken in names.values())
    assert names["todo"] & names["series"] == set()


def test_in_the_root_of_a_repository_every_push_is_a_release(run: Init, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert run("--from", TODO, *TWO, *PIPELINE).code == 0
    pipeline = Project(tmp_path).pipeline("pipeline")
    assert (pipeline.build.folder, pipeline.triggers) == ("", ())


def test_a_folder_that_a_build_cannot_enter_is_told_before_anything_is_written(run: Init, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    ran = run("my app", "--from", TODO, *TWO, *PIPELINE)
    assert (ran.code, list((tmp_path / "my app").rglob("*"))) == (3, [])
    assert "build.folder: 'my app' is not a folder of the repository that Build can enter" in ran.err
