"""The pages that messages name are there, and so is each section that one names."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

import amplify_delivery
from amplify_delivery.cli import main
from amplify_delivery.delivery import output, pages
from amplify_delivery.errors import ConfigError, RefusedError

SOURCES = sorted(Path(amplify_delivery.__file__).parent.rglob("*.py"))


@cache
def texts() -> set[str]:
    """Every text in the product's code that names a page."""
    found = set()
    for source in [file.read_text(encoding="utf-8") for file in SOURCES]:
        for node in ast.walk(ast.parse(source)) if "docs/" in source else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "docs/" in node.value:
                found.add(node.value)
    return found


def test_every_page_that_a_message_names_is_there() -> None:
    names = {name for text in texts() for name in pages.named(text)}
    assert len(names) > 8
    assert names <= set(pages.titles())


def test_every_section_that_a_message_names_is_there() -> None:
    named = [m for text in texts() for m in re.findall(r'docs/([a-z-]+)\.md, (?:"([^"]+)"|(Drift)\b)', text)]
    assert len(named) > 1
    for name, quoted, plain in named:
        assert pages.section(name, quoted or plain)


def test_a_page_is_found_as_a_message_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "docs/operations.md"]) == 0
    whole = capsys.readouterr().out
    assert whole == (pages.sources() / "operations.md").read_text(encoding="utf-8")
    assert main(["docs", "operations", "drift"]) == 0
    part = capsys.readouterr().out
    assert part.startswith("## Drift: ")
    assert part.strip() in whole
    assert part.count("\n## ") == 0


def test_a_whole_heading_comes_before_one_that_only_begins_so() -> None:
    assert pages.section("commands", "up").startswith("## up\n")
    assert pages.section("commands", "upg").startswith("## upgrade\n")


def test_the_pages_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["operations"] == pages.titles()["operations"]
    assert main(["docs"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == list(pages.titles())


def test_a_name_that_no_page_has() -> None:
    with pytest.raises(ConfigError, match="did you mean 'operations'"):
        pages.page("operation")
    with pytest.raises(ConfigError, match=r"(?s)did you mean 'Production'.*it has: "):
        pages.section("operations", "productoin")


def test_an_error_says_how_its_page_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    problem = RefusedError("no", where="here", remedy='as in docs/operations.md, "Drift", and docs/operations.md')
    output.error(problem, as_json=False)
    assert capsys.readouterr().err.splitlines()[-1] == "`amplify-delivery docs operations` shows docs/operations.md"
    output.error(problem, as_json=True)
    assert "amplify-delivery docs" not in capsys.readouterr().out
