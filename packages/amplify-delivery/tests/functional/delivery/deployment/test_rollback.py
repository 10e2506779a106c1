"""Going back to an earlier release on the real engine, and what is collected when nobody needs it any more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("rollback")]


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v1")


def running(environment: Environment) -> str:
    found = environment.client("cloudformation").describe_stacks(StackName=environment.root)["Stacks"][0]
    return str(next(p["ParameterValue"] for p in found["Parameters"] if p["ParameterKey"] == "RootTemplateKey"))


def document(environment: Environment, *arguments: str) -> dict[str, Any]:
    # Progress goes to stderr, which stands in the same text.
    lines = succeeds(environment.delivery(*arguments, "--json")).output.splitlines()
    end = len(lines) - lines[::-1].index("}")
    found: dict[str, Any] = json.loads("\n".join(lines[lines.index("{") : end]))
    return found


def table(environment: Environment) -> str:
    return str(next(t for t in environment.client("dynamodb").list_tables()["TableNames"] if t.startswith("Todo-")))


def test_one_release_after_the_other(environment: Environment) -> None:
    """One test, because each step begins where the one before has left the environment."""
    fails(environment.delivery("rollback"), "no earlier assembly is staged")
    succeeds(environment.delivery("up"))
    first = running(environment)
    item = {"id": {"S": "1"}, "__typename": {"S": "Todo"}}
    environment.client("dynamodb").put_item(TableName=table(environment), Item=item)
    environment.take("todo-series/v2")
    succeeds(environment.plain("up", "--skip-preview"))
    second = running(environment)
    assert first != second

    the_one_before_is_planned_and_deployed(environment, first, second)
    assert environment.client("dynamodb").scan(TableName=table(environment))["Items"] == [item]
    what_would_lose_data_is_refused(environment)
    after_cloudformations_own_rollback_nothing_is_left_to_do(environment)
    what_is_young_is_not_collected(environment)


def the_one_before_is_planned_and_deployed(environment: Environment, first: str, second: str) -> None:
    listed = document(environment, "rollback", "--list")["releases"]
    assert [r["running"] for r in listed] == [True, False]
    planned = document(environment, "rollback")
    assert (planned["assembly"], running(environment)) == (listed[1]["assembly"], second)
    plan = planned["plan"]
    assert plan["changes"] > 0
    assert plan["target"]["assembly"] == planned["assembly"]
    another = fails(environment.delivery("rollback", "--plan", "0" * 64), "not what was approved")
    # Who is told to plan anew here, would plan what she goes back from.
    assert f"`amplify-delivery rollback dev --to {planned['assembly'][:12]}`, and approve that" in another.output
    assert not re.search("amplify-delivery plan|--plan-file", another.output)
    fails(environment.delivery("rollback", "--to", "f00d"), "no assembly f00d is staged", listed[0]["assembly"][:12])
    done = succeeds(environment.delivery("rollback", "--to", planned["assembly"][:12], "--plan", plan["digest"]))
    assert f"{planned['assembly'][:12]} runs" in done.output
    assert running(environment) == first
    fails(environment.delivery("rollback"), "no earlier assembly is staged")


def what_would_lose_data_is_refused(environment: Environment) -> None:
    environment.take("todo-series/v4")
    succeeds(environment.plain("up", "--skip-preview"))
    listed = document(environment, "rollback", "--list")["releases"]
    oldest = listed[-1]["assembly"]
    planned = document(environment, "rollback", "--to", oldest)["plan"]
    assert {loss["path"]: loss["loss"] for loss in planned["dataLoss"]} == {
        "apiseriesapp/TodoList/TodoListTable": "items",
        "authseriesappauth/IdentityPool": "identities",
        "authseriesappauth/UserPool": "users",
    }
    before = running(environment)
    refused = environment.delivery("rollback", "--to", oldest, "--plan", planned["digest"])
    fails(refused, "would delete data", "apiseriesapp/TodoList/TodoListTable", "authseriesappauth/UserPool")
    assert (refused.exit_code, running(environment)) == (3, before)


def after_cloudformations_own_rollback_nothing_is_left_to_do(environment: Environment) -> None:
    folder = next(environment.workspace.project.glob("amplify-export-*"))
    auth = next(folder.glob("auth/seriesappauth/*-template.json"))
    text = auth.read_text()
    template = json.loads(text)
    name = f"/taken/{environment.account}"
    environment.client("ssm").put_parameter(Name=name, Value="theirs", Type="String")
    properties = {"Type": "String", "Value": "value", "Name": name}
    template["Resources"]["Failing"] = {"Type": "AWS::SSM::Parameter", "Properties": properties}
    auth.write_text(json.dumps(template))
    fails(environment.delivery("up"), "authseriesappauth/Failing")
    assert environment.status() == "UPDATE_ROLLBACK_COMPLETE"
    auth.write_text(text)
    assert document(environment, "plan")["steps"] == []


def what_is_young_is_not_collected(environment: Environment) -> None:
    assert document(environment, "gc")["garbage"] == []
    assert document(environment, "gc", "--keep", "0", "--days", "0", "--delete")["deleted"] == 0
