"""What a plan is put together of: each part is asked, and has its place in it."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes.deployed import Deployed
from amplify_delivery.changes.gained import Comparison
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.impossible import Impossible
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import AddResource, ChangeOutput, ChangeProgram, ProtectStack, RecoverStack
from amplify_delivery.delivery.environment import drifting, image_findings, planned, recovery, set_by_hand
from amplify_delivery.delivery.environment.recovery import Seen
from amplify_delivery.delivery.planning.in_order import InOrder
from amplify_delivery.delivery.planning.same_bytes import SameBytes
from amplify_delivery.publishing.stack_states import Place, Way
from unit.delivery.planning.a_plan import START, TARGET

RECOVERY = RecoverStack("root", "UPDATE_ROLLBACK_FAILED", "continue-update-rollback")
FIRST, THEN = (
    AddResource(("api", "First"), "AWS::SNS::Topic", "1"),
    AddResource(("api", "Then"), "AWS::SNS::Topic", "2"),
)
PROGRAM = ChangeProgram("urn::beside", "aws:sns/topic:Topic", "create", (), "", "3")
OUTPUT, PROTECTION = ChangeOutput("shown", "add", "4"), ProtectStack(True)
NEVER = (Impossible("AD741", "api/First", "cannot be", "no"), Impossible("AD747", "", "is in use", "no"))
STACKS = Stacks({(): {"Resources": {}}}, {})
NOTES = {
    "_rights": "rights that are not known",
    "boundary_comes": "the boundary comes",
    "trust_gap": "nobody gets in for a while",
    "losses": "what the file allows",
    "unread": "policies that nobody has read",
    "updated_by_hand": "updated by hand",
    "closed_tables": "a table is closed",
    "_amplifys_own": "a colleague has pushed",
    "ignored": "findings that do not count",
    "bytes_unread": "bytes that nobody has read",
}
"""What whoever approves should know, by who tells it."""


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, note in NOTES.items():
        monkeypatch.setattr(planned, name, lambda *_, note=note, **__: (note,))
    here = planned.Backend(Deployed("UPDATE_ROLLBACK_FAILED", STACKS), (FIRST,), STACKS, (PROTECTION,))
    way = Seen(Place("root", ""), "UPDATE_ROLLBACK_FAILED", Way.CONTINUE, (RECOVERY,), ("why it is stuck",))
    watch = SimpleNamespace(steps=(), outputs_before={}, outputs={})

    def listed(_: Any, told: Any) -> None:
        told("exports that could not be listed")

    looked = drifting.Looked((), ("what no drift is seen of",))
    parts: dict[str, Any] = {
        "checked": lambda *_: lambda _: None,
        "backend": lambda _: here,
        "_program": lambda *_: (PROGRAM,),
        "in_order": lambda *_: InOrder((FIRST,), (THEN,), NEVER[:1], ()),
        "plan_outputs": lambda *_, **__: (OUTPUT,),
        "program_rights": lambda *_: Comparison((), ()),
        "_gained": lambda *_: Comparison((), ()),
        "_same_bytes": lambda *_: SameBytes(frozenset({"api/First", "api/Edited"})),
        "listed": listed,
        "not_exported": lambda *_: NEVER[1:],
        "_start": lambda *_: START,
        "_target": lambda *_: TARGET,
    }
    for name, part in parts.items():
        monkeypatch.setattr(planned, name, part)
    monkeypatch.setattr(recovery, "look", lambda *_: way)
    monkeypatch.setattr(recovery, "check_still", lambda *_: None)
    monkeypatch.setattr(drifting, "look", lambda *_, asked: looked if asked else drifting.Looked())
    edited = set_by_hand.ByHand(frozenset({"api/Edited"}), ("code that was mended by hand",))
    monkeypatch.setattr(set_by_hand, "look", lambda *_: edited)
    monkeypatch.setattr(image_findings, "check", lambda *_: ("what a scan has found",))
    config = SimpleNamespace(
        ignored=(),
        bootstrapped=True,
        lint=SimpleNamespace(ignore=()),
        guard=lambda *_: Guard("dev", (), date(2027, 5, 1)),
    )
    target: Any = SimpleNamespace(config=config, account=SimpleNamespace(client=lambda _: None))
    engine: Any = SimpleNamespace(stack="dev", preview=lambda _: watch)
    return planned.make(target, engine, {}, drift=True)


def test_the_steps_stand_in_the_order_in_which_they_are_carried_out(plan: Any) -> None:
    assert plan.steps == (RECOVERY, FIRST, PROGRAM, OUTPUT, THEN, PROTECTION)


def test_whoever_approves_is_told_all_of_it(plan: Any) -> None:
    others = {
        "why it is stuck",
        "what a scan has found",
        "code that was mended by hand",
        "what no drift is seen of",
        "exports that could not be listed",
    }
    assert set(plan.notes) == {*NOTES.values(), *others}


def test_what_aws_cannot_do_is_known_of_templates_and_of_exports(plan: Any) -> None:
    assert (plan.impossible, plan.same_bytes, plan.drift) == (NEVER, {"api/First"}, ())
