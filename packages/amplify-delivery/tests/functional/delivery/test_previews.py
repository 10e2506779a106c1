"""`preview`: a pull request's own backend on the real engine, from checkouts that know nothing of each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal.workspace import Finished
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import pulumi_homes
from functional.delivery.environments import Environment
from functional.delivery.test_failures import succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("previews")]


@pytest.fixture
def environment(local_aws: LocalAws, examined: Path, tmp_path: Path) -> Environment:
    """A project whose stack `dev` is the pattern: it says that its data is nobody's."""
    made = Environment(tmp_path, local_aws, tools(), examined, "todo-series/v2")
    with (made.workspace.project / "Pulumi.dev.yaml").open("a") as file:
        file.write(f"  {made.app}:disposable: true\n")
    return made


def test_a_pull_request_has_a_backend_until_it_is_closed(environment: Environment) -> None:
    project, app = environment.workspace.project, environment.app

    def preview(*arguments: str) -> Finished:
        command = ("preview", *arguments, "--pattern", "dev")
        return environment.workspace.run(pulumi_homes.delivery(environment.workspace.environment, *command))

    def states() -> dict[str, str]:
        stacks: list[dict[str, Any]] = environment.client("cloudformation").describe_stacks()["Stacks"]
        return {s["StackName"]: s["StackStatus"] for s in stacks if "RootId" not in s}

    ssm, parameter = environment.client("ssm"), "/amplify-delivery/other/prod/bootstrap-version"
    ssm.put_parameter(Name=parameter, Value="3", Type="String")
    refused = preview("up", "--pull-request", "12")
    assert refused.exit_code == 3, refused.output
    assert "the environment prod of other is delivered to this account" in refused.output
    assert states() == {}
    ssm.delete_parameter(Name=parameter)

    succeeds(preview("up", "--pull-request", "12"))
    root = f"amplify-{app}-pr12-{environment.suffix}"
    assert set(states()) == {root}
    # The next push: a fresh checkout, in which a table's data goes unasked.
    (project / "Pulumi.pr12.yaml").unlink()
    environment.take("todo-series/v1")
    said = succeeds(preview("up", "--pull-request", "12")).output
    assert "pr12: 0 created" not in said
    assert "pr12: " in said
    config = environment.workspace.run(
        pulumi_homes.delivery(environment.workspace.environment, "client-config", "pr12", "--out", "web")
    )
    assert config.exit_code == 0, config.output
    assert (project / "web/aws-exports.js").is_file()

    kept = succeeds(preview("collect", "--older-than", "7")).output
    assert "kept: pr12\n" in kept
    (project / "Pulumi.pr12.yaml").unlink()
    succeeds(preview("down", "--pull-request", "12"))
    assert states() == {}
    assert not (project / "Pulumi.pr12.yaml").exists()
    assert "pr12: there is none" in succeeds(preview("down", "--pull-request", "12")).output

    # One whose pull request nobody has closed: another checkout collects it.
    environment.workspace.succeed("stack", "init", "pr7")
    (project / "Pulumi.pr7.yaml").unlink()
    stacks = json.loads(environment.workspace.succeed("stack", "ls", "--json").output)
    assert {stack["name"] for stack in stacks} == {"dev", "pr7"}
