"""What to say of a project, or a file of it, that is not where a command looks for it, or cannot be read there."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Collection
from pathlib import Path

from amplify_delivery.errors import ConfigError

PROJECT = "Pulumi.yaml"
_DEEP = 2
"""How many folders down a project is looked for: `app/`, `backends/app/`."""
_CONFLICT = ("<<<<<<< ", ">>>>>>> ")
"""Where git could not merge: what both sides begin and end with ("How conflicts are presented", git merge)."""


def expect_project(folder: Path, ending: str = "") -> None:
    """Raises `ConfigError` unless `folder` is a project's."""
    if not (folder / PROJECT).is_file():
        raise no_project(folder, ending)


def no_project(folder: Path, ending: str = "") -> ConfigError:
    """There is no Pulumi.yaml in `folder`: where it is, if that is near. `ending` goes behind what is to be done."""
    here = folder.resolve()
    places = nearby(here)
    if len(places) == 1:
        remedy = f"`cd {shlex.quote(os.path.relpath(places[0], here))}`: the project is there"
    elif places:
        remedy = f"run the command in the folder of one project: {', '.join(str(p.relative_to(here)) for p in places)}"
    else:
        remedy = "run the command in the project's folder; `amplify-delivery init` makes one"
    return ConfigError(f"there is no {PROJECT} here", where=str(here), remedy=f"{remedy}{ending}")


def nearby(folder: Path) -> list[Path]:
    """The project that a folder is part of, else those below it, but for hidden ones; none of `folder` itself."""
    here = folder.resolve()
    if above := [parent for parent in here.parents if (parent / PROJECT).is_file()]:
        return above[:1]
    try:
        found = [file for deep in range(1, _DEEP + 1) for file in sorted(here.glob("*/" * deep + PROJECT))]
    except OSError:
        return []
    return [file.parent for file in found if not any(p.startswith(".") for p in file.relative_to(here).parts)]


def stack_of(file: Path) -> str:
    """The stack whose file it is."""
    return file.name.removeprefix("Pulumi.").removesuffix(".yaml")


def no_stack(file: Path, what: str, known: Collection[str], ending: str = "") -> ConfigError:
    """There is no such stack file: which of `known`, the project's stacks of that kind (`what`), may be meant."""
    if not (file.parent / PROJECT).is_file():
        return no_project(file.parent)
    stack = stack_of(file)
    close = difflib.get_close_matches(stack.lower(), known, n=1, cutoff=0.5)
    guess = f", did you mean {close[0]!r}?" if close else ""
    choice = f"name one of {', '.join(known)}, or make the file" if known else "make the file"
    return ConfigError(f"there is no {what} {stack!r}{guess}", where=str(file), remedy=f"{choice}{ending}")


def empty(file: Path, where: str) -> ConfigError:
    """Nothing stands in a stack file, where the engine had written how the stack is encrypted: with another key in that
    place nobody reads its secrets any more."""
    stack = stack_of(file)
    return ConfigError(
        "there is nothing in it",
        where=where,
        remedy=f"`git checkout HEAD -- {file.name}` brings it back as it was committed; for a stack that never was: "
        f"`rm {file.name} && amplify-delivery init --personal {stack}=ACCOUNT/REGION`",
    )


def unreadable(path: Path, error: Exception) -> ConfigError:
    """`path` cannot be read as YAML: `error` is OSError, UnicodeDecodeError or PyYAML's."""
    if isinstance(error, FileNotFoundError) and path.name == PROJECT:
        return no_project(path.parent)
    reason, remedy = _why(error, path)
    return ConfigError(f"cannot be read: {reason}", where=str(path), remedy=remedy)


def _why(error: Exception, path: Path) -> tuple[str, str]:
    if isinstance(error, OSError):
        return error.strerror or str(error), "it has to be a file that you may read"
    if isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b"\n") + 1
        return f"line {line} is not UTF-8", "save it as UTF-8"
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, begun in enumerate(lines, 1):
        if begun.startswith(_CONFLICT[0]) and any(rest.startswith(_CONFLICT[1]) for rest in lines[number:]):
            return (
                f"git could not merge it: both sides of the conflict stand in it (from line {number})",
                "keep one side, and take out the lines that begin with <<<<<<<, ======= and >>>>>>>",
            )
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return "it is not text", f"`git checkout HEAD -- {path.name}` brings it back as it was committed"
    if mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] == "\t":
        return f"line {mark.line + 1} begins with a tab, and YAML takes none", "indent it with blanks"
    return (
        f"line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', None) or 'this is not YAML'}",
        f"write that line, or the one before it, as YAML; `git diff HEAD -- {path.name}` shows what was changed",
    )
