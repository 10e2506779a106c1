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


def shown() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Page, command and arguments of each that stands as code, in a line of a block or between backticks."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
        spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
        for code in (*(line for block in blocks for line in block.splitlines()), *spans):
            for command, rest in _COMMAND.findall(code):
                yield page.name, command, arguments(rest)


def lines() -> Iterator[tuple[str, str]]:
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


@pytest.mark.parametrize(("page", "command", "given"), sorted(set(shown())), ids=lambda value: str(value)[:60])
def test_a_page_shows_a_command_that_is_there(page: str, command: str, given: tuple[str, ...]) -> None:
    assert command in COMMANDS, page
    if command in PLUGINS:
        return
    options = {option for action in actions(command) for option in action.option_strings}
    named = {word.partition("=")[0] for word in given if re.match(r"--?[a-z]", word)}
    assert named <= options, f"{page}: amplify-delivery {command} {' '.join(given)}"


@pytest.mark.parametrize(("page", "line"), sorted(set(lines())), ids=lambda value: str(value)[:60])
def test_a_line_to_be_typed_has_all_that_its_command_requires(page: str, line: str) -> None:
    command, rest = next(iter(_COMMAND.findall(line)))
    required = [a.option_strings for a in actions(command) if a.required and a.option_strings]
    given = {word.partition("=")[0] for word in arguments(rest)}
    assert all(given & set(names) for names in required), f"{page}: {line}"


def test_there_are_commands_to_look_at() -> None:
    assert len(set(shown())) > 100
