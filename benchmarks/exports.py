"""The exports that are measured: small ones of the project, large ones from a folder of archives."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SMALL = PROJECT / "tests" / "exports"
ARCHIVES = "AMPLIFY_DELIVERY_EXPORTS"
"""Environment variable: a folder with large.tar.gz, kitchen.tar.gz. They are too big for this repository."""


def small(name: str) -> Path:
    """An export of tests/exports, e.g. `todo` or `todo-series/v1`."""
    return next((SMALL / name).glob("amplify-export-*"))


def large(name: str, into: Path) -> Path | None:
    """The unpacked export of an archive, or None when there is no folder of archives."""
    folder = os.environ.get(ARCHIVES)
    archive = Path(folder, f"{name}.tar.gz") if folder else None
    if archive is None or not archive.is_file():
        return None
    target = into / name
    if not target.is_dir():
        with tarfile.open(archive) as tar:
            tar.extractall(into, filter="data")
    return next(target.glob("amplify-export-*"))
