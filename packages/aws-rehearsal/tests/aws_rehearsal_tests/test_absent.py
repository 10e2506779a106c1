"""What is not there is said; in a CI it has to be there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aws_rehearsal.errors import SetupError
from aws_rehearsal_tests.absent import IN_CI, fetched

TESTS = Path(__file__).parents[3]


def test_what_cannot_be_fetched_skips_a_test_and_in_a_ci_fails_it() -> None:
    for variables, outcome in (({}, pytest.skip.Exception), ({IN_CI: "true"}, pytest.fail.Exception)):
        with pytest.raises(outcome, match="there is no library: npm cannot be reached"), fetched("library", variables):
            raise SetupError("npm cannot be reached", remedy="try again")


def test_no_test_decides_by_itself_what_is_missing() -> None:
    """A test that is skipped where a registry was out of reach is seen by nobody in a CI. (uv is one's own to have.)"""
    own = re.compile(r"except SetupError as[^\n]*\n(?:[^\n]+\n){0,3}? *pytest\.skip\(")
    found = [str(file) for file in TESTS.glob("*/tests/**/*.py") if own.search(file.read_text(encoding="utf-8"))]
    assert found == []
