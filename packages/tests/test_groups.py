"""Tests of one group run in one process: what they share is made once, and each finds what the one before has left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.xdist_group("kept-together")
def test_groups_are_kept_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist does it by this suffix, and says nothing where it cannot."""
    if "PYTEST_XDIST_WORKER" in os.environ and request.config.getvalue("loadgroup"):
        assert request.node.nodeid.endswith("@kept-together")


def test_a_file_that_starts_no_process_is_one_group(request: pytest.FixtureRequest) -> None:
    """Else what a module makes once is made in each process."""
    if "PYTEST_XDIST_WORKER" in os.environ and request.config.getvalue("loadgroup"):
        assert request.node.nodeid.endswith("@tests/test_groups")


def test_what_takes_long_comes_first(request: pytest.FixtureRequest) -> None:
    """Else the processes of a run end with what one of them has begun last."""
    assert not getattr(request.config.option, "loadscopereorder", False)
    packages = Path(__file__).parents[1]
    conftest: Any = request.config.pluginmanager.get_plugin(str(packages / "conftest.py"))
    files = {path.name for path in packages.glob("*/tests/**/test_*.py")}
    assert files.issuperset(conftest.LONG)
    if "PYTEST_XDIST_WORKER" in os.environ:
        names = [item.path.name for item in request.session.items]
        long = [conftest.LONG.index(name) for name in names if name in conftest.LONG]
        assert long == sorted(long)
        assert not long or names.index("test_groups.py") >= len(long)
