"""The code of this repository as tests look at it: each file parsed once for all tests of a process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path


@cache
def parsed(file: Path) -> ast.Module:
    """A module's tree: to look into, not to change."""
    return ast.parse(file.read_text(encoding="utf-8"))


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """`tree` and all nodes below it, in the order of `ast.walk`, which asks each node for each of its fields."""
    found = [tree]
    for node in found:
        yield node
        for value in vars(node).values():
            if isinstance(value, list):
                found += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
