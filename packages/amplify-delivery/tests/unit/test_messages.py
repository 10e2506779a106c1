"""Every error that a user can meet says what to do."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import amplify_delivery
from amplify_delivery import errors
from amplify_delivery.cli import COMMANDS, parser_of
from unit.docs.accepted import OURS, Command, check
from unit.docs.told import commands_told
from unit.rows import each
from unit.sources import parsed, walk

PACKAGE = Path(amplify_delivery.__file__).parent
NAMES = {name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, Exception)}
FINDINGS = {"ExportRefused"}
"""Each of its findings has a remedy of its own."""
SUMS_UP = {"nothing was done"}
"""Told by the errors that came before."""


@cache
def made() -> tuple[tuple[str, ast.Call], ...]:
    """Every error that is made in the product's code, and where."""
    names = NAMES - FINDINGS
    return tuple(
        (f"{file.relative_to(PACKAGE)}:{node.lineno}", node)
        for file in sorted(PACKAGE.rglob("*.py"))
        for node in walk(parsed(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    )


def test_every_error_says_what_to_do() -> None:
    found = dict(made())
    assert len(found) > 300
    without = {
        where
        for where, call in found.items()
        if not {"remedy", None} & {keyword.arg for keyword in call.keywords}
        and not (call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value in SUMS_UP)
    }
    assert without == set()


def test_a_command_that_an_error_tells_to_type_says_of_what() -> None:
    """`amplify-delivery plan` alone would end as wrong usage."""
    bare = [
        (where, command)
        for where, call in made()
        for text in walk(call)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
        for command in re.findall(r"`amplify-delivery ([a-z-]+)`", text.value)
    ]
    assert len(bare) > 5
    assert [found for found in bare if found[1] not in COMMANDS or needs_more(found[1])] == []


@each(commands_told())
def test_a_command_in_a_text_is_taken_as_it_is_printed(_: str, command: Command, whole: bool) -> None:
    check(command, whole=whole)


def test_there_are_texts_to_look_at() -> None:
    found = Counter(command[0] for _, command, _ in commands_told())
    assert found[OURS] > 140
    assert found["aws"] > 20
    assert found["pulumi"] > 60


@cache
def needs_more(command: str) -> bool:
    """Whether a command cannot be run without arguments."""
    return any(a.required if a.option_strings else a.nargs not in ("?", "*") for a in parser_of(command)._actions)
