"""Drift in a plan: what was approved covers what is overwritten, what an environment puts up with, what notes say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes.drift import effects
from amplify_delivery.changes.drift.effects import Acknowledged, Drift, state_digest
from amplify_delivery.changes.drift.model import Detected, Difference, Drifted, Unread
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import ChangeResource, RemoveResource
from amplify_delivery.delivery.deployment import approval
from amplify_delivery.delivery.environment import drifting
from amplify_delivery.delivery.planning import Plan, Start, Target
from amplify_delivery.delivery.reporting import gathering
from amplify_delivery.errors import RefusedError
from amplify_delivery.stacks.config import EnvironmentConfig

FUNCTION = ("functionresize", "LambdaFunction")
KIND = "AWS::Lambda::Function"
STEP = ChangeResource(FUNCTION, KIND, ("Timeout",), "digest")
DRIFT = Drift(FUNCTION, KIND, "/Timeout", "25", "60", "30", "brought-back")
GUARD = Guard("prod", (), date(2027, 1, 1))


def plan(*drift: Drift, status: str = "UPDATE_COMPLETE") -> Plan:
    start = Start("amplify-app-prod-12345", status, "1", "2", "3", "4", state_digest(drift))
    target = Target("prod", "4" * 12, "eu-central-1", "a", "r", "p", "c")
    return Plan(start, target, (STEP,), drift=drift)


def environment(*acknowledged: Acknowledged, refuses: bool = False, detects: bool = True) -> Any:
    config = SimpleNamespace(
        acknowledged_drift=acknowledged, refuses_drift=refuses, detects_drift=detects, environment="prod"
    )
    return SimpleNamespace(config=config, root=SimpleNamespace(stack_name="root"), account=None)


def test_drift_is_another_plan() -> None:
    assert plan().digest != plan(DRIFT).digest != plan(replace(DRIFT, running="61")).digest
    assert plan(DRIFT).digest == plan(replace(DRIFT, acknowledged="until May")).digest
    assert replace(plan(), drift=None, start=replace(plan().start, drift=None)).to_json()["drift"] is None
    assert plan(DRIFT).to_json()["drift"] == [DRIFT.to_json()]


def test_what_remains_of_an_approved_plan_overwrites_nothing_new() -> None:
    approved = plan(DRIFT).to_json()
    digest = approved["digest"]
    for same in (plan(DRIFT, status="UPDATE_ROLLBACK_COMPLETE"), plan(), plan(replace(DRIFT, effect="left"))):
        approval.check(same, digest, approved, GUARD)
    for new in (replace(DRIFT, running="90"), replace(DRIFT, pointer="/MemorySize", effect="perhaps-brought-back")):
        with pytest.raises(RefusedError, match="changed this by hand since the plan was approved"):
            approval.check(plan(DRIFT, new), digest, approved, GUARD)
    # Where it stays as it runs, nothing of it is lost.
    approval.check(plan(DRIFT, replace(DRIFT, running="90", effect="left")), digest, approved, GUARD)


def test_what_an_environment_puts_up_with() -> None:
    known = Acknowledged("functionresize/LambdaFunction", "/Timeout", "60", "until May")
    drifting.check(plan(DRIFT), environment())
    drifting.check(plan(replace(DRIFT, acknowledged="until May")), environment(known, refuses=True))
    with pytest.raises(RefusedError, match="what runs is not what was delivered"):
        drifting.check(plan(DRIFT), environment(refuses=True))
    drifting.check(replace(plan(DRIFT), steps=()), environment(refuses=True))
    with pytest.raises(RefusedError, match="would fail on what somebody has deleted"):
        drifting.check(plan(replace(DRIFT, pointer="", running="deleted", effect="fails")), environment())


def test_nobody_looks_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drifting, "detect", lambda *_: pytest.fail("asked"))
    stacks = Stacks({(): {}}, {})
    assert drifting.look(environment(detects=False), stacks, stacks, ()) == drifting.Looked()
    assert drifting.look(environment(), None, stacks, ()) == drifting.Looked(()), "nothing is deployed"


def test_notes_say_what_was_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Detected(
        (Drifted(FUNCTION, KIND, (Difference("/Timeout", "25", "90"),)),),
        (Unread("auth/UserPoolClient", "AWS::Cognito::UserPoolClient", "not authorized"),),
        {"AWS::IAM::Policy": 12},
    )
    monkeypatch.setattr(drifting, "detect", lambda *_: found)
    target = environment(Acknowledged("functionresize/LambdaFunction", "/Timeout", "60", "until May"))
    target.account = SimpleNamespace(client=lambda _: None, asking=lambda *_: _Block())
    stacks = Stacks({(): {}}, {})
    looked = drifting.look(target, stacks, stacks, ())
    assert looked.drift is not None
    assert [d.effect for d in looked.drift] == ["left"]
    assert looked.digest == effects.state_digest(looked.drift)
    told = "\n".join(looked.notes)
    for words in (
        "auth/UserPoolClient (AWS::Cognito::UserPoolClient)): not authorized",
        "CloudFormation detects no drift of AWS::IAM::Policy (12)",
        "acknowledged drift is gone, or runs with another value: functionresize/LambdaFunction /Timeout",
    ):
        assert words in told


class _Block:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_production_looks_and_refuses() -> None:
    given: dict[str, Any] = {"account": "4" * 12, "region": "eu-central-1", "environment": "prod"}
    plain = EnvironmentConfig.model_validate(given)
    assert (plain.detects_drift, plain.refuses_drift) == (False, False)
    detecting = EnvironmentConfig.model_validate({**given, "drift": {"detect": True}})
    assert (detecting.detects_drift, detecting.refuses_drift) == (True, False)
    for strict in ({"production": True}, {"drift": {"refuse": True}}):
        config = EnvironmentConfig.model_validate({**given, **strict})
        assert (config.detects_drift, config.refuses_drift) == (True, True)


def test_a_report_tells_why_a_plan_would_be_refused() -> None:
    """For drift as for data: what `deploy` says, the report says before."""
    target = environment(refuses=True)
    target.config.guard = lambda *_: GUARD
    (refused,) = gathering._refused(plan(DRIFT), target)
    assert "what runs is not what was delivered" in refused.message
    lost = replace(
        plan(DRIFT), steps=(RemoveResource(("api", "Table"), "AWS::DynamoDB::Table", kept=False, loss="its items"),)
    )
    assert [e.message.partition(":")[0] for e in gathering._refused(lost, target)] == [
        "this would delete data",
        "what runs is not what was delivered",
    ]
    calm = environment()
    calm.config.guard = lambda *_: GUARD
    assert list(gathering._refused(plan(DRIFT), calm)) == []
