"""The launcher as a binary: for whoever tests this repository, and so starts thousands of plugins."""

from __future__ import annotations

import os
from pathlib import Path

from aws_rehearsal.setup.go_tool import GoTool
from aws_rehearsal.setup.progress import Progress


def _works(binary: Path, _: str) -> bool:
    """It is put in its place as a whole, and can only be tried with a server."""
    return os.access(binary, os.X_OK)


_TOOL = GoTool("launcher", "launch", "", ".", _works)


def ensure_launcher(progress: Progress) -> Path:
    """The binary, built if it is not in the cache. Raises `SetupError`."""
    return _TOOL.ensure(progress)


def built_launcher() -> Path | None:
    """The binary if it has been built: without it an interpreter does the same."""
    place = _TOOL.place
    return place if _works(place, "") else None
