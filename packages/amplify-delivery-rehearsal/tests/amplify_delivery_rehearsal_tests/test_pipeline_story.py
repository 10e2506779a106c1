"""The story of the pipeline, apart from its chapters, which `make rehearse` plays: what is shown and written of it."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from amplify_delivery.delivery.reporting.page.rendering import SIGNS, TONES, rendered
from amplify_delivery.delivery.reporting.page.report_model import Fact, Report, Stack, Typed
from amplify_delivery.errors import DeployError, FailedError
from amplify_delivery.export import Assembly, EnvironmentValues
from amplify_delivery_rehearsal import commands
from amplify_delivery_rehearsal.pipeline_story import front_end
from amplify_delivery_rehearsal.pipeline_story.board import Board, drawn
from amplify_delivery_rehearsal.pipeline_story.chapters import CHAPTERS, Chapter
from amplify_delivery_rehearsal.pipeline_story.page import told as page_of
from amplify_delivery_rehearsal.pipeline_story.people import Person, aws_command
from amplify_delivery_rehearsal.pipeline_story.pipeline import Pipeline as PipelineSeen
from amplify_delivery_rehearsal.pipeline_story.pipeline import waiting_approval
from amplify_delivery_rehearsal.pipeline_story.play import Play
from amplify_delivery_rehearsal.pipeline_story.record import ChapterTold, ExecutionTold, Story
from amplify_delivery_rehearsal.pipeline_story.setting import Setting
from amplify_delivery_rehearsal.pipeline_story.source import Repository
from amplify_delivery_rehearsal.pipeline_story.telling import Teller
from aws_rehearsal.pipeline_service.definitions import Pipeline, read_pipeline
from aws_rehearsal.pipeline_service.state import ActionRun, Execution, StageRun
from aws_rehearsal_tests.local_account import LocalAccount
from functional.enforcement.deployed_apps import deployable
from unit.export.conftest import assembly_of as assembly_of  # noqa: PLC0414 - the fixture, for this folder too

ATTACK = "<script>alert('a commit')</script>"


@pytest.fixture
def pipeline() -> Pipeline:
    """Source, Build, Approve."""

    def stage(name: str, category: str, provider: str) -> dict[str, Any]:
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": name, "actions": [{"name": name, "actionTypeId": kind, "runOrder": 1}]}

    stages = [
        stage("Source", "Source", "CodeStarSourceConnection"),
        stage("Build", "Build", "CodeBuild"),
        stage("Approve", "Approval", "Manual"),
    ]
    store = {"type": "S3", "location": "artifacts"}
    role = "arn:aws:iam::111111111111:role/p"
    declared = {"name": "app", "roleArn": role, "artifactStore": store, "stages": stages}
    return read_pipeline(declared, "111111111111", "us-east-1", 1)


def execution(pipeline: Pipeline, **runs: str) -> Execution:
    """An execution whose actions stand as given, by stage."""
    found = Execution(pipeline, ("Webhook", "somebody"), outputs={"source": {"CommitId": "0123456789"}})
    found.outputs["source"]["CommitMessage"] = f"{ATTACK}\n\nmore"
    for number, (name, status) in enumerate(runs.items()):
        action = pipeline.stages[number].actions[0]
        run = ActionRun(action, name, status=status, started=100.0, updated=103.5)
        if status == "Failed":
            run.error = ("JobFailed", "exit status 1 & more")
        if action.category == "Approval" and status == "InProgress":
            run.token = "token"
        found.stages[name] = StageRun(name, status=status, actions={action.name: run})
        found.history.append(run)
        found.position, found.inside = number, True
    return found


def shown(what: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=120).print(what)
    return out.getvalue()


def test_the_board_shows_where_each_action_stands(pipeline: Pipeline) -> None:
    text = shown(drawn([execution(pipeline, Source="Succeeded", Build="InProgress")], now=110.0))
    assert "0123456 <script>" in text.splitlines()[0]
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["✔", "Source", "✔", "Source", "3.5", "s"],
        ["●", "Build", "●", "Build", "10.0", "s"],
        ["Approve"],
    ]


def test_the_board_says_what_waits_for_a_person(pipeline: Pipeline) -> None:
    waits = execution(pipeline, Source="Succeeded", Build="Succeeded", Approve="InProgress")
    assert "Approve 1.0 s waits for a person" in shown(drawn([waits], now=101.0))
    assert waiting_approval(waits) is waits.history[-1]
    assert waiting_approval(execution(pipeline, Source="Succeeded", Build="InProgress")) is None


def test_without_a_terminal_each_end_of_an_action_is_a_line(pipeline: Pipeline) -> None:
    from aws_rehearsal.pipeline_service import Event

    out = io.StringIO()
    board = Board(Console(file=out, width=200))
    board(Event("action", "app", "1", "InProgress", "Build", "Build"))
    board(Event("action", "app", "1", "Failed", "Build", "Build", "exit status 1\nmore"))
    board(Event("stage", "app", "1", "Failed", "Build"))
    assert out.getvalue().split() == ["✘", "Build", "/", "Build:", "Failed", "exit", "status", "1"]


def page(story: Story) -> str:
    return rendered(page_of(story))


def test_the_page_holds_everything_and_nothing_of_it_is_markup(pipeline: Pipeline) -> None:
    chapter = ChapterTold("A chapter", "About <it>", "otherwise", 4.0, [("devops", "echo '<b>'")], ["a & b"])
    chapter.executions = [ExecutionTold.of(execution(pipeline, Source="Succeeded", Build="Failed"), lambda _: ())]
    text = page(Story([chapter], 5.0, "it <failed>"))
    for shown in ("About &lt;it&gt;", "devops$ </span>echo &#39;&lt;b&gt;&#39;", "a &amp; b", "it &lt;failed&gt;"):
        assert shown in text
    assert "&lt;script&gt;alert(" in text
    assert ATTACK not in text
    assert "exit status 1 &amp; more" in text
    assert "Not as expected" in text
    assert text.count(">not reached<") == 1  # Approve


def test_the_page_is_the_story_and_the_environment_it_has_led_to(pipeline: Pipeline) -> None:
    """One model for all pages: what was found of an environment stays as it was found."""
    chapters = [
        ChapterTold(name, "", "as expected", 4.0, [("devops", "git push")], ["so"], started=started)
        for name, started in (("One", 0.0), ("Two", 4.0))
    ]
    ran = ExecutionTold.of(
        execution(pipeline, Source="Succeeded", Build="Succeeded", Approve="InProgress"), lambda _: ()
    )
    for chapter in chapters:
        chapter.executions = [ran]  # it goes on in the second
    stacks = (Stack((), "root", 3), Stack(("api",), "api", 7))
    facts = (Fact("Root stack", "CREATE_COMPLETE", "good"),)
    seen = Report("t", "l", "2026", "1", environment="prod", stacks=stacks, facts=facts)
    found = page_of(Story(chapters, 9.0, environment=seen))
    assert (found.stacks, found.environment) == (stacks, "prod")
    assert [(fact.label, fact.value) for fact in found.facts] == [
        ("Chapters as expected", "2 of 2"),
        ("Executions of the pipeline", "1"),
        ("prod: Root stack", "CREATE_COMPLETE"),
    ]
    assert found.chapters[0].commands == (Typed("git push", who="devops"),)
    assert [(timings.title, len(timings.spans)) for timings in found.timings] == [
        ("Chapters", 2),
        (f"{ATTACK} (0123456)", 2),
    ]
    assert [(span.start, span.seconds) for span in found.timings[0].spans] == [(0.0, 4.0), (4.0, 4.0)]


def test_a_failed_command_is_shown_with_its_own_words(pipeline: Pipeline) -> None:
    """Not only that there was an exit status."""
    log = "\n".join(
        [
            "[Container] Entering phase BUILD",
            '[Container] Running command python -m amplify_delivery step "$ENVIRONMENT" "$STEP_NAME"',
            "curl: (22) The requested URL returned error: 503",
            "",
            "debug: 19:56:02 amplify_delivery.publishing.calls: s3 GetObject us-east-1: 200 in 12 ms, request 354ed0b6",
            "error: step TestService of preprod: failed: exit code 22",
            "[Container] Phase complete: BUILD State: FAILED",
        ]
    )
    failed = execution(pipeline, Source="Succeeded", Build="Failed")
    service = SimpleNamespace(log=lambda _: log)
    told = ExecutionTold.of(failed, PipelineSeen("app", service, None).words)  # type: ignore[arg-type]
    assert [action.words for action in told.actions] == [
        (),
        (
            "curl: (22) The requested URL returned error: 503",
            "error: step TestService of preprod: failed: exit code 22",
        ),
    ]
    text = page(Story([ChapterTold("A chapter", "", executions=[told])]))
    assert "Build\ncurl: (22) The requested URL returned error: 503\nerror: step" in text


def test_a_call_is_told_as_the_aws_cli_makes_it() -> None:
    parameters = {"pipelineName": "app", "result": {"status": "Rejected", "summary": "not before the holidays"}}
    assert aws_command("codepipeline", "put_approval_result", parameters) == (
        """aws codepipeline put-approval-result --pipeline-name app --result """
        """'status=Rejected,summary='"'"'not before the holidays'"'"''"""
    )
    assert aws_command("lambda", "put_function_concurrency", {"ReservedConcurrentExecutions": 0}) == (
        "aws lambda put-function-concurrency --reserved-concurrent-executions 0"
    )


def test_what_people_do_between_the_chapters_commands_is_told_too() -> None:
    """Pushes, approvals, retries: all of chapters 3 to 5."""
    told: list[tuple[str, str]] = []
    asked: list[str] = []

    class Client:
        def __getattr__(self, operation: str) -> Any:
            return lambda **_: asked.append(operation)

    local_aws = SimpleNamespace(client=lambda *_: Client())
    everybody = [
        Person(name, "1", "r", None, local_aws, Path(), {}, lambda who, what: told.append((who.name, what)), print)  # type: ignore[arg-type]
        for name in ("developer", "devops")
    ]

    def push(message: str) -> str:
        asked.append(f"push {message}")
        return "commit"

    branch: Any = SimpleNamespace(branch="main")
    repository = SimpleNamespace(push=push, pushing=lambda message: Repository.pushing(branch, message))
    setting = SimpleNamespace(developer=everybody[0], devops=everybody[1], repository=repository, service=None)
    setting.names = SimpleNamespace(pipeline="app")
    play = Play(setting, print, print, print)  # type: ignore[arg-type]
    assert play.push("A field added") == "commit"
    play.pipeline.retry(SimpleNamespace(id="1"), "PreProd")  # type: ignore[arg-type]
    assert [command for who, command in told if who == "developer"] == [
        "git add --all",
        "git commit --message 'A field added'",
        "git push origin main",
    ]
    assert [command for who, command in told if who == "devops"] == [
        "aws codepipeline retry-stage-execution --pipeline-name app --stage-name PreProd --pipeline-execution-id 1 "
        "--retry-mode FAILED_ACTIONS"
    ]
    assert asked == ["push A field added", "retry_stage_execution"]


def test_every_state_on_the_page_has_a_sign_and_a_word(pipeline: Pipeline) -> None:
    """Whoever does not see colours reads the same."""
    for status, tone in TONES.items():
        found = execution(pipeline, Source=status)
        found.status = status
        text = page(Story([ChapterTold("A chapter", "", executions=[ExecutionTold.of(found, lambda _: ())])]))
        assert f'<span class="{tone}"><span aria-hidden="true">{SIGNS[tone]}</span> {status}</span>' in text
        assert f'<li class="{tone}"><span class="stage">Source</span>' in text
        assert f'aria-hidden="true">{SIGNS[tone]}</span><span>Source<span class="hidden-text">: {status}</span>' in text


def test_a_story_is_well_only_if_every_chapter_was_as_told() -> None:
    told = [ChapterTold(chapter.title, chapter.text, "as expected") for chapter in CHAPTERS]
    assert Story(told).well
    assert not Story(told, problem="something").well
    told[-1].outcome = "not reached"
    assert not Story(told).well
    assert json.loads(json.dumps(Story(told).document()))["well"] is False


def test_what_is_not_so_ends_the_story() -> None:
    facts: list[str] = []
    play = Play(None, facts.append, None, None)  # type: ignore[arg-type]
    play.true(True, "one and one are two")
    with pytest.raises(DeployError, match="this is not so: one is two\nit is one"):
        play.true(False, "one is two", "it is one")
    assert facts == ["one and one are two"]


class Beside:
    """A story of two chapters and one that begins with the first and ends in the second."""

    def __init__(self, fails: str = "") -> None:
        self.out, self.goes_on, self.fails = io.StringIO(), threading.Event(), fails
        self.teller = Teller(Console(file=self.out, width=200), pause=False)
        developer = Person("developer", "1", "r", None, None, Path(), {}, self.teller.command, print)  # type: ignore[arg-type]
        names, service = SimpleNamespace(pipeline="app"), SimpleNamespace(executions=lambda _: [])
        setting = Setting(Path(), None, service, None, developer, {}, names, developer)  # type: ignore[arg-type]
        self.play = Play(setting, self.teller.fact, None, None)  # type: ignore[arg-type]
        self.ended = False

    def first(self, play: Play) -> None:
        play.setting.developer.told(play.setting.developer, "begin")
        play.true(self.fails != "first", "the first is so")

    def second(self, play: Play) -> None:
        self.goes_on.set()
        play.fact("the second is so")

    def beside(self, play: Play) -> None:
        developer = play.setting.developer
        developer.told(developer, "meanwhile")
        self.goes_on.wait(300)
        try:
            developer.told(developer, "afterwards")
        finally:
            self.ended = True
        play.true(self.fails != "beside", "both are so")

    def tell(self) -> None:
        chapters = [
            Chapter("One", "", self.first),
            Chapter("Two", "", self.second),
            Chapter("Three", "", self.beside, beside="One"),
        ]
        self.teller.begin(chapters)
        self.teller.tell(chapters, self.play)

    @property
    def shown(self) -> list[str]:
        return [line.strip() for line in self.out.getvalue().splitlines() if line.strip()]


def test_a_chapter_beside_others_is_told_at_its_turn() -> None:
    story = Beside()
    story.tell()
    assert story.shown == [
        "1/3  One", "developer$ begin", "✔ the first is so", "2/3  Two", "✔ the second is so",
        "3/3  Three", "developer$ meanwhile", "developer$ afterwards", "✔ both are so",
    ]  # fmt: skip
    assert story.teller.story.well
    one, _, three = story.teller.story.chapters
    assert three.commands == [("developer", "meanwhile"), ("developer", "afterwards")]
    assert three.started <= one.started


def test_what_is_not_so_in_a_chapter_beside_others_ends_the_story_at_its_turn() -> None:
    story = Beside(fails="beside")
    with pytest.raises(FailedError, match="this is not so: both are so"):
        story.tell()
    assert [chapter.outcome for chapter in story.teller.story.chapters] == ["as expected", "as expected", "otherwise"]


@pytest.fixture
def begun_again() -> Iterator[None]:
    """What a story has told to end, it has told for good: commands of this process' later tests run again."""
    yield
    commands.begin()


@pytest.mark.usefixtures("begun_again")
def test_a_story_that_ends_early_ends_what_is_played_beside_it() -> None:
    story = Beside(fails="first")
    threading.Timer(0.2, story.goes_on.set).start()  # as its command ends when it is told to
    with pytest.raises(FailedError, match="this is not so: the first is so"):
        story.tell()
    assert story.ended
    assert "afterwards" not in story.out.getvalue()
    assert [chapter.outcome for chapter in story.teller.story.chapters] == ["otherwise", "not reached", "not reached"]


@pytest.mark.parametrize(("answers", "status"), [(["what", "y"], "Approved"), (["no"], "Rejected")])
def test_a_person_answers_with_pause(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: list[str], status: str
) -> None:
    """On a terminal, after the plan was shown; a rejection ends the story."""
    log = tmp_path / "plan.log"
    log.write_text("[Container] Phase is build\nprod: 3 changes\n")

    class Answered:
        def __init__(self) -> None:
            self.given: list[str] = []

        def answer(self, _: Execution, status: str, summary: str) -> None:
            self.given.append(status)

        def plans(self, _: Execution) -> list[Path]:
            return [log]

        def leave(self, execution: Execution) -> Execution:
            return execution

    teller = Teller(Console(file=(said := io.StringIO())), pause=True)
    waiting = execution(pipeline, Source="Succeeded", Build="Succeeded", Approve="InProgress")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(teller.console, "input", lambda _: answers.pop(0))
    asked = Answered()
    if status == "Approved":
        teller.decide(asked, waiting)  # type: ignore[arg-type]
    else:
        with pytest.raises(DeployError, match="Prod is as it was"):
            teller.decide(asked, waiting)  # type: ignore[arg-type]
    assert asked.given == [status]
    assert said.getvalue().splitlines()[1:2] == ["    prod: 3 changes"]


def test_a_front_end_that_lacks_what_it_wrote_ends_the_story(
    developer: LocalAccount, assembly_of: Callable[[str], Assembly]
) -> None:
    """Against the local AWS, as the chapters do it after each delivery."""
    in_a_month = int(time.time()) + 30 * 24 * 60 * 60
    url, name = deployable(developer, assembly_of("todo-series/v1"), EnvironmentValues("shown", in_a_month))
    assert developer.create(url, name)["StackStatus"] == "CREATE_COMPLETE", developer.reasons(name)
    endpoint = developer.client("appsync").list_graphql_apis()["graphqlApis"][0]["uris"]["GRAPHQL"]
    facts: list[str] = []
    owner = SimpleNamespace(client=lambda service, _region: developer.client(service))
    play = Play(SimpleNamespace(owners={"preprod": owner}), facts.append, None, None)  # type: ignore[arg-type]
    play.names = lambda _: SimpleNamespace(region=developer.region)  # type: ignore[assignment, method-assign, return-value]
    front_end.writes(play, "preprod", endpoint, "milk")
    front_end.finds(play, "preprod", endpoint, "milk")
    assert facts == [
        "preprod: a front end writes 'milk', and lists it",
        "preprod: 'milk', written before this release, is still listed",
    ]
    with pytest.raises(FailedError, match="'bread', written before this release, is still listed"):
        front_end.finds(play, "preprod", endpoint, "bread")
