"""Which types a resource of AWS::Serverless stands for because of what its properties say."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.components.documents.rights.serverless import types_of

FUNCTION, MACHINE = "AWS::Serverless::Function", "AWS::Serverless::StateMachine"
DEAD_LETTERS = {"Schedule": "rate(1 day)", "DeadLetterConfig": {"Type": "SQS"}}
ROWS: list[tuple[str, dict[str, Any], set[str]]] = [
    (FUNCTION, {}, set()),
    (FUNCTION, {"Events": {"E": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 day)"}}}}, set()),
    (FUNCTION, {"Events": {"E": {"Type": "ScheduleV2", "Properties": {}}}}, {"AWS::Scheduler::Schedule"}),
    (FUNCTION, {"Events": {"E": {"Type": "CloudWatchLogs", "Properties": {}}}}, {"AWS::Logs::SubscriptionFilter"}),
    (FUNCTION, {"Events": {"E": {"Type": "IoTRule", "Properties": {}}}}, {"AWS::IoT::TopicRule"}),
    (
        FUNCTION,
        {"Events": {"E": {"Type": "Schedule", "Properties": DEAD_LETTERS}}},
        {"AWS::SQS::Queue"},
    ),
    (
        FUNCTION,
        {"Events": {"E": {"Type": "SNS", "Properties": {"Topic": "t", "SqsSubscription": True}}}},
        {"AWS::SQS::Queue"},
    ),
    (
        FUNCTION,
        {"EventInvokeConfig": {"DestinationConfig": {"OnFailure": {"Type": "SNS"}}}},
        {"AWS::Lambda::EventInvokeConfig", "AWS::SNS::Topic"},
    ),
    (
        FUNCTION,
        {"DeploymentPreference": {"Type": "AllAtOnce"}},
        {"AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"},
    ),
    (
        MACHINE,
        {"Events": {"E": {"Type": "Api", "Properties": {}}}},
        {"AWS::ApiGateway::Deployment", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage"},
    ),
    ("AWS::SQS::Queue", {"Events": {"E": {"Type": "ScheduleV2"}}}, set()),
]


@pytest.mark.parametrize(("kind", "properties", "more"), ROWS)
def test_what_a_resource_stands_for(kind: str, properties: dict[str, Any], more: set[str]) -> None:
    first, *found = types_of({"Type": kind, "Properties": properties})
    assert first == kind
    assert set(found) == more
