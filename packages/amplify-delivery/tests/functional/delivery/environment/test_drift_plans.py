"""Drift in plans and deployments: told, part of what is approved, acknowledged or refused; on the real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("drift")]

TABLE = "apiseriesapp/Todo/TodoTable"


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One model, delivered."""
    made = Environment(tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v1")
    succeeds(made.plain("up", "--skip-preview"))
    return made


def plan(environment: Environment, *arguments: str) -> dict[str, Any]:
    """The plan's document, with what the command has `said`."""
    file = environment.workspace.project.parent / "plan.json"
    said = succeeds(environment.delivery("plan", "--out", str(file), *arguments)).output
    return {**json.loads(file.read_text()), "said": said}


def config(environment: Environment, **values: str) -> None:
    environment.configure(**{f"drift.{key}": value for key, value in values.items()})


def billed(environment: Environment, units: int) -> None:
    """Provisioned in the console: the template says on demand."""
    dynamodb = environment.client("dynamodb")
    (table,) = dynamodb.list_tables()["TableNames"]
    throughput = {"ReadCapacityUnits": units, "WriteCapacityUnits": units}
    dynamodb.update_table(TableName=table, BillingMode="PROVISIONED", ProvisionedThroughput=throughput)


def drift(planned: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(d["path"], d["property"], d["running"], d["effect"]) for d in planned["drift"]]


def test_drift_is_told_approved_acknowledged_and_refused(environment: Environment) -> None:
    it_is_told_and_part_of_the_digest(environment, nothing_has_drifted(environment))
    it_is_refused_where_that_is_asked_for(environment)
    acknowledged_it_is_no_obstacle(environment)
    another_value_shows_again(environment)


def nothing_has_drifted(environment: Environment) -> str:
    """The digest of a plan for which somebody has looked."""
    looked = plan(environment, "--drift")
    assert looked["drift"] == []
    return str(looked["digest"])


def it_is_told_and_part_of_the_digest(environment: Environment, before: str) -> None:
    billed(environment, 5)
    found = plan(environment, "--drift")
    assert drift(found) == [(TABLE, "/BillingMode", "PROVISIONED", "left")]
    assert found["changes"] == 0
    unseen = plan(environment)
    assert unseen["drift"] is None, "nobody has looked"
    assert len({before, found["digest"], unseen["digest"]}) == 3
    assert "do not run as they were delivered" in found["said"]
    assert "delivered PAY_PER_REQUEST, runs PROVISIONED; left as it runs" in found["said"]
    assert "CloudFormation detects no drift of" in found["said"]


def it_is_refused_where_that_is_asked_for(environment: Environment) -> None:
    environment.take("todo-series/v2")
    approved = plan(environment, "--drift")["digest"]
    config(environment, refuse="true")
    said = ("what runs is not what was delivered", TABLE, "nothing was changed", "drift.acknowledged[0].path")
    fails(environment.delivery("plan"), *said)
    fails(environment.delivery("deploy", "--plan", approved), *said)


def acknowledged_it_is_no_obstacle(environment: Environment) -> None:
    config(
        environment,
        **{
            "acknowledged[0].path": TABLE,
            "acknowledged[0].property": "/BillingMode",
            "acknowledged[0].value": "PROVISIONED",
            "acknowledged[0].reason": "until the load test ends",
        },
    )
    found = plan(environment)
    assert found["drift"][0]["acknowledged"] == "until the load test ends"
    billed(environment, 6)  # no property that the template sets
    succeeds(environment.delivery("deploy", "--plan", found["digest"]))
    assert drift(plan(environment)) == [(TABLE, "/BillingMode", "PROVISIONED", "left")]


def another_value_shows_again(environment: Environment) -> None:
    config(environment, **{"acknowledged[0].value": "PAY_PER_REQUEST"})
    environment.take("todo-series/v1")
    finished = environment.delivery("plan")
    fails(finished, "what runs is not what was delivered")
    assert "acknowledged drift is gone, or runs with another value" in finished.output
