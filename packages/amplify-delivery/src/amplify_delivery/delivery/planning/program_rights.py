"""Rights that a release gains by what the program makes beside the backend. Pure.

Pulumi's resources are compared as the CloudFormation ones that they stand for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from amplify_delivery.changes.gained import Comparison, gained_between
from amplify_delivery.changes.steps import Path
from amplify_delivery.delivery.planning.program import BACKEND, ProgramStep
from amplify_delivery.export.templates.resolve import ResolvedResource

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine gives for a value that only the update knows (Pulumi SDK, `UNKNOWN`)."""

_CLASSIC: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "aws:apigatewayv2/route:Route": (
        "AWS::ApiGatewayV2::Route",
        {"routeKey": "RouteKey", "authorizationType": "AuthorizationType"},
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": ("AWS::ECR::Repository", {"policy": "RepositoryPolicyText"}),
    "aws:iam/policy:Policy": ("AWS::IAM::ManagedPolicy", {"policy": "PolicyDocument", "name": "Roles"}),
    "aws:iam/role:Role": (
        "AWS::IAM::Role",
        {
            "assumeRolePolicy": "AssumeRolePolicyDocument",
            "inlinePolicies": "Policies",
            "managedPolicyArns": "ManagedPolicyArns",
            "name": "RoleName",
            "permissionsBoundary": "PermissionsBoundary",
        },
    ),
    "aws:iam/rolePolicy:RolePolicy": ("AWS::IAM::RolePolicy", {"policy": "PolicyDocument", "role": "RoleName"}),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("AWS::IAM::Role", {"policyArn": "ManagedPolicyArns"}),
    "aws:lambda/functionUrl:FunctionUrl": ("AWS::Lambda::Url", {"authorizationType": "AuthType"}),
    "aws:lambda/permission:Permission": (
        "AWS::Lambda::Permission",
        {
            "action": "Action",
            "function": "FunctionName",
            "functionUrlAuthType": "FunctionUrlAuthType",
            "principal": "Principal",
            "principalOrgId": "PrincipalOrgID",
            "sourceAccount": "SourceAccount",
            "sourceArn": "SourceArn",
        },
    ),
    "aws:s3/bucketPolicy:BucketPolicy": ("AWS::S3::BucketPolicy", {"bucket": "Bucket", "policy": "PolicyDocument"}),
    "aws:sns/topicPolicy:TopicPolicy": ("AWS::SNS::TopicPolicy", {"arn": "Topics", "policy": "PolicyDocument"}),
    "aws:sqs/queuePolicy:QueuePolicy": ("AWS::SQS::QueuePolicy", {"policy": "PolicyDocument", "queueUrl": "Queues"}),
}
"""Types of the classic provider that give rights, the CloudFormation type they stand for, and their properties."""
_NATIVE = "aws-native:"


def program_rights(state: Mapping[str, Any], steps: Iterable[ProgramStep]) -> Comparison:
    """What the program's own resources allow, after `steps` of a preview, that they do not in the engine's `state`.

    `unread` are policies of which only the update knows the text.
    """
    before = {str(r.get("urn")): (str(r.get("type")), r.get("inputs") or {}) for r in state.get("resources") or ()}
    after = dict(before)
    for step in steps:
        if "delete" not in step.operation:
            after[step.urn] = (step.type, step.inputs)
        elif step.operation == "delete":
            after.pop(step.urn, None)
    old, new = _resources(before), _resources(after)
    unread = sorted("/".join(path) for path, r in new.items() if _is_unknown(r.properties) and old.get(path) != r)
    known_before, known_after = ({p: _known(r) for p, r in side.items()} for side in (old, new))
    rights = gained_between(known_before, known_after)
    return Comparison(rights, tuple(unread))


def _resources(found: Mapping[str, tuple[str, Mapping[str, Any]]]) -> dict[Path, ResolvedResource]:
    resources: dict[Path, ResolvedResource] = {}
    for urn, (kind, inputs) in found.items():
        made = None if BACKEND in urn else _as_cloudformation(kind, inputs)
        if made is not None:
            resources[urn.rpartition("::")[2],] = made
    return resources


def _as_cloudformation(kind: str, inputs: Mapping[str, Any]) -> ResolvedResource | None:
    if kind.startswith(_NATIVE):
        _, service, name = (*kind.split(":"), "", "")[:3]
        named = {"iam": "IAM", "s3": "S3", "sns": "SNS", "sqs": "SQS", "kms": "KMS", "ecr": "ECR"}
        service = named.get(service, service[:1].upper() + service[1:])
        properties = {k[:1].upper() + k[1:]: v for k, v in inputs.items()}
        return ResolvedResource(f"AWS::{service}::{name}", _with_inline(properties, "policyDocument"))
    if kind not in _CLASSIC:
        return None
    known, names = _CLASSIC[kind]
    properties = {names[key]: value for key, value in inputs.items() if key in names}
    return ResolvedResource(known, _with_inline(properties, "policy"))


def _with_inline(properties: dict[str, Any], document: str) -> dict[str, Any]:
    """A role's inline policies as CloudFormation has them."""
    inline = properties.get("Policies")
    if isinstance(inline, list):
        properties["Policies"] = [{"PolicyDocument": p.get(document)} for p in inline if isinstance(p, Mapping)]
    return properties


def _is_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_is_unknown, value))
    return bool(value == UNKNOWN)


def _known(resource: ResolvedResource) -> ResolvedResource:
    """A resource without what nobody knows yet."""
    return replace(resource, properties=_without_unknown(resource.properties))


def _without_unknown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_unknown(v) for k, v in value.items() if v != UNKNOWN}
    return [_without_unknown(v) for v in value if v != UNKNOWN] if isinstance(value, list) else value
