"""What a test needs and this machine has not: the test is skipped then and says so, and in a CI it fails."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import pytest

from aws_rehearsal.errors import SetupError

IN_CI = "AMPLIFY_DELIVERY_TESTS_IN_CI"
"""As packages/conftest.py sets it: a run that stands for the project leaves out nothing that can be fetched."""


def absent(missing: str, variables: Mapping[str, str] = os.environ) -> NoReturn:
    """Skip the test, or fail it in a CI."""
    if variables.get(IN_CI):
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def fetched(what: str, variables: Mapping[str, str] = os.environ) -> Iterator[None]:
    """A block that fetches or builds `what`, which may be out of reach here."""
    try:
        yield
    except SetupError as error:
        absent(f"there is no {what}: {error}", variables)
