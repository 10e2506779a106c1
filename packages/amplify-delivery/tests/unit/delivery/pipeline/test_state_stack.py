"""What removes the tooling account's state looks for states once nothing changes its stack any more."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.delivery.pipeline import state_stack
from amplify_delivery.delivery.teardown import emptying
from amplify_delivery.errors import RefusedError
from aws_rehearsal_tests.clock import Clock

NAMES = PipelineNames("app", "111122223333", "eu-west-1")


def test_a_state_that_came_while_the_stack_was_waited_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, state_stack)
    states = iter(["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"])
    stored: list[dict[str, str]] = []

    def describe(StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        status = next(states)
        if status == "UPDATE_COMPLETE":
            stored.append({"Key": ".pulumi/stacks/app/prod.json"})
        return {"Stacks": [{"StackName": StackName, "StackId": "id", "StackStatus": status}]}

    def paginator(_: str) -> Any:
        return SimpleNamespace(paginate=lambda **__: [{"Contents": [*stored]}])

    def emptied(*_: object) -> None:
        pytest.fail("the state was deleted")

    client = SimpleNamespace(describe_stacks=describe, get_paginator=paginator)
    account: Any = SimpleNamespace(client=lambda _: client, asking=lambda _: nullcontext())
    monkeypatch.setattr(emptying, "bucket", emptied)
    with pytest.raises(RefusedError, match="the state of app/prod lies in it"):
        state_stack.remove(account, "app-tooling-state", NAMES)
