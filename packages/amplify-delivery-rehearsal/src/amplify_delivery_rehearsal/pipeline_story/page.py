"""The story as a page of the product's own kind: a board of what was typed and what the pipeline did, what an
environment was like in the end, and all of it as data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from amplify_delivery.delivery.reporting.page.rendering import TONES, written
from amplify_delivery.delivery.reporting.page.report_model import (
    Action,
    Chapter,
    Execution,
    Fact,
    Report,
    Span,
    Stage,
    Timings,
    Tone,
    Typed,
)
from amplify_delivery_rehearsal.pipeline_story.record import ChapterTold, ExecutionTold, Story

_OUTCOMES: dict[str, Tone] = {"as expected": "good", "otherwise": "bad"}


def write_page(story: Story, path: Path) -> Path:
    """Write the page, in the place of an older one; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written(told(story), path)
    return path


def told(story: Story) -> Report:
    """The story as a report; with the one of an environment, if it got so far."""
    found = story.environment or Report("", "", datetime.now(UTC).isoformat(timespec="seconds"), "")
    reached = [chapter for chapter in story.chapters if chapter.seconds]
    return replace(
        found,
        title=f"Rehearsal of {story.of.name}",
        lead=f"{'As' if story.well else 'Not as'} expected, in {story.seconds} s. Real engine, {story.of.played}, a "
        "local AWS with identities enforced; what only AWS can show is in docs/rehearsal.md.",
        version=metadata.version("amplify-delivery"),
        problem=story.problem,
        facts=(
            _chapters(story),
            _executions(story),
            *(replace(fact, label=f"{found.environment}: {fact.label}") for fact in found.facts),
        ),
        commands=(),
        chapters=tuple(map(_chapter, story.chapters)),
        timings=(*_timings(reached), *found.timings),
    )


def _chapters(story: Story) -> Fact:
    well = sum(chapter.outcome == "as expected" for chapter in story.chapters)
    return Fact("Chapters as expected", f"{well} of {len(story.chapters)}", "good" if story.well else "bad", "board")


def _executions(story: Story) -> Fact:
    number = len({execution.id for chapter in story.chapters for execution in chapter.executions})
    return Fact(story.of.runs, str(number), section="board")


def _chapter(chapter: ChapterTold) -> Chapter:
    return Chapter(
        title=chapter.title,
        text=chapter.text,
        outcome=chapter.outcome,
        tone=_OUTCOMES.get(chapter.outcome, ""),
        seconds=chapter.seconds,
        commands=tuple(Typed(command, who=who) for who, command in chapter.commands),
        facts=tuple(chapter.facts),
        executions=tuple(map(_execution, chapter.executions)),
    )


def _execution(execution: ExecutionTold) -> Execution:
    return Execution(
        title=execution.message,
        commit=execution.commit,
        status=execution.status,
        trigger=execution.trigger,
        seconds=execution.seconds,
        stages=tuple(
            Stage(
                stage["name"],
                stage["status"],
                tuple(
                    Action(run.name, run.status, run.seconds, run.detail, run.words)
                    for run in execution.actions
                    if run.stage == stage["name"]
                ),
            )
            for stage in execution.stages
        ),
    )


def _timings(chapters: list[ChapterTold]) -> list[Timings]:
    """The chapters, then each execution that ran through a stage and more."""
    spans = tuple(
        Span(chapter.title, chapter.started, chapter.seconds, chapter.outcome, _OUTCOMES.get(chapter.outcome, ""))
        for chapter in chapters
    )
    end = max((span.start + span.seconds for span in spans), default=0.0)
    whole = [Timings("Chapters", round(end, 1), spans)] if spans else []
    # One that goes on in a later chapter is told there once more, with all that it did.
    executions = {execution.id: execution for chapter in chapters for execution in chapter.executions}
    return [*whole, *(_actions(execution) for execution in executions.values() if len(execution.actions) > 2)]


def _actions(execution: ExecutionTold) -> Timings:
    spans = tuple(
        Span(f"{run.stage} / {run.name}", run.started, run.seconds, run.status, TONES.get(run.status, ""))
        for run in execution.actions
        if run.seconds is not None
    )
    return Timings(f"{execution.message or 'No source yet'} ({execution.commit})", execution.seconds, spans)
