"""The story as one HTML page that needs nothing else: no script, no other file, no network."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from amplify_delivery_rehearsal.pipeline_story.record import ActionTold, ExecutionTold, Story

SIGNS = {
    "Succeeded": "✔",
    "Failed": "✘",
    "InProgress": "●",
    "Skipped": "↷",
    "Cancelled": "■",
    "Stopped": "■",
    "Abandoned": "■",
    "as told": "✔",
    "otherwise": "✘",
}
"""How something stands, for whoever does not see its colour."""


def write_page(story: Story, path: Path) -> Path:
    """Write the page, in the place of an older one; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rendered(story), encoding="utf-8")
    return path


def rendered(story: Story) -> str:
    """The page's text. Everything that is shown is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.jinja")
    return template.render(story=story, rows=rows, signs=SIGNS)


def rows(execution: ExecutionTold) -> list[tuple[str, str, list[ActionTold]]]:
    """Of an execution each stage, how it stands, and the runs of its actions."""
    return [
        (stage["name"], stage["status"], [a for a in execution.actions if a.stage == stage["name"]])
        for stage in execution.stages
    ]
