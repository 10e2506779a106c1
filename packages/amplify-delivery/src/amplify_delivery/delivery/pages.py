"""The pages of docs/, which messages name: the wheel brings them, for whoever has no checkout of this project."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from amplify_delivery.errors import ConfigError, SetupError

_PACKAGE = Path(__file__).parents[1]
_NAMED = re.compile(r"(?<![/\w])docs/([a-z-]+)\.md\b")
_HEADING = re.compile(r"^(#{1,6}) (.+)$")


def sources() -> Path:
    """Where the pages lie: in the package, and of an editable installation in the checkout. Raises `SetupError`."""
    for folder in (_PACKAGE / "docs", _PACKAGE.parents[3] / "docs"):
        if (folder / "commands.md").is_file():
            return folder
    raise SetupError(
        "the pages of docs/ are not installed",
        where="amplify-delivery",
        remedy="install its wheel (`make wheels` in a checkout makes it)",
    )


def titles() -> dict[str, str]:
    """The title of each page by its name."""
    found = {file.stem: file.read_text(encoding="utf-8") for file in sorted(sources().glob("*.md"))}
    return {name: text.partition("\n")[0].lstrip("# ") for name, text in found.items()}


def page(name: str) -> str:
    """A page as Markdown, by its name: `operations`, or `docs/operations.md`. Raises `ConfigError` with the nearest."""
    known = titles()
    short = name.removeprefix("docs/").removesuffix(".md")
    if short not in known:
        raise ConfigError(
            f"there is no such page{_nearest(short, known)}",
            where=name,
            remedy="`amplify-delivery docs` lists them",
        )
    return (sources() / f"{short}.md").read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """A section of a page, with those below it, by how its heading begins, in any case. Raises `ConfigError` with the
    nearest."""
    lines = page(name).splitlines()
    found = _headings(lines)
    wanted = heading.strip().casefold()
    # `docs commands up` is not about `upgrade`.
    for number, level, title in sorted(found, key=lambda heading: heading[2].casefold() != wanted):
        if title.casefold().startswith(wanted):
            end = next((n for n, deep, _ in found if n > number and deep <= level), len(lines))
            return "\n".join(lines[number:end]).rstrip() + "\n"
    known = [title for _, _, title in found]
    raise ConfigError(
        f"the page {name} has no section {heading!r}{_nearest(heading, known)}",
        where=name,
        remedy=f"it has: {'; '.join(known)}",
    )


def named(text: str) -> list[str]:
    """The pages that a message names, in its order."""
    return list(dict.fromkeys(_NAMED.findall(text)))


def _headings(lines: list[str]) -> list[tuple[int, int, str]]:
    """Line, depth and title of each heading; a comment in a code block is none."""
    found, code = [], False
    for number, line in enumerate(lines):
        code ^= line.startswith("```")
        match = None if code else _HEADING.match(line)
        if match:
            found.append((number, len(match[1]), match[2].strip()))
    return found


def _nearest(wanted: str, known: Iterable[str]) -> str:
    names = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(wanted.casefold(), list(names), n=1, cutoff=0.5)
    return f", did you mean {names[close[0]]!r}?" if close else ""
