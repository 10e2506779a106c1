"""Root stacks of others, and root stacks that are stuck, on the real engine: a plan says so, a deployment recovers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests.stuck_stacks import fail_waiting, queue, waiting
from functional.delivery.environments import REGION, Environment, allow_loss
from functional.delivery.outcomes import fails, succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("stack_states")]

HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
PUSHED = {"Resources": {"AuthRole": HANDLE, "UnauthRole": HANDLE, "DeploymentBucket": HANDLE}}
"""What tells a root stack of `amplify push` from others."""
ANY_PLAN = "0" * 64


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v1")


def plan(environment: Environment) -> dict[str, Any]:
    document = environment.workspace.project.parent / "plan.json"
    shown = succeeds(environment.delivery("plan", "--out", str(document)))
    planned: dict[str, Any] = json.loads(document.read_text())
    return {**planned, "shown": shown.output}


def settled(environment: Environment) -> str:
    """The root's state when nothing changes it any more."""
    while (status := environment.status()) and status.endswith("_IN_PROGRESS"):
        time.sleep(0.1)
    return str(status)


class Root:
    """The root stack, changed by somebody in the console."""

    def __init__(self, environment: Environment) -> None:
        self.environment, self.cloudformation = environment, environment.client("cloudformation")
        body = self.cloudformation.get_template(StackName=environment.root)["TemplateBody"]
        self.template: dict[str, Any] = json.loads(body) if isinstance(body, str) else dict(body)

    def update(self, more: dict[str, Any], **options: Any) -> None:
        stack = self.cloudformation.describe_stacks(StackName=self.environment.root)["Stacks"][0]
        template = {**self.template, "Resources": {**self.template["Resources"], **more}}
        self.cloudformation.update_stack(
            StackName=self.environment.root,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack["Parameters"]],
            Capabilities=["CAPABILITY_NAMED_IAM"],
            **options,
        )

    def with_child(self, seconds: int, **more: Any) -> None:
        resource = queue(seconds)
        resource["Properties"]["QueueName"] = f"queue-{self.environment.account}"
        body, key = json.dumps({"Resources": {"Queue": resource, **more}}), f"theirs/{seconds}.json"
        bucket = self.environment.staging_bucket
        self.environment.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        url = f"https://s3.{REGION}.amazonaws.com/{bucket}/{key}"
        self.update({"Theirs": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}})


def test_from_one_state_to_the_next(environment: Environment) -> None:
    """One test, because each step begins where the one before has left the environment."""
    somebody_elses_is_left_alone(environment)
    what_holds_nothing_is_deleted_first(environment)
    a_failed_rollback_is_continued(environment)
    an_update_without_rollback_is_rolled_back(environment)
    what_was_approved_is_done_after_it_in_one_go(environment)
    nothing_is_left_to_do(environment)


def somebody_elses_is_left_alone(environment: Environment) -> None:
    cloudformation = environment.client("cloudformation")
    cloudformation.create_stack(StackName=environment.root, TemplateBody=json.dumps(PUSHED))
    assert settled(environment) == "CREATE_COMPLETE"
    for command in (("plan",), ("deploy", "--plan", ANY_PLAN), ("up",)):
        refused = environment.delivery(*command)
        fails(refused, "in state CREATE_COMPLETE", "`amplify push` has made it", "`amplify-delivery adopt dev`")
        assert refused.exit_code == 3
    assert environment.buckets() == set()
    cloudformation.delete_stack(StackName=environment.root)
    assert settled(environment) == "None"


def what_holds_nothing_is_deleted_first(environment: Environment) -> None:
    environment.client("cloudformation").create_change_set(
        StackName=environment.root, ChangeSetName="never", ChangeSetType="CREATE", TemplateBody=json.dumps(PUSHED)
    )
    assert environment.status() == "REVIEW_IN_PROGRESS"
    planned = plan(environment)
    assert "REVIEW_IN_PROGRESS: deleted first" in planned["shown"]
    first = planned["steps"][0]
    assert (first["step"], first["operation"]) == ("recover-stack", "delete-stack")
    assert environment.status() == "REVIEW_IN_PROGRESS"
    assert environment.buckets() == set()
    succeeds(environment.delivery("deploy", "--plan", planned["digest"]))
    assert environment.status() == "CREATE_COMPLETE"


def stuck(environment: Environment) -> None:
    """Leave the root in UPDATE_ROLLBACK_FAILED because of a queue in a child."""
    root, sqs, cloudformation = Root(environment), environment.client("sqs"), environment.client("cloudformation")
    root.with_child(30)
    assert settled(environment) == "UPDATE_COMPLETE"
    child = cloudformation.describe_stack_resource(StackName=environment.root, LogicalResourceId="Theirs")
    address = sqs.get_queue_url(QueueName=f"queue-{environment.account}")["QueueUrl"]
    root.with_child(60, **waiting("Queue"))
    below = child["StackResourceDetail"]["PhysicalResourceId"]
    fail_waiting(cloudformation, below, lambda: sqs.delete_queue(QueueUrl=address))
    assert settled(environment) == "UPDATE_ROLLBACK_FAILED"


def plain_pulumi_leaves_it_alone(environment: Environment, printed: str) -> None:
    """What changes it is refused with the command that helps."""
    environment.take("todo-series/v2")
    said = fails(environment.plain("up", "--skip-preview"), f"its state is {environment.status()}")
    assert f"`aws cloudformation {printed} --stack-name {environment.root} --region {REGION}`" in said.output
    environment.take("todo-series/v1")


def a_failed_rollback_is_continued(environment: Environment) -> None:
    stuck(environment)
    plain_pulumi_leaves_it_alone(environment, "continue-update-rollback")
    fails(environment.plain("destroy"), "because it is protected")
    # The plan takes the stack out again, and its queue holds messages.
    allow_loss(environment.workspace.project / "Pulumi.dev.yaml", environment.app, ["Theirs/Queue"])
    planned = plan(environment)
    assert "UPDATE_ROLLBACK_FAILED: its rollback is continued first" in planned["shown"]
    assert "note: Theirs/Queue could not be rolled back" in planned["shown"]
    failed = environment.delivery("deploy", "--plan", planned["digest"])
    fails(failed, "its state is UPDATE_ROLLBACK_FAILED", "Theirs/Queue: ", "rollbackSkips[0].path")
    assert failed.exit_code == 4

    environment.configure(**{"rollbackSkips[0].path": "Theirs/Queue", "rollbackSkips[0].reason": "deleted by hand"})
    skipping = plan(environment)
    assert skipping["digest"] != planned["digest"]
    assert "without Theirs/Queue" in skipping["shown"]
    assert "because: deleted by hand" in skipping["shown"]
    succeeds(environment.delivery("deploy", "--plan", skipping["digest"]))
    assert environment.status() == "UPDATE_COMPLETE"
    assert "Theirs" not in Root(environment).template["Resources"]


def an_update_without_rollback_is_rolled_back(environment: Environment) -> None:
    root = Root(environment)
    failing = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "NoSuchType", "Value": "value"}}
    root.update({"Failing": failing}, DisableRollback=True)
    assert settled(environment) == "UPDATE_FAILED"
    plain_pulumi_leaves_it_alone(environment, "rollback-stack")
    succeeds(environment.delivery("up"))
    assert environment.status() in ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE")


def what_was_approved_is_done_after_it_in_one_go(environment: Environment) -> None:
    """*Retry failed actions*: between plan and deployment somebody has updated without rollback. What is approved
    after the fact is only what is left then: the message says how that is approved."""
    environment.take("todo-series/v2")
    planned = plan(environment)
    assert planned["changes"]
    file = environment.workspace.project.parent / "approved.json"
    file.write_text(json.dumps({k: v for k, v in planned.items() if k != "shown"}))
    failing = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "NoSuchType", "Value": "value"}}
    Root(environment).update({"Failing": failing}, DisableRollback=True)
    assert settled(environment) == "UPDATE_FAILED"
    succeeds(environment.delivery("deploy", "--plan", planned["digest"], "--plan-file", str(file)))
    assert environment.status() == "UPDATE_COMPLETE"

    environment.take("todo-series/v1")
    Root(environment).update({"Failing": failing}, DisableRollback=True)
    assert settled(environment) == "UPDATE_FAILED"
    only = plan(environment)
    assert [step["step"] for step in only["steps"]] == ["recover-stack"]
    failed = environment.delivery("deploy", "--plan", only["digest"])
    fails(failed, "nobody could tell before", "`amplify-delivery plan dev`, and approve that")
    assert failed.exit_code == 4
    succeeds(environment.delivery("up"))


def nothing_is_left_to_do(environment: Environment) -> None:
    planned = plan(environment)
    assert planned["steps"] == []
