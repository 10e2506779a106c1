"""An environment becomes production, and is so no more: in place, with its data; on the real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("production")]


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Delivered, with an item in its table."""
    made = Environment(tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v4")
    made.workspace.succeed("config", "set", "-s", "dev", "production", "true")
    fails(made.plain("up", "--skip-preview"), "AD215", "deploy it once without `production`")
    assert made.buckets() == set()
    made.workspace.succeed("config", "rm", "-s", "dev", "production")
    succeeds(made.plain("up", "--skip-preview"))
    made.client("dynamodb").put_item(TableName=table(made), Item={"id": {"S": "1"}})
    return made


def table(environment: Environment) -> str:
    names = environment.client("dynamodb").list_tables()["TableNames"]
    return str(next(name for name in names if name.startswith("Todo-")))


def pool(environment: Environment) -> dict[str, Any]:
    cognito = environment.client("cognito-idp")
    (found,) = cognito.list_user_pools(MaxResults=10)["UserPools"]
    return dict(cognito.describe_user_pool(UserPoolId=found["Id"])["UserPool"])


def delivered(environment: Environment, production: str) -> dict[str, Any]:
    """The plan with `production` set, carried out."""
    environment.workspace.succeed("config", "set", "-s", "dev", "production", production)
    file = environment.workspace.project.parent / "plan.json"
    succeeds(environment.delivery("plan", "--out", str(file)))
    plan: dict[str, Any] = json.loads(file.read_text())
    succeeds(environment.delivery("deploy", "--plan", plan["digest"]))
    succeeds(environment.delivery("plan", "--out", str(file)))
    assert json.loads(file.read_text())["steps"] == []
    return plan


def protection(environment: Environment) -> tuple[bool, str, str | None, bool]:
    """Of a table, its deletion protection and its recovery; of the pool; of the root stack."""
    dynamodb, cloudformation = environment.client("dynamodb"), environment.client("cloudformation")
    name = table(environment)
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return (
        dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled", False),
        backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        pool(environment).get("DeletionProtection", "INACTIVE"),
        bool(cloudformation.describe_stacks(StackName=environment.root)["Stacks"][0]["EnableTerminationProtection"]),
    )


def test_production_and_back(environment: Environment) -> None:
    """One test, because each part begins where the one before has left the environment."""
    before = table(environment), pool(environment)["Id"]
    assert protection(environment) == (False, "DISABLED", "INACTIVE", True)
    plan = delivered(environment, "true")
    assert {step["step"] for step in plan["steps"]} == {"change-resource"}
    assert plan["dataLoss"] == []
    assert protection(environment) == (True, "ENABLED", "ACTIVE", True)
    assert (table(environment), pool(environment)["Id"]) == before
    assert environment.client("dynamodb").scan(TableName=before[0])["Count"] == 1

    fails(environment.delivery("up"), "this is production", "nothing was changed")
    fails(environment.delivery("destroy", "--delete-data"), "this is production", "nothing was changed")
    with pytest.raises(ClientError, match=r"[Tt]ermination"):
        environment.client("cloudformation").delete_stack(StackName=environment.root)
    with pytest.raises(ClientError, match="protect"):
        environment.client("dynamodb").delete_table(TableName=before[0])

    # A model is dropped: its table stays, so nothing is lost and nobody has to allow it.
    environment.take("todo-series/v3")
    dropped = environment.workspace.project.parent / "dropped.json"
    succeeds(environment.delivery("plan", "--out", str(dropped)))
    assert json.loads(dropped.read_text())["dataLoss"] == []
    environment.take("todo-series/v4")

    plan = delivered(environment, "false")
    assert {step["step"] for step in plan["steps"]} == {"change-resource"}
    assert protection(environment) == (False, "DISABLED", "INACTIVE", True)
    assert environment.client("dynamodb").scan(TableName=before[0])["Count"] == 1
    done = succeeds(environment.delivery("destroy", "--delete-data"))
    assert f"aws s3 rb s3://{environment.root}-deployment --force" in done.output
    assert environment.status() is None
    assert environment.client("dynamodb").list_tables()["TableNames"] == []
