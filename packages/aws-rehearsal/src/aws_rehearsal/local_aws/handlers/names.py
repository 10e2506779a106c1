"""The resource that a call is about: its ARN, from a resource's type, properties and physical id.

Formats are those of the service authorization reference ("Resource types defined by ..."). A name that a template does
not give is made as CloudFormation makes it: `STACK-LOGICALID-RANDOM`, cut to what the service allows. An id that a
service will only draw stands as `new`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .gateway_names import gateway
from .subject import NEW, PARTITION, RANDOM, Subject, made_up
from .table import unscoped


def resources_of(action: str, subject: Subject) -> list[str]:
    """The ARNs that `action` is compared with: each must be allowed; `*` where the action knows no resource."""
    if action in unscoped():
        return ["*"]
    service, _, verb = action.partition(":")
    name = _SERVICES.get(service)
    found = name(verb, subject) if name else [_other(service, subject)]
    return list(dict.fromkeys(found))


def _other(service: str, subject: Subject) -> str:
    """`KIND/NAME`: the form of most services, with the type's last word for the kind."""
    kind = subject.resource_type.rpartition("::")[2]
    if subject.physical_id.startswith("arn:"):
        return subject.physical_id
    given = f"{kind}Name" if subject.properties.get(f"{kind}Name") else "Name"
    return subject.arn(service, f"{kind.lower()}/{subject.name(given)}")


# IAM


def _iam(verb: str, subject: Subject) -> list[str]:
    if subject.resource_type == "AWS::IAM::Role":
        return [_own_role(subject)]
    if subject.resource_type == "AWS::IAM::ManagedPolicy" and "RolePolicy" not in verb:
        return [_policy(subject)]
    targets = subject.properties.get("Roles")
    if subject.resource_type == "AWS::IAM::RolePolicy":
        targets = [subject.properties.get("RoleName")]
    if isinstance(targets, list):
        return [subject.role(str(name)) for name in targets]
    return [subject.role(arn) for arn in role_arns(subject.properties)] or [subject.arn("iam", "role/*", region="")]


def _own_role(subject: Subject) -> str:
    if subject.physical_id:
        return subject.role(subject.physical_id)
    path = subject.text("Path") or "/"
    return subject.arn("iam", f"role{path}{subject.name('RoleName', 64)}", region="")


def _policy(subject: Subject) -> str:
    if subject.physical_id:
        return subject.physical_id
    return subject.arn("iam", f"policy{subject.text('Path') or '/'}{subject.name('ManagedPolicyName', 128)}", region="")


def role_arns(value: Any) -> list[str]:
    """Every ARN of a role within `value`."""
    if isinstance(value, str):
        return [value] if re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/\S+", value) else []
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [arn for one in inner for arn in role_arns(one)]


# Lambda


def function_arn(subject: Subject, named: str) -> str:
    """A function by name, partial or full ARN, without its version or alias."""
    parts = named.split(":")
    if "function" in parts:
        at = parts.index("function")
        account = parts[at - 1] if at else subject.account
        region = parts[at - 2] if at > 1 else subject.region
        return subject.arn("lambda", f"function:{parts[at + 1]}", region=region, account=account)
    return subject.arn("lambda", f"function:{parts[0]}")


def _lambda(verb: str, subject: Subject) -> list[str]:
    kind = subject.resource_type.rpartition("::")[2]
    if kind == "Function":
        if verb == "GetLayerVersion":
            return [str(arn) for arn in subject.properties.get("Layers") or ()]
        if verb == "GetCodeSigningConfig":
            return [subject.text("CodeSigningConfigArn")]
        return [function_arn(subject, subject.name("FunctionName", 64))]
    if kind == "EventSourceMapping":
        return [subject.arn("lambda", f"event-source-mapping:{subject.physical_id or NEW}")]
    if kind == "LayerVersion":
        layer = subject.arn("lambda", f"layer:{subject.text('LayerName') or made_up(subject, 64)}")
        return [layer if verb.startswith("Publish") else subject.physical_id or f"{layer}:1"]
    if kind == "LayerVersionPermission":
        return [subject.text("LayerVersionArn")]
    named = subject.text("FunctionName") or subject.text("TargetFunctionArn") or subject.name()
    return [function_arn(subject, named)]


# Services with one kind of name


def _named(service: str, kind: str, given: str, limit: int = 128) -> Callable[[str, Subject], list[str]]:
    def name(_verb: str, subject: Subject) -> list[str]:
        called = subject.name(given, limit)
        return [called if called.startswith("arn:") else subject.arn(service, f"{kind}{called}")]

    return name


def _s3(verb: str, subject: Subject) -> list[str]:
    bucket = subject.text("Bucket") or subject.text("BucketName") or subject.physical_id
    bucket = bucket or made_up(subject, 63).lower()
    key = f"/{NEW}" if "Object" in verb and verb not in _BUCKET_WIDE else ""
    return [f"arn:{PARTITION}:s3:::{bucket}{key}"]


_BUCKET_WIDE = frozenset({"GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration"})


def _dynamodb(_verb: str, subject: Subject) -> list[str]:
    return [subject.arn("dynamodb", f"table/{subject.name('TableName')}")]


def _cognito_idp(_verb: str, subject: Subject) -> list[str]:
    pool = subject.text("UserPoolId") or subject.physical_id
    return [subject.arn("cognito-idp", f"userpool/{pool or f'{subject.region}_{NEW}'}")]


def _cognito_identity(_verb: str, subject: Subject) -> list[str]:
    pool = subject.text("IdentityPoolId") or subject.physical_id
    return [subject.arn("cognito-identity", f"identitypool/{pool or f'{subject.region}:{NEW}'}")]


def _appsync(_verb: str, subject: Subject) -> list[str]:
    if subject.resource_type == "AWS::AppSync::GraphQLApi":
        api = subject.physical_id.rpartition("/")[2] or NEW
    elif subject.resource_type.startswith("AWS::AppSync::DomainName"):
        return [subject.arn("appsync", f"domainnames/{subject.text('DomainName') or NEW}")]
    else:
        api = subject.text("ApiId") or NEW
    return [subject.arn("appsync", f"apis/{api}")]


def _logs(verb: str, subject: Subject) -> list[str]:
    group = subject.text("LogGroupName") or subject.physical_id or made_up(subject, 512)
    # All calls but those on tags name the group with its streams.
    tail = "" if "Tag" in verb else ":*"
    return [subject.arn("logs", f"log-group:{group}{tail}")]


def _events(verb: str, subject: Subject) -> list[str]:
    if subject.resource_type == "AWS::Events::Archive":
        archive = subject.arn("events", f"archive/{subject.text('ArchiveName') or subject.name(limit=48)}")
        return [archive, subject.text("SourceArn")] if verb == "CreateArchive" else [archive]
    if subject.resource_type == "AWS::Events::EventBus":
        return [subject.arn("events", f"event-bus/{subject.text('Name') or subject.name()}")]
    bus = subject.text("EventBusName").rpartition("/")[2]
    name = subject.text("Name") or subject.physical_id.rpartition("/")[2].rpartition("|")[2] or made_up(subject, 64)
    return [subject.arn("events", f"rule/{name}" if bus in ("", "default") else f"rule/{bus}/{name}")]


def _sns(_verb: str, subject: Subject) -> list[str]:
    if subject.resource_type == "AWS::SNS::Subscription":
        return [subject.text("TopicArn")]
    if subject.resource_type == "AWS::SNS::TopicPolicy":
        return [str(arn) for arn in subject.properties.get("Topics") or ()]
    return _named("sns", "", "TopicName", 256)("", subject)


def _sqs(_verb: str, subject: Subject) -> list[str]:
    if subject.resource_type == "AWS::SQS::QueuePolicy":
        return [subject.arn("sqs", str(url).rpartition("/")[2]) for url in subject.properties.get("Queues") or ()]
    if subject.resource_type == "AWS::SQS::QueueInlinePolicy":
        return [subject.arn("sqs", str(subject.properties.get("Queue")).rpartition("/")[2])]
    # A queue's physical id is its URL.
    return [subject.arn("sqs", subject.physical_id.rpartition("/")[2] or subject.name("QueueName", 80))]


def _ssm(_verb: str, subject: Subject) -> list[str]:
    return [subject.arn("ssm", f"parameter/{subject.name('Name').removeprefix('/')}")]


def _secretsmanager(_verb: str, subject: Subject) -> list[str]:
    name = subject.name("Name", 512)
    return [name if name.startswith("arn:") else subject.arn("secretsmanager", f"secret:{name}-{NEW}")]


def _kms(_verb: str, subject: Subject) -> list[str]:
    if subject.resource_type == "AWS::KMS::Key":
        return [subject.arn("kms", f"key/{subject.physical_id or NEW}")]
    if subject.resource_type == "AWS::KMS::Alias":
        return [subject.arn("kms", subject.name("AliasName"))]
    found = []
    for key in _keys(subject.properties):
        own = key if key.startswith(("arn:", "alias/")) else f"key/{key}"
        found.append(own if own.startswith("arn:") else subject.arn("kms", own))
    return found


def _keys(value: Any) -> list[str]:
    """The customer's keys that properties name, by id, alias or ARN; AWS's own (`alias/aws/...`) need no right."""
    if isinstance(value, list):
        return [key for one in value for key in _keys(one)]
    if not isinstance(value, Mapping):
        return []
    found: list[str] = []
    for name, inner in value.items():
        named = isinstance(inner, str) and "kms" in name.lower() and _KEY_NAME.fullmatch(inner)
        found += [inner] if named else _keys(inner)
    return found


_KEY_NAME = re.compile(r"[\w-]{36}|arn:\S+:key/\S+|(?:arn:\S+:)?alias/(?!aws/)\S+")


def _cloudformation(_verb: str, subject: Subject) -> list[str]:
    if subject.physical_id:
        return [subject.physical_id]
    name = f"{subject.stack_name}-{subject.logical_id}-{RANDOM[:12]}"
    return [subject.arn("cloudformation", f"stack/{name}/{NEW}")]


def _cloudfront(_verb: str, subject: Subject) -> list[str]:
    kind = "origin-access-identity" if "Identity" in subject.resource_type else "distribution"
    return [subject.arn("cloudfront", f"{kind}/{subject.physical_id or NEW}", region="")]


def _hosted_zone(_verb: str, subject: Subject) -> list[str]:
    return [subject.arn("route53", f"hostedzone/{subject.text('HostedZoneId') or NEW}", region="", account="")]


def _wafv2(_verb: str, subject: Subject) -> list[str]:
    """Of an association the web ACL, and what it stands before."""
    if subject.resource_type == "AWS::WAFv2::WebACLAssociation":
        return [subject.text("WebACLArn"), subject.text("ResourceArn")]
    kind = subject.resource_type.rpartition("::")[2].lower()
    # A physical id is NAME|ID|SCOPE.
    name, _, rest = subject.physical_id.partition("|")
    reach = "global" if subject.text("Scope") == "CLOUDFRONT" else "regional"
    called = name or subject.text("Name") or _without_stack(subject)
    return [subject.arn("wafv2", f"{reach}/{kind}/{called}/{rest.partition('|')[0] or NEW}")]


def _protected(
    service: str, of_other_types: Callable[[str, Subject], list[str]]
) -> Callable[[str, Subject], list[str]]:
    """What a web ACL is put before is asked of its own service as well, by its ARN."""

    def name(verb: str, subject: Subject) -> list[str]:
        if subject.resource_type != "AWS::WAFv2::WebACLAssociation":
            return of_other_types(verb, subject)
        arn = subject.text("ResourceArn")
        return [arn] if arn.split(":")[2:3] == [service] else []

    return name


def _cloudwatch(verb: str, subject: Subject) -> list[str]:
    if subject.resource_type == "AWS::CloudWatch::Dashboard":
        called = subject.physical_id or subject.text("DashboardName") or _without_stack(subject)
        return [subject.arn("cloudwatch", f"dashboard/{called}", region="")]
    if subject.resource_type == "AWS::CloudWatch::CompositeAlarm" and verb in ("DescribeAlarms", "PutCompositeAlarm"):
        return ["*"]  # "scoped to *", says the API reference of both
    return _named("cloudwatch", "alarm:", "AlarmName", 255)(verb, subject)


def _ses(_verb: str, subject: Subject) -> list[str]:
    kind, given = {
        "AWS::SES::EmailIdentity": ("identity", "EmailIdentity"),
        "AWS::SES::ConfigurationSetEventDestination": ("configuration-set", "ConfigurationSetName"),
        "AWS::SES::Template": ("template", "TemplateName"),
    }.get(subject.resource_type, ("configuration-set", "Name"))
    template = subject.properties.get("Template")
    name = str(template.get(given) or "") if isinstance(template, Mapping) else subject.text(given)
    return [subject.arn("ses", f"{kind}/{name or subject.physical_id or _without_stack(subject)}")]


def _lex(_verb: str, subject: Subject) -> list[str]:
    """A physical id is that of the bot; of an alias ALIAS|BOT, of a version BOT|VERSION."""
    first, _, second = subject.physical_id.partition("|")
    if subject.resource_type == "AWS::Lex::BotAlias":
        return [subject.arn("lex", f"bot-alias/{subject.text('BotId') or second or NEW}/{first or NEW}")]
    return [subject.arn("lex", f"bot/{subject.text('BotId') or first or NEW}")]


def _pinpoint(_verb: str, subject: Subject) -> list[str]:
    if subject.resource_type == "AWS::Pinpoint::App":
        return [subject.arn("mobiletargeting", f"apps/{subject.physical_id or NEW}")]
    channel = subject.resource_type.rpartition("::")[2].removesuffix("Channel").lower()
    return [subject.arn("mobiletargeting", f"apps/{subject.text('ApplicationId')}/channels/{channel}")]


def _scaling(_verb: str, subject: Subject) -> list[str]:
    return [subject.arn("application-autoscaling", f"scalable-target/{NEW}")]


def _scheduler(verb: str, subject: Subject) -> list[str]:
    """A schedule's ARN has its group in it; a group's delete asks for each schedule that is in it."""
    if subject.resource_type != "AWS::Scheduler::ScheduleGroup":
        group = subject.text("GroupName") or "default"
        return [subject.arn("scheduler", f"schedule/{group}/{subject.name('Name', 64)}")]
    group = subject.name("Name", 64)
    return [
        subject.arn("scheduler", f"schedule/{group}/{NEW}" if verb == "DeleteSchedule" else f"schedule-group/{group}")
    ]


def _states(_verb: str, subject: Subject) -> list[str]:
    called = subject.physical_id or subject.text("StateMachineName") or _without_stack(subject)
    return [called if called.startswith("arn:") else subject.arn("states", f"stateMachine:{called}")]


def _project(_verb: str, subject: Subject) -> list[str]:
    return [
        subject.arn("codebuild", f"project/{subject.physical_id or subject.text('Name') or _without_stack(subject)}")
    ]


def _without_stack(subject: Subject) -> str:
    """`LOGICALID-RANDOM`: the made-up names of a few types know no stack. Told by users: aws-lambda-power-tuning 220,
    ARNs of projects and state machines in reports on the AWS CDK."""
    return f"{subject.logical_id[:27]}-{RANDOM}"


def _branch(_verb: str, subject: Subject) -> list[str]:
    return [subject.arn("amplify", f"apps/{subject.text('AppId') or NEW}/branches/{subject.text('BranchName') or NEW}")]


_SERVICES: Mapping[str, Callable[[str, Subject], list[str]]] = {
    "amplify": _branch,
    "apigateway": _protected("apigateway", gateway),
    "application-autoscaling": _scaling,
    "appsync": _protected("appsync", _appsync),
    "cloudformation": _cloudformation,
    "cloudfront": _cloudfront,
    "cloudwatch": _cloudwatch,
    "codebuild": _project,
    "codepipeline": _named("codepipeline", "", "Name", 100),
    "cognito-identity": _cognito_identity,
    "cognito-idp": _protected("cognito-idp", _cognito_idp),
    "dynamodb": _dynamodb,
    "ecr": _named("ecr", "repository/", "RepositoryName", 256),
    "es": _named("es", "domain/", "DomainName", 28),
    "events": _events,
    "firehose": _named("firehose", "deliverystream/", "DeliveryStreamName", 64),
    "iam": _iam,
    "kinesis": _named("kinesis", "stream/", "Name", 128),
    "kms": _kms,
    "lambda": _lambda,
    "logs": _logs,
    "route53": _hosted_zone,
    "s3": _s3,
    "scheduler": _scheduler,
    "secretsmanager": _secretsmanager,
    "lex": _lex,
    "mobiletargeting": _pinpoint,
    "rekognition": _named("rekognition", "collection/", "CollectionId"),
    "ses": _ses,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "states": _states,
    "wafv2": _wafv2,
}
