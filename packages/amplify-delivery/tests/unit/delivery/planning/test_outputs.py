"""What changes of the stack's outputs, from a preview."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.changes.steps import ChangeOutput
from amplify_delivery.delivery.planning import ChangeProgram, ProgramStep, plan_outputs
from amplify_delivery.delivery.planning.covered import Covered
from amplify_delivery.delivery.planning.output_steps import UNKNOWN

HIDDEN = "[secret]"


def planned(old: dict[str, Any], new: dict[str, Any], *steps: ProgramStep, others: bool = False) -> list[str]:
    return [f"{s.operation} {s.name}" for s in plan_outputs(old, new, steps, others=others)]


def stash(name: str, operation: str) -> ProgramStep:
    return ProgramStep(f"urn:pulumi:dev::app::pulumi:index:Stash::{name}", "pulumi:index:Stash", operation)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["change a"]),
        ({"a": 1}, {"a": 1, "b": 1}, ["add b"]),
        ({"a": 1, "b": 1}, {"a": 1}, ["remove b"]),
        ({"a": {"x": "1"}}, {"a": {"x": "2"}}, ["change a"]),
        # Known only when a resource has changed, which is a step of its own.
        ({"a": "1"}, {"a": UNKNOWN}, []),
        ({"a": {"x": "1", "y": "1"}}, {"a": {"x": UNKNOWN, "y": "2"}}, []),
        ({}, {"rootTemplate": "1"}, ["add rootTemplate"]),
    ],
)
def test_an_output_alone(old: dict[str, Any], new: dict[str, Any], found: list[str]) -> None:
    assert planned(old, new) == found


def test_a_first_deployment_is_its_resources() -> None:
    assert planned({}, {"a": 1}, others=True) == []


def test_what_follows_from_a_release_is_no_step_of_its_own() -> None:
    old, new = {"rootTemplate": "1", "mine": "1"}, {"rootTemplate": "2", "mine": "2", "url": UNKNOWN}
    assert planned(old, new, others=True) == ["change mine", "add url"]
    assert planned(old, new) == ["change mine", "change rootTemplate", "add url"]


def test_a_secret_changes_without_its_value() -> None:
    old = {"token": HIDDEN, "other": HIDDEN}
    steps = [stash("output-token", "update"), stash("output-other", "same"), stash("place", "update")]
    (found,) = plan_outputs(old, old, steps, others=False)
    assert found == ChangeOutput("token", "change", "")
    assert planned({**old, "gone": HIDDEN}, old, stash("output-gone", "delete")) == ["remove gone"]
    # Nobody knows what it was, when it is stashed for the first time.
    assert planned(old, old, stash("output-token", "create")) == ["change token"]


def test_a_plan_with_unknown_values_is_the_same_each_time() -> None:
    (first,) = plan_outputs({"a": 1}, {"a": 1, "b": UNKNOWN}, [], others=True)
    assert first.to_json() == {"step": "change-output", "name": "b", "operation": "add", "after": ""}


def test_outputs_that_a_killed_run_has_left_are_covered_by_the_approval_of_its_resources() -> None:
    step = ChangeOutput("rootOutputs", "change", "x")
    program = ChangeProgram("urn::a", "t", "update", ("p",), "", "y")
    assert step in Covered([program.to_json()])
    assert step in Covered([step.to_json()])
    assert step not in Covered([ChangeOutput("rootOutputs", "change", "y").to_json()])
