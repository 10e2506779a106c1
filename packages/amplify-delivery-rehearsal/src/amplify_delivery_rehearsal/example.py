"""Where the example project stands: the root of this repository, or made again where only wheels are installed."""

from __future__ import annotations

import sys
from pathlib import Path

from amplify_delivery.delivery.scaffold import templates

CHECKOUT = Path(__file__).resolve().parents[4]
SERIES = CHECKOUT / "packages" / "amplify-delivery" / "tests" / "exports" / "todo-series"
"""The versions of the example's backend, as its front-end developer exported them."""


def program(folder: Path, app: str) -> Path:
    """A project with the example's program: the checkout's; else one that is made in `folder` as `init` makes it, for
    the app `app`, with what is installed as its virtualenv."""
    if (CHECKOUT / "Pulumi.yaml").is_file():
        return CHECKOUT
    made = folder / "example"
    for path, text in templates.of_project(app).items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_text(text, encoding="utf-8")
    (made / ".venv").symlink_to(sys.prefix)
    return made


def is_example(project: Path) -> bool:
    """Whether a project's folder is the example's, whose story is told with exports and failures of its own."""
    return project.resolve() == CHECKOUT and SERIES.is_dir()
