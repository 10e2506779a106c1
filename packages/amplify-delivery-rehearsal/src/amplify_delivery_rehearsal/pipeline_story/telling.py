"""Tells the story: plays its chapters, shows what happens while it does, and writes all of it down."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rich.console import Console as RichConsole
from rich.markup import escape
from rich.table import Table

from amplify_delivery.errors import FailedError
from amplify_delivery.export import DeliveryError
from amplify_delivery.stacks.config import Project
from amplify_delivery_rehearsal.commands import typed_by_a_person
from amplify_delivery_rehearsal.example import is_example
from amplify_delivery_rehearsal.made_up import said
from amplify_delivery_rehearsal.pipeline_story import own
from amplify_delivery_rehearsal.pipeline_story.beside import Beside
from amplify_delivery_rehearsal.pipeline_story.board import Board
from amplify_delivery_rehearsal.pipeline_story.chapters import CHAPTERS, Chapter
from amplify_delivery_rehearsal.pipeline_story.page import write_page
from amplify_delivery_rehearsal.pipeline_story.people import Person
from amplify_delivery_rehearsal.pipeline_story.pipeline import Pipeline, own_words, waiting_approval
from amplify_delivery_rehearsal.pipeline_story.play import Delivering, Play
from amplify_delivery_rehearsal.pipeline_story.record import ChapterTold, Story
from amplify_delivery_rehearsal.pipeline_story.setting import PIPELINE, Place, Setting, setting
from amplify_delivery_rehearsal.workspace import LOOKED_AT
from aws_rehearsal.pipeline_service.state import Execution
from aws_rehearsal.setup import ensure_all
from aws_rehearsal.setup.progress import Progress

PAGE = Path("build", "rehearsal.html")
"""Where the page is written by default, in the project."""
_PLAN = 60
"""Lines of a plan that are shown to whoever is asked."""


def run(
    folder: Path,
    *,
    stack: str | None = None,
    secrets: Mapping[tuple[str, str], str] | None = None,
    keep: bool = False,
    json_output: bool = False,
    pause: bool = False,
    page: Path | None = None,
) -> int:
    """Tell the story of the project in `folder`: the example's, or that of a team's own pipeline `stack`. 0 when all of
    it was so, 1 otherwise.

    `secrets` are values for what the project's stack files encrypt. With `pause` a person answers the approvals. The
    page is written in any case. With `keep` all of it goes on until this process is interrupted.
    """
    project = own.project_of(folder)
    stack = stack or (PIPELINE if is_example(folder) else own.pipeline_stack(project))
    if not is_example(folder):
        own.check(project, stack)
    console = RichConsole(file=sys.stderr if json_output else sys.stdout, highlight=False, soft_wrap=True)
    given = secrets or {}
    if not is_example(folder):
        given = with_made_up(console, project, project.pipeline(stack).environments, given)
    tools = ensure_all(Progress(sys.stderr))
    started = time.monotonic()
    teller = Teller(console, pause=pause)
    with setting(project, stack, tools, teller.command, teller.line) as found:
        if is_example(folder):
            chapters: Sequence[Chapter] = CHAPTERS
        else:
            taken = own.with_given(own.without_secrets(found.project), given, tuple(found.owners))
            chapters = own.story(stack, taken, given)
        teller.begin(chapters)
        console.print(f"[dim]local AWS at {found.aws.endpoint}, identities enforced[/dim]")
        found.service.on_event(teller.board)
        play = Play(found, teller.fact, teller.decide, teller.board.watching)
        with teller.writing(play, started, page or folder / PAGE, json_output=json_output):
            teller.tell(chapters, play)
        if keep:
            _explain_keep(console, found)
            _wait()
    return 0 if teller.story.well else 1


def with_made_up(
    console: RichConsole, project: Project, environments: Collection[str], given: own.MadeUp
) -> own.MadeUp:
    """What is `given`, and whatever else the environments need, which is told. Raises as `own.made_up` does."""
    made = own.made_up(project, environments, given)
    if made:
        console.print(f"[dim]{escape(said(made))}[/dim]")
    return {**made, **given}


class Titled(Protocol):
    """A chapter of any story."""

    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...


class Teller:
    """Shows what happens, and keeps it for the page."""

    def __init__(self, console: RichConsole, *, pause: bool) -> None:
        self.console, self.pause = console, pause
        self.board = Board(console)
        self.story = Story([])
        self._now = ChapterTold("", "")
        self._began = time.monotonic()

    def begin(self, chapters: Sequence[Titled]) -> None:
        """What is going to be told."""
        self._began = time.monotonic()
        self.story.chapters[:] = [ChapterTold(chapter.title, chapter.text) for chapter in chapters]

    def tell(self, chapters: Sequence[Chapter], play: Play) -> None:
        """Play the chapters and tell them one after the other; those beside others begin with these."""
        beside: dict[int, Beside] = {}
        try:
            for number, chapter in enumerate(chapters):
                self.console.print(f"\n[bold]{number + 1}/{len(chapters)}  {escape(chapter.title)}[/bold]")
                beside |= {n: Beside(c.play, play) for n, c in enumerate(chapters) if c.beside == chapter.title}
                played = beside.get(number)
                with self.chapter(number, play, played):
                    if played:
                        played.hear_out(self.command, self.fact)
                    else:
                        chapter.play(play)
        finally:
            for each in beside.values():
                each.give_up()

    @contextmanager
    def chapter(self, number: int, play: Delivering, beside: Beside | None = None) -> Iterator[None]:
        """What happens in the block is told in this chapter; `beside` has played it in its own time."""
        self._now = self.story.chapters[number]
        started = beside.started if beside else time.monotonic()
        self._now.started = round(started - self._began, 1)
        known = play.progress()
        try:
            yield
            self._now.outcome = "as expected"
        except BaseException:
            self._now.outcome = "otherwise"
            raise
        finally:
            self._now.seconds = round(beside.seconds if beside else time.monotonic() - started, 1)
            self._now.executions = play.told(known)

    @contextmanager
    def writing(self, play: Delivering, started: float, page: Path, *, json_output: bool) -> Iterator[None]:
        """Write down what is told in the block, also where a `DeliveryError` ends it; `started` by `time.monotonic`."""
        try:
            yield
        except DeliveryError as error:
            self.story.problem = str(error)
            self.console.print(f"[red]{escape(str(error))}[/red]")
        self.story.environment = play.report
        self.story.seconds = round(time.monotonic() - started, 1)
        self.summary(write_page(self.story, page))
        if json_output:
            print(json.dumps(self.story.document(), indent=1), flush=True)

    def command(self, person: Person, command: str) -> None:
        """Somebody types a command."""
        self._now.commands.append((person.name, command))
        self.console.print(f"  [cyan]{escape(person.name)}$ {escape(command)}[/cyan]")

    def line(self, text: str) -> None:
        """A line of a command's output: shown while it runs only if it is no progress of the engine's."""

    def fact(self, sentence: str) -> None:
        """Something was found to be true."""
        self._now.facts.append(sentence)
        self.console.print(f"  [green]✔[/green] {escape(sentence)}")

    def decide(self, pipeline: Pipeline, execution: Execution) -> None:
        """Approve; with `pause` a person does, here or with any tool."""
        run = waiting_approval(execution)
        shown = run.configuration.get("CustomData", "") if run else ""
        self.console.print(f"  [yellow]?[/yellow] {escape(shown)}")
        if not self.pause:
            pipeline.answer(execution, "Approved", "rehearsed")
        elif sys.stdin.isatty():
            for plan in pipeline.plans(execution):
                self.show_plan(plan)
            self._ask(pipeline, execution)
        else:
            self.console.print("  waiting for PutApprovalResult")

    def show_plan(self, log: Path) -> None:
        """What the build of a plan has said: on AWS a reviewer reads it there, and here its log ends with the
        rehearsal."""
        lines = own_words(log.read_text(encoding="utf-8"))
        for line in lines[:_PLAN]:
            self.console.print(f"    [dim]{escape(line)}[/dim]")
        if len(lines) > _PLAN:
            self.console.print(f"    and {len(lines) - _PLAN} lines more, in {escape(str(log))}")

    def _ask(self, pipeline: Pipeline, execution: Execution) -> None:
        while True:
            answer = self.console.input("  Approve? [y/n] ").strip().lower()
            if answer in ("y", "yes"):
                pipeline.answer(execution, "Approved", "approved in the rehearsal")
                return
            if answer in ("n", "no"):
                pipeline.answer(execution, "Rejected", "rejected in the rehearsal")
                pipeline.leave(execution)
                raise FailedError("you have rejected it: the story ends here, and Prod is as it was", where="approval")

    def summary(self, page: Path) -> None:
        """One screen of what happened."""
        table = Table(box=None, pad_edge=False)
        for column in ("chapter", "outcome", "seconds", "executions"):
            table.add_column(column, justify="right" if column == "seconds" else "left")
        for chapter in self.story.chapters:
            statuses = ", ".join(e.status for e in chapter.executions)
            table.add_row(escape(chapter.title), chapter.outcome, f"{chapter.seconds:.1f}", statuses)
        self.console.print()
        self.console.print(table)
        verdict = "done in" if self.story.well else "failed after"
        self.console.print(f"\nRehearsal {verdict} {self.story.seconds:.1f} s. All of it on one page: {page}")


def _explain_keep(console: RichConsole, found: Setting) -> None:
    devops = found.devops.logged_in(found.names.state_backend)  # where `setup` has led her, for `pulumi up -s pipeline`
    explain_people(console, found, (found.developer, devops, *found.owners.values()))
    console.print(f"  cd {escape(shlex.quote(str(found.repository.clone)))}")
    console.print("Pushes run the pipeline, as before: it goes on with this command. Ctrl-C ends all of it.")


def explain_people(console: RichConsole, found: Place, people: Sequence[Person], without: Sequence[str] = ()) -> None:
    """How to get a shell of each person's own; `without` is what another file may have given it."""
    console.print(f"\nThe local AWS goes on at {found.aws.endpoint} (process {found.aws.pid}). To look into it:")
    wanted = ("AWS_", "PULUMI_", "PATH")
    for each in people:
        variables = {name: value for name, value in each.variables.items() if name.startswith(wanted)}
        variables["PATH"] = typed_by_a_person(variables["PATH"])
        variables[LOOKED_AT] = str(found.repository.clone)
        file = shell_file(found.folder / f"{each.name.replace(' ', '-')}.sh", variables, without)
        console.print(sourced(file, each.name))


def sourced(file: Path, what: str) -> str:
    """The line of a shell that reads such a file, for the console."""
    return f"  . {escape(shlex.quote(str(file)))}   [dim]# {escape(what)}[/dim]"


def shell_file(file: Path, variables: Mapping[str, str], without: Sequence[str] = ()) -> Path:
    """A file that gives a shell these variables, and takes those `without` away; its user's alone."""
    lines = [f"unset {' '.join(without)}"] if without else []
    lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _wait() -> None:
    """Until somebody interrupts."""
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
