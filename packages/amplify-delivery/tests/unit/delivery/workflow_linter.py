"""actionlint, for tests of workflows that we write."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.actionlint import ensure_actionlint
from aws_rehearsal.setup.progress import Progress

IN_CI = "AMPLIFY_DELIVERY_TESTS_IN_CI"
"""As packages/conftest.py sets it."""


def actionlint(
    ensure: Callable[[Progress], Path] = ensure_actionlint, variables: Mapping[str, str] = os.environ
) -> Path:
    """Where it is, built if it has to be. Where it cannot be, a test is skipped and says so; in a CI it fails."""
    try:
        return ensure(Progress())
    except SetupError as error:
        missing = f"there is no actionlint: {error}"
    if variables.get(IN_CI):
        pytest.fail(missing)
    pytest.skip(missing)
