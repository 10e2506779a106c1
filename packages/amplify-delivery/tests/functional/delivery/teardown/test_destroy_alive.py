"""`amplify-delivery destroy` beside somebody who updates the stack, on the real engine and with a provider that takes a
refused DeleteStack for success: nothing that lives is said to be deleted."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal.workspace import Finished
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.local_account import SOON
from aws_rehearsal_tests.stuck_stacks import end_waiting
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds
from unit.places import TEST_ROOTS

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("destroy_alive")]

# Somebody's update begins between the last look, under the engine's lock, and the engine's DeleteStack.
RACING = f"""
import sys
from amplify_delivery import cli
from amplify_delivery.delivery.teardown import root_stack
sys.path += {TEST_ROOTS!r}
from functional.delivery.teardown.test_destroy_alive import begin_update
looks, holds = [], root_stack.Root.holds
def raced(self, account):
    held = holds(self, account)
    looks.append(self)
    if len(looks) == 2:
        begin_update(account.client("cloudformation"), self.name, "Raced")
    return held
root_stack.Root.holds = raced
sys.exit(cli.main(["destroy", "dev", "--delete-data"]))
"""


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The example app, delivered."""
    made = Environment(
        tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v1", killed=True
    )
    succeeds(made.plain("up", "--skip-preview"))
    return made


def begin_update(cloudformation: Any, name: str, signal: str) -> None:
    """An update that goes on until it gets the signal of that name."""
    body = cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    template = dict(json.loads(body) if isinstance(body, str) else body)
    wait = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "Properties": {"Handle": {"Ref": f"{signal}Handle"}, "Timeout": "300"},
    }
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    template["Resources"] = {**template["Resources"], f"{signal}Handle": handle, signal: wait}
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    cloudformation.update_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack["Parameters"]],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )


def end_update(environment: Environment, signal: str) -> None:
    cloudformation, name = environment.client("cloudformation"), environment.root
    end_waiting(cloudformation, name, signal)
    # It may end with a rollback: where the engine has taken the staging bucket away, the nested templates are gone.
    while (environment.status() or "").endswith("_IN_PROGRESS"):
        time.sleep(0.2)


def tables(environment: Environment) -> list[str]:
    return list(environment.client("dynamodb").list_tables()["TableNames"])


def delete_as_printed(environment: Environment, refused: Finished) -> None:
    """The two commands of AWS's that the error prints, in their order."""
    commands = [c.split() for c in refused.output.split("`")[1::2] if c.startswith("aws cloudformation")]
    assert [c[2] for c in commands] == ["delete-stack", "wait"]
    for command in commands:
        assert command[command.index("--stack-name") + 1] == environment.root
        assert command[command.index("--region") + 1] == "eu-central-1"
    cloudformation = environment.client("cloudformation")
    cloudformation.delete_stack(StackName=environment.root)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=environment.root, WaiterConfig=SOON)


def state(environment: Environment, *arguments: str) -> None:
    environment.workspace.succeed("stack", *arguments, "-s", "dev")


def test_a_stack_that_the_engine_has_forgotten_is_named_and_nothing_is_touched(environment: Environment) -> None:
    file = environment.workspace.project.parent / "state.json"
    state(environment, "export", "--file", str(file))
    document = json.loads(file.read_text())
    whole, buckets = json.dumps(document), environment.buckets()
    gone = {r["urn"] for r in document["deployment"]["resources"] if "cloudformation/stack" in r["type"]}
    document["deployment"]["resources"] = [r for r in document["deployment"]["resources"] if r["urn"] not in gone]
    file.write_text(json.dumps(document))
    state(environment, "import", "--file", str(file), "--force")
    for arguments in ([], ["--delete-data"]):
        refused = fails(environment.delivery("destroy", *arguments), "does not hold it")
        assert f"{environment.root}: the stack is there, in state CREATE_COMPLETE" in refused.output
        assert "apiseriesapp/Todo/TodoTable (AWS::DynamoDB::Table): " in refused.output
        assert "apiseriesapp (AWS::CloudFormation::Stack): " in refused.output
    assert environment.buckets() == buckets
    file.write_text(whole)
    state(environment, "import", "--file", str(file), "--force")


def test_a_stack_that_is_updated_is_refused(environment: Environment) -> None:
    begin_update(environment.client("cloudformation"), environment.root, "Refused")
    buckets = environment.buckets()
    fails(environment.delivery("destroy", "--delete-data"), "its state is UPDATE_IN_PROGRESS")
    assert (environment.status(), environment.buckets()) == ("UPDATE_IN_PROGRESS", buckets)
    end_update(environment, "Refused")
    assert tables(environment)


def test_a_delete_that_cloudformation_refuses_is_not_said_to_be_done(environment: Environment) -> None:
    racing = environment.workspace.run(pulumi_homes.program(environment.workspace.environment, RACING))
    refused = fails(racing, "the stack is still there, in state UPDATE_IN_PROGRESS, and the engine has forgotten it")
    assert "apiseriesapp/Todo/TodoTable (AWS::DynamoDB::Table): " in refused.output
    assert "resources deleted" not in refused.output
    assert tables(environment)
    end_update(environment, "Raced")
    fails(environment.delivery("destroy", "--delete-data"), "does not hold it")
    delete_as_printed(environment, refused)
    said = succeeds(environment.delivery("destroy")).output
    assert "0 resources deleted" in said
    assert tables(environment) == []
    # What the deletion by hand has left: a new environment of this name would meet it.
    assert f"aws s3 rb s3://{environment.root}-deployment --force" in said


def test_an_update_is_waited_for(environment: Environment) -> None:
    environment.client("s3").delete_bucket(Bucket=f"{environment.root}-deployment")
    succeeds(environment.plain("up", "--skip-preview"))
    begin_update(environment.client("cloudformation"), environment.root, "Waited")
    arguments = ("destroy", "dev", "--delete-data", "--wait", "5")
    destroying = environment.start(*pulumi_homes.delivery(environment.workspace.environment, *arguments))
    assert destroying.stdout is not None
    assert "UPDATE_IN_PROGRESS: waiting until that has ended, 5 minutes at most" in destroying.stdout.readline()
    end_update(environment, "Waited")
    said, _ = destroying.communicate()
    assert destroying.returncode == 0, said
    assert environment.status() is None
    assert tables(environment) == []
