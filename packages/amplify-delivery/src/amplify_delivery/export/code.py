"""What the code of functions says of the environment in which an export was made: found in the texts of their zips.

It is told and never refused: what a text in somebody's code means, nobody here can tell. Bounded, because a zip may
hold 100,000 files: texts of 1 MB at most, 4 MB of a zip.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from amplify_delivery.export.assets import AUXILIARY_FOLDER
from amplify_delivery.export.templates.exported import Exported, Literal

_LARGEST, _MOST = 1 << 20, 4 << 20
_TEXTS = frozenset(
    {
        ".cjs",
        ".env",
        ".graphql",
        ".html",
        ".js",
        ".json",
        ".mjs",
        ".properties",
        ".py",
        ".rb",
        ".sh",
        ".toml",
        ".ts",
        ".txt",
        ".yaml",
        ".yml",
    }
)
_OTHERS_CODE = frozenset({".git", "node_modules", "site-packages", "vendor"})
"""Folders of packages: who wrote these knows no environment of the app, and their examples are full of ids and ARNs."""
_OTHERS_FILES = frozenset({"package-lock.json", "package.json", "Pipfile.lock", "requirements.txt"})
"""Names and versions of packages, which may end in `-dev` as well."""


@dataclass(frozen=True)
class CodeLiteral:
    """A literal with its place in a zip: the entry and the line."""

    entry: str
    line: int
    literal: Literal

    @property
    def place(self) -> str:
        return f"{self.entry}:{self.line}"


class Texts:
    """Decides, entry by entry, which of an archive are looked into."""

    def __init__(self, archive: str) -> None:
        # What Amplify itself puts there knows no environment.
        self._left = 0 if archive.startswith(f"{AUXILIARY_FOLDER}/") else _MOST

    def wants(self, entry: str, size: int) -> bool:
        """Whether an entry of so many bytes is looked into: a text of the app's own, while there are not too many."""
        *folders, name = entry.split("/")
        dot = name.rfind(".")
        wanted = (
            size <= min(_LARGEST, self._left)
            and name[dot:].lower() in _TEXTS
            and name not in _OTHERS_FILES
            and not _OTHERS_CODE & {*folders}
        )
        self._left -= size if wanted else 0
        return wanted


def literals(exported: Exported, texts: Mapping[str, bytes]) -> Iterator[CodeLiteral]:
    """The literals in these entries, each once per archive, where it stands first."""
    told: set[str] = set()
    ending = _ending(exported.environment)
    for entry, body in sorted(texts.items()):
        if b"\0" in body:
            continue
        text = body.decode("utf-8", "replace")
        found = exported.literals(text, code=True)
        found += [Literal(match["name"], place=False) for match in ending.finditer(text)] if ending else []
        for literal in _outermost(found):
            if literal.text not in told:
                told.add(literal.text)
                yield CodeLiteral(entry, text.count("\n", 0, text.find(literal.text)) + 1, literal)


def _ending(environment: str) -> re.Pattern[str] | None:
    """A whole text, between quotes or behind `=` or `:`, that ends in `-ENV`, as names do that Amplify makes."""
    if not environment:
        return None
    name = rf"(?P<name>[A-Za-z0-9_./-]*[A-Za-z0-9]-{re.escape(environment)})"
    return re.compile(rf"[\"'`=:][ \t]*{name}(?:[\"'`]|[ \t]*$)", re.MULTILINE)


def _outermost(found: Iterable[Literal]) -> list[Literal]:
    """Without those that stand in another one."""
    texts = {literal.text: literal for literal in found}
    return [lit for text, lit in texts.items() if not any(text != other and text in other for other in texts)]
