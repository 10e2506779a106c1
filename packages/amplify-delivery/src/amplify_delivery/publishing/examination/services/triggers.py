"""Check of functions and what calls them: S3 may call one, and its role may do what Lambda tries when it is made."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.templates.expressions import names_in
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import Path, declared, found, target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

TRIGGER = Rule(
    "AD738",
    "refused",
    "A trigger without its rights: a bucket that calls a function which S3 may not call, or calls it before it may; a "
    "function whose role may not read the stream or the queue that it is called with. Or a function whose role lacks "
    "what Lambda tries when it is made: network interfaces in a VPC, its dead-letter queue or topic, traces.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-permissions.html",
    "`Unable to validate the following destination configurations`, `Please ensure the role can perform the "
    "GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM`, `The provided "
    "execution role does not have permissions to call CreateNetworkInterface on EC2`",
    remedy="give the function an AWS::Lambda::Permission for s3.amazonaws.com that the bucket depends on, or its role "
    "the rights (`amplify update function`, custom-policies.json or override), and export again",
)
_READING = {"dynamodb": "dynamodb:GetRecords", "kinesis": "kinesis:GetRecords", "sqs": "sqs:ReceiveMessage"}
_SOURCES = {"AWS::DynamoDB::Table": "dynamodb", "AWS::Kinesis::Stream": "kinesis", "AWS::SQS::Queue": "sqs"}


def powerless_triggers(tree: Tree) -> Iterator[Finding]:
    """AD738: S3 and Lambda try it when the trigger is made, in the middle of the deployment."""
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        if resource.type == "AWS::S3::Bucket":
            problems = _of_bucket(tree, path, properties)
        elif resource.type == "AWS::Lambda::EventSourceMapping":
            problems = _of_mapping(tree, properties)
        elif resource.type == "AWS::Lambda::Function":
            problems = _of_function(tree, properties)
        else:
            continue
        for problem in dict.fromkeys(problems):
            yield TRIGGER.at(tree.file(path[:-1]), f"{path[-1]} {problem}", TRIGGER.remedy)


def _of_bucket(tree: Tree, path: Path, properties: Mapping[str, Any]) -> Iterator[str]:
    configurations = as_mapping(properties.get("NotificationConfiguration")).get("LambdaConfigurations")
    for configuration in configurations if isinstance(configurations, list) else ():
        function = target(as_mapping(configuration).get("Function"))
        made = tree.resolved.resources.get(function or ())
        if function is None or made is None or made.type != "AWS::Lambda::Function":
            continue  # not of this backend, or not known, or an alias
        permissions = list(_permissions(tree, function))
        if not permissions:
            yield f"calls {'/'.join(function)}, which S3 may not call"
        elif all(p[:-1] == path[:-1] and not _follows(tree, path, p[-1]) for p in permissions):
            yield f"may be made before {permissions[0][-1]}, which lets S3 call {'/'.join(function)}"


def _permissions(tree: Tree, function: Path) -> Iterator[Path]:
    """What lets S3 call a function, or may."""
    for path, resource in tree.resolved.resources.items():
        if resource.type == "AWS::Lambda::Permission":
            properties = as_mapping(resource.properties)
            of, by = target(properties.get("FunctionName")), properties.get("Principal")
            if of in (None, function) and (not isinstance(by, str) or by.startswith("s3.")):
                yield path


def _follows(tree: Tree, path: Path, other: str) -> bool:
    """Whether a resource is made after another one of its template: by what it depends on or refers to."""
    pending, seen = [path[-1]], set[str]()
    while pending:
        item = declared(tree, (*path[:-1], pending.pop()))
        names = {*_names(item.get("DependsOn")), *names_in(item.get("Properties"))}
        if other in names:
            return True
        pending.extend(names - seen)
        seen |= names
    return False


def _names(value: Any) -> Iterator[str]:
    yield from (n for n in (value if isinstance(value, list) else [value]) if isinstance(n, str))


def _of_mapping(tree: Tree, properties: Mapping[str, Any]) -> Iterator[str]:
    source, function = properties.get("EventSourceArn"), target(properties.get("FunctionName"))
    service = _service(tree, source)
    action = _READING.get(service)
    resource = tree.resolved.resources.get(function or ())
    role = target(as_mapping(resource.properties).get("Role")) if resource else None
    if action is None or role is None or role not in tree.resolved.resources:
        return
    statements = _statements(tree, role)
    if statements is not None and not any(_allows(statement, action, source) for statement in statements):
        yield f"reads {_SAID[service]} with the role {'/'.join(role)}, which has no {action} on it"


def _of_function(tree: Tree, properties: Mapping[str, Any]) -> Iterator[str]:
    """ "Giving Lambda functions access to resources in an Amazon VPC", "Adding a dead-letter queue", and "Visualize
    Lambda function invocations using AWS X-Ray" (Lambda developer guide): the role needs these, and CreateFunction
    tries them."""
    role = target(properties.get("Role"))
    if role is None or role not in tree.resolved.resources:
        return
    statements = _statements(tree, role)
    for action, why in _tried(tree, properties) if statements is not None else ():
        if not any(_allows(statement, action, None, anywhere=True) for statement in statements or ()):
            yield f"{why} with the role {'/'.join(role)}, which has no {action}"


def _tried(tree: Tree, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each action that the role of a function with these properties needs, and what for."""
    network = as_mapping(properties.get("VpcConfig"))
    if all(isinstance(ids := network.get(name), list) and ids for name in ("SubnetIds", "SecurityGroupIds")):
        yield "ec2:CreateNetworkInterface", "runs in a VPC"
    letters = as_mapping(properties.get("DeadLetterConfig")).get("TargetArn")
    service = _service(tree, letters)
    if service == "sqs":
        yield "sqs:SendMessage", "has a dead-letter queue"
    elif any(isinstance(part, str) and ":sns:" in part for part in found(letters)):
        yield "sns:Publish", "has a dead-letter topic"
    if as_mapping(properties.get("TracingConfig")).get("Mode") == "Active":
        yield "xray:PutTraceSegments", "is traced"


_SAID = {"dynamodb": "the stream of a table", "kinesis": "a stream", "sqs": "a queue"}


def _service(tree: Tree, source: Any) -> str:
    """Of what service the source of a mapping is, as far as that can be told."""
    named = tree.resolved.resources.get(target(source) or ())
    if named is not None:
        return _SOURCES.get(named.type, "")
    texts = [part for part in found(source) if isinstance(part, str)]
    if any(":StreamArn" in text or ":dynamodb:" in text for text in texts):
        return "dynamodb"
    return next((service for service in ("kinesis", "sqs") if any(f":{service}:" in text for text in texts)), "")


def _statements(tree: Tree, role: Path) -> list[Mapping[str, Any]] | None:
    """What a role is given in this backend; None if managed policies give it what is not known here."""
    own = as_mapping(tree.resolved.resources[role].properties)
    if own.get("ManagedPolicyArns"):
        return None
    inline = own.get("Policies")
    documents = [as_mapping(policy).get("PolicyDocument") for policy in (inline if isinstance(inline, list) else ())]
    for resource in tree.resolved.resources.values():
        properties = as_mapping(resource.properties)
        roles = properties.get("Roles")
        if role not in [target(value) for value in (roles if isinstance(roles, list) else ())]:
            continue
        if resource.type in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
            documents.append(properties.get("PolicyDocument"))
    statements: list[Mapping[str, Any]] = []
    for document in documents:
        listed = as_mapping(document).get("Statement")
        statements += map(as_mapping, listed if isinstance(listed, list) else [listed])
    return statements


def _allows(statement: Mapping[str, Any], action: str, source: Any, *, anywhere: bool = False) -> bool:
    """Whether a statement may allow an action on a source, or on anything. What is not known may."""
    actions, resources = statement.get("Action"), statement.get("Resource")
    patterns = actions if isinstance(actions, list) else [actions]
    fits = any(not isinstance(p, str) or fnmatch.fnmatchcase(action.lower(), p.lower()) for p in patterns)
    several = resources if isinstance(resources, list) else [resources]
    return statement.get("Effect") == "Allow" and fits and (anywhere or any(_covers(r, source) for r in several))


def _covers(resource: Any, source: Any) -> bool:
    """Whether a statement's resource may be the source: it is not if both name something, and not the same."""
    if resource == source:
        return True
    imported = as_mapping(source).get("Fn::ImportValue")
    if "Fn::ImportValue" in as_mapping(resource):
        return imported is None  # it may be what the source names otherwise
    attribute = as_mapping(resource).get("Fn::GetAtt")
    if attribute is not None and target(resource):
        # A table's own ARN is not its stream's.
        return target(source) is None and (imported is None or attribute[1] == "StreamArn")
    return not any(isinstance(part, str) and "/index/" in part for part in found(resource))
