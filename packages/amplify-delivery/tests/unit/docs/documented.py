"""The commands that stand on the pages: in blocks, as they are typed, and between backticks, as they are named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from unit.docs.accepted import PROGRAMS, Command, each_command
from unit.docs.shell_lines import alternatives, as_given, read
from unit.places import REPOSITORY

PAGES = {
    str(path.relative_to(REPOSITORY)): path
    for path in sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
    if path.name != "CHANGELOG.md"  # tells of commands as they were
}
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.M | re.S)
TYPED = {"", "sh"}
"""Blocks of these are typed: pictures, and what a program prints, are `text`."""


@cache
def text(page: str) -> str:
    return PAGES[page].read_text(encoding="utf-8")


def typed(page: str) -> Iterator[str]:
    """What a page has its reader type."""
    yield from typed_in(text(page))


def typed_in(text: str) -> Iterator[str]:
    """What is typed as it stands: blocks, a Dockerfile's RUN, a stack file's or a CI's commands."""
    for indent, kind, block in _BLOCK.findall(text):
        lines = re.sub(rf"^{indent}", "", block, flags=re.M)
        if kind in TYPED:
            yield as_given(lines)
        if kind == "dockerfile":
            yield from re.findall(r"^RUN (.*)$", lines, re.M)
        if kind in ("yaml", "yml"):
            for document in yaml.load_all(lines, Loader=yaml.BaseLoader):
                yield from _commands_of(document)


@cache
def declared(page: str) -> frozenset[str]:
    """Functions of the shell that a page has its reader make."""
    return frozenset(name for lines in typed(page) for name in read(lines).functions)


def named(page: str) -> Iterator[str]:
    """What a sentence names as code, and what of it is a command: of a program that is used here, with something
    behind it."""
    for span in re.findall(r"`([^`]+)`", _BLOCK.sub("", text(page))):
        code = " ".join(span.split()).replace("\\|", "|")
        program, _, rest = code.partition(" ")
        if program in PROGRAMS and rest and program not in (".", "cd", "echo"):
            yield from as_named(code)
        elif program == "export" and "=" in rest:
            yield code


def as_named(code: str) -> list[str]:
    """A command as a sentence has it, once with each of what it leaves to choose."""
    return [as_given(one) for one in alternatives(code)]


def shown() -> Iterator[tuple[str, Command, bool]]:
    """Page and command of each that a page shows, and whether it is typed as it stands."""
    for page in PAGES:
        for whole, texts in ((True, typed(page)), (False, named(page))):
            for text in texts:
                for command in each_command(text, declared=declared(page)):
                    yield page, command, whole


def _commands_of(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _commands_of(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("commands", "script", "run", "builder"):
                yield from [value] if isinstance(value, str) else (v for v in value if isinstance(v, str))
            else:
                yield from _commands_of(value)
