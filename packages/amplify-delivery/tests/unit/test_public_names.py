"""What docs/architecture.md calls public is there, with the arguments and attributes that it names."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from unit.places import REPOSITORY

PACKAGES = {
    "Public names for programs": "",
    "Public names of `amplify_delivery.export`": "amplify_delivery.export.",
    "Public names of `amplify_delivery.client_config`": "amplify_delivery.client_config.",
}
OTHERWISE = {"`DeliveryError` and its tree": "amplify_delivery.errors.DeliveryError"}


def rows() -> Iterator[tuple[str, str]]:
    """Full name, with its arguments if it is called, and what the page says of it."""
    page = (REPOSITORY / "docs" / "architecture.md").read_text()
    for heading, package in PACKAGES.items():
        section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        lines = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| name")]
        assert lines, heading
        for name, said in (map(str.strip, line.strip("|").split("|", 1)) for line in lines):
            if name in OTHERWISE:
                yield OTHERWISE[name], said
            else:
                found = [package + text.partition(" -> ")[0] for text in re.findall(r"`([^`]+)`", name)]
                yield from ((text, said) for text in found)


def named(text: str) -> Any:
    """What stands under a full name."""
    path = text.partition("(")[0].split(".")
    found: Any = importlib.import_module(path[0])
    for count, part in enumerate(path[1:], 2):
        # A package may give a function the name of the module that it is from.
        found = getattr(found, part) if hasattr(found, part) else importlib.import_module(".".join(path[:count]))
    return found


def attributes(kind: Any) -> set[str]:
    """Of a class: what is set on it, and the fields that it only declares."""
    return set(dir(kind)) | {name for base in inspect.getmro(kind) for name in inspect.get_annotations(base)}


def as_called(found: Any, text: str) -> None:
    """It takes the arguments that are named, in their order."""
    if "(" in text and text.partition("(")[2] != ")":
        arguments = text.partition("(")[2].rpartition(")")[0].split(",")
        told = [argument.partition("=")[0].strip() for argument in arguments]
        assert told == list(inspect.signature(found).parameters)[: len(told)]


@pytest.mark.parametrize(("name", "said"), list(rows()), ids=lambda text: text.partition("(")[0].split(".")[-1][:40])
def test_a_public_name_is_as_the_page_says(name: str, said: str) -> None:
    found = named(name)
    as_called(found, name)
    if inspect.ismodule(found):
        spans = list(re.findall(r"`(\w+(?:\([^`]*\))?)(?: -> \w+)?`", said))
        assert len(spans) > 2
        for span in spans:
            as_called(getattr(found, span.partition("(")[0]), span)
    elif inspect.isclass(found) and not name.endswith("DeliveryError"):
        # What stands in parentheses is of an attribute.
        told = re.findall(r"`\.(\w+)", re.sub(r" \(`\.[^;]*?\)(?=[,;.]|$)", "", said))
        assert set(told) <= attributes(found)


def test_there_are_rows_of_every_kind() -> None:
    names = [name for name, _ in rows()]
    assert len(names) > 20
    assert any("(" in name for name in names)
