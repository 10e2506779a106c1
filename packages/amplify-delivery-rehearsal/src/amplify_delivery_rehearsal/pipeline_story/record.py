"""What happened, as data: for the table at the end, `--json`, and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from amplify_delivery.delivery.reporting.page.report_model import Report
from amplify_delivery_rehearsal.pipeline_story.pipeline import commit_of
from aws_rehearsal.pipeline_service.state import FAILED, IN_PROGRESS, ActionRun, Execution

Words = Callable[[ActionRun], Sequence[str]]
"""What the commands of an action have said themselves."""


@dataclass(frozen=True)
class ActionTold:
    """One run of an action; `seconds` is None while it runs. `started` is seconds after its execution."""

    stage: str
    name: str
    status: str
    seconds: float | None
    detail: str
    words: tuple[str, ...] = ()
    """Of one that has failed the last lines of its commands' own output."""
    started: float = 0.0

    @classmethod
    def of(cls, run: ActionRun, words: Words, began: float) -> ActionTold:
        seconds = None if run.status == IN_PROGRESS else round(run.updated - run.started, 2)
        detail = run.error[1] if run.error else run.summary or ""
        said = tuple(words(run)) if run.status == FAILED else ()
        return cls(run.stage, run.action.name, run.status, seconds, detail, said, round(run.started - began, 2))


@dataclass(frozen=True)
class ExecutionTold:
    """An execution: every stage of its pipeline, and every run of an action in it."""

    id: str
    trigger: str
    status: str
    commit: str
    message: str
    seconds: float
    stages: list[dict[str, str]]
    actions: list[ActionTold]

    @classmethod
    def of(cls, execution: Execution, words: Words) -> ExecutionTold:
        source = execution.outputs.get("source", {})
        return cls(
            id=execution.id,
            trigger=execution.trigger[0],
            status=execution.status,
            commit=(commit_of(execution) or "")[:7],
            message=source.get("CommitMessage", "").partition("\n")[0],
            seconds=round(execution.updated - execution.started, 1),
            stages=[
                {"name": s.name, "status": execution.stages[s.name].status if s.name in execution.stages else ""}
                for s in execution.pipeline.stages
            ],
            actions=[ActionTold.of(run, words, execution.started) for run in execution.history],
        )


@dataclass
class ChapterTold:
    """A chapter: what was typed, what the pipeline did, and what was found to be so. `started` is seconds after the
    story; one may be played beside others."""

    title: str
    text: str
    outcome: str = "not reached"
    seconds: float = 0.0
    commands: list[tuple[str, str]] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    executions: list[ExecutionTold] = field(default_factory=list)
    started: float = 0.0


@dataclass(frozen=True)
class Subject:
    """What a story is about, in words for its page: its name, what was played of it, and what its runs are called."""

    name: str = "the pipeline"
    played: str = "declared pipeline"
    runs: str = "Executions of the pipeline"


@dataclass
class Story:
    """All of it. `problem` is what ended it early, `environment` a report of one as it stood in the end."""

    chapters: list[ChapterTold]
    seconds: float = 0.0
    problem: str = ""
    environment: Report | None = None
    of: Subject = Subject()

    @property
    def well(self) -> bool:
        return not self.problem and all(chapter.outcome == "as expected" for chapter in self.chapters)

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {"well": self.well, **asdict(self)}
