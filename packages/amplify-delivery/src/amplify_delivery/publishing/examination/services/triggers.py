"""Check of functions and what calls them: S3 may call one, and its role may do what Lambda tries when it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from amplify_delivery.findings import Finding, Rule, Severity
from amplify_delivery.publishing.examination.services.buckets import DESTINATIONS
from amplify_delivery.publishing.examination.services.resolved import (
    Path,
    follows,
    found,
    is_choice,
    statements_of,
    target,
)
from amplify_delivery.publishing.examination.services.roles import allows, for_services, gives, rights_of, trusts
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

TRIGGER = Rule(
    "AD738",
    "refused",
    "A trigger without its rights: a bucket that calls a function, a queue or a topic which S3 may not call, or calls "
    "it before it may; a log group whose lines go to a function that CloudWatch Logs may not call; a function whose "
    "role may not read the stream or the queue that it is called with. Or a function whose role lacks what Lambda "
    "tries when it is made: network interfaces in a VPC, its dead-letter queue or topic, traces. A warning where the "
    "policy that gives it may be made later, and of a topic, a rule or a user pool that calls a function and may not: "
    "AWS makes it, and the function is never called.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-permissions.html",
    "`Unable to validate the following destination configurations`, `Please ensure the role can perform the "
    "GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM`, `The provided "
    "execution role does not have permissions to call CreateNetworkInterface on EC2`, `Could not execute the lambda "
    "function. Make sure you have given CloudWatch Logs permission to execute your function`",
    remedy="give the function an AWS::Lambda::Permission for s3.amazonaws.com that the bucket depends on, or its role "
    "the rights (`amplify update function`, custom-policies.json or override), and export again",
)
_READING = {"dynamodb": "dynamodb:GetRecords", "kinesis": "kinesis:GetRecords", "sqs": "sqs:ReceiveMessage"}
_SOURCES = {"AWS::DynamoDB::Table": "dynamodb", "AWS::Kinesis::Stream": "kinesis", "AWS::SQS::Queue": "sqs"}


Problem = tuple[Severity, str]


def powerless_triggers(tree: Tree) -> Iterator[Finding]:
    """AD738: S3 and Lambda try it when the trigger is made, in the middle of the deployment."""
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        if resource.type == "AWS::Logs::SubscriptionFilter":
            problems = _of_lines(tree, path, properties)
        elif resource.type == "AWS::S3::Bucket":
            problems = _of_bucket(tree, path, properties)
        elif resource.type == "AWS::Lambda::EventSourceMapping":
            problems = _of_mapping(tree, path, properties)
        elif resource.type == "AWS::Lambda::Function":
            problems = _of_function(tree, path, properties)
        elif resource.type in _UNTRIED:
            problems = _of_untried(tree, resource.type, properties)
        else:
            continue
        for severity, problem in dict.fromkeys(problems):
            yield replace(TRIGGER.at(tree.file(path[:-1]), f"{path[-1]} {problem}", TRIGGER.remedy), severity=severity)


def _of_bucket(tree: Tree, path: Path, properties: Mapping[str, Any]) -> Iterator[Problem]:
    configurations = as_mapping(properties.get("NotificationConfiguration"))
    for kind, property in DESTINATIONS.items():
        listed = configurations.get(kind)
        for configuration in listed if isinstance(listed, list) else ():
            called = target(as_mapping(configuration).get(property))
            made = tree.resolved.resources.get(called or ())
            if called is None or made is None or made.type not in _ALLOWING:
                continue  # not of this backend, or not known, or an alias
            permissions = list(_permissions(tree, called, made.type))
            if not permissions:
                yield "refused", f"calls {'/'.join(called)}, which S3 may not call"
            elif all(p[:-1] == path[:-1] and not follows(tree, path, p[-1]) for p in permissions):
                # In a later release than the permission it is not, as of a queue whose policy names the bucket.
                told = f"may be made before {permissions[0][-1]}, which lets S3 call {'/'.join(called)}"
                yield "warning", told


_ALLOWING = {
    "AWS::Lambda::Function": "AWS::Lambda::Permission",
    "AWS::SNS::Topic": "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue": "AWS::SQS::QueuePolicy",
}
"""What a bucket calls, and what lets it."""
_OF = {
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SNS::TopicInlinePolicy": "TopicArn",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SQS::QueueInlinePolicy": "Queue",
    "AWS::Kinesis::ResourcePolicy": "ResourceArn",
}
"""Policies of queues, topics and streams, and where they name these."""


def _of_lines(tree: Tree, path: Path, properties: Mapping[str, Any]) -> Iterator[Problem]:
    """ "Log group-level subscription filters" (CloudWatch Logs user guide): the function is called when it is made."""
    called = target(properties.get("DestinationArn"))
    made = tree.resolved.resources.get(called or ())
    if called is None or made is None or made.type != "AWS::Lambda::Function":
        return
    permissions = list(_permissions(tree, called, made.type, "logs"))
    if not permissions:
        yield "refused", f"calls {'/'.join(called)}, which CloudWatch Logs may not call"
    elif all(p[:-1] == path[:-1] and not follows(tree, path, p[-1]) for p in permissions):
        yield "warning", f"may be made before {permissions[0][-1]}, which lets CloudWatch Logs call {'/'.join(called)}"


_UNTRIED = {
    "AWS::Cognito::UserPool": ("cognito-idp", "Cognito"),
    "AWS::Events::Rule": ("events", "EventBridge"),
    "AWS::SNS::Subscription": ("sns", "SNS"),
    "AWS::SNS::Topic": ("sns", "SNS"),
}
"""What calls functions and is made whether it may or not, by which service, and what that is called."""


def _of_untried(tree: Tree, kind: str, properties: Mapping[str, Any]) -> Iterator[Problem]:
    """ "Using resource-based policies for Lambda": whoever sends something sees nothing of it, and users of a pool an
    error at sign-in."""
    service, said = _UNTRIED[kind]
    for value in _called(kind, properties):
        called = target(value)
        made = tree.resolved.resources.get(called or ())
        if called is None or made is None or made.type != "AWS::Lambda::Function":
            continue
        if not any(True for _ in _permissions(tree, called, made.type, service)):
            yield "warning", f"calls {'/'.join(called)}, which {said} may not call: it never runs"


def _called(kind: str, properties: Mapping[str, Any]) -> Iterator[Any]:
    """What may be a function that is called, or an alias of one."""
    if kind == "AWS::Cognito::UserPool":
        yield from as_mapping(properties.get("LambdaConfig")).values()
    elif kind == "AWS::Events::Rule":
        targets = properties.get("Targets")
        yield from (one.get("Arn") for one in map(as_mapping, targets if isinstance(targets, list) else ()))
    elif kind == "AWS::SNS::Topic":
        subscribed = properties.get("Subscription")
        yield from (one.get("Endpoint") for one in map(as_mapping, subscribed if isinstance(subscribed, list) else ()))
    else:
        yield properties.get("Endpoint")


def _permissions(tree: Tree, called: Path, kind: str, service: str = "s3") -> Iterator[Path]:
    """What lets a service call a function, a queue or a topic, or may."""
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        if resource.type == _ALLOWING[kind] == "AWS::Lambda::Permission":
            of, by = target(properties.get("FunctionName")), properties.get("Principal")
            if of in (None, called) and (not isinstance(by, str) or by == "*" or by.startswith(f"{service}.")):
                yield path
        elif _policy_of(resource.type, kind) and _is_of(resource.type, properties, called):
            statements = statements_of(properties.get("PolicyDocument"))
            if any(s is None or (allows(s) and trusts(s, service)) for s in statements):
                yield path


def _policy_of(kind: str, called: str) -> bool:
    """Whether resources of a type are policies of those of another one."""
    return kind in _OF and kind.startswith(called)


def _is_of(kind: str, properties: Mapping[str, Any], called: Path) -> bool:
    """Whether a policy is that of a queue, a topic or a stream, or may be."""
    given = properties.get(_OF[kind])
    return any(target(one) in (None, called) for one in (given if isinstance(given, list) else [given]))


def _opened(tree: Tree, source: Any, action: str) -> bool:
    """Whether a policy of the source itself may allow a role of the account an action: of one account, either policy is
    enough ("Cross account resource access in IAM")."""
    called = target(source)
    for resource in tree.resolved.resources.values():
        properties = as_mapping(resource.properties)
        if resource.type in _OF and (called is None or _is_of(resource.type, properties, called)):
            statements = statements_of(properties.get("ResourcePolicy", properties.get("PolicyDocument")))
            if any(s is None or (gives(s, action) and not for_services(s)) for s in statements):
                return True
    return False


def _of_mapping(tree: Tree, path: Path, properties: Mapping[str, Any]) -> Iterator[Problem]:
    source, function = properties.get("EventSourceArn"), target(properties.get("FunctionName"))
    service = source_service(tree, source)
    action = _READING.get(service)
    resource = tree.resolved.resources.get(function or ())
    role = target(as_mapping(resource.properties).get("Role")) if resource else None
    rights = rights_of(tree, role) if role is not None else None
    if action is None or role is None or rights is None:
        return
    able = rights.giving(action, source)
    if not able and not rights.may(action, source) and not _opened(tree, source, action):
        yield "refused", f"reads {_SAID[service]} with the role {'/'.join(role)}, which has no {action} on it"
    if not rights.may(action, source):
        yield from _too_early(tree, path, able, action)


def _too_early(tree: Tree, path: Path, able: Sequence[Path], action: str) -> Iterator[Problem]:
    """Made beside each policy that it needs: which of them is first, nobody can tell (amplify-cli 12702). Of what is
    deployed both are there, so it is a warning."""
    if able and all(by[:-1] == path[:-1] and not follows(tree, path, by[-1]) for by in able):
        yield "warning", f"may be made before {able[0][-1]}, which gives the role {action}: name it in DependsOn"


def _of_function(tree: Tree, path: Path, properties: Mapping[str, Any]) -> Iterator[Problem]:
    """ "Giving Lambda functions access to resources in an Amazon VPC", "Adding a dead-letter queue", and "Visualize
    Lambda function invocations using AWS X-Ray" (Lambda developer guide): the role needs these, and CreateFunction
    tries them."""
    role = target(properties.get("Role"))
    rights = rights_of(tree, role) if role is not None else None
    letters = as_mapping(properties.get("DeadLetterConfig")).get("TargetArn")
    for action, why in _tried(tree, properties) if rights is not None else ():
        if rights is None or rights.may(action):
            continue
        able = rights.giving(action)
        if not able and not _opened(tree, letters, action):
            yield "refused", f"{why} with the role {'/'.join(role or ())}, which has no {action}"
        yield from _too_early(tree, path, able, action)


def _tried(tree: Tree, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each action that the role of a function with these properties needs, and what for."""
    network = as_mapping(properties.get("VpcConfig"))
    ids = [network.get(name) for name in ("SubnetIds", "SecurityGroupIds")]
    if all(isinstance(several, list) and not all(map(is_choice, several)) for several in ids):
        yield "ec2:CreateNetworkInterface", "runs in a VPC"
    letters = as_mapping(properties.get("DeadLetterConfig")).get("TargetArn")
    service = source_service(tree, letters)
    if service == "sqs":
        yield "sqs:SendMessage", "has a dead-letter queue"
    elif any(":sns:" in part for part in _texts(letters)):
        yield "sns:Publish", "has a dead-letter topic"
    if as_mapping(properties.get("TracingConfig")).get("Mode") == "Active":
        yield "xray:PutTraceSegments", "is traced"


_SAID = {"dynamodb": "the stream of a table", "kinesis": "a stream", "sqs": "a queue"}


def source_service(tree: Tree, source: Any) -> str:
    """Of what service the source of a mapping is, as far as that can be told."""
    named = tree.resolved.resources.get(target(source) or ())
    if named is not None:
        return _SOURCES.get(named.type, "")
    texts = _texts(source)
    if any(":StreamArn" in text or ":dynamodb:" in text for text in texts):
        return "dynamodb"
    return next((service for service in ("kinesis", "sqs") if any(f":{service}:" in text for text in texts)), "")


def _texts(value: Any) -> list[str]:
    """The texts in a value; none of one that is this or that."""
    parts = list(found(value))
    return [] if any(map(is_choice, parts)) else [part for part in parts if isinstance(part, str)]
