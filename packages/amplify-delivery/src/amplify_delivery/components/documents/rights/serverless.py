"""What AWS::Serverless-2016-10-31 makes of its types: rights are needed for those, not for what stands in the template.

AWS Serverless Application Model Developer Guide, "Generated CloudFormation resources".
"""

from collections.abc import Iterable, Mapping

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


def expanded(types: Iterable[str]) -> frozenset[str]:
    """`types`, with what the transform makes in place of its own."""
    return frozenset(made for name in types for made in MADE.get(name, (name,)))


def transform_statements(names: EnvironmentNames, types: Iterable[str]) -> list[Statement]:
    """The right to have the transform expand a template, if one of `types` is its own: it is a change set on the
    transform (User Guide, "Macros", IAM policies)."""
    if not any(name.startswith(_PREFIX) for name in types):
        return []
    transform = f"arn:{names.partition}:cloudformation:{names.region}:aws:transform/Serverless-2016-10-31"
    return [allow("Serverless", "cloudformation:CreateChangeSet", transform)]
