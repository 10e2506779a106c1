"""actionlint, which checks GitHub's workflow files: for whoever tests this repository."""

from __future__ import annotations

from pathlib import Path

from aws_rehearsal.setup.go_tool import GoTool
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import answer


def _works(binary: Path, wanted: str) -> bool:
    return (answer(binary, "-version") or "").partition("\n")[0] == wanted


_MODULE = "github.com/rhysd/actionlint"
_TOOL = GoTool("actionlint", "actionlint", _MODULE, f"{_MODULE}/cmd/actionlint", _works)


def ensure_actionlint(progress: Progress) -> Path:
    """The command, built if it is not in the cache. Raises `SetupError`."""
    return _TOOL.ensure(progress)
