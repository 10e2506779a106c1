"""docs/commands.md and `--help` are what the commands say of themselves, and the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import amplify_delivery
from amplify_delivery import cli, reference
from amplify_delivery.delivery import pages
from unit.places import REPOSITORY

COMMANDS = sorted(cli.COMMANDS)
_INTERNAL = {"ADOPT", "COPIED", "DEBUG_UNHEARD", "LOCK", "PLAN", "RECOVERS", "UPDATE"}
"""Variables that commands and buildspecs set for processes of their own."""


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_page_is_up_to_date() -> None:
    page = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == reference.page(), "run `python -m amplify_delivery.reference > docs/commands.md`"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_the_page_says(command: str) -> None:
    told, about = words(cli.parser_of(command).format_help()), cli.about(command)
    section = words(pages.section("commands", command))
    for text in (*about.text.split("\n\n"), *(text for example in about.examples for text in example)):
        assert words(text) in told
        assert words(text) in section
    for action in cli.parser_of(command)._actions:
        help = words((action.help or "") % vars(action))
        assert help in told
        assert action.dest in {"help", "json", "debug"} or help.replace("|", "\\|") in section
    for code, what in about.codes():
        assert f"{code} {what}" in told
        assert f"{code} {what}" in section


@pytest.mark.parametrize("command", COMMANDS)
def test_a_default_is_said(command: str) -> None:
    for action in cli.parser_of(command)._actions:
        if action.default not in (None, False, "", [], argparse_suppressed()):
            assert "default" in (action.help or "").casefold(), f"{command}: {action.dest}"


def argparse_suppressed() -> str:
    return "==SUPPRESS=="


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_pages_that_are_there(command: str) -> None:
    for page in cli.about(command).pages:
        name, _, section = page.partition("#")
        assert pages.section(name, section.replace("-", " ")) if section else pages.page(name)


def test_every_environment_variable_is_on_the_page() -> None:
    root = Path(amplify_delivery.__file__).parent
    used = {
        name
        for file in root.rglob("*.py")
        for name in re.findall(r'"AMPLIFY_DELIVERY_([A-Z_]+)"', file.read_text(encoding="utf-8"))
    }
    documented = {name.removeprefix("AMPLIFY_DELIVERY_") for name in reference.VARIABLES if "DELIVERY" in name}
    assert used - _INTERNAL == documented
    assert used >= _INTERNAL
