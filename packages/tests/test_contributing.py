"""What CONTRIBUTING.md sends a newcomer to is there."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
WALKS = re.findall(
    r"^- \*\*(.+?)\*\* \((\w{7})(?:, \w+)?(?:, [^)]*)?\)\.(.*?)(?=^- \*\*|\Z)",
    PAGE.partition("## Walks\n")[2].partition("\n## ")[0],
    re.M | re.S,
)
ENGINE = ROOT / "packages/amplify-delivery"
BELOW = (
    ENGINE / "src/amplify_delivery",
    ENGINE / "tests",
    ROOT / "packages/aws-rehearsal/src",
    ROOT,
)
"""Where the page's paths begin."""


def test_there_is_a_walk_for_each_thing_that_is_added() -> None:
    kinds = [kind for kind, _, _ in WALKS]
    for wanted in ("check", "category", "provider", "accessor", "command"):
        assert any(wanted in kind for kind in kinds), wanted


@pytest.mark.parametrize("text", [text for _, _, text in WALKS], ids=[kind for kind, _, _ in WALKS])
def test_the_places_of_a_walk_are_there(text: str) -> None:
    paths = [p for p in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if not p.startswith("/")]
    missing = {path for path in paths if not any((place / path).exists() for place in BELOW)}
    assert missing == set()


@pytest.mark.processes
def test_each_walk_is_through_a_real_commit() -> None:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    if git("rev-parse", "--is-shallow-repository") != "false":
        pytest.skip("the history is not here: a shallow clone, or none")
    commits = [commit for _, commit, _ in WALKS]
    assert [git("cat-file", "-t", commit) for commit in commits] == ["commit"] * len(commits)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("LICENSE", "Apache License"),
        ("SECURITY.md", "report"),
        (".pre-commit-config.yaml", "ruff"),
        (".editorconfig", "root = true"),
        (".gitattributes", "text"),
        ("CHANGELOG.md", "## Unreleased"),
    ],
)
def test_a_repository_has_what_people_look_for(name: str, said: str) -> None:
    assert said in (ROOT / name).read_text()


def test_the_pythons_that_are_supported_begin_with_the_one_that_is_required() -> None:
    supported = re.findall(r"3\.\d+", PAGE.partition("Supported are ")[2].partition(":")[0])
    assert supported == ["3.11", "3.12", "3.13", "3.14"]
    for file in ROOT.glob("packages/*/pyproject.toml"):
        project = tomllib.loads(file.read_text())["project"]
        assert project["requires-python"] == f">={supported[0]}"
        assert project["license"] == "Apache-2.0"
