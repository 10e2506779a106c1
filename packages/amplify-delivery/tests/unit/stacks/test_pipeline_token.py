"""The token of a GitHub source, as the pipeline's program reads it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from amplify_delivery.components.documents.pipeline.source_models import GitHubTokenSource
from amplify_delivery.stacks import pipeline


def test_the_end_of_a_files_line_is_no_part_of_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--secret-string file://FILE` keeps it, and GitHub takes no such token."""
    config = cast("Any", SimpleNamespace(source=GitHubTokenSource(type="github-token", repository="a/b")))

    async def read() -> tuple[str | None, bool]:
        found = SimpleNamespace(secret_string=pulumi.Output.from_input("ghp_1\n"))
        monkeypatch.setattr("pulumi_aws.secretsmanager.get_secret_version_output", lambda **_: found)
        token = pipeline.token(config, cast("Any", None))
        assert token is not None
        return await token.future(), await token.is_secret()

    assert asyncio.run(read()) == ("ghp_1", True)
