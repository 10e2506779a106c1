"""Copies of real exports with small changes, each a list: `["set", FILE, POINTER, VALUE]` and so on.

Pointers are those of RFC 6901. A copy may be of hard links, so a changed file is always written again.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from unit import places

_FOLDER = places.EXPORTS

EXPORTS = {
    str(manifest.parent.parent.relative_to(_FOLDER)): manifest.parent
    for manifest in sorted(_FOLDER.rglob("amplify-export-manifest.json"))
}
"""The folders of the exports in `tests/exports`, by name: `full`, `todo-series/v1`..."""

MANIFEST = "amplify-export-manifest.json"


def copy_export(name: str, target: Path) -> Path:
    """A copy of an export to be changed."""
    shutil.copytree(EXPORTS[name], target)
    return target


def linked_export(name: str, target: Path) -> Path:
    """`linked`, of one of `tests/exports`."""
    return linked(EXPORTS[name], target)


def linked(export: Path, target: Path) -> Path:
    """A copy for what changes files by `apply` and `replace_file` alone: of hard links to one beside it."""
    shutil.copytree(_beside(export), target, copy_function=os.link)
    return target


@cache
def _beside(export: Path) -> Path:
    """A copy on the file system of tests' folders; it goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="exports-")
    atexit.register(folder.cleanup)
    shutil.copytree(export, copy := Path(folder.name) / "export")
    return copy


def replace_file(path: Path, data: bytes) -> None:
    """Write a file without touching what it is a hard link of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def apply(folder: Path, changes: Sequence[Sequence[Any]]) -> None:
    """Change an export's copy."""
    for operation, *arguments in changes:
        _OPERATIONS[operation](folder, *arguments)


def _edit(folder: Path, file: str, change: Callable[[Any], Any]) -> None:
    document = json.loads((folder / file).read_bytes())
    change(document)
    replace_file(folder / file, json.dumps(document, indent=2).encode())


def _find(document: Any, pointer: str) -> tuple[Any, Any]:
    """The container of what a pointer means, and its key or index there."""
    *parents, last = [p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]
    for part in parents:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document, (int(last) if isinstance(document, list) and last != "-" else last)


def set_value(folder: Path, file: str, pointer: str, value: Any) -> None:
    def change(document: Any) -> None:
        container, key = _find(document, pointer)
        if key == "-" and isinstance(container, list):
            container.append(value)
        else:
            container[key] = value

    _edit(folder, file, change)


def delete_value(folder: Path, file: str, pointer: str) -> None:
    def change(document: Any) -> None:
        container, key = _find(document, pointer)
        del container[key]

    _edit(folder, file, change)


def _fill(folder: Path, file: str, pointer: str, up_to: int, value: Any) -> None:
    """Add entries to an object until it holds `up_to`; `"%s"` in the value becomes the entry's name."""

    def change(document: Any) -> None:
        container, key = _find(document, pointer)
        entries = container.setdefault(key, {})
        for number in range(up_to - len(entries)):
            name = f"Filling{number}"
            entries[name] = json.loads(json.dumps(value).replace("%s", name))

    _edit(folder, file, change)


def _append(folder: Path, file: str, pointer: str, count: int, value: Any) -> None:
    """Append `count` items to a list; `"%s"` in the value becomes the item's number."""

    def change(document: Any) -> None:
        container, key = _find(document, pointer) if pointer else ([document], 0)
        container[key] += [json.loads(json.dumps(value).replace("%s", str(n))) for n in range(count)]

    _edit(folder, file, change)


def _repeat(folder: Path, file: str, pointer: str, text: str, count: int) -> None:
    set_value(folder, file, pointer, text * count)


def _remove(folder: Path, path: str) -> None:
    target = folder / path
    shutil.rmtree(target) if target.is_dir() else target.unlink()


def _write(folder: Path, path: str, text: str | list[tuple[str, int]]) -> None:
    """Write a text, given as it is or as parts, each with how often it is repeated."""
    parts = [(text, 1)] if isinstance(text, str) else text
    replace_file(folder / path, "".join(part * count for part, count in parts).encode())


def _write_bytes(folder: Path, path: str, hexadecimal: str) -> None:
    replace_file(folder / path, bytes.fromhex(hexadecimal))


def _cut(folder: Path, path: str, size: int) -> None:
    replace_file(folder / path, (folder / path).read_bytes()[:size])


def _copy(folder: Path, path: str, to: str) -> None:
    replace_file(folder / to, (folder / path).read_bytes())


def _move(folder: Path, path: str, to: str) -> None:
    (folder / to).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).rename(folder / to)


def _link(folder: Path, path: str, to: str) -> None:
    (folder / path).unlink(missing_ok=True)
    (folder / path).symlink_to(to)


def _crlf(folder: Path, pattern: str) -> None:
    """What Git does to a text file on Windows (`core.autocrlf`)."""
    for file in sorted(folder.glob(pattern)):
        replace_file(file, file.read_bytes().replace(b"\n", b"\r\n"))


def _zip(folder: Path, path: str, entries: dict[str, str], mode: int = 0) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).unlink(missing_ok=True)
    with zipfile.ZipFile(folder / path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, text, zipfile.ZIP_DEFLATED)


def _zeros(folder: Path, path: str, name: str, size: int) -> None:
    """A zip of one file with `size` bytes."""
    replace_file(folder / path, _zip_of_zeros(name, size))


@cache
def _zip_of_zeros(name: str, size: int) -> bytes:
    """Kept: cases have files of the same hundred megabytes, and to compress those takes a quarter of a second."""
    with zipfile.ZipFile(written := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(size), zipfile.ZIP_DEFLATED, 1)
    return written.getvalue()


_OPERATIONS: dict[str, Callable[..., None]] = {
    "set": set_value,
    "delete": delete_value,
    "fill": _fill,
    "append": _append,
    "repeat": _repeat,
    "remove": _remove,
    "write": _write,
    "bytes": _write_bytes,
    "cut": _cut,
    "copy": _copy,
    "move": _move,
    "link": _link,
    "zeros": _zeros,
    "zip": _zip,
    "crlf": _crlf,
}
