"""Archives of what is not ours to keep here, each unpacked once in a process: what reads them changes nothing."""

from __future__ import annotations

import atexit
import tarfile
import tempfile
from functools import cache
from pathlib import Path


@cache
def unpacked(archive: Path) -> Path:
    """The folder of a `.tar.gz`'s files; it goes with the process. A test that changes them has a copy of its own."""
    folder = tempfile.TemporaryDirectory(prefix=f"{archive.name.partition('.')[0]}-")
    atexit.register(folder.cleanup)
    with tarfile.open(archive) as tar:
        # They are our own: `data` would resolve each of thousands of paths before it is written.
        tar.extractall(folder.name, filter="fully_trusted")
    return Path(folder.name)
