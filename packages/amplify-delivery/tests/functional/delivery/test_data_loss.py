"""Data stays unless the stack file allows its loss, with plain `pulumi up` as with our commands; on the real engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("data_loss")]

TABLE = "apiseriesapp/TodoList/TodoListTable"


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Two models delivered; the next export has dropped one of them."""
    made = Environment(tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v3")
    succeeds(made.plain("up", "--skip-preview"))
    made.take("todo-series/v2")
    return made


def tables(environment: Environment) -> list[str]:
    names: list[str] = environment.client("dynamodb").list_tables()["TableNames"]
    return sorted(name.partition("-")[0] for name in names)


def plan(environment: Environment) -> dict[str, Any]:
    file = environment.workspace.project.parent / "plan.json"
    succeeds(environment.delivery("plan", "--out", str(file)))
    return dict(json.loads(file.read_text()))


@pytest.fixture(scope="module")
def planned(environment: Environment) -> dict[str, Any]:
    """The plan of what the environment is found with."""
    return plan(environment)


def allow(environment: Environment, **values: str) -> None:
    environment.configure(**{f"dataLoss[0].{key}": value for key, value in values.items()})


@pytest.mark.parametrize("skip", [(), ("--skip-preview",)], ids=["previewed", "not previewed"])
def test_plain_up_refuses_before_cloudformation_is_called(environment: Environment, skip: tuple[str, ...]) -> None:
    before = environment.client("cloudformation").describe_stack_events(StackName=environment.root)["StackEvents"]
    fails(environment.plain("up", *skip), "this would delete data", TABLE, "AWS::DynamoDB::Table")
    after = environment.client("cloudformation").describe_stack_events(StackName=environment.root)["StackEvents"]
    assert len(after) == len(before)
    assert tables(environment) == ["Todo", "TodoList"]


def test_our_commands_refuse_it_and_the_plan_says_so(environment: Environment, planned: dict[str, Any]) -> None:
    assert TABLE in [step["path"] for step in planned["dataLoss"]]
    assert any(f"`deploy` refuses to lose {TABLE}" in note for note in planned["notes"])
    for command in (("up",), ("deploy", "--plan", planned["digest"])):
        refused = fails(environment.delivery(*command), "this would delete data", TABLE, "nothing was changed")
        assert refused.exit_code == 3
    assert tables(environment) == ["Todo", "TodoList"]


def test_what_cannot_be_read_is_not_taken_for_nothing(environment: Environment) -> None:
    """Without the right to read a template nobody can tell what would go."""
    iam = environment.client("iam")
    name = "no-templates"
    iam.create_user(UserName=name)
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "cloudformation:ListStackResources", "Resource": "*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="all-but-one", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    own = environment.workspace
    variables = {**own.environment, "AWS_ACCESS_KEY_ID": key["AccessKeyId"]}
    variables["AWS_SECRET_ACCESS_KEY"] = key["SecretAccessKey"]
    environment.workspace = type(own)(own.project, variables)
    try:
        fails(environment.plain("up"), "nobody can tell what data this would delete", "ListStackResources")
    finally:
        environment.workspace = own
    assert tables(environment) == ["Todo", "TodoList"]


def test_an_exception_for_a_plan_is_for_that_plan_alone(environment: Environment, planned: dict[str, Any]) -> None:
    digest = planned["digest"]
    allow(environment, path=TABLE, reason="lists were never used", plan="0" * 64)
    fails(environment.delivery("deploy", "--plan", digest), "this would delete data", TABLE)
    allow(environment, plan=digest)
    fails(environment.plain("up", "--skip-preview"), "this would delete data", TABLE)
    assert plan(environment)["digest"] == digest  # to allow it makes no other plan of it
    succeeds(environment.delivery("deploy", "--plan", digest))
    assert tables(environment) == ["Todo"]


def test_until_a_day_it_is_allowed_to_everybody(environment: Environment) -> None:
    environment.workspace.succeed("config", "rm", "-s", "dev", "dataLoss")
    environment.take("todo-series/v3")
    succeeds(environment.plain("up", "--skip-preview"))
    environment.take("todo-series/v2")
    today = datetime.now(UTC).date()
    allow(environment, path=TABLE, reason="lists were never used", until=str(today - timedelta(days=1)))
    fails(environment.plain("up", "--skip-preview"), "this would delete data", TABLE)
    allow(environment, until=str(today + timedelta(days=1)))
    assert any("is allowed until" in note for note in plan(environment)["notes"])
    succeeds(environment.plain("up", "--skip-preview"))
    assert tables(environment) == ["Todo"]
