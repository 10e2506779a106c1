"""Literals of parameters as CloudFormation takes them: strings, and lists in strings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def text(value: Any) -> str:
    """A manifest's literal as CloudFormation takes a parameter: a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(text(v) for v in value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def items(value: str) -> list[str]:
    """The members of a list parameter's value: "each member string is space trimmed" (CloudFormation User Guide,
    "CloudFormation template Parameters syntax", `CommaDelimitedList`)."""
    return [item.strip() for item in value.split(",")]


def every_text(value: Any) -> Iterator[str]:
    """Every text that stands in a value, at any depth, keys apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from every_text(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from every_text(inner)
