"""One list of steps: whatever kind a step is of, the text, the JSON, the Markdown, the page and the digest have it, in
the order in which it is carried out."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import (
    AddResource,
    ChangeOutput,
    ChangeProgram,
    ChangeResource,
    CopyTable,
    MoveStack,
    ProtectStack,
    RecoverStack,
    RemoveResource,
    ReplaceResource,
    Step,
    UpdateRoot,
    UpdateStack,
)
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.delivery.planning.offline.against import OfflinePlan
from amplify_delivery.delivery.printing import markdown, plans
from amplify_delivery.delivery.reporting import contents
from amplify_delivery.stacks.config import EnvironmentConfig
from unit.delivery.planning.a_plan import START, TARGET

TABLE = "AWS::DynamoDB::Table"
FIRST, LAST = UpdateRoot("templates/1.json", ("an index is made",)), UpdateRoot("templates/2.json", ("the release",))
STEPS: tuple[Step, ...] = (
    RecoverStack("root", "UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
    FIRST,
    ChangeResource(("api", "Changed"), TABLE, ("GlobalSecondaryIndexes",), "1"),
    LAST,
    AddResource(("api", "Added"), TABLE, "2"),
    ReplaceResource(("api", "Replaced"), TABLE, ("KeySchema",), ("KeySchema",), True, "items", "3"),
    CopyTable(("api", "Copied"), "v2-"),
    RemoveResource(("api", "Removed"), TABLE, False, "items"),
    MoveStack(("moved",), ("was",)),
    UpdateStack(("told",), ("Outputs",), "4"),
    ChangeProgram("urn:pulumi:dev::app::aws:sns/topic:Topic::beside", "aws:sns/topic:Topic", "create", (), "", "5"),
    ChangeOutput("shown", "add", "6"),
    ProtectStack(True),
)
PLAN = Plan(START, TARGET, STEPS)


def test_here_is_every_kind() -> None:
    assert {type(step) for step in STEPS} == set(get_args(Step))


def test_the_text_has_each_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    plans.show(PLAN)
    lines = iter(capsys.readouterr().out.split("Data would be lost")[0].splitlines())
    assert next(lines).split() == ["resource", "type"]
    for step in STEPS:
        if isinstance(step, UpdateRoot):
            number = 1 if step is FIRST else 2
            assert any(line == f"Update {number} of 2: {step.what}" for line in lines), step
        else:
            assert any(line.startswith(step.mark) and step.place in line and step.what in line for line in lines), step


def test_the_document_has_each_in_its_order() -> None:
    assert PLAN.to_json()["steps"] == [step.to_json() for step in STEPS]
    assert len({step.to_json()["step"] for step in STEPS}) == len(STEPS) - 1  # there are two updates


def test_without_any_of_them_it_is_another_plan() -> None:
    less = [replace(PLAN, steps=tuple(s for s in STEPS if s is not step)) for step in STEPS]
    assert len({PLAN.digest, *(plan.digest for plan in less)}) == len(STEPS) + 1


def test_the_page_has_each_at_its_update() -> None:
    lines = contents.lines(Stacks({(): {"Resources": {}}}, {}), STEPS)
    found = [(line.run, line.mark, line.name) for line in lines]
    runs = [0, *[1] * 1, *[2] * 9]
    wanted = [s for s in STEPS if not isinstance(s, UpdateRoot)]
    assert found == [(run, s.mark, s.place.rpartition("/")[2]) for run, s in zip(runs, wanted, strict=True)]


def test_the_comment_of_a_pull_request_has_each_at_its_update() -> None:
    config = EnvironmentConfig(account="111122223333", region="eu-west-1", environment="dev")
    folds = "\n".join(markdown._folds(OfflinePlan(config, "dev", "root", deployed=True, steps=STEPS)))
    for step in STEPS:
        assert markdown.code(step.place.rpartition("/")[2], cell=True) in folds or isinstance(step, UpdateRoot), step
    assert "update 1 of 2 &#40;an index is made&#41;" in folds
    assert "update 2 of 2 &#40;the release&#41;" in folds
    assert "update 3" not in folds
