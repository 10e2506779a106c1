"""A Python without the packages that this project needs: the system's, where `.venv` was forgotten."""

from __future__ import annotations

import sys
from pathlib import Path

from amplify_delivery.errors import SetupError


def is_missing(error: ModuleNotFoundError) -> bool:
    """Whether a package of somebody else's was not found. One of our own is a defect, which keeps its traceback."""
    top = (error.name or "").partition(".")[0]
    return bool(top) and top != __name__.partition(".")[0]


def missing(error: ModuleNotFoundError, command: str = "") -> SetupError:
    """What to do; `command` is what was called, as in `amplify-delivery`."""
    there = Path(".venv", "bin", command)
    remedy = "`pulumi install` (or `make setup`) puts what requirements.lock names into .venv"
    if command:
        remedy = f"`{there} ...`" if there.exists() else f"{remedy}; then `{there} ...`"
    return SetupError(f"this Python has no package {error.name!r}", where=sys.executable, remedy=remedy)
