"""actionlint, for tests of workflows that we write."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from aws_rehearsal.setup.actionlint import ensure_actionlint
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal_tests.absent import fetched


def actionlint(
    ensure: Callable[[Progress], Path] = ensure_actionlint, variables: Mapping[str, str] = os.environ
) -> Path:
    """Where it is, built if it has to be. Where it cannot be, a test is skipped and says so; in a CI it fails."""
    with fetched("actionlint", variables):
        return ensure(Progress())
    raise AssertionError("unreachable")
