"""What a pipeline's program is made from, as one digest: its code, what is installed for it, and the stack files.

As long as that is what was applied last, there is nothing that an update could change: no engine is asked then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import amplify_delivery
from amplify_delivery.components.documents.pipeline.buildspecs import LOCK

_PACKAGE = Path(amplify_delivery.__file__).parent
_FOLDERS = ("components",)
"""The project's own packages, whatever files are in them."""
_FILES = ("Pulumi.yaml", "Pulumi.*.yaml", "*.py", LOCK)


def source_digest(project: Path) -> str:
    """SHA-256 of the names and contents of the files in the project's folder that its programs are made from."""
    whole = hashlib.sha256()
    contents = {path: _sha256(project / path) for path in _files(project)} | _engine()
    for path, content in sorted(contents.items()):
        whole.update(f"{content}  {path}\n".encode())
    return whole.hexdigest()


@cache
def _engine() -> dict[str, str]:
    """The engine as it is installed: its version would not tell one built from a repository from another. Read once:
    what runs is loaded."""
    return {f"amplify_delivery/{path}": _sha256(_PACKAGE / path) for path in _in_folder(_PACKAGE)}


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _files(project: Path) -> Iterator[str]:
    for pattern in _FILES:
        yield from (path.name for path in project.glob(pattern) if path.is_file())
    for folder in _FOLDERS:
        yield from (f"{folder}/{path}" for path in _in_folder(project / folder))


def _in_folder(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix()
