"""Fixtures for tests that run the real engine: a Pulumi home with the stand-ins, and small projects in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pulumi_homes import warm_home
from aws_rehearsal_tests.pulumi_project import PulumiProject


@pytest.fixture(scope="session")
def pulumi_home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a home laid out for this test process."""
    return warm_home(tmp_path_factory.mktemp("pulumi") / "home")


@pytest.fixture
def project(pulumi_home: dict[str, str], developer: LocalAccount, tmp_path: Path) -> PulumiProject:
    """An empty project, its stack `dev` and a fresh account to deploy to."""
    return PulumiProject.make(tmp_path, pulumi_home, developer)
