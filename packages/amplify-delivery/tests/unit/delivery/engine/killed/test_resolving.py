"""Settling what a killed run has left: written by what changes a stack, only foreseen by what plans."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.engine.killed import existing, resolving
from amplify_delivery.delivery.engine.killed.pending import Answer, Foreign, Gone, Operation, There, Unknown
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.errors import RefusedError, StateError

URN = "urn:pulumi:dev::app::amplify-delivery:index:AmplifyBackend$aws:cloudformation/stack:Stack::backend"


BEGAN = datetime(2027, 1, 31, 12, tzinfo=UTC)


class Engine:
    """An engine whose state is a killed run's; what was written."""

    stack, backend_variables = "dev", ""

    def __init__(self, *, killed: bool = True, encrypted: str = "passphrase", resources: Any = ()) -> None:
        operation = {"type": "creating", "resource": {"urn": URN, "type": ROOT_STACK, "inputs": {"name": "n"}}}
        self.left: dict[str, Any] = {
            "resources": list(resources),
            "secrets_providers": {"type": encrypted},
            "pending_operations": [operation] if killed else [],
        }
        self.written: list[Mapping[str, Any]] = []
        self.foreseen: list[Mapping[str, Any]] = []
        self.when_lost: Any = None

    def state(self) -> Mapping[str, Any]:
        return self.left

    def write(self, state: Mapping[str, Any]) -> None:
        self.written.append(state)

    def beside(self, folder: Path, state: Mapping[str, Any]) -> str:
        assert folder.is_dir()
        self.foreseen.append(state)
        return "beside"


def account() -> Any:
    return Place()


def fine(_: Mapping[str, Any]) -> None:
    pass


class Place:
    """An account, in a region."""

    account, profile = "111122223333", None

    def __init__(self, region: str = "eu-west-1") -> None:
        self.region = region

    def at(self, region: str) -> Place:
        return Place(region)

    def asking(self, _: str) -> AbstractContextManager[None]:
        return nullcontext()

    def client(self, _: str) -> Any:
        """The log group `/app/calls`, which keeps its events as nothing was sent."""
        pages = SimpleNamespace(paginate=lambda **_: [{"logGroups": [{"logGroupName": "/app/calls"}]}])
        return SimpleNamespace(get_paginator=lambda _: pages)


def nobody() -> Any:
    raise AssertionError("AWS is asked")


def answering(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    monkeypatch.setattr(existing, "ask", lambda *_: answer)


def test_where_no_run_was_killed_nothing_is_asked_and_nothing_written() -> None:
    engine: Any = Engine(killed=False)
    assert resolving.resolve(engine, nobody, fine) == engine.left
    with resolving.foreseen(engine, nobody, fine) as (seen, state):
        assert id(seen) == id(engine)
        assert state == engine.left
    assert engine.written == engine.foreseen == []


def test_the_state_is_written_as_it_was_found_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, There("arn"))
    engine: Any = Engine()
    state = resolving.resolve(engine, account, fine)
    assert engine.written == [state]
    assert [r["id"] for r in state["resources"]] == ["arn"]
    assert "backend (aws:cloudformation/stack:Stack): a run that was killed has made it" in capsys.readouterr().err


def made(**inputs: object) -> ProgramStep:
    """A create that the engine has taken for failed."""
    return ProgramStep(
        URN, ROOT_STACK, "create", (), inputs, custom=True, protected=True, provider="urn::id", parent="urn:p"
    )


@pytest.mark.parametrize(
    ("answer", "there", "said"),
    [
        (There("arn"), True, "it was made before its plugin ended; it is taken in"),
        (Gone(), False, ""),
        (There("arn", made=BEGAN - timedelta(minutes=1)), True, "it is taken in"),  # by this machine's clock
        (There("arn", made=BEGAN - timedelta(days=1)), False, "was made before, on 2027-01-30 12:00: not its own"),
        (Foreign("it is another's"), False, "its plugin ended before it was made, but it is another's"),
        (Unknown("nobody knows"), False, "whether it was made before its plugin ended cannot be told: nobody knows"),
    ],
)
def test_what_a_lost_plugin_was_making_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Answer, there: bool, said: str
) -> None:
    engine = Engine(killed=False)
    answering(monkeypatch, answer)
    monkeypatch.setattr(resolving, "_ON_ITS_WAY", 0.0)
    resolving.resolve(engine, account, fine)  # type: ignore[arg-type]
    engine.when_lost([made(name="n")], BEGAN)
    assert bool(engine.written) is there
    if there:
        (written,) = engine.written[0]["resources"]
        assert written["id"] == "arn"
        assert (written["inputs"], written["provider"], written["parent"]) == ({"name": "n"}, "urn::id", "urn:p")
        assert written["protect"]  # else a plain `pulumi destroy` would take the data, until the next update
        assert engine.written[0]["pending_operations"] == []
    told = capsys.readouterr().err
    assert said in told
    assert bool(told) is bool(said)


def test_what_nobody_can_tell_of_is_no_reason_to_forget_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next run would meet them in AWS. And nothing is pending that a command could clear."""

    def ask(_: Place, operation: Operation, __: object) -> Answer:
        if operation.urn == "urn::denied":
            raise RefusedError("AWS denies it")
        return Unknown("it has no name") if operation.urn == "urn::nameless" else There("arn")

    engine = Engine(killed=False)
    monkeypatch.setattr(existing, "ask", ask)
    monkeypatch.setattr(resolving, "_ON_ITS_WAY", 0.0)
    resolving.settle_lost(engine, account, fine)  # type: ignore[arg-type]
    engine.when_lost([replace(made(name="n"), urn=urn) for urn in ("urn::nameless", "urn::denied", URN)], BEGAN)
    (written,) = engine.written
    assert [r["urn"] for r in written["resources"]] == [URN]
    told = capsys.readouterr().err
    assert "nameless (aws:cloudformation/stack:Stack): whether it was made before its plugin ended cannot be" in told
    assert "AWS denies it. Look in the account before you repeat the command" in told
    assert "clear-pending-creates" not in told


@pytest.mark.parametrize(("answer", "name"), [(There("arn"), "n2"), (Gone(), "n1"), (Unknown("denied"), "n1")])
def test_an_update_of_the_root_stack_that_lost_its_plugin_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Answer, name: str
) -> None:
    """CloudFormation went on: else a retry would find another update than the approved one."""
    held: dict[str, Any] = {"urn": URN, "type": ROOT_STACK, "id": "arn", "inputs": {"name": "n1"}}
    held["customTimeouts"] = {"update": 60}
    engine = Engine(killed=False, resources=[held])
    answering(monkeypatch, answer)
    monkeypatch.setattr(resolving, "_ON_ITS_WAY", 0.0)
    resolving.settle_lost(engine, account, fine)  # type: ignore[arg-type]
    engine.when_lost([replace(made(name="n2"), operation="update")], BEGAN)
    (now,) = engine.written[0]["resources"] if engine.written else [held]
    assert (now["inputs"]["name"], now["id"], now["customTimeouts"]) == (name, "arn", {"update": 60})
    assert bool(engine.written) is (name == "n2")
    assert "makes it again" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "inputs", [{"password": "[secret]"}, {"code": [{"4dabf18193072939515e22adb298388d": "0def", "text": "..."}]}]
)
def test_what_the_engine_does_not_tell_is_not_taken_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], inputs: Mapping[str, Any]
) -> None:
    """It would stand in the state as if it had been sent."""
    engine = Engine(killed=False)
    answering(monkeypatch, There("arn"))
    monkeypatch.setattr(resolving, "_ON_ITS_WAY", 0.0)
    resolving.settle_lost(engine, account, fine)  # type: ignore[arg-type]
    engine.when_lost([made(**inputs)], BEGAN)
    assert engine.written == []
    assert "whether AWS has it is not looked for" in capsys.readouterr().err


@pytest.mark.parametrize(("provider", "asked"), [("urn:there", "us-east-1"), ("urn:other", "eu-west-1")])
def test_it_is_asked_for_where_it_was_made(monkeypatch: pytest.MonkeyPatch, provider: str, asked: str) -> None:
    """A pipeline has stores in several regions, an account environments: nothing of them is found elsewhere."""
    places: list[str] = []

    def ask(place: Place, *_: object) -> Answer:
        places.append(place.region)
        return Gone()

    monkeypatch.setattr(existing, "ask", ask)
    there = {"urn": "urn:there", "type": "pulumi:providers:aws", "id": "1", "inputs": {"region": "us-east-1"}}
    engine: Any = Engine(resources=[there])
    engine.left["pending_operations"][0]["resource"]["provider"] = f"{provider}::1"
    resolving.resolve(engine, account, fine)
    assert places == [asked]


def test_a_plan_looks_at_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, Gone())
    engine: Any = Engine()
    with resolving.foreseen(engine, account, fine) as (seen, state):
        assert str(seen) == "beside"
    assert engine.written == []
    assert engine.foreseen == [state]
    assert engine.foreseen[0]["pending_operations"] == []


def test_nothing_is_written_with_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, Gone())

    def other(_: Mapping[str, Any]) -> None:
        raise StateError("another key")

    engine: Any = Engine()
    with pytest.raises(StateError, match="another key"):
        resolving.resolve(engine, nobody, other)
    assert engine.written == []


def test_what_pulumi_cloud_encrypts_is_settled_before_it_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, Gone())
    engine: Any = Engine(encrypted="service")
    with (
        pytest.raises(RefusedError, match="cannot look ahead") as raised,
        resolving.foreseen(engine, account, fine),
    ):
        raise AssertionError
    assert "`amplify-delivery unlock dev`" in raised.value.remedy
    assert resolving.resolve(engine, account, fine)["pending_operations"] == []


@pytest.mark.parametrize("answer", [Unknown("nobody can tell"), There("arn")])
def test_what_cannot_be_told_is_refused_and_nothing_written(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """The second: a create that was to replace what is still there is not asked for at all."""
    answering(monkeypatch, answer)
    engine: Any = Engine(resources=[{"urn": URN, "id": "old"}] if isinstance(answer, There) else ())
    with pytest.raises(RefusedError, match="whether they are there cannot be told"):
        resolving.resolve(engine, account, fine)
    assert engine.written == []


def test_a_log_group_that_was_there_before_is_not_taken_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has no tags and no description, and another stack may have made it: a later `destroy` would delete it."""
    type_ = "aws-native:logs:LogGroup"
    answering(monkeypatch, There("/app/calls", made=BEGAN - timedelta(hours=3)))
    engine: Any = Engine()
    left = {"urn": f"urn:pulumi:dev::app::{type_}::calls", "type": type_, "parent": "urn:parent"}
    engine.left["pending_operations"] = [{"type": "creating", "resource": left}]
    engine.left["manifest"] = {"time": BEGAN.isoformat()}
    with pytest.raises(RefusedError, match="/app/calls is there since 2027-01-31 09:00, and nothing tells whether"):
        resolving.resolve(engine, account, fine)
    assert engine.written == []
    # Made before what it stands below, it is nobody's question.
    engine.left["resources"] = [{"urn": "urn:parent", "created": (BEGAN - timedelta(hours=1)).isoformat()}]
    assert resolving.resolve(engine, account, fine)["pending_operations"] == []
    assert "calls" not in [r.get("id") for r in engine.written[0]["resources"]]
    assert "was made before, on 2027-01-31 09:00: not its own" in capsys.readouterr().err


def test_what_names_its_own_region_is_asked_for_there_and_what_is_in_another_account_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places: list[str] = []

    def ask(place: Place, *_: object) -> Answer:
        places.append(place.region)
        return Gone()

    monkeypatch.setattr(existing, "ask", ask)
    dns = {"urn": "urn:dns", "type": "pulumi:providers:aws", "id": "1", "inputs": {"region": "r", "profile": "dns"}}
    engine: Any = Engine(resources=[dns])
    resource = engine.left["pending_operations"][0]["resource"]
    resource["inputs"]["region"] = "eu-north-1"
    resolving.resolve(engine, account, fine)
    assert places == ["eu-north-1"]
    resource["provider"] = "urn:dns::1"
    with pytest.raises(RefusedError, match="its provider acts with the profile dns"):
        resolving.resolve(engine, account, fine)
    assert places == ["eu-north-1"]
