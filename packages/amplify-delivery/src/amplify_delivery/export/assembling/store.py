"""The objects of an assembly while it is made: each content once, under a key made from it."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Callable, Mapping

from amplify_delivery.export.assembly import AssemblyObject, ObjectKind
from amplify_delivery.export.model import Export

_KINDS: Mapping[str, tuple[ObjectKind, str]] = {
    ".vtl": ("vtl", "text/plain"),
    ".graphql": ("schema", "text/plain"),
    ".zip": ("zip", "application/zip"),
    ".json": ("file", "application/json"),
}
FOLDERS: Mapping[ObjectKind, str] = {
    "template": "templates",
    "vtl": "vtl",
    "schema": "schemas",
    "zip": "archives",
    "file": "files",
}
"""What the keys of each kind begin with."""
_TEXT = frozenset(
    {
        ".vtl",
        ".graphql",
        ".json",
        ".html",
        ".htm",
        ".css",
        ".js",
        ".mjs",
        ".svg",
        ".txt",
        ".md",
        ".xml",
        ".yml",
        ".yaml",
    }
)
"""Extensions of files that Git takes for text, and writes with other line ends on Windows (`core.autocrlf`)."""
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,16}")


class ObjectStore:
    """Objects by key, and where their bytes are: templates in memory, everything else in the export's files.

    `archive_digest` gives the digest of a zip's entries and raises `ArchiveError`.
    """

    def __init__(self, export: Export, archive_digest: Callable[[str], str]) -> None:
        self._export, self._archive_digest = export, archive_digest
        self._objects: dict[str, AssemblyObject] = {}
        self._sources: dict[str, bytes | str] = {}
        self._keys: dict[str, str] = {}
        self._read: dict[str, bytes] = {}
        self.windows_texts: list[str] = []
        """Files whose line ends were those of Windows, or that began with a mark of their byte order."""

    def objects(self) -> tuple[AssemblyObject, ...]:
        """All objects, by key."""
        return tuple(self._objects[key] for key in sorted(self._objects))

    def read(self, key: str) -> bytes:
        """The bytes of an object that was put here."""
        source = self._sources[key]
        return source if isinstance(source, bytes) else self._export.read(source)

    def template(self, body: bytes) -> str:
        """The key of a template."""
        return self._add(AssemblyObject.of_template(body), body)

    def text(self, path: str) -> str | None:
        """The text of a file, with the line ends of Unix and no mark; None if it is no UTF-8. It is read once."""
        self._read[path] = self._export.read(path)
        try:
            return _unix(self._read[path]).decode()
        except UnicodeDecodeError:
            return None

    def file(self, path: str) -> str:
        """The key of a file of the export, which becomes an object. Raises `ArchiveError`."""
        if path not in self._keys:
            dot = path.rfind(".")
            extension = path[dot:] if _EXTENSION.fullmatch(path[dot:]) else ""
            kind, content_type = _KINDS.get(extension, ("file", "application/octet-stream"))
            read = self._read.pop(path, None) or self._export.read(path)
            data = _unix(read) if extension in _TEXT else read
            changed = len(data) != len(read)
            if changed:
                self.windows_texts.append(path)
            sha256 = hashlib.sha256(data).hexdigest()
            digest = self._archive_digest(path) if kind == "zip" else sha256
            key = f"{FOLDERS[kind]}/{digest}{extension}"
            item = AssemblyObject(key, kind, len(data), sha256, content_type)
            self._keys[path] = self._add(item, data if changed else path)
        return self._keys[path]

    def _add(self, item: AssemblyObject, source: bytes | str) -> str:
        if item.key not in self._objects:
            self._objects[item.key] = item
            self._sources[item.key] = source
        return item.key


def _unix(text: bytes) -> bytes:
    """A text as the exporter writes it. Editors of Windows put a byte order mark before it, which AppSync would take
    for a part of what a template gives, and which is no JSON."""
    return text.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
