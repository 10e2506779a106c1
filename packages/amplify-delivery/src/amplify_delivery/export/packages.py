"""A Python without the packages that this project needs: the system's, where `.venv` was forgotten."""

from __future__ import annotations

import sys
from pathlib import Path

from amplify_delivery.errors import SetupError

_BESIDE = Path(__file__).resolve().parents[1]
"""Where this project's own packages lie."""


def is_missing(error: ModuleNotFoundError) -> bool:
    """Whether a package of somebody else's was not found. One of our own is a defect, which keeps its traceback."""
    top = (error.name or "").partition(".")[0]
    return bool(top) and not (_BESIDE / top).exists() and not (_BESIDE / f"{top}.py").exists()


def missing(error: ModuleNotFoundError, command: str = "") -> SetupError:
    """What to do; `command` is what was called, as in `amplify-delivery`."""
    there = Path(".venv", "bin", "python")
    remedy = "`pulumi install` (or `make setup`) puts what requirements.lock names into .venv"
    if command:
        program, _, rest = command.partition(" ")
        remedy = f"`{there.parent / program} {rest} ...`" if there.exists() else f"{remedy}; then `{there} {rest} ...`"
    return SetupError(f"this Python has no package {error.name!r}", where=sys.executable, remedy=remedy)
