"""A registry of container images for tests: `crane registry serve`, for whoever tests this repository.

Made when a test first asks for it, not with the rest of the set-up: no rehearsal needs it.
"""

from __future__ import annotations

from pathlib import Path

from aws_rehearsal.setup.go_tool import GoTool
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import answer


def _works(binary: Path, wanted: str) -> bool:
    return answer(binary, "version") == wanted


_MODULE = "github.com/google/go-containerregistry"
_TOOL = GoTool("registry", "crane", _MODULE, f"{_MODULE}/cmd/crane", _works)


def ensure_crane(progress: Progress) -> Path:
    """The command, built if it is not in the cache. Raises `SetupError`."""
    return _TOOL.ensure(progress)
