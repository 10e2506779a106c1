"""The files of a new project that are the same in every one, but for the project's name.

They are copies of this repository's own: `python -m amplify_delivery.delivery.scaffold` makes them again. They end with
`.txt`, so that no tool takes them for modules of the engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_NAMED = "Pulumi.yaml"
"""Holds the project's name."""
_PROGRAM = ("__main__.py", "components/**/*.py", "tests/**/*.py")


def of_project(name: str) -> Mapping[str, str]:
    """The texts of the files, by their paths, for the project `name`."""
    folder = Path(__file__).parent
    found = {
        path.relative_to(folder).as_posix().removesuffix(".txt"): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.txt"))
    }
    return found | {_NAMED: found[_NAMED].replace("name: PROJECT\n", f"name: {name}\n", 1)}


def of_example(folder: Path) -> Mapping[str, str]:
    """The templates that the example in `folder` makes: its Pulumi.yaml, its program and its tests."""
    paths = [folder / _NAMED, *(path for pattern in _PROGRAM for path in sorted(folder.glob(pattern)))]
    found = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return found | {_NAMED: re.sub(r"(?m)^name: .*$", "name: PROJECT", found[_NAMED], count=1)}
