"""The live board: the pipeline's newest executions, stage by stage, while they run.

On a terminal it is redrawn in place; piped, each action that ends is one line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from amplify_delivery_rehearsal.pipeline_story.pipeline import Pipeline, commit_of
from aws_rehearsal.pipeline_service import Event
from aws_rehearsal.pipeline_service.state import ActionRun, Execution

SIGNS = {
    "InProgress": "[cyan]●[/cyan]",
    "Succeeded": "[green]✔[/green]",
    "Failed": "[red]✘[/red]",
    "Skipped": "[dim]↷[/dim]",
    "Cancelled": "[yellow]■[/yellow]",
    "Stopped": "[yellow]■[/yellow]",
    "Abandoned": "[yellow]■[/yellow]",
}
_SHOWN = 2
"""Executions at the same time on the board."""


class Board:
    """What the pipeline does, told as it happens; `watching` shows it."""

    def __init__(self, console: RichConsole) -> None:
        self._console = console
        self._lines = True

    def __call__(self, event: Event) -> None:
        """An event of the service: without a terminal, each end of an action is a line."""
        if self._lines and event.kind == "action" and event.status != "InProgress":
            sign = SIGNS.get(event.status, "")
            detail = event.detail.partition("\n")[0] if event.status == "Failed" else ""
            self._console.print(
                f"  {sign} {escape(event.stage)} / {escape(event.action)}: {event.status} [dim]{escape(detail)}[/dim]"
            )

    @contextmanager
    def watching(self, pipeline: Pipeline) -> Iterator[None]:
        """Show the pipeline until the block ends."""
        if not self._console.is_terminal:
            yield
            return
        self._lines = False
        live = Live(
            console=self._console,
            get_renderable=lambda: drawn(pipeline.executions[-_SHOWN:], time.time()),
            refresh_per_second=8,
            vertical_overflow="visible",
        )
        try:
            with live:
                yield
        finally:
            self._lines = True


def drawn(executions: list[Execution], now: float) -> RenderableType:
    """The executions as they stand, the newest last."""
    shown = [e for e in executions if e.running] or executions[-1:]
    return Group(*(part for execution in shown for part in (_title(execution), _stages(execution, now))))


def _title(execution: Execution) -> str:
    source = execution.outputs.get("source", {})
    what = f"{(commit_of(execution) or '')[:7]} {source.get('CommitMessage', '').partition(chr(10))[0]}".strip()
    return f"[bold]{escape(what or 'waiting for its source')}[/bold]  {execution.status}"


def _stages(execution: Execution, now: float) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(min_width=16)
    table.add_column()
    for stage in execution.pipeline.stages:
        run = execution.stages.get(stage.name)
        if run is None:
            table.add_row(f"[dim]  {escape(stage.name)}[/dim]", "")
            continue
        actions = "   ".join(_action(action, now) for action in list(run.actions.values()))
        table.add_row(f"{SIGNS.get(run.status, ' ')} {escape(stage.name)}", actions)
    return table


def _action(run: ActionRun, now: float) -> str:
    seconds = (now if run.status == "InProgress" else run.updated) - run.started
    waits = " waits for a person" if run.token else ""
    return f"{SIGNS.get(run.status, ' ')} {escape(run.action.name)} [dim]{seconds:.1f} s{waits}[/dim]"
