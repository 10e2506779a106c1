"""What the program changes beside the backend, from the steps of a preview."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.changes.steps import ChangeProgram
from amplify_delivery.delivery.planning import ProgramStep, plan_program
from amplify_delivery.delivery.planning.covered import Covered

URN = "urn:pulumi:dev::app::"
ROOT = ProgramStep(
    f"{URN}amplify-delivery:index:AmplifyBackend$aws:cloudformation/stack:Stack::backend",
    "aws:cloudformation/stack:Stack",
    "update",
    ("templateUrl",),
)
TABLE = "aws:dynamodb/table:Table"


def of(operation: str, kind: str = TABLE, parent: str = "", **more: object) -> ProgramStep:
    return ProgramStep(f"{URN}{parent}{kind}::orders", kind, operation, **more)  # type: ignore[arg-type]


def planned(*steps: ProgramStep, backend: bool = True, deployed: bool = True) -> list[tuple[str, str]]:
    return [(s.operation, s.loss) for s in plan_program(steps, backend_changes=backend, deployed=deployed)]


@pytest.mark.parametrize("operation", ["same", "read", "refresh", "discard"])
def test_what_changes_nothing_is_no_step(operation: str) -> None:
    assert planned(of(operation)) == []


def test_components_and_providers_are_no_resources() -> None:
    assert planned(of("create", custom=False), of("create", "pulumi:providers:aws")) == []


def test_a_replacement_is_one_step() -> None:
    assert planned(of("create-replacement"), of("replace"), of("delete-replaced")) == [("replace", "items")]


def steps_of(*steps: ProgramStep) -> tuple[ChangeProgram, ...]:
    return plan_program(steps, backend_changes=False, deployed=True)


def test_what_a_killed_run_has_left_of_a_replacement_is_covered_by_it() -> None:
    """The successor is made; what is left is that its predecessor goes."""
    wanted: Any = {"properties": ("name",), "inputs": {"name": "new"}}
    (approved,) = steps_of(of("create-replacement", **wanted), of("replace", **wanted), of("delete-replaced"))
    (left,) = steps_of(of("same"), of("delete-replaced", inputs={"name": "old"}))
    assert (left.operation, left.loss) == ("replace", "items")
    assert left in Covered([approved.to_json()])
    assert approved not in Covered([left.to_json()])
    # Not what was approved to stay, nor to go without a successor, nor another replacement.
    for other in (of("update", **wanted), of("delete"), of("create", **wanted)):
        assert left not in Covered([steps_of(other)[0].to_json()])
    another: Any = {"properties": ("name",), "inputs": {"name": "newer"}}
    (anew,) = steps_of(of("create-replacement", **another), of("replace", **another), of("delete-replaced"))
    assert anew not in Covered([approved.to_json()])


def test_a_successor_that_has_left_the_program_was_not_approved_to_go_with_its_predecessor() -> None:
    """Who approved the replacement has approved that one of the two stays."""
    wanted: Any = {"properties": ("name",), "inputs": {"name": "new"}}
    (approved,) = steps_of(of("create-replacement", **wanted), of("replace", **wanted), of("delete-replaced"))
    for steps in ((of("delete"), of("delete-replaced")), (of("delete-replaced", kept=True), of("delete"))):
        (both,) = steps_of(*steps)
        assert both not in Covered([approved.to_json()])
        assert (both.operation, both.loss, both.kept) == ("delete", "items", False)


@pytest.mark.parametrize(
    ("step", "loss"),
    [
        (of("delete"), "items"),
        (of("delete", kept=True), ""),
        (of("delete", "aws:s3/bucket:Bucket", "amplify-delivery:index:StagingArea$"), ""),
        (of("delete", "aws:sns/topic:Topic"), ""),
        (of("update"), ""),
        (of("delete", "aws:secretsmanager/secret:Secret", before={"recoveryWindowInDays": 0}), "a secret"),
        (of("delete", "aws:secretsmanager/secret:Secret", before={"recoveryWindowInDays": 30}), ""),
        (of("delete", "aws:secretsmanager/secret:Secret"), ""),  # AWS's own default
        (of("delete", "aws-native:secretsmanager:Secret"), "a secret"),
        (ProgramStep(ROOT.urn, ROOT.type, "delete"), "everything in the stack"),
    ],
)
def test_data_that_is_lost(step: ProgramStep, loss: str) -> None:
    assert planned(step) == [(step.operation, loss)]


def test_what_leaves_the_program_and_stays_is_told_so() -> None:
    """It costs, and nobody knows of it any more."""
    [gone], [kept] = (plan_program([of("delete", kept=k)], backend_changes=False, deployed=True) for k in (False, True))
    assert (gone.what, kept.what) == ("", "stays in the account, as the program says (`retain_on_delete`)")
    assert kept.to_json() == {**gone.to_json(), "loss": "", "kept": True}


def test_the_root_stack_is_told_by_its_own_plan() -> None:
    assert planned(ROOT) == []
    assert planned(ProgramStep(ROOT.urn, ROOT.type, "create"), deployed=False) == []
    # What the template wants to be confirmed: another tool may have confirmed more.
    assert planned(ProgramStep(ROOT.urn, ROOT.type, "update", ("capabilities", "templateUrl"))) == []


@pytest.mark.parametrize(
    ("properties", "settled", "told"),
    [
        (("templateUrl",), True, False),
        (("templateUrl",), False, True),
        (("outputs", "templateBody", "templateUrl"), True, False),
        (("parameters", "templateUrl"), True, True),
        (("tags",), True, True),
    ],
)
def test_the_address_of_a_template_that_was_rolled_back_is_no_change(
    properties: tuple[str, ...], settled: bool, told: bool
) -> None:
    """A secret that changed is told by the parameters alone: of its version only the engine knows."""
    step = ProgramStep(ROOT.urn, ROOT.type, "update", properties)
    found = plan_program([step], backend_changes=False, deployed=True, settled=settled)
    assert bool(found) is told


def test_what_the_backends_plan_does_not_tell_is_a_step() -> None:
    assert planned(ROOT, backend=False) == [("update", "")]
    assert planned(ProgramStep(ROOT.urn, ROOT.type, "update", ("tags", "templateUrl"))) == [("update", "")]
    assert planned(ProgramStep(ROOT.urn, ROOT.type, "create")) == [("create", "")]


def test_other_values_are_another_step() -> None:
    one, other = (
        plan_program([of("update", inputs={"billingMode": mode})], backend_changes=False, deployed=True)
        for mode in ("PROVISIONED", "PAY_PER_REQUEST")
    )
    assert one != other
