"""What docs/front-end.md and docs/ci.md have a reader type while a rehearsal goes on, and the shell for it."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from functional.front_end import web_page
from unit.places import REPOSITORY

SERVE = "python3 -m http.server --bind 127.0.0.1 --directory web 8000 &"
"""The last line where the page is served: for a test `web_page` does that, on a port of its own."""


def _blocks(page: str, begins: str, ends: str) -> list[str]:
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    section = text.partition(begins)[2].partition(ends)[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def _served(block: str) -> str:
    assert block.splitlines()[-1] == SERVE
    return block.replace(SERVE, "")


def of_an_export() -> tuple[str, str]:
    """Of one that is rehearsed with `--keep`: before the page is opened, and what writes an item into its API."""
    rehearse, look, write = _blocks(
        "front-end.md", "\n## See it on a rehearsed backend\n", "\n**Behind your pipeline**"
    )
    assert rehearse.splitlines()[-1] == "amplify-delivery rehearse ../amplify-export-todo --keep | tee rehearsed.txt"
    return _served(look), write


def behind_a_pipeline() -> str:
    """Before the page of Prod is opened."""
    (look,) = _blocks("front-end.md", "\n**Behind your pipeline**", "\n## ")
    return _served(look)


def by_hand() -> tuple[str, str, str]:
    """What the jobs of a CI do: the one that plans, the one that deploys; and before the page of Prod is opened."""
    plan, deploy, look = _blocks("ci.md", "\n**By hand.**", "\n## ")
    return plan, deploy, look


@dataclass(frozen=True)
class Shell:
    """A reader's, in a folder that holds the page; `folder` is the one that docs/ call FOLDER."""

    here: Path
    folder: Path | None = None

    def typed(self, commands: str) -> str:
        """What the commands say; all of them end well."""
        ran = self.run(commands)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout.strip()

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": "/nowhere", "PATH": os.environ["PATH"]}
        script = f"set -e\n{commands.replace('FOLDER', str(self.folder))}"
        return subprocess.run(
            ["bash", "-c", script], cwd=self.here, env=environment, capture_output=True, text=True, check=False
        )


def page(folder: Path) -> Path:
    """A reader's folder with the page in it, not configured."""
    folder.mkdir(exist_ok=True)
    web_page.copy(folder / "web")
    return folder
