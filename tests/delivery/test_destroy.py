"""`delivery destroy` of an environment: nothing is touched before all is checked, and what lives on is said."""

from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_export.errors import DeployError
from changes.stateful import BUCKET
from delivery import destroy
from delivery.engine import ROOT_STACK
from delivery.stateful import Held

LOCKED = "the stack is currently locked"


class Scene:
    """An environment with a root stack and a bucket; what was done to it, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.statuses = ["UPDATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"]
        self.locked = False
        self.account, self.region = "111122223333", "eu-west-1"

    def client(self, _: str) -> Scene:
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        return {"Stacks": [{"StackName": StackName, "StackStatus": self.statuses.pop(0)}]}

    def resources(self) -> list[dict[str, str]]:
        return [{"type": ROOT_STACK, "id": "root"}]

    def refresh(self) -> None:
        if self.locked:
            raise DeployError(LOCKED)

    def destroy(self) -> SimpleNamespace:
        self.done.append("destroyed")
        return SimpleNamespace(changes={"delete": 1})

    def run(self, monkeypatch: pytest.MonkeyPatch) -> int:
        bucket = Held("Bucket", BUCKET, "app-bucket", "objects", kept=False)
        monkeypatch.setattr(destroy.stack_files, "program", lambda _: "backend")
        monkeypatch.setattr(destroy.stack_files, "load", lambda _: None)
        monkeypatch.setattr(destroy, "Engine", lambda *_: self)
        monkeypatch.setattr(destroy, "Account", SimpleNamespace(of=lambda _: self))
        monkeypatch.setattr(destroy, "in_state", lambda _: [])
        monkeypatch.setattr(destroy, "in_stack", lambda *_: [bucket])
        monkeypatch.setattr(destroy.emptying, "bucket", lambda _, name: self.done.append(f"emptied {name}"))
        return destroy.run(argparse.Namespace(stack="dev", region=None, json=False, delete_data=True))


def test_all_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    assert scene.run(monkeypatch) == 0
    assert scene.done == ["emptied app-bucket", "destroyed"]


def test_a_lock_is_met_before_a_bucket_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.locked = True
    with pytest.raises(DeployError, match=LOCKED):
        scene.run(monkeypatch)
    assert scene.done == []


@pytest.mark.parametrize("before", [[], ["UPDATE_COMPLETE"]])
def test_a_stack_that_is_updated_is_left_alone(monkeypatch: pytest.MonkeyPatch, before: list[str]) -> None:
    scene = Scene()
    scene.statuses = [*before, "UPDATE_IN_PROGRESS"]
    with pytest.raises(DeployError, match="its state is UPDATE_IN_PROGRESS"):
        scene.run(monkeypatch)
    assert scene.done == []


def test_a_stack_that_lives_on_is_not_said_to_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    scene.statuses[-1] = "UPDATE_IN_PROGRESS"
    with pytest.raises(DeployError, match="still there, in state UPDATE_IN_PROGRESS"):
        scene.run(monkeypatch)
