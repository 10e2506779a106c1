"""Every command that a page shows is one that its command line takes, with these flags: ours, and the AWS CLI's."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from functools import cache

import pytest
from botocore import xform_name

from amplify_delivery.cli import COMMANDS, PLUGINS, parser_of
from unit.aws_models import service_model
from unit.places import REPOSITORY

PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
_COMMAND = re.compile(r"(?:amplify-delivery|-m amplify_delivery) ([a-z][a-z-]*)((?: [^`\n]*)?)")
_ENDS = {"|", "||", "&&", ";", "#", ">", "&", "2>&1"}
_BLOCK = re.compile(r"^ *```\w*\n(.*?)^ *```", re.M | re.S)
_AWS = re.compile(r"\baws ([a-z0-9-]+) ([a-z0-9-]+)((?:(?!\baws |#).)*)")
_OF_EACH = {"region", "profile", "query", "output", "max-items"}
"""Options that the AWS CLI itself has."""
_ITS_OWN = {"s3", "sso", "configure"}
"""Commands that are no service's operations."""


@cache
def shown() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple(_shown())


@cache
def lines() -> tuple[tuple[str, str], ...]:
    return tuple(_lines())


def typed(text: str) -> list[str]:
    """The lines of a page's blocks of code, also of those in a list."""
    return [line.strip() for block in _BLOCK.findall(text) for line in block.splitlines()]


def spans(text: str) -> list[str]:
    """What stands between backticks in a sentence."""
    return re.findall(r"`([^`\n]+)`", _BLOCK.sub("", text))


def _shown() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Page, command and arguments of each that stands as code, in a line of a block or between backticks."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for code in (*typed(text), *spans(text)):
            for command, rest in _COMMAND.findall(code):
                yield page.name, command, arguments(rest)


def _lines() -> Iterator[tuple[str, str]]:
    """Page and line of each that stands in a block as what is typed."""
    for page in PAGES:
        for line in typed(page.read_text(encoding="utf-8").replace("\\\n", "")):
            found = _COMMAND.match(line)
            if found and found[1] not in PLUGINS:
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


def aws_commands(page: str) -> Iterator[tuple[str, str, frozenset[str], bool]]:
    """Service, operation and options of each command of the AWS CLI on a page, and whether it is to be typed so."""
    (path,) = [path for path in PAGES if path.name == page]
    text = path.read_text(encoding="utf-8").replace("\\\n", "")
    lines = *((line, True) for line in typed(text)), *((span, False) for span in spans(text))
    for code, whole in lines:
        for service, operation, rest in _AWS.findall(code):
            if service not in _ITS_OWN:
                given = frozenset(re.findall(r"(?:^|\s)--([a-z0-9-]+)", rest))
                yield {"s3api": "s3"}.get(service, service), operation, given, whole


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_a_page_shows_commands_of_the_aws_cli_that_are_there(page: str) -> None:
    wrong = {}
    for service, operation, given, whole in aws_commands(page):
        model = service_model(service)
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(operations[operation]).input_shape if operation in operations else None
        takes = {xform_name(name, "-") for name in shape.members} if shape else set()
        needs = {xform_name(name, "-") for name in shape.required_members} if shape and whole else set()
        said = given | {option.removeprefix("no-") for option in given}  # `--no-X` says of X that it is false
        odd = {o for o in given - _OF_EACH if not {o, o.removeprefix("no-")} & takes} | (needs - said)
        if odd or operation not in operations:
            wrong[f"aws {service} {operation}"] = odd
    assert wrong == {}


def test_there_are_commands_of_the_aws_cli_to_look_at() -> None:
    assert len({found[:2] for page in PAGES for found in aws_commands(page.name)}) > 25
