"""Fixtures for tests that run the real engine: a Pulumi home with the stand-ins, and small projects in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.pulumi_home import prepare
from rehearsal.setup import tools
from rehearsal.setup.cache import CHECKOUT
from tests.local_account import LocalAccount
from tests.rehearsal.pulumi_project import PulumiProject


@pytest.fixture(scope="session")
def pulumi_home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a home laid out for this test process."""
    found = tools()
    return prepare(tmp_path_factory.mktemp("pulumi") / "home", found.python, CHECKOUT, found.engine_root)


@pytest.fixture
def project(pulumi_home: dict[str, str], developer: LocalAccount, tmp_path: Path) -> PulumiProject:
    """An empty project, its stack `dev` and a fresh account to deploy to."""
    return PulumiProject.make(tmp_path, pulumi_home, developer)
