"""The roles that properties name, and the services they are passed to.

"Granting a user permissions to pass a role to an AWS service", IAM user guide: whoever hands a role to a service needs
`iam:PassRole` on it; `iam:PassedToService` is the service's principal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .names import role_arns

_SERVICE_OF: Mapping[str, str] = {
    "Amplify": "amplify",
    "ApiGateway": "apigateway",
    "ApiGatewayV2": "apigateway",
    "AppConfig": "appconfig",
    "ApplicationAutoScaling": "application-autoscaling",
    "AppSync": "appsync",
    "Athena": "athena",
    "AutoScaling": "autoscaling",
    "Backup": "backup",
    "CodeBuild": "codebuild",
    "CodePipeline": "codepipeline",
    "Cognito": "cognito-idp",
    "EFS": "elasticfilesystem",
    "EKS": "eks",
    "Elasticsearch": "es",
    "Events": "events",
    "Glue": "glue",
    "IoT": "iot",
    "KinesisAnalyticsV2": "kinesisanalytics",
    "KinesisFirehose": "firehose",
    "Lambda": "lambda",
    "Lex": "lexv2",
    "Logs": "logs",
    "OpenSearchService": "es",
    "Pipes": "pipes",
    "RDS": "rds",
    "S3": "s3",
    "Scheduler": "scheduler",
    "SecretsManager": "secretsmanager",
    "SES": "ses",
    "SNS": "sns",
    "StepFunctions": "states",
}
_OF_TYPE: Mapping[str, str] = {
    "AWS::Cognito::IdentityPool": "cognito-sync",
    "AWS::Cognito::IdentityPoolRoleAttachment": "cognito-identity",
    "AWS::ECS::Service": "ecs",
    "AWS::ECS::TaskDefinition": "ecs-tasks",
}
_OF_PROPERTY: Mapping[str, str] = {"MonitoringRoleArn": "monitoring.rds"}
"""Properties whose role another service gets than the resource's own ("Setting up Enhanced Monitoring", Amazon RDS)."""
_READ_ONLY: frozenset[tuple[str, str]] = frozenset(
    {
        # Documents and code that speak of roles, and hand none over.
        ("AWS::ApiGateway::RestApi", "Policy"),
        ("AWS::CodePipeline::Pipeline", "Stages"),
        ("AWS::S3::BucketPolicy", "PolicyDocument"),
        ("AWS::SNS::TopicPolicy", "PolicyDocument"),
    }
)
_VARIABLES = ("environment", "environmentvariables", "tags")
"""Names of properties whose values are a program's own."""
_NONE_PASSED = ("AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission", "AWS::SNS::TopicPolicy")


def passed_roles(resource_type: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """ARN and service principal of every role that the properties hand over; each once."""
    if resource_type in _NONE_PASSED:
        return
    service = _OF_TYPE.get(resource_type) or _SERVICE_OF.get(resource_type.split("::")[1])
    if service is None:
        return
    handed = {name: value for name, value in properties.items() if (resource_type, name) not in _READ_ONLY}
    own = {name: value for name, value in handed.items() if name not in _OF_PROPERTY}
    for arn in dict.fromkeys(_handed_over(own)):
        yield arn, f"{service}.amazonaws.com"
    for name in handed.keys() - own.keys():
        for arn in role_arns(handed[name]):
            yield arn, f"{_OF_PROPERTY[name]}.amazonaws.com"


def _handed_over(value: Any, name: str = "") -> Iterator[str]:
    """ARNs of roles under a property that takes a role, however deep."""
    if isinstance(value, Mapping):
        for inner_name, inner in value.items():
            if inner_name.lower() in _VARIABLES:
                continue
            yield from _handed_over(inner, f"{name}.{inner_name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _handed_over(inner, name)
    elif _takes_a_role(name):
        yield from role_arns(value)


def _takes_a_role(path: str) -> bool:
    last = path.rpartition(".")[2].lower()
    return "role" in last or "credentials" in last or last == "snscallerarn" or path.startswith(".Roles.")
