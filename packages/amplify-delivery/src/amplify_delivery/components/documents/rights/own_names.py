"""Which names a backend may give: most rights of its execution role go by name, and AWS denies any other.

`scopes` has the patterns; here is which property names a resource, and how its ARN is made of that ("Resource types
defined by ..." of each service in the service authorization reference).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.rights.scopes import key_aliases, resources_of
from amplify_delivery.components.documents.rights.types import readable

ROLE = "AWS::IAM::Role"
_ARCHIVE, _OF_STACK = "AWS::Events::Archive", 17
"""An archive's name has 48 characters, in which CloudFormation has room for so many of the stack's."""


@dataclass(frozen=True)
class _Naming:
    service: str
    property: str
    before: str = ""
    """What stands before the name in the ARN."""
    after: str = ""
    """What AWS puts behind it."""


_NAMINGS: Mapping[str, _Naming] = {
    "AWS::CloudWatch::Dashboard": _Naming("cloudwatch", "DashboardName", "dashboard/"),
    "AWS::CodeBuild::Project": _Naming("codebuild", "Name", "project/"),
    "AWS::CodePipeline::Pipeline": _Naming("codepipeline", "Name"),
    "AWS::DynamoDB::GlobalTable": _Naming("dynamodb", "TableName", "table/"),
    "AWS::DynamoDB::Table": _Naming("dynamodb", "TableName", "table/"),
    "AWS::Events::ApiDestination": _Naming("events", "Name", "api-destination/", "/1a2b"),
    _ARCHIVE: _Naming("events", "ArchiveName", "archive/"),
    "AWS::Events::Connection": _Naming("events", "Name", "connection/", "/1a2b"),
    "AWS::Events::EventBus": _Naming("events", "Name", "event-bus/"),
    "AWS::Events::Rule": _Naming("events", "Name", "rule/"),
    "AWS::KMS::Alias": _Naming("kms", "AliasName"),
    ROLE: _Naming("iam", "RoleName", "role"),
    "AWS::Lambda::Function": _Naming("lambda", "FunctionName", "function:"),
    "AWS::Lambda::LayerVersion": _Naming("lambda", "LayerName", "layer:"),
    "AWS::Logs::LogGroup": _Naming("logs", "LogGroupName", "log-group:"),
    "AWS::Rekognition::Collection": _Naming("rekognition", "CollectionId", "collection/"),
    "AWS::S3::Bucket": _Naming("s3", "BucketName"),
    "AWS::SES::ConfigurationSet": _Naming("ses", "Name", "configuration-set/"),
    "AWS::SNS::Topic": _Naming("sns", "TopicName"),
    "AWS::SQS::Queue": _Naming("sqs", "QueueName"),
    "AWS::SSM::Parameter": _Naming("ssm", "Name", "parameter/"),
    "AWS::Scheduler::ScheduleGroup": _Naming("scheduler", "Name", "schedule-group/"),
    "AWS::SecretsManager::Secret": _Naming("secretsmanager", "Name", "secret:", "-AbCdEf"),
    "AWS::StepFunctions::StateMachine": _Naming("states", "StateMachineName", "stateMachine:"),
}


def denied_name(kind: str, properties: Mapping[str, Any], access: EnvironmentAccess) -> str | None:
    """The name of a resource that the execution role of `access` may not make; None if it may, or nobody knows yet.

    Of a role the path counts, too. What has no name CloudFormation names after its stack, as far as there is room.
    """
    naming = _NAMINGS.get(kind)
    if naming is None:
        return None
    name = properties.get(naming.property)
    if kind == ROLE:
        path = properties.get("Path", "/")
        name = f"{access.names.stack_role_prefix}-" if name is None and path != "/" else name
        name = f"{path}{name}" if isinstance(path, str) and isinstance(name, str) else None
    if kind == _ARCHIVE and name is None:
        name = f"{access.stack_name[:_OF_STACK]}-"
    if not isinstance(name, str) or not name or "{{resolve:" in name:
        return None
    if kind == "AWS::KMS::Alias":
        if name.startswith(f"alias/{access.names.app}-"):
            return name  # those of the delivery's own keys are called so
        arn = _arn(naming, name, access)
        return None if any(_matches(pattern, arn) for pattern in key_aliases(access)) else name
    return None if _may(_arn(naming, name, access), naming.service, access) else name


def _arn(naming: _Naming, name: str, access: EnvironmentAccess) -> str:
    if naming.service == "s3":
        return access.names.bucket_arn(name)
    region = "" if naming.service in {"cloudwatch", "iam"} else None
    ending = name.removeprefix("/") if naming.service == "ssm" else name
    return access.names.arn(naming.service, f"{naming.before}{ending}{naming.after}", region=region)


_REFERENCE = re.compile(r"\{\{resolve:(secretsmanager|ssm|ssm-secure):([^{}]+)\}\}")


def denied_reads(value: Any, access: EnvironmentAccess) -> Iterator[str]:
    """The secrets and parameters that dynamic references within `value` name, and the execution role may not read."""
    if isinstance(value, str):
        for service, named in _REFERENCE.findall(value):
            if service == "secretsmanager":
                name = ":".join(named.split(":")[:7]) if named.startswith("arn:") else named.partition(":")[0]
                if denied_secret(name, access):
                    yield name
            elif denied_parameter(named.partition(":")[0], access):
                yield named.partition(":")[0]
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from denied_reads(inner, access)


def denied_secret(name: str, access: EnvironmentAccess) -> bool:
    """Whether the execution role may not read the secret of that name or ARN."""
    arn = name if name.startswith("arn:") else access.names.arn("secretsmanager", f"secret:{name}-AbCdEf")
    return not any(_matches(pattern, arn) for pattern in readable("secretsmanager", access))


def denied_parameter(name: str, access: EnvironmentAccess) -> bool:
    """Whether the execution role may not read the parameter of that name or ARN in Parameter Store."""
    names = access.names
    public = f"arn:{names.partition}:ssm:{names.region}::parameter{name}"
    own = names.arn("ssm", f"parameter/{name.removeprefix('/')}")
    arn = name if name.startswith("arn:") else public if name.startswith("/aws/service/") else own
    return not any(_matches(pattern, arn) for pattern in readable("ssm", access))


def _may(arn: str, service: str, access: EnvironmentAccess) -> bool:
    return any(_matches(pattern, arn) for pattern in _patterns(service, access))


def _patterns(service: str, access: EnvironmentAccess) -> Iterable[str]:
    return resources_of(service, access, access.resource_types)


def _matches(pattern: str, arn: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), arn) is not None
