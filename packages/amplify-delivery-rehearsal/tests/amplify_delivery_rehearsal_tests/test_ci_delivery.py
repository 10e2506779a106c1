"""The whole delivery by a CI, as a new user has it: an export and docs/ci.md, at the end a page that shows Prod's data.

On the real engine, with the jobs that `init --ci` writes and the buildspecs that the accounts declare. Opt-in: half a
minute of a processor and twice that by the clock for each CI. `make rehearse-ci` runs it, and so does .ci/run.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from amplify_delivery import cli
from amplify_delivery_rehearsal.ci_story import telling
from amplify_delivery_rehearsal.ci_story.chapters import CiChapter, story
from amplify_delivery_rehearsal.ci_story.play import CiPlay
from amplify_delivery_rehearsal.pipeline_story import setting
from amplify_delivery_rehearsal_tests import looking
from functional.front_end import web_page
from unit.places import EXPORTS, PYTEST_AS_LOCKED, REPOSITORY
from unit.this_wheel import wheel_of_this_version

OPT_IN = pytest.mark.skipif(not os.environ.get("AMPLIFY_DELIVERY_REHEARSE_CI"), reason="`make rehearse-ci` runs it")
pytestmark = [pytest.mark.engine, OPT_IN]

SERIES = EXPORTS / "todo-series"
ENVIRONMENTS = {"github": ["preprod", "prod"], "gitlab": ["prod"]}


def initialised(kind: str) -> list[str]:
    """The command of docs/ci.md that makes a project, with an export of ours; for GitLab as the page says below it, and
    with Prod alone."""
    page = (REPOSITORY / "docs" / "ci.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^amplify-delivery (init shop --from .*\\\n.*)$", page, re.MULTILINE)
    words = shlex.split(line.replace("\\\n", ""))
    words[words.index("--from") + 1] = "web"
    if kind == "gitlab":
        assert "`--ci gitlab` (with\n`--repository GROUP/NAME --ids PROJECT`) writes GitLab's" in page
        words[words.index("--ci") + 1] = kind
        words[words.index("--repository") + 1] = "octo/web/shop"
        words[words.index("--ids") + 1] = "4711"
        first = words.index("--environment")
        del words[first : first + 2]
    return words


def export(version: str) -> Path:
    return next((SERIES / version).glob("amplify-export-*"))


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_ci_delivers_and_a_page_shows_what_prod_holds(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("amplify_delivery.commands.init.installed_wheel", wheel_of_this_version)
    shutil.copytree(export("v1"), tmp_path / "web" / export("v1").name)
    assert cli.main(initialised(kind)) == 0, capsys.readouterr().err
    build_image = setting.build_image
    monkeypatch.setattr(setting, "build_image", lambda *given: {**build_image(*given), **PYTEST_AS_LOCKED})
    by_hand = CiChapter("By hand", "A field is added.", lambda play: delivers_by_hand(play, tmp_path / "reader"))
    monkeypatch.setattr(telling, "story", lambda *given: (*story(*given), by_hand))
    capsys.readouterr()
    code = telling.run(tmp_path / "shop", json_output=True)
    ran = capsys.readouterr()
    assert code == 0, ran.out[-3000:] + ran.err[-3000:]
    chapters = json.loads(ran.out)["chapters"]
    assert [chapter["outcome"] for chapter in chapters] == ["as expected"] * 4
    nobody_else_has_come_in(chapters[1], kind)
    assert {f"{name}: untouched" for name in ENVIRONMENTS[kind]} <= set(chapters[2]["facts"])


def nobody_else_has_come_in(chapter: dict[str, Any], kind: str) -> None:
    """Before Prod was delivered for the first time; afterwards the jobs have gone to their end."""
    prefix = "backend-" if kind == "gitlab" else ""
    plan, deploy = f"{prefix}plan-prod", f"{prefix}deploy-prod"
    first = f"{prefix}plan-{ENVIRONMENTS[kind][0]}"
    told = [fact for fact in chapter["facts"] if "let in" in fact or "approved" in fact or "as it was" in fact]
    assert told == [
        f"{first} is not let in to `start prod deploy`",
        f"{deploy} of another branch is not let in to `start prod deploy`",
        f"{first} of another branch is not let in to `start prod plan`",
        f"{deploy} of another repository is not let in to `start prod deploy`",
        f"{first} of another repository is not let in to `start prod plan`",
        f"{deploy} deploys no other plan than the one that was approved",
        "prod: as it was",
    ]
    (run,) = chapter["executions"]
    assert run["status"] == "Succeeded"
    jobs = [stage["name"] for stage in run["stages"] if stage["status"] == "Succeeded"]
    assert jobs[-2:] == [plan, deploy]


def delivers_by_hand(play: CiPlay, reader: Path) -> None:
    """With the lines of docs/ci.md, and a page before and after them."""
    telling._explain_keep(Console(file=(said := io.StringIO()), soft_wrap=True), play)
    plan, deploy, look = looking.by_hand()
    if play.ci.kind == "gitlab":
        plan, deploy = (lines.replace("/job-", "/job-backend-") for lines in (plan, deploy))
    for lines in (plan, deploy, look):
        assert f"  {lines.splitlines()[0].replace('FOLDER', str(play.setting.folder))} " in said.getvalue()
    shell = looking.Shell(looking.page(reader), play.setting.folder)
    shell.typed(look)
    _, write = looking.of_an_export()
    with web_page.looking(reader / "web") as see:
        empty = see()
        made = json.loads(shell.typed(write))["data"]["createTodo"]["id"]
        play.setting.repository.put_export(export("v2"))
        shell.typed(plan)
        play.unchanged("prod")
        other = re.sub(r"--plan .*", f"--plan {'0' * 64}", deploy)
        assert shell.run(other).returncode == 3
        play.unchanged("prod")
        shell.typed(deploy)
        play.touched("prod", play.assembly)
        shell.typed(look)
        filled = see()
    if empty and filled:
        assert empty == ({"listTodos": [{"text": "No items."}]}, [])
        [todo] = filled[0]["listTodos"]
        assert (todo["id"], todo["name"], todo["priority"], filled[1]) == (made, "Milk", "", [])
