"""A plan's digest, its document, and what a retry may do."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from amplify_delivery.changes.steps import RecoverStack, UpdateStack
from amplify_delivery.delivery.planning import (
    AddResource,
    ChangeProgram,
    ChangeResource,
    Plan,
    Stacks,
    Start,
    Target,
    document_digest,
    plan_backend,
)
from amplify_delivery.delivery.planning.covered import Covered
from unit.delivery.planning.a_plan import PLAN, START, STEPS, TARGET
from unit.delivery.planning.stacks_of import stacks_of, with_resource

FIRST = STEPS[0]
assert isinstance(FIRST, AddResource | ChangeResource)


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
        replace(PLAN, steps=(replace(FIRST, after="other"), *STEPS[1:])),
    ],
)
def test_the_digest_is_another_for_anything_else(other: Plan) -> None:
    assert other.digest != PLAN.digest


def test_what_remains_of_an_approved_plan_is_known_by_its_steps() -> None:
    approved = json.loads(json.dumps(PLAN.to_json()))
    assert replace(PLAN, start=replace(START, status="UPDATE_ROLLBACK_COMPLETE")).beyond(approved) == ()
    assert replace(PLAN, steps=STEPS[3:]).beyond(approved) == ()
    assert isinstance(FIRST, AddResource | ChangeResource)
    other = replace(FIRST, after="other")
    assert replace(PLAN, steps=(other, *STEPS[1:])).beyond(approved) == (other,)


# --- a plan that was made before the release in front of it was deployed -------------------------------------------


def plan_from(old: str | None, new: Stacks) -> Plan:
    return Plan(START, TARGET, plan_backend(stacks_of(old) if old else None, new))


@pytest.mark.parametrize("planned_from", [None, "todo-series/v1"])
def test_what_the_release_before_has_done_of_it_is_left_out(planned_from: str | None) -> None:
    newest = stacks_of("todo-series/v3")
    approved = plan_from(planned_from, newest).to_json()
    left = plan_from("todo-series/v2", newest)
    assert {type(step).__name__ for step in left.steps} >= {"AddResource", "ChangeResource"}
    if planned_from is None:
        assert any(step.to_json() not in approved["steps"] for step in left.steps)
    assert left.beyond(approved) == ()


def test_a_change_that_leads_elsewhere_is_not_covered() -> None:
    newest = stacks_of("todo-series/v3")
    approved = plan_from(None, newest).to_json()
    other = with_resource(newest, "apiseriesapp/TodoList/TodoListTable", BillingMode="PROVISIONED")
    left = plan_from("todo-series/v2", other)
    places = {step.place for step in left.beyond(approved)}
    assert places == {"apiseriesapp/TodoList/TodoListTable"}


def test_a_replacement_or_removal_has_to_be_approved_as_such() -> None:
    newest, table = stacks_of("todo-series/v2"), "apiseriesapp/Todo/TodoTable"
    approved = plan_from(None, newest).to_json()
    keyed = with_resource(newest, table, KeySchema=[{"AttributeName": "other", "KeyType": "HASH"}])
    replacing = Plan(START, TARGET, plan_backend(keyed, newest))
    removing = plan_from("todo-series/v3", newest)
    assert table in {step.place for step in replacing.beyond(approved)}
    assert {type(step).__name__ for step in removing.beyond(approved)} == {"RemoveResource"}


def test_the_programs_own_resources_are_covered_alike() -> None:
    def step(operation: str, *properties: str, after: str = "there") -> ChangeProgram:
        return ChangeProgram("urn:x", "aws:sqs/queue:Queue", operation, properties, "", after)

    def beyond(approved: ChangeProgram, now: ChangeProgram) -> bool:
        return bool(Plan(START, TARGET, (now,)).beyond(Plan(START, TARGET, (approved,)).to_json()))

    assert not beyond(step("create"), step("update", "a"))
    assert not beyond(step("update", "a", "b"), step("update", "a"))
    assert beyond(step("update", "a"), step("update", "a", "b"))
    assert beyond(step("create"), step("update", "a", after="elsewhere"))
    assert beyond(step("create"), step("replace", "a"))
    assert beyond(step("update", "a"), step("delete", after=""))


def test_only_a_stack_in_which_something_was_approved_is_updated_for_it() -> None:
    covered = Covered([{"step": "change-resource", "path": "api/Todo/TodoTable"}])
    asked = {path: UpdateStack(path, ("Outputs",), "1") in covered for path in ((), ("api",), ("apis",), ("auth",))}
    assert asked == {(): True, ("api",): True, ("apis",): False, ("auth",): False}


def test_no_recovery_is_covered_but_what_takes_an_update_back() -> None:
    ways = [
        ("UPDATE_FAILED", "rollback-stack"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("CREATE_FAILED", "rollback-stack"),
        ("IMPORT_ROLLBACK_FAILED", "continue-update-rollback"),
    ]
    assert [RecoverStack("root", *way) in Covered([]) for way in ways] == [True, True, False, False]
