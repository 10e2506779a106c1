"""Notification rules: made under enforcement, and what they name reaches the topic if its policy lets it."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.notifications import EVENTS, notification_rule, topic_policy
from aws_rehearsal.pipeline_service.notifications.notification_rules import EVENT_TYPES
from aws_rehearsal_tests.pipeline_service.world import REGION, World, allow, approval, build, stage

PREFIX = "codepipeline-pipeline-"
PATIENCE = 300
"""Seconds after which what was not heard will not be."""


class Notified:
    """A pipeline's topic with a queue behind it."""

    def __init__(self, world: World, policy: dict[str, Any] | None = None, topic: str = "told") -> None:
        self.world, self.client = world, world.client("codestar-notifications")
        self.pipeline = f"arn:aws:codepipeline:{REGION}:{world.tooling}:app"
        sns, self._sqs = world.client("sns"), world.client("sqs")
        self.topic = sns.create_topic(Name=topic)["TopicArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "codestar-notifications.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": self.topic,
        }
        document = policy or {"Version": "2012-10-17", "Statement": [statement]}
        if policy != {}:
            sns.set_topic_attributes(TopicArn=self.topic, AttributeName="Policy", AttributeValue=json.dumps(document))
        self._queue = self._sqs.create_queue(QueueName="heard")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{world.tooling}:heard"
        opened = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        self._sqs.set_queue_attributes(
            QueueUrl=self._queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [opened]})}
        )
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def rule(self, *events: str, **more: Any) -> str:
        """Make a rule; its ARN."""
        return created(self.client, self.declared(*events, **more))

    def declared(self, *events: str, **more: Any) -> dict[str, Any]:
        return {
            "Name": "told",
            "EventTypeIds": [f"{PREFIX}{event}" for event in events],
            "Resource": self.pipeline,
            "Targets": [{"TargetType": "SNS", "TargetAddress": self.topic}],
            "DetailType": "BASIC",
            **more,
        }

    def heard(self, count: int) -> list[dict[str, Any]]:
        """The next messages, in the order of their publication."""
        found: list[dict[str, Any]] = []
        patience = time.monotonic() + PATIENCE
        while len(found) < count:
            assert time.monotonic() < patience, found
            answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                found.append(json.loads(json.loads(message["Body"])["Message"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def wait_until_unreachable(self, rule: str) -> None:
        """Wait until something was published in vain."""
        patience = time.monotonic() + PATIENCE
        while self.status(rule) != "UNREACHABLE":
            assert time.monotonic() < patience
            time.sleep(0.02)

    def status(self, rule: str) -> str:
        """The status of the rule's target."""
        found: str = self.client.describe_notification_rule(Arn=rule)["Targets"][0]["TargetStatus"]
        return found


def created(client: Any, declared: dict[str, Any]) -> str:
    """The ARN of a rule, made again if it is the first of the account."""
    with contextlib.suppress(client.exceptions.ConfigurationException):
        return str(client.create_notification_rule(**declared)["Arn"])
    return str(client.create_notification_rule(**declared)["Arn"])


def states(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(message["detailType"], message["detail"]["state"]) for message in messages]


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_what_a_rule_names_is_told_and_nothing_else(world: World) -> None:
    told = Notified(world)
    world.project("fail", "false")
    execution = world.create("app", stage("Approve", approval()), stage("Fail", build("fail")))
    world.service.wait_for_action(execution, "Approve")
    rule = told.rule(
        "manual-approval-needed",
        "manual-approval-succeeded",
        "pipeline-execution-failed",
        "pipeline-execution-succeeded",
    )
    world.approve("app", execution)
    world.service.wait(execution)
    messages = told.heard(2)
    assert states(messages) == [
        ("CodePipeline Manual Approval State Change", "SUCCEEDED"),
        ("CodePipeline Pipeline Execution State Change", "FAILED"),
    ]
    first, last = messages
    assert first["notificationRuleArn"] == rule
    assert (first["account"], first["region"], first["source"]) == (world.tooling, REGION, "aws.codepipeline")
    assert first["resources"] == [told.pipeline]
    assert first["detail"]["execution-id"] == execution
    assert (first["detail"]["stage"], first["detail"]["action"]) == ("Approve", "Approve")
    assert last["detail"]["pipeline"] == "app"
    assert told.status(rule) == "ACTIVE"

    started = world.pipelines.start_pipeline_execution(name="app")["pipelineExecutionId"]
    world.service.wait_for_action(started, "Approve")
    assert states(told.heard(1)) == [("CodePipeline Manual Approval State Change", "NEEDED")]


def test_every_kind_of_change_has_its_event(world: World) -> None:
    told = Notified(world)
    execution = world.create("app", stage("Approve", approval()))
    world.service.wait_for_action(execution, "Approve")
    names = [event.removeprefix(PREFIX) for event in EVENT_TYPES]
    told.rule(*names)
    world.approve("app", execution, status="Rejected")
    world.service.wait(execution)
    assert {kind.split()[1] + " " + state for kind, state in states(told.heard(4))} == {
        "Manual FAILED",
        "Action FAILED",
        "Stage FAILED",
        "Pipeline FAILED",
    }
    world.pipelines.retry_stage_execution(
        pipelineName="app", stageName="Approve", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    world.service.wait_for_action(execution, "Approve")
    assert {kind.split()[1] + " " + state for kind, state in states(told.heard(4))} == {
        "Stage RESUMED",
        "Pipeline RESUMED",
        "Action STARTED",
        "Manual NEEDED",
    }


def test_without_the_topics_policy_nothing_is_published(world: World) -> None:
    told = Notified(world, policy={})
    execution = world.create("app", stage("Approve", approval()))
    world.service.wait_for_action(execution, "Approve")
    rule = told.rule("manual-approval-succeeded", "pipeline-execution-succeeded")
    world.approve("app", execution)
    world.service.wait(execution)
    told.wait_until_unreachable(rule)
    sns = world.client("sns")
    sns.publish(TopicArn=told.topic, Message=json.dumps({"detailType": "mine", "detail": {"state": "HERE"}}))
    assert states(told.heard(1)) == [("mine", "HERE")]


def test_a_policy_with_a_condition_that_no_guide_of_the_service_has_lets_nobody_in(world: World) -> None:
    told = Notified(world)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "codestar-notifications.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": told.topic,
        "Condition": {"StringEquals": {"aws:SourceAccount": world.tooling}},
    }
    world.client("sns").set_topic_attributes(
        TopicArn=told.topic,
        AttributeName="Policy",
        AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    execution = world.create("app", stage("Approve", approval()))
    world.service.wait_for_action(execution, "Approve")
    rule = told.rule("pipeline-execution-succeeded")
    world.approve("app", execution)
    world.service.wait(execution)
    told.wait_until_unreachable(rule)


def test_the_declared_rule_and_topic_policy_work_together(world: World) -> None:
    names = PipelineNames("app", world.tooling, REGION)
    told = Notified(world, topic_policy(names), names.topic)
    execution = world.create(names.pipeline, stage("Approve", approval()))
    world.service.wait_for_action(execution, "Approve")
    declared = notification_rule(names, names.arn("sns", names.topic))
    rule = created(told.client, declared)
    found = told.client.describe_notification_rule(Arn=rule)
    assert sorted(event["EventTypeId"] for event in found["EventTypes"]) == sorted(EVENTS)
    assert found["Targets"][0]["TargetAddress"] == told.topic
    world.approve(names.pipeline, execution, status="Rejected")
    assert states(told.heard(2)) == [
        ("CodePipeline Manual Approval State Change", "FAILED"),
        ("CodePipeline Pipeline Execution State Change", "FAILED"),
    ]


def test_life_of_a_rule(world: World) -> None:
    told = Notified(world)
    world.create("app", stage("Approve", approval()))
    rule = told.rule("pipeline-execution-failed", Tags={"a": "b"})
    assert told.client.list_notification_rules()["NotificationRules"] == [{"Id": rule.rpartition("/")[2], "Arn": rule}]
    found = told.client.describe_notification_rule(Arn=rule)
    assert (found["Status"], found["DetailType"], found["Tags"]) == ("ENABLED", "BASIC", {"a": "b"})
    assert found["EventTypes"][0]["EventTypeName"] == "Pipeline execution: Failed"
    told.client.update_notification_rule(
        Arn=rule, Name="other", Status="DISABLED", EventTypeIds=[f"{PREFIX}pipeline-execution-started"]
    )
    told.client.tag_resource(Arn=rule, Tags={"c": "d"})
    told.client.untag_resource(Arn=rule, TagKeys=["a"])
    found = told.client.describe_notification_rule(Arn=rule)
    assert (found["Name"], found["Status"], found["Tags"]) == ("other", "DISABLED", {"c": "d"})
    assert told.client.list_tags_for_resource(Arn=rule)["Tags"] == {"c": "d"}
    assert [event["EventTypeId"] for event in found["EventTypes"]] == [f"{PREFIX}pipeline-execution-started"]

    with pytest.raises(told.client.exceptions.ValidationException, match="subscribed"):
        told.client.delete_target(TargetAddress=told.topic)
    told.client.delete_notification_rule(Arn=rule)
    told.client.delete_notification_rule(Arn=rule)
    told.client.delete_target(TargetAddress=told.topic)
    assert told.client.list_targets()["Targets"] == []
    with pytest.raises(told.client.exceptions.ResourceNotFoundException):
        told.client.describe_notification_rule(Arn=rule)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"EventTypeIds": ["codepipeline-pipeline-everything"]}, "ValidationException"),
        ({"Name": "a/b"}, "ValidationException"),
        ({"DetailType": "SOME"}, "ValidationException"),
        ({"Targets": [{"TargetType": "Mail", "TargetAddress": "arn:aws:x"}]}, "ValidationException"),
        ({"Resource": f"arn:aws:codepipeline:{REGION}:111111111111:app"}, "ConfigurationException"),
    ],
)
def test_bad_rules_are_refused(world: World, more: dict[str, Any], code: str) -> None:
    told = Notified(world)
    world.create("app", stage("Approve", approval()))
    with pytest.raises(ClientError) as error:
        told.rule("pipeline-execution-failed", **more)
    assert refused(error) == code
    told.rule("pipeline-execution-failed")
    with pytest.raises(ClientError) as error:
        told.rule("pipeline-execution-failed")
    assert refused(error) == "ResourceAlreadyExistsException"


def test_who_may_make_rules_for_which_pipeline(world: World) -> None:
    told = Notified(world)
    world.create("app", stage("Approve", approval()))
    # The first rule has the service's role made, with the right of whoever makes it: another service's will not do.
    for name, service, code in (
        ("first", "organizations", "AccessDeniedException"),
        ("second", "codestar-notifications", "ConfigurationException"),
        ("third", "codestar-notifications", ""),
    ):
        its_own = {"StringEquals": {"iam:AWSServiceName": f"{service}.amazonaws.com"}}
        statements = [allow("codestar-notifications:*"), allow("iam:CreateServiceLinkedRole", Condition=its_own)]
        client = world.client("codestar-notifications", world.user(name, statements))
        said = ""
        try:
            client.create_notification_rule(**told.declared("pipeline-execution-failed", Name=name))
        except ClientError as error:
            said = error.response["Error"]["Code"]
        assert said == code, name
    about = {"StringEquals": {"codestar-notifications:NotificationsForResource": told.pipeline}}
    elsewhere = {"StringEquals": {"codestar-notifications:NotificationsForResource": f"{told.pipeline}x"}}
    everything = "codestar-notifications:*"
    for name, statement, may in (
        ("own", allow(everything, Condition=about), True),
        ("other", allow(everything, Condition=elsewhere), False),
        ("none", allow("sns:*"), False),
    ):
        client = world.client("codestar-notifications", world.user(name, [statement]))
        declared = told.declared("pipeline-execution-failed", Name=name)
        if may:
            client.create_notification_rule(**declared)
        else:
            with pytest.raises(client.exceptions.AccessDeniedException):
                client.create_notification_rule(**declared)
    # Another account sees nothing of it.
    stranger = world.client("codestar-notifications", world.target_admin)
    assert stranger.list_notification_rules()["NotificationRules"] == []
    rule = told.client.list_notification_rules()["NotificationRules"][0]["Arn"]
    with pytest.raises(ClientError):
        stranger.describe_notification_rule(Arn=rule)
