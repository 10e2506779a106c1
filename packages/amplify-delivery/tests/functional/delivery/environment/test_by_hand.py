"""Stacks that somebody updated by hand, with no new release: the deployment brings them back, once; real engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests.local_account import SOON
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("by_hand")]

TODO = ("apiseriesapp", "Todo")
TABLE = "apiseriesapp/Todo/TodoTable"


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One model, delivered."""
    made = Environment(tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v1")
    succeeds(made.plain("up", "--skip-preview"))
    return made


def plan(environment: Environment) -> dict[str, Any]:
    file = environment.workspace.project.parent / "plan.json"
    succeeds(environment.delivery("plan", "--out", str(file)))
    return dict(json.loads(file.read_text()))


def stack_id(environment: Environment, *path: str) -> str:
    """The id of the stack at these logical ids."""
    cloudformation, found = environment.client("cloudformation"), environment.root
    for name in path:
        answer = cloudformation.describe_stack_resource(StackName=found, LogicalResourceId=name)
        found = answer["StackResourceDetail"]["PhysicalResourceId"]
    return found


def template(environment: Environment, *path: str) -> dict[str, Any]:
    answer = environment.client("cloudformation").get_template(StackName=stack_id(environment, *path))
    body = answer["TemplateBody"]
    return dict(json.loads(body) if isinstance(body, str) else body)


def update(environment: Environment, path: tuple[str, ...], change: Callable[[dict[str, Any]], object]) -> None:
    """What somebody does in the console: update this very stack with another template."""
    cloudformation, stack = environment.client("cloudformation"), stack_id(environment, *path)
    changed = template(environment, *path)
    change(changed)
    parameters = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Parameters", ())
    cloudformation.update_stack(
        StackName=stack,
        TemplateBody=json.dumps(changed),
        Parameters=[{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in parameters],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig=SOON)


def recovery_off(found: dict[str, Any]) -> None:
    properties = found["Resources"]["TodoTable"]["Properties"]
    properties["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": True}


def another_output(found: dict[str, Any]) -> None:
    found.setdefault("Outputs", {})["Mine"] = {"Value": "1"}


def a_table(found: dict[str, Any]) -> None:
    found["Resources"]["Mine"] = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    }


def test_what_was_changed_by_hand_is_brought_back(environment: Environment) -> None:
    before = template(environment, *TODO)
    a_nested_stack_two_levels_down(environment, before)
    the_root_alone(environment)
    what_would_be_lost_with_it_stays(environment)


def a_nested_stack_two_levels_down(environment: Environment, before: dict[str, Any]) -> None:
    """Brought back by the deployment, which ended with 1 each time, in a loop."""
    update(environment, TODO, recovery_off)
    planned = plan(environment)
    assert [(s["path"], s["properties"]) for s in planned["steps"]] == [(TABLE, ["PointInTimeRecoverySpecification"])]
    assert any("apiseriesapp/Todo" in note and "by hand" in note for note in planned["notes"])
    done = succeeds(environment.delivery("deploy", "--plan", planned["digest"]))
    assert "1 updated" in done.output
    assert template(environment, *TODO) == before


def the_root_alone(environment: Environment) -> None:
    """The engine sees no difference: the key of the template among the parameters is the same. Nothing is left of what
    came before: the root is the only step, and all that is noted. Brought back by `up`, which does what the plan
    says."""
    before = template(environment)
    update(environment, (), another_output)
    planned = plan(environment)
    assert [s["step"] for s in planned["steps"]] == ["update-stack"]
    assert ["root stack" in note and "by hand" in note for note in planned["notes"]] == [True]
    done = succeeds(environment.delivery("up"))
    assert "1 updated" in done.output
    assert template(environment) == before
    again = plan(environment)
    assert (again["steps"], again["notes"]) == ([], [])


def what_would_be_lost_with_it_stays(environment: Environment) -> None:
    update(environment, TODO, a_table)
    planned = plan(environment)
    assert [loss["path"] for loss in planned["dataLoss"]] == ["apiseriesapp/Todo/Mine"]
    fails(environment.delivery("deploy", "--plan", planned["digest"]), "would delete data", "apiseriesapp/Todo/Mine")
    fails(environment.delivery("up"), "would delete data", "apiseriesapp/Todo/Mine")
    assert "Mine" in template(environment, *TODO)["Resources"]
