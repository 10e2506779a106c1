"""What AWS::Serverless-2016-10-31 makes of its types: rights are needed for those, not for what stands in the template.

AWS Serverless Application Model Developer Guide, "Generated CloudFormation resources".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.statements import Statement, allow

_PREFIX = "AWS::Serverless::"
_API = ("AWS::ApiGateway::Deployment", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage")
_HTTP = ("AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage")
MADE: Mapping[str, tuple[str, ...]] = {
    "AWS::Serverless::Api": (*_API, "AWS::Lambda::Permission"),
    "AWS::Serverless::Function": (
        *_API,
        *_HTTP,
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Url",
        "AWS::Lambda::Version",
        "AWS::SNS::Subscription",
    ),
    "AWS::Serverless::HttpApi": (*_HTTP, "AWS::Lambda::Permission"),
    "AWS::Serverless::LayerVersion": ("AWS::Lambda::LayerVersion",),
    "AWS::Serverless::SimpleTable": ("AWS::DynamoDB::Table",),
    "AWS::Serverless::StateMachine": ("AWS::Events::Rule", "AWS::IAM::Role", "AWS::StepFunctions::StateMachine"),
}
"""The types that come of each, whatever its properties say."""

_BY_EVENT: Mapping[str, tuple[str, ...]] = {
    "Api": _API,
    "CloudWatchLogs": ("AWS::Logs::SubscriptionFilter",),
    "IoTRule": ("AWS::IoT::TopicRule",),
    "ScheduleV2": ("AWS::Scheduler::Schedule",),
}
_BY_PROPERTY: Mapping[str, tuple[str, ...]] = {
    "DeploymentPreference": ("AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"),
    "EventInvokeConfig": ("AWS::Lambda::EventInvokeConfig",),
}
_QUEUE = "AWS::SQS::Queue"
"""Its policy, which is made with it, needs no further right."""
_BY_DESTINATION: Mapping[str, str] = {"SNS": "AWS::SNS::Topic", "SQS": _QUEUE}
_DESTINATIONS = ("DeadLetterConfig", "OnFailure", "OnSuccess")


def expanded(types: Iterable[str]) -> frozenset[str]:
    """`types`, with what the transform makes in place of its own."""
    return frozenset(made for name in types for made in MADE.get(name, (name,)))


def types_of(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """The type of a template's resource, then those that the transform makes beside `MADE`, as its properties say."""
    name, properties = str(resource.get("Type")), resource.get("Properties") or {}
    if not name.startswith(_PREFIX) or not isinstance(properties, Mapping):
        return (name,)
    events = properties.get("Events")
    kinds = [e.get("Type") for e in events.values() if isinstance(e, Mapping)] if isinstance(events, Mapping) else []
    found = [
        *(made for kind in kinds for made in _BY_EVENT.get(str(kind), ())),
        *(made for key, types in _BY_PROPERTY.items() if key in properties for made in types),
        *_queues(properties),
    ]
    return tuple(dict.fromkeys((name, *found)))


def _queues(value: Any) -> Iterator[str]:
    """The queues and topics that stand for where something goes to, without one being named."""
    if isinstance(value, list):
        for item in value:
            yield from _queues(item)
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if key in _DESTINATIONS and isinstance(inner, Mapping):
            kind = _BY_DESTINATION.get(str(inner.get("Type")))
            yield from (kind,) if kind else ()
        if key == "SqsSubscription" and inner:
            yield _QUEUE
        yield from _queues(inner)


def transform_statements(names: EnvironmentNames, types: Iterable[str]) -> list[Statement]:
    """The right to have the transform expand a template, if one of `types` is its own: it is a change set on the
    transform (User Guide, "Macros", IAM policies)."""
    if not any(name.startswith(_PREFIX) for name in types):
        return []
    transform = f"arn:{names.partition}:cloudformation:{names.region}:aws:transform/Serverless-2016-10-31"
    return [allow("Serverless", "cloudformation:CreateChangeSet", transform)]
