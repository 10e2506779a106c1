"""The story of the pipeline, apart from its chapters, which `make rehearse` plays: what is shown and written of it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from amplify_delivery.errors import DeployError
from amplify_delivery_rehearsal.pipeline_story.board import Board, drawn
from amplify_delivery_rehearsal.pipeline_story.chapters import CHAPTERS
from amplify_delivery_rehearsal.pipeline_story.page import SIGNS, rendered
from amplify_delivery_rehearsal.pipeline_story.people import Person, aws_command
from amplify_delivery_rehearsal.pipeline_story.pipeline import Pipeline as PipelineSeen
from amplify_delivery_rehearsal.pipeline_story.pipeline import waiting_approval
from amplify_delivery_rehearsal.pipeline_story.play import Play
from amplify_delivery_rehearsal.pipeline_story.record import ChapterTold, ExecutionTold, Story
from amplify_delivery_rehearsal.pipeline_story.telling import Teller
from aws_rehearsal.pipeline_service.definitions import Pipeline, read_pipeline
from aws_rehearsal.pipeline_service.state import ActionRun, Execution, StageRun

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


def test_the_page_holds_everything_and_nothing_of_it_is_markup(pipeline: Pipeline) -> None:
    chapter = ChapterTold("A chapter", "About <it>", "otherwise", 4.0, [("devops", "echo '<b>'")], ["a & b"])
    chapter.executions = [ExecutionTold.of(execution(pipeline, Source="Succeeded", Build="Failed"), lambda _: ())]
    page = rendered(Story([chapter], 5.0, "it <failed>"))
    for text in ("About &lt;it&gt;", "devops$ echo &#39;&lt;b&gt;&#39;", "a &amp; b", "it &lt;failed&gt;"):
        assert text in page
    assert "&lt;script&gt;alert(" in page
    assert "<script" not in page
    assert "exit status 1 &amp; more" in page
    assert "Not as told" in page
    assert page.count("not reached") == 1  # Approve
    assert "src=" not in page and "href=" not in page


def test_a_failed_command_is_shown_with_its_own_words(pipeline: Pipeline) -> None:
    """Not only that there was an exit status."""
    log = "\n".join(
        [
            "[Container] Entering phase BUILD",
            '[Container] Running command python -m amplify_delivery step "$ENVIRONMENT" "$STEP_NAME"',
            "curl: (22) The requested URL returned error: 503",
            "",
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
    page = rendered(Story([ChapterTold("A chapter", "", executions=[told])]))
    assert "<pre>curl: (22) The requested URL returned error: 503\nerror: step" in page


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

    repository = SimpleNamespace(push=push)
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
    for status, sign in SIGNS.items():
        if not status.istitle() and status != "InProgress":
            continue
        found = execution(pipeline, Source=status)
        found.status = status
        page = rendered(Story([ChapterTold("A chapter", "", executions=[ExecutionTold.of(found, lambda _: ())])]))
        assert f'<span class="{status}">{sign} {status}</span>' in page
        assert f'<th class="{status}">{sign} Source</th>' in page
        assert re.search(rf'<span class="{status}">{sign} Source</span>\s*<span class="muted">{status}', page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_the_page_can_be_read(scheme: str) -> None:
    """Contrast as WCAG 2.2 counts it, of text on the page's own ground: 4.5 at least."""
    page = rendered(Story([]))
    light, dark = (dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", part)) for part in page.split("@media", 1))
    colours = light if scheme == "light" else {**light, **dark}
    ground = colours.pop("ground")
    assert set(colours) == {"text", "muted", "good", "bad", "warn"}
    assert set(dark) == {*colours, "ground"}
    for name, colour in colours.items():
        assert contrast(colour, ground) >= 4.5, name
    style = page.split("<style>")[1].split("</style>")[0]
    assert "opacity" not in style
    assert "background: var(--ground); color: var(--text)" in style


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2, "contrast ratio" and "relative luminance")."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_a_story_is_well_only_if_every_chapter_was_as_told() -> None:
    told = [ChapterTold(chapter.title, chapter.text, "as told") for chapter in CHAPTERS]
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


@pytest.mark.parametrize(("answers", "status"), [(["what", "y"], "Approved"), (["no"], "Rejected")])
def test_a_person_answers_with_pause(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, answers: list[str], status: str
) -> None:
    """On a terminal; a rejection ends the story."""

    class Answered:
        def __init__(self) -> None:
            self.given: list[str] = []

        def answer(self, _: Execution, status: str, summary: str) -> None:
            self.given.append(status)

        def leave(self, execution: Execution) -> Execution:
            return execution

    teller = Teller(Console(file=io.StringIO()), pause=True)
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
