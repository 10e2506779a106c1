"""`preview`: a pull request's own backend on the real engine, from checkouts that know nothing of each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import pulumi_homes
from functional.delivery.environments import REGION, Environment
from functional.delivery.test_failures import succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("previews")]


@pytest.fixture
def environment(local_aws: LocalAws, examined: Path, tmp_path: Path) -> Environment:
    """A project whose stack `dev` is the pattern: it says that its data is nobody's."""
    made = Environment(tmp_path, local_aws, tools(), examined, "todo-series/v3")
    sign_in(made, tmp_path)
    file = made.workspace.project / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("config:\n", f"config:\n  {made.app}:disposable: true\n", 1))
    return made


def sign_in(environment: Environment, folder: Path) -> None:
    """As the workflows' jobs do: no credentials around, a profile that asks a process. Engine, providers and commands
    each ask it; here it is one that prints the administrator's, and counts."""
    ends = "2999-01-01T00:00:00Z"
    admin = environment.admin
    given = {"Version": 1, "AccessKeyId": admin.access_key_id, "SecretAccessKey": admin.secret_access_key}
    given |= {"SessionToken": admin.session_token} if admin.session_token else {}
    process = folder / "process"
    process.write_text(f"#!/bin/sh\necho asked >> {folder}/asked\necho '{json.dumps({**given, 'Expiration': ends})}'\n")
    process.chmod(0o755)
    (folder / "aws").write_text(f"[profile previews]\ncredential_process = {process}\n")
    variables = {k: v for k, v in environment.workspace.environment.items() if not k.startswith("AWS_") or "URL" in k}
    own = {"AWS_CONFIG_FILE": str(folder / "aws"), "AWS_PROFILE": "previews", "AWS_REGION": REGION}
    environment.workspace = Workspace(environment.workspace.project, {**variables, **own})


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
    # The command, the engine for its key, the provider: each has asked the profile's process.
    assert (project.parent / "asked").read_text().count("asked") >= 3
    root = f"amplify-{app}-pr12-{environment.suffix}"
    assert set(states()) == {root}
    assert any(name.startswith("TodoList-") for name in environment.client("dynamodb").list_tables()["TableNames"])
    # The next push: a fresh checkout, without a model. Its table goes unasked: nobody's data is in it.
    (project / "Pulumi.pr12.yaml").unlink()
    environment.take("todo-series/v2")
    said = succeeds(preview("up", "--pull-request", "12")).output
    assert "pr12: 1 updated" in said
    assert not any(name.startswith("TodoList-") for name in environment.client("dynamodb").list_tables()["TableNames"])
    config = environment.workspace.run(
        pulumi_homes.delivery(environment.workspace.environment, "client-config", "pr12", "--out", "web")
    )
    assert config.exit_code == 0, config.output
    assert (project / "web/aws-exports.js").is_file()

    assert "kept: pr12\n" in succeeds(preview("collect", "--older-than", "7")).output
    assert set(states()) == {root}
    # Nobody has closed it: another checkout, which has never heard of it, collects it.
    (project / "Pulumi.pr12.yaml").unlink()
    assert "deleted: pr12\n" in succeeds(preview("collect", "--older-than", "0")).output
    assert states() == {}
    assert not (project / "Pulumi.pr12.yaml").exists()
    stacks = json.loads(environment.workspace.succeed("stack", "ls", "--json").output)
    assert [stack["name"] for stack in stacks] == ["dev"]
    assert "pr12: there is none" in succeeds(preview("down", "--pull-request", "12")).output
