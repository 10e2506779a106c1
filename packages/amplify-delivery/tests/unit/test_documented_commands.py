"""Every command that a page shows is one that the command line takes, with these flags."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from functools import cache

import pytest

from amplify_delivery.cli import COMMANDS, PLUGINS, parser_of
from unit.places import REPOSITORY

PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
_COMMAND = re.compile(r"(?:amplify-delivery|-m amplify_delivery) ([a-z][a-z-]*)((?: [^`\n]*)?)")
_ENDS = {"|", "||", "&&", ";", "#", ">", "&", "2>&1"}


@cache
def shown() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple(_shown())


@cache
def lines() -> tuple[tuple[str, str], ...]:
    return tuple(_lines())


def _shown() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Page, command and arguments of each that stands as code, in a line of a block or between backticks."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
        spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
        for code in (*(line for block in blocks for line in block.splitlines()), *spans):
            for command, rest in _COMMAND.findall(code):
                yield page.name, command, arguments(rest)


def _lines() -> Iterator[tuple[str, str]]:
    """Page and line of each that stands in a block as what is typed."""
    for page in PAGES:
        for block in re.findall(
            r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8").replace("\\\n", ""), re.M | re.S
        ):
            for line in block.splitlines():
                typed = _COMMAND.match(line)
                if typed and typed[1] not in PLUGINS:
                    yield page.name, line


def arguments(rest: str) -> tuple[str, ...]:
    """Those that are given literally; what stands in brackets may be given, so it is."""
    try:
        words = shlex.split(re.sub(r"[\[\]()]", " ", rest.replace("...", "")))
    except ValueError:
        words = rest.split()
    found = []
    for word in words:
        if word in _ENDS:
            break
        found.append(word.rstrip(";,"))
    return tuple(found)


@cache
def actions(command: str) -> list[argparse.Action]:
    """What a command takes."""
    return parser_of(command)._actions


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_a_page_shows_commands_that_are_there(page: str) -> None:
    found = sorted((command, given) for where, command, given in set(shown()) if where == page)
    unknown = [command for command, _ in found if command not in COMMANDS]
    assert unknown == []
    wrong = {}
    for command, given in found:
        if command not in PLUGINS:
            options = {option for action in actions(command) for option in action.option_strings}
            named = {word.partition("=")[0] for word in given if re.match(r"--?[a-z]", word)}
            if named - options:
                wrong[f"amplify-delivery {command} {' '.join(given)}"] = named - options
    assert wrong == {}


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_lines_to_be_typed_have_all_that_their_commands_require(page: str) -> None:
    missing = {}
    for line in sorted(line for where, line in set(lines()) if where == page):
        command, rest = next(iter(_COMMAND.findall(line)))
        required = [a.option_strings for a in actions(command) if a.required and a.option_strings]
        given = {word.partition("=")[0] for word in arguments(rest)}
        if left := [names for names in required if not given & set(names)]:
            missing[line] = left
    assert missing == {}


def test_there_are_commands_to_look_at() -> None:
    assert len(set(shown())) > 100
