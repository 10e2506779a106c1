"""The commands that the product's own texts show: errors with what to do, examples, what comes next."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import amplify_delivery
from unit.docs.accepted import OURS, PROGRAMS, Command, each_command
from unit.docs.documented import as_named
from unit.docs.tool_lists import HIDDEN
from unit.sources import parsed, walk

PACKAGE = Path(amplify_delivery.__file__).parent
VALUE = HIDDEN
"""Stands for what is put into a text."""
NAMED = PROGRAMS - {".", "cd", "command", "cp", "echo", "mv", "printf", "rm", "sed", "tee"}
"""Programs of which a text names commands; the others are words as well."""
STARTS = re.compile(r"(?:amplify-delivery|pulumi|aws) (?=[a-z][a-z0-9-]* )|export (?=[A-Z_]+=)")
"""What a line begins with that is a command without backticks, as examples and what comes next are told."""


def text_of(node: ast.AST) -> str:
    """A text of the code; empty for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or VALUE for part in node.values)
    return ""


def texts(tree: ast.Module) -> Iterator[str]:
    """Every text of a module, each as one, but for what its authors say of it."""
    inside = {id(part) for node in walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in inside:
            text = text_of(node)
            if text and text != ast.get_docstring(tree, clean=False):  # a command's module is called as it is
                yield text


@cache
def told() -> frozenset[tuple[str, bool]]:
    """The commands that texts of the product show, and whether each has all that it takes: those that stand between
    backticks with something behind the command's name, and those that are lines."""
    found: set[tuple[str, bool]] = set()
    for file in PACKAGE.rglob("*.py"):
        for text in texts(parsed(file)):
            for code in re.findall(r"`([^`]+)`", text.replace("```", "")):
                line = " ".join(code.split())
                program, _, rest = line.partition(" ")
                if program in NAMED and rest and not re.search(r"\(\S", line):  # an expression that finds such texts
                    found.add((readable(line), program == OURS and " " in rest))
            found |= {(readable(line.strip()), True) for line in text.splitlines() if STARTS.match(line.strip())}
    return frozenset(found)


def readable(line: str) -> str:
    """With a value for each field of a template, and without the quotes of which one stands in another text."""
    line = re.sub(r"\{[a-z_0-9]+\}", VALUE, line)
    return line.replace("'", "") if line.count("'") % 2 and VALUE in line else line


def commands_told() -> Iterator[tuple[str, Command, bool]]:
    for line, whole in told():
        for one in as_named(line):
            yield from ((line, command, whole) for command in each_command(one))
