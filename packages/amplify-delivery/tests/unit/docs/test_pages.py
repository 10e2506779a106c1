"""Pages that say what stands elsewhere too: versions, names, files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from unit.export.test_front_end import READ
from unit.places import REPOSITORY

ROOT = REPOSITORY
PAGES = sorted((ROOT / "docs").glob("*.md"))


def test_getting_started_asks_for_the_versions_that_are_required() -> None:
    page = (ROOT / "docs" / "getting-started.md").read_text()
    required = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["requiredPulumiVersion"]
    assert f"| Pulumi CLI | {required.removeprefix('>=')} or newer |" in page
    python = tomllib.loads((ROOT / "packages/amplify-delivery/pyproject.toml").read_text())["project"][
        "requires-python"
    ]
    assert f"| Python | {python.removeprefix('>=')} or newer |" in page


def test_the_readme_says_what_pulumi_asks_for_before_its_first_command() -> None:
    """The engine, a login, a passphrase, credentials: whoever has none of them meets each as a question or an error."""
    before, command, _ = (ROOT / "README.md").read_text().partition("\npulumi stack init")
    assert command
    for word in ("get.pulumi.com", "pulumi login --local", "PULUMI_CONFIG_PASSPHRASE", "AWS_PROFILE"):
        assert word in before


def test_the_front_ends_table_is_what_the_cli_reads() -> None:
    """The table that is held against exports and against the CLI's own files."""
    page = (ROOT / "docs" / "front-end.md").read_text()
    table = [line for line in page.splitlines() if line.startswith("| ")]
    text = "\n".join(table)
    for service, outputs in READ.items():
        assert f"| {service} |" in text
        for output, setting in outputs.items():
            assert f"`{output}`" in text
            assert not setting or f"`{setting}`" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and a heading in it."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]+)?\)", page.read_text()):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if anchor:
            assert anchor.removeprefix("#") in _anchors(file), f"{target}{anchor}"


def test_each_decision_is_in_the_index_once() -> None:
    page = (ROOT / "docs" / "decisions.md").read_text()
    index = [title for row in re.findall(r"^\|.*\|$", page, re.MULTILINE) for title in re.findall(r"\[(.+?)\]\(#", row)]
    assert sorted(index) == sorted(re.findall(r"^## (.+)$", page, re.MULTILINE))


def test_files_of_ours_that_pages_name_are_there() -> None:
    """Whatever begins with a folder of the sources or tests; docs/decisions.md also tells of what there was."""
    sources = [path.parent for path in ROOT.glob("packages/*/src/*/__init__.py")]
    places = [*sources, *(path.parent for path in sources), *ROOT.glob("packages/*/tests"), ROOT]
    ours = {path.name for place in places for path in place.iterdir() if path.is_dir()} - {"tests", "build", "dist"}
    named = {
        f"{page.name}: {path}"
        for page in (*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md")
        if page.name != "decisions.md"
        for path in re.findall(r"`((?:[\w-]+/)+[\w./-]*)`", page.read_text())
        if path.partition("/")[0] in {*ours, "rehearsal"}
    }
    assert len(named) > 20
    assert {name for name in named if not any((place / name.partition(": ")[2]).exists() for place in places)} == set()


def test_every_page_is_two_clicks_from_the_readme() -> None:
    start = ROOT / "README.md"
    first = {start, *_linked(start)}
    second = {page for linked in first if linked.suffix == ".md" for page in _linked(linked)}
    assert len(first) > 10
    assert {page.name for page in (*PAGES, *ROOT.glob("*.md")) if page not in first | second} == set()


def _linked(page: Path) -> set[Path]:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)\s]+)?\)", page.read_text())
    return {(page.parent / link).resolve() for link in links}


def _anchors(page: Path) -> set[str]:
    """The headings' anchors, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
