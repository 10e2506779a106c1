"""A plan is made and carried out: what is asked and done around the engine's run, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes.guard import PLAN_VARIABLE, Guard
from amplify_delivery.changes.impossible import Impossible
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval, proposing
from amplify_delivery.delivery.deployment.execution import auth_trust, carrying_out, in_steps, protecting, restoring
from amplify_delivery.delivery.deployment.execution.in_steps import Work
from amplify_delivery.delivery.deployment.live import following
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.environment import drifting, planned, wanted
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.errors import DeployError, FailedError, RefusedError
from unit.command_line import ROOT
from unit.delivery.planning.a_plan import PLAN, START, STEPS, TARGET

APPROVED = "5f0c"
GUARD = Guard("dev", (), date(2027, 5, 1))


class Scene:
    """An engine and what stands around it; `did` is what was done, in order. `left` are the backend's steps that each
    look finds afterwards, `by_hand` how often it finds a stack that somebody has updated."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *left: tuple[Any, ...], by_hand: int = 0) -> None:
        self.did: list[Any] = []
        self.left, self.by_hand = list(left) or [()], by_hand
        self.fails: DeployError | None = None
        self.root, self.line = "urn", print
        monkeypatch.setattr(auth_trust, "kept", lambda *_: self.around("trust"))
        monkeypatch.setattr(auth_trust, "tell", lambda *_: self.did.append("told of the trust"))
        monkeypatch.setattr(following, "followed", lambda *_: self.around("shown"))
        monkeypatch.setattr(in_steps, "carry_out", self.run)
        monkeypatch.setattr(planned, "backend", lambda _: self.look())
        monkeypatch.setattr(restoring, "needed", lambda _: self.needed())
        monkeypatch.setattr(restoring, "restore", lambda *_: self.did.append("brought back"))
        monkeypatch.setattr(restoring, "check", lambda _, guard: self.did.append(guard))
        monkeypatch.setattr(protecting, "carry_out", self.protect)

    @property
    def target(self) -> Any:
        account = SimpleNamespace(client=lambda _: None)
        context = SimpleNamespace(variables={})
        return SimpleNamespace(account=account, root=SimpleNamespace(stack_name="root"), context=context)

    @contextmanager
    def around(self, what: str) -> Iterator[None]:
        self.did.append(f"{what}: begin")
        yield
        self.did.append(f"{what}: end")

    def run(self, _engine: Any, _work: Any, _target: Any, variables: Any) -> Iterator[Any]:
        self.did.append(dict(variables))
        if self.fails:
            raise self.fails
        yield SimpleNamespace(changes={"update": 2})

    def protect(self, *_: Any) -> bool:
        self.did.append("protected")
        return False

    def up(self, variables: Any) -> None:
        self.did.append(("up", dict(variables)))

    def look(self) -> Any:
        return SimpleNamespace(steps=self.left.pop(0) if len(self.left) > 1 else self.left[0], protection=())

    def needed(self) -> bool:
        self.by_hand -= 1
        return self.by_hand >= 0


def carry_out(scene: Any, plan: Plan = PLAN) -> dict[str, int]:
    return carrying_out.carry_out(scene, plan, APPROVED, scene.target)


def test_a_plan_is_carried_out_with_its_digest_shown_and_with_the_trust_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    assert carry_out(scene) == {"update": 2}
    told = {PLAN_VARIABLE: APPROVED}
    assert scene.did == ["trust: begin", "shown: begin", told, "shown: end", "protected", "trust: end"]


def test_for_an_empty_plan_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    assert carry_out(scene, Plan(START, TARGET, ())) == {}
    assert scene.did == ["told of the trust"]


def test_what_did_not_take_place_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation has taken the update for none, and the engine believes it."""
    with pytest.raises(FailedError, match="1 change of the backend did not take place") as caught:
        carry_out(Scene(monkeypatch, STEPS[:1]))
    assert STEPS[0].place in caught.value.message
    assert caught.value.exit_code == 4


def test_what_somebody_has_updated_by_hand_is_brought_back(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, STEPS[:1], (), by_hand=1)
    assert carry_out(scene) == {"update": 3}
    told = {PLAN_VARIABLE: APPROVED}
    assert scene.did[3:] == ["shown: end", "brought back", ("up", told), "protected", "trust: end"]


def test_up_asks_for_data_before_it_brings_anything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    scene: Any = Scene(monkeypatch, by_hand=1)
    assert carrying_out.update(scene, scene.target, GUARD, Work()) == {"update": 3}
    assert scene.did == [
        *("trust: begin", "shown: begin", {}, "shown: end"),
        *("protected", GUARD, "brought back", ("up", {}), "trust: end"),
    ]


def test_what_failed_in_nested_stacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    scene.fails = DeployError("the root stack has failed")
    monkeypatch.setattr(carrying_out, "failed_resources", lambda *_: ["api/Table: there is one already"])
    with pytest.raises(DeployError, match="the root stack has failed\napi/Table: there is one already"):
        carry_out(scene)


# --- the plan before it -----------------------------------------------------------------------------------------------


def proposed(monkeypatch: pytest.MonkeyPatch, plan: Plan, *, drifted: bool = False) -> tuple[list[Any], Plan | None]:
    """What is done for a plan of a bootstrapped environment, and it, or None if it was refused."""
    did: list[Any] = []
    target = SimpleNamespace(account=None, config=SimpleNamespace(bootstrapped=True))

    @contextmanager
    def foreseen(*_: Any) -> Iterator[Any]:
        yield None, {}

    def drift(*_: Any) -> None:
        did.append("drift was asked for")
        if drifted:
            raise RefusedError("what runs is not what was delivered")

    monkeypatch.setattr(wanted, "wanted", lambda *_: target)
    monkeypatch.setattr(wanted, "settle", lambda *_: did.append("CloudFormation was waited for"))
    monkeypatch.setattr(proposing, "Engine", lambda *_: None)
    monkeypatch.setattr(proposing, "log_if_allowed", lambda *_: None)
    monkeypatch.setattr(proposing, "wait_until_free", lambda *_: False)
    monkeypatch.setattr(planned, "checked", lambda *_: None)
    monkeypatch.setattr(resolving, "foreseen", foreseen)
    monkeypatch.setattr(planned, "make", lambda *_, **__: plan)
    monkeypatch.setattr(drifting, "check", drift)
    monkeypatch.setattr(approval, "keep", lambda _, kept: did.append(kept))
    try:
        return did, proposing.propose("plan", "dev", Context(ROOT, {}), Patience(0), refused=did.append)
    except RefusedError as error:
        return [*did, error.message], None


def test_a_plan_is_kept_in_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    did, found = proposed(monkeypatch, PLAN)
    assert (did, found) == (["CloudFormation was waited for", "drift was asked for", PLAN], PLAN)


def test_what_cannot_be_carried_out_is_shown_and_refused_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    never = Plan(START, TARGET, STEPS, impossible=(Impossible("AD741", "api/Table", "cannot be", "no"),))
    waited, shown, why = proposed(monkeypatch, never)[0]
    assert (waited, shown, "AD741 api/Table" in why) == ("CloudFormation was waited for", never, True)
    waited, asked, shown, why = proposed(monkeypatch, PLAN, drifted=True)[0]
    assert (asked, shown, why) == ("drift was asked for", PLAN, "what runs is not what was delivered")
