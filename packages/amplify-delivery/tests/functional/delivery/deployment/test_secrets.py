"""A secret of an environment, on the real engine: applied once, never shown, no difference after a refresh."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment

pytestmark = pytest.mark.engine

NESTED, PARAMETER = "apimytodoapp", "AppSyncApiName"
ROUNDS = 10


@pytest.fixture
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo")


def give(environment: Environment, value: str) -> None:
    path = f"parameters.{NESTED}.{PARAMETER}"
    environment.workspace.succeed("config", "set", "--secret", "--path", path, value, "-s", "dev")


def api_names(environment: Environment) -> list[str]:
    return [a["name"] for a in environment.client("appsync").list_graphql_apis()["graphqlApis"]]


def updates(environment: Environment) -> int:
    """How often CloudFormation updated the nested stack's API."""
    cloudformation = environment.client("cloudformation")
    nested = cloudformation.describe_stack_resource(StackName=environment.root, LogicalResourceId=NESTED)
    child = nested["StackResourceDetail"]["PhysicalResourceId"]
    events: list[dict[str, Any]] = cloudformation.describe_stack_events(StackName=child)["StackEvents"]
    return sum(e["LogicalResourceId"] == "GraphQLAPI" and e["ResourceStatus"] == "UPDATE_COMPLETE" for e in events)


def test_a_secret_is_applied_once_and_shows_no_difference(environment: Environment) -> None:
    give(environment, "first-secret")
    succeed: Callable[..., Any] = environment.workspace.succeed
    outputs = [succeed("up", "-s", "dev", "--yes").output]
    for _ in range(ROUNDS):
        # `refresh: always` in Pulumi.yaml: each `up` begins with a refresh; here it is written as well.
        outputs.append(succeed("up", "-s", "dev", "--yes", "--refresh", "--skip-preview", "--expect-no-changes").output)
    assert updates(environment) == 0

    give(environment, "second-secret")
    outputs.append(succeed("up", "-s", "dev", "--yes", "--skip-preview").output)
    outputs.append(succeed("up", "-s", "dev", "--yes", "--skip-preview", "--expect-no-changes").output)

    assert updates(environment) == 1
    shown = "".join(outputs) + "".join(p.read_text() for p in environment.state.rglob("*.json"))
    assert "first-secret" not in shown
    assert "second-secret" not in shown
    root = environment.client("cloudformation").describe_stacks(StackName=environment.root)["Stacks"][0]
    assert "second-secret" not in str(root)
    assert [name.startswith("second-secret") for name in api_names(environment)] == [True]

    # Removed from the stack file it can still be restored, and a release that has it again is no trouble.
    manager = environment.client("secretsmanager")
    [secret] = manager.list_secrets()["SecretList"]
    path = f"parameters.{NESTED}.{PARAMETER}"
    succeed("config", "rm", "--path", path, "-s", "dev")
    succeed("up", "-s", "dev", "--yes", "--skip-preview")
    assert manager.describe_secret(SecretId=secret["ARN"])["DeletedDate"]
    give(environment, "third-secret")
    said = succeed("up", "-s", "dev", "--yes", "--skip-preview").output
    assert f"the secret {secret['Name']} was deleted" in said
    assert manager.get_secret_value(SecretId=secret["Name"])["SecretString"] == "third-secret"
    assert [name.startswith("third-secret") for name in api_names(environment)] == [True]
