"""Index changes that AWS takes one at a time are planned, approved once, and delivered one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment
from functional.delivery.test_failures import fails, succeeds
from unit.export.mutations import copy_export, set_value

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("in-steps")]

TABLE = "apiseriesapp/Todo/TodoTable"
TODO = "api/seriesapp/amplify-appsync-files/stacks/Todo.json"
POOL = "auth/seriesappauth/seriesappauth-cloudformation-template.json"


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A model delivered."""
    folder = tmp_path_factory.mktemp("environment")
    made = Environment(folder, local_aws, tools(), examined, "todo-series/v1")
    succeeds(made.plain("up", "--skip-preview"))
    return made


def take(environment: Environment, **keys: str) -> None:
    """An export in which the model has these indexes, by the attribute that is their key."""
    folder = environment.workspace.project.parent / "-".join(["next", *keys])
    export = copy_export("todo-series/v1", folder / "amplify-export-seriesapp")
    properties = "/Resources/TodoTable/Properties"
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in sorted({"id", *keys.values()})]
    set_value(export, TODO, f"{properties}/AttributeDefinitions", attributes)
    indexes = [
        {
            "IndexName": name,
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        for name, key in keys.items()
    ]
    if indexes:
        set_value(export, TODO, f"{properties}/GlobalSecondaryIndexes", indexes)
    environment.workspace.put_export(export)


def table(environment: Environment) -> str:
    (name,) = environment.client("dynamodb").list_tables()["TableNames"]
    return str(name)


def indexes(environment: Environment) -> dict[str, str]:
    found = environment.client("dynamodb").describe_table(TableName=table(environment))["Table"]
    return {i["IndexName"]: i["KeySchema"][0]["AttributeName"] for i in found.get("GlobalSecondaryIndexes", ())}


def updates(environment: Environment) -> int:
    """Updates of the root stack that have succeeded."""
    events = environment.client("cloudformation").get_paginator("describe_stack_events")
    found = [e for page in events.paginate(StackName=environment.root) for e in page["StackEvents"]]
    mine = [e["ResourceStatus"] for e in found if e["LogicalResourceId"] == environment.root]
    assert not [status for status in mine if "ROLLBACK" in status]
    return mine.count("UPDATE_COMPLETE")


def plan(environment: Environment) -> dict[str, Any]:
    document = environment.workspace.project.parent / "plan.json"
    succeeds(environment.delivery("plan", "--out", str(document)))
    return dict(json.loads(document.read_text()))


def test_indexes_of_a_deployed_table(environment: Environment) -> None:
    """One test, because each step begins where the one before has left the environment."""
    environment.client("dynamodb").put_item(TableName=table(environment), Item={"id": {"S": "kept"}})
    two_are_made_as_planned(environment)
    all_kinds_of_changes_with_up(environment)
    assert environment.client("dynamodb").get_item(TableName=table(environment), Key={"id": {"S": "kept"}})["Item"]


def two_are_made_as_planned(environment: Environment) -> None:
    take(environment, byStatus="status", byDue="due")
    text = succeeds(environment.delivery("plan")).output
    assert f"Update 1 of 2: {TABLE}: index byDue is made" in text
    assert f"Update 2 of 2: {TABLE}: index byStatus is made" in text
    planned = plan(environment)
    assert planned["digest"] in text
    assert [s["step"] for s in planned["steps"]].count("update-root") == 2
    begun = updates(environment)
    fails(environment.plain("up", "--skip-preview"), "AD741", "`amplify-delivery up dev` delivers it in 2 updates")
    assert (updates(environment), indexes(environment)) == (begun, {})

    done = succeeds(environment.delivery("deploy", "--plan", planned["digest"]))
    assert "update 1 of 2" in done.output
    assert indexes(environment) == {"byDue": "due", "byStatus": "status"}
    assert updates(environment) == begun + 2
    assert plan(environment)["steps"] == []


def all_kinds_of_changes_with_up(environment: Environment) -> None:
    take(environment, byStatus="due", byName="name", byOwner="owner")
    begun = updates(environment)
    assert len([s for s in plan(environment)["steps"] if s["step"] == "update-root"]) == 5
    succeeds(environment.delivery("up"))
    assert indexes(environment) == {"byStatus": "due", "byName": "name", "byOwner": "owner"}
    assert updates(environment) == begun + 5
    assert plan(environment)["steps"] == []
