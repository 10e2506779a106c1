"""What a deployment leaves for steps is what they read: files, and what these have no place for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.client_config import PLATFORMS, Platform, files, left_out
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.engine import state_bucket
from amplify_delivery.delivery.environment.front_end import running_backend
from amplify_delivery.delivery.environment.front_end.left_for_steps import Left, document, keep, parsed
from amplify_delivery.stacks.config import Project
from unit.client_config.backends import everything
from unit.stacks.projects import APP, make


@pytest.mark.parametrize("platform", PLATFORMS)
def test_files_and_notes_there_and_back(platform: Platform) -> None:
    found = parsed(document(everything(), ["not deployed, so left out: api/x"]), platform)
    assert found.files == files(everything(), platform)
    assert found.notes == ("not deployed, so left out: api/x", *left_out(everything(), platform))


def test_what_an_earlier_version_has_left_has_no_notes() -> None:
    before = {"files": json.loads(document(everything()))["files"]}
    assert parsed(json.dumps(before).encode(), "ios") == Left(files(everything(), "ios"))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"files": {"javascript": 1}}', b'{"files": {}, "notes": {}}'])
def test_anything_else_is_nothing_that_was_left(body: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        parsed(body, "javascript")


@pytest.mark.parametrize(
    ("step", "there", "written"),
    [
        ({"clientConfig": "javascript"}, None, True),
        ({"clientConfig": "javascript"}, b"of an earlier deployment", True),
        ({"clientConfig": "javascript"}, document(everything()), False),
        ({}, None, False),
        (None, None, False),
    ],
)
def test_a_deployment_leaves_it_where_a_step_asks_for_it_and_only_if_it_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: dict[str, str] | None, there: bytes | None, written: bool
) -> None:
    """Another environment's step asks for nothing here, and where no pipeline delivers there are no steps."""
    asking = [{"name": "FrontEnd", "commands": ["true"], **(step or {})}]
    other = [{"name": "FrontEnd", "commands": ["true"], "clientConfig": "ios"}]
    stages: list[dict[str, Any]] = [
        {"name": "PreProd", "post": other},
        {"name": "Prod", "post": asking, "approval": True},
    ]
    make(tmp_path, stages=stages)
    if step is None:
        (tmp_path / "Pulumi.pipeline.yaml").unlink()
    put: list[bytes] = []
    running = running_backend.RunningBackend("root", everything(), ())
    monkeypatch.setattr(running_backend, "of_stack", lambda *_: running)
    monkeypatch.setattr(state_bucket, "read", lambda *_: there)
    monkeypatch.setattr(state_bucket, "write", lambda *given: put.append(given[-1]))
    account: Any = None
    names = EnvironmentNames(app=APP, account="333333333333", region="eu-west-1", environment="prod")
    keep(account, names, "root", (), Project(tmp_path))
    assert put == ([document(everything())] if written else [])
