"""Tests of one group run in one process: what they share is made once, and each finds what the one before has left."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("kept-together")
def test_groups_are_kept_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist does it by this suffix, and says nothing where it cannot."""
    if "PYTEST_XDIST_WORKER" in os.environ and request.config.getvalue("loadgroup"):
        assert request.node.nodeid.endswith("@kept-together")
