"""A plan's digest, its document, and what a retry may do."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from delivery.planning import Plan, Start, Target, document_digest, plan_backend
from tests.delivery.planning.stacks_of import stacks_of

START = Start("amplify-app-dev-12345", "CREATE_COMPLETE", "1", "2", "3", "4")
TARGET = Target("dev", "444444444444", "eu-central-1", "a", "r", "p", "c")
STEPS = plan_backend(stacks_of("todo-series/v2"), stacks_of("todo-series/v3"))
PLAN = Plan(START, TARGET, STEPS)


def test_the_digest_is_the_same_for_the_same_plan() -> None:
    assert Plan(replace(START), replace(TARGET), STEPS).digest == PLAN.digest
    assert document_digest(json.loads(json.dumps(PLAN.to_json()))) == PLAN.digest


def test_nothing_to_change_has_a_digest_too() -> None:
    document = Plan(START, TARGET, ()).to_json()
    assert (document["changes"], document["dataLoss"], len(document["digest"])) == (0, [], 64)


@pytest.mark.parametrize(
    "other",
    [
        *(replace(PLAN, start=replace(START, **{f.name: "other"})) for f in fields(Start)),
        *(replace(PLAN, target=replace(TARGET, **{f.name: "other"})) for f in fields(Target)),
        replace(PLAN, steps=STEPS[:-1]),
        replace(PLAN, steps=(replace(STEPS[0], after="other"), *STEPS[1:])),
    ],
)
def test_the_digest_is_another_for_anything_else(other: Plan) -> None:
    assert other.digest != PLAN.digest


def test_what_remains_of_an_approved_plan_is_known_by_its_steps() -> None:
    approved = json.loads(json.dumps(PLAN.to_json()))
    assert replace(PLAN, start=replace(START, status="UPDATE_ROLLBACK_COMPLETE")).beyond(approved) == ()
    assert replace(PLAN, steps=STEPS[3:]).beyond(approved) == ()
    other = replace(STEPS[0], after="other")
    assert replace(PLAN, steps=(other, *STEPS[1:])).beyond(approved) == (other,)
