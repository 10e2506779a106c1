"""Whether the region is enabled for the account, and whether it has the services that the backend is made of."""

from __future__ import annotations

from collections.abc import Iterable

from amplify_delivery.components.documents import regions
from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place

_ENABLED = frozenset({"ENABLED", "ENABLED_BY_DEFAULT", "opt-in-not-required", "opted-in"})
"""Of Account Management's GetRegionOptStatus, and of EC2's DescribeRegions."""
_SERVICES = (
    ("AWS::ApiGateway::", "apigateway", "API Gateway"),
    ("AWS::ApiGatewayV2::", "apigateway", "API Gateway"),
    ("AWS::AppSync::", "appsync", "AppSync"),
    ("AWS::CodeBuild::", "codebuild", "CodeBuild"),
    ("AWS::CodePipeline::", "codepipeline", "CodePipeline"),
    ("AWS::Cognito::IdentityPool", "cognito-identity", "Cognito identity pools"),
    ("AWS::Cognito::UserPool", "cognito-idp", "Cognito user pools"),
    ("AWS::DynamoDB::", "dynamodb", "DynamoDB"),
    ("AWS::ECS::", "ecs", "ECS"),
    ("AWS::Elasticsearch::", "es", "OpenSearch Service"),
    ("AWS::Kinesis::", "kinesis", "Kinesis"),
    ("AWS::KinesisFirehose::", "firehose", "Data Firehose"),
    ("AWS::Lambda::", "lambda", "Lambda"),
    ("AWS::Lex::", "models.lex", "Lex"),
    ("AWS::Location::", "geo", "Location Service"),
    ("AWS::OpenSearchService::", "es", "OpenSearch Service"),
    ("AWS::Pinpoint::", "pinpoint", "Pinpoint"),
    ("AWS::StepFunctions::", "states", "Step Functions"),
)
"""What resource types begin with, their service's endpoint prefix in botocore's lists, and its name."""


def judge(status: str, place: Place) -> Line:
    """Line `region`; `status` is what AWS says of it."""
    region = place.region
    if status in _ENABLED:
        return Line("region", "ok", f"{region} is enabled")
    enable = place.aws(f"account enable-region --region-name {region}", place.home)
    if status == "ENABLING":
        look = place.aws(f"account get-region-opt-status --region-name {region}", place.home)
        said = f"{region} is being enabled: AWS says minutes, in some cases hours"
        return Line("region", "warning", said, f"wait until {look} says ENABLED")
    return Line(
        "region",
        "error",
        f"{region} is not enabled for the account ({status}): AWS knows none of its credentials there",
        f"an administrator of the account enables it: {enable}; or choose another `region`",
    )


def services(types: Iterable[str], place: Place) -> Line:
    """Line `services`: whether botocore knows every service that these resource types need in the region."""
    found = {(prefix, name) for kind in types for start, prefix, name in _SERVICES if kind.startswith(start)}
    missing = sorted({name for prefix, name in found if not regions.offers(place.region, prefix)})
    if not missing:
        count = len({name for _, name in found})
        return Line("services", "ok", f"{place.region} has the {count} services of the backend that can be looked up")
    return Line(
        "services",
        "warning",
        f"AWS's SDK knows no endpoint of {', '.join(missing)} in {place.region}; its list lags behind",
        "look whether the region has them: https://builder.aws.com/capabilities; else choose another `region`",
    )
