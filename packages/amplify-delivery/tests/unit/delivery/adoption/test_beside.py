"""What a lost state held beside the root: found as what it was to be, and taken in below its components."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.delivery.adoption import beside, refusing
from amplify_delivery.delivery.killed import existing
from amplify_delivery.delivery.killed.pending import Answer, Foreign, Gone, Operation, There
from amplify_delivery.delivery.planning import ProgramStep

STACK = "urn:pulumi:dev::app::pulumi:pulumi:Stack::app-dev"
AREA = "urn:pulumi:dev::app::amplify-delivery:index:StagingArea::staging"
BUCKET, SECRET = "aws:s3/bucket:Bucket", "aws:secretsmanager/secret:Secret"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
STAGING: dict[str, Any] = {"bucket": "app-dev-staging", "forceDestroy": True}


def step(urn: str, type_: str, parent: str, operation: str = "create", **inputs: Any) -> ProgramStep:
    custom = not type_.startswith("amplify")
    return ProgramStep(urn, type_, operation, (), inputs, custom, provider="urn:provider::1", parent=parent)


STEPS = (
    step(STACK, "pulumi:pulumi:Stack", "", "same"),
    step(AREA, "amplify-delivery:index:StagingArea", STACK),
    step("urn:bucket", BUCKET, AREA, **STAGING),
    step("urn:versioning", VERSIONING, AREA, bucket="app-dev-staging"),
    step("urn:secret", SECRET, STACK, name="app/secret"),
    step("urn:kept", SECRET, STACK, "same", name="app/kept"),
)


class Engine:
    """An engine with the root in its state; what was written."""

    def __init__(self) -> None:
        self.written: list[Mapping[str, Any]] = []

    def preview(self) -> Any:
        return SimpleNamespace(steps=STEPS)

    def state(self) -> Mapping[str, Any]:
        return {"resources": [{"urn": STACK, "type": "pulumi:pulumi:Stack"}], "secrets_providers": {"type": "p"}}

    def write(self, state: Mapping[str, Any]) -> None:
        self.written.append(state)


def answering(monkeypatch: pytest.MonkeyPatch, **answers: Answer) -> None:
    def ask(_: object, operation: Operation, __: object) -> Answer:
        return answers[operation.urn.removeprefix("urn:")]

    monkeypatch.setattr(existing, "ask", ask)


def test_what_is_there_is_in_the_state_below_its_components(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, bucket=There("app-dev-staging"), secret=There("arn:s", {"arn": "arn:s"}))
    engine: Any = Engine()
    found = beside.take_in(engine, SimpleNamespace())  # type: ignore[arg-type]
    assert found == beside.Beside(("app-dev-staging", "app/secret"), ())
    (state,) = engine.written
    assert state["secrets_providers"] == {"type": "p"}
    assert [r["urn"] for r in state["resources"]] == [STACK, AREA, "urn:bucket", "urn:secret"]
    area, bucket, secret = state["resources"][1:]
    assert (area["custom"], area["parent"]) == (False, STACK)
    assert (bucket["id"], bucket["custom"], bucket["provider"]) == ("app-dev-staging", True, "urn:provider::1")
    assert bucket["inputs"] == bucket["outputs"] == STAGING
    assert secret["outputs"] == {"name": "app/secret", "arn": "arn:s"}


def test_what_is_not_there_is_made_and_what_is_not_ours_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, bucket=Gone(), secret=Foreign("it has another description"))
    engine: Any = Engine()
    found = beside.take_in(engine, SimpleNamespace())  # type: ignore[arg-type]
    assert found == beside.Beside((), ("app/secret: it has another description",))
    assert engine.written == []
    (note,) = refusing.beside(found.taken, found.left)
    assert "app/secret: it has another description" in note
    assert refusing.beside((), ()) == ()
