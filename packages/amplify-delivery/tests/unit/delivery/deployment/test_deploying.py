"""`deploy`: what is asked of an approved plan before it is carried out, and what is left in the account afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.steps import RecoverStack
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval, begun, deploying
from amplify_delivery.delivery.deployment.execution import carrying_out
from amplify_delivery.delivery.engine import stack_outputs
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.environment import drifting, planned, present_images, recovery, wanted
from amplify_delivery.delivery.environment.front_end import left_for_steps
from amplify_delivery.delivery.planning import Plan, plan_backend
from amplify_delivery.errors import ConfigError, DeliveryError, FailedError, RefusedError
from unit.command_line import ROOT
from unit.delivery.planning.a_plan import PLAN, START, STEPS, TARGET
from unit.delivery.planning.stacks_of import stacks_of

LATER = replace(PLAN, start=replace(START, status="UPDATE_ROLLBACK_COMPLETE"), steps=STEPS[1:])
"""What remains of the plan after a failure."""
LOSS = Plan(START, TARGET, plan_backend(stacks_of("todo-series/v3"), stacks_of("todo-series/v2")))
STUCK = RecoverStack("root", "UPDATE_ROLLBACK_FAILED", "continue-update-rollback")
ASKED = ["settled", "drift", "images", "published"]
"""What comes before the work."""
KEPT = ["outputs", "front end"]
"""What is left in the account."""


class Scene:
    """A bootstrapped environment, unless `bootstrapped` says otherwise; `plans` are made one after the other. `did` is
    what was done, in order, and `ends_it` ends the work."""

    stack, account = "dev", None

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *plans: Plan) -> None:
        self.plans, self.did = list(plans), list[str]()
        self.document: dict[str, Any] | None = None
        self.before, self.result = False, ""
        self.bootstrapped, self.ends_it = True, list[FailedError]()
        self.folder, self.variables = ROOT, dict[str, str]()
        names = (
            (resolving, "resolve", "settled"),
            (drifting, "check", "drift"),
            (present_images, "complete", "images"),
            (deploying, "_complete", "published"),
            (stack_outputs, "keep", "outputs"),
            (left_for_steps, "keep", "front end"),
        )
        for module, name, what in names:
            monkeypatch.setattr(module, name, lambda *_, what=what: self.did.append(what))
        monkeypatch.setattr(wanted, "wanted", lambda *_: self.target)
        monkeypatch.setattr(wanted, "settle", lambda *_: None)
        monkeypatch.setattr(deploying, "log_of", lambda *_: self)
        monkeypatch.setattr(deploying, "Engine", lambda *_: self)
        monkeypatch.setattr(deploying, "holding", self.holding)
        monkeypatch.setattr(deploying, "of_assembly", lambda _: ())
        monkeypatch.setattr(planned, "checked", lambda *_: None)
        monkeypatch.setattr(planned, "make", lambda *_, **__: self.plans.pop(0))
        monkeypatch.setattr(approval, "kept", lambda *_: self.document)
        monkeypatch.setattr(recovery, "carry_out", lambda *_: self.did.append("recovered"))
        monkeypatch.setattr(carrying_out, "carry_out", self.work)

    @property
    def target(self) -> Any:
        config = SimpleNamespace(
            bootstrapped=self.bootstrapped,
            guard=lambda *_: Guard("dev", (), date(2027, 5, 1)),
            account="111122223333",
            region="r",
        )
        context = SimpleNamespace(project=SimpleNamespace(app="app", first=str, pipeline_of=self.no_pipeline))
        root = SimpleNamespace(stack_name="root")
        return SimpleNamespace(config=config, account=None, names=None, assembly=None, context=context, root=root)

    @staticmethod
    def no_pipeline(_: str) -> Any:
        raise ConfigError("there is none")

    @contextmanager
    def holding(self, *_: Any) -> Iterator[Any]:
        yield SimpleNamespace(waited=False, over=False)

    def work(self, _engine: Any, plan: Plan, approved: str, _target: Any) -> dict[str, int]:
        assert approved == PLAN.digest
        self.did.append(f"{len(plan.steps)} steps")
        if self.ends_it:
            raise self.ends_it.pop()
        return {"update": 1}

    def outputs(self) -> dict[str, Any]:
        return {}

    def deployed(self, *_: Any) -> bool:
        return self.before

    def open(self) -> str:
        """The audit log, opened by somebody."""
        return "ada"

    def append(self, event: Any) -> None:
        self.result = event["result"]

    def deploy(self) -> DeliveryError | None:
        """What it ends with."""
        try:
            deploying.deploy("dev", Context(ROOT, {}), deploying.Approved(PLAN.digest), Patience(0), print)
        except DeliveryError as error:
            return error
        return None


def test_the_approved_plan_is_carried_out_and_its_outputs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, PLAN)
    assert scene.deploy() is None
    assert scene.did == [*ASKED, f"{len(STEPS)} steps", *KEPT]
    assert scene.result == "deployed"


def test_another_plan_is_refused_and_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, LATER)
    error = scene.deploy()
    assert isinstance(error, RefusedError)
    assert "what would change is not what was approved" in error.message
    assert (scene.did, scene.result) == (["settled"], "refused")


@pytest.mark.parametrize("by", ["its document", "the audit log"])
def test_what_remains_or_was_deployed_before_is_known_by(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, LATER)
    scene.document = PLAN.to_json() if by == "its document" else None
    scene.before = by == "the audit log"
    assert scene.deploy() is None
    assert scene.did == [*ASKED, f"{len(LATER.steps)} steps", *KEPT]


def test_without_an_account_that_keeps_plans_it_lies_beside_the_state_until_it_is_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same command goes on with what is left, however often it fails, without a new approval."""
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    scene: Any = Scene(monkeypatch, PLAN, LATER, LATER)
    scene.bootstrapped, scene.ends_it = False, [FailedError("it fails again"), FailedError("it was rolled back")]
    scene.folder, scene.variables = tmp_path, {"PULUMI_BACKEND_URL": f"file://{tmp_path}/state"}
    for message in ("it was rolled back", "it fails again"):
        error = scene.deploy()
        assert error is not None
        assert error.message == message
        assert begun.read(scene, PLAN.digest) == PLAN.to_json()
    assert scene.deploy() is None
    assert begun.read(scene, PLAN.digest) is None
    assert "published" not in scene.did


def test_a_stack_is_recovered_and_what_was_approved_is_done_then(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, replace(PLAN, steps=(STUCK, *STEPS)), LATER)
    scene.document = PLAN.to_json()
    assert scene.deploy() is None
    assert scene.did == [*ASKED, "recovered", f"{len(LATER.steps)} steps", *KEPT]


def test_what_nobody_has_approved_is_not_done_behind_a_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, replace(PLAN, steps=(STUCK, *STEPS)), LOSS)
    scene.document = PLAN.to_json()
    error = scene.deploy()
    assert isinstance(error, FailedError)
    assert "the root stack is recovered. What remains to be done from there was not in the approved" in error.message
    assert (error.exit_code, scene.did[-1], scene.result) == (4, "recovered", "failed")


def test_data_that_is_lost_behind_a_recovery_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has approved the plan, and nobody has allowed the loss: the guard of the first plan knew of none."""
    scene = Scene(monkeypatch, replace(PLAN, steps=(STUCK, *STEPS)), LOSS)
    scene.document = replace(PLAN, steps=(STUCK, *STEPS, *LOSS.steps)).to_json()
    error = scene.deploy()
    assert error is not None
    assert "this would delete data" in error.message
    assert scene.did[-1] == "recovered"
