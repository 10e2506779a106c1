"""The grants of IAM's policies, in all the forms in which templates have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from amplify_delivery.changes.gained.grants import ANYONE, Condition, Grant, Term, conditions
from amplify_delivery.changes.gained.texts import ALWAYS, When, at, branches, each, path_of, shown
from amplify_delivery.changes.gained.written import documents
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.documents import parsed
from amplify_delivery.export.templates.resolve import ResolvedResource

_ROLE, _USER, _GROUP, _MANAGED = "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::ManagedPolicy"
_NAMES = {_ROLE: "RoleName", _USER: "UserName", _GROUP: "GroupName"}
_MAKERS = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
"""Types that make a role with the policies that they are given."""

_WITHOUT = ("AWS::IAM::", "AWS::AppSync::")
"""Types whose policies are told apart above, and those that have none and are most of a backend's resources."""
_LISTS = ("Roles", "Users", "Groups")
_ATTACHED = ("AWS::IAM::Policy", _MANAGED)
"""Policies that name whom they are for, in lists."""
_SINGLE = {
    "AWS::IAM::RolePolicy": "RoleName",
    "AWS::IAM::UserPolicy": "UserName",
    "AWS::IAM::GroupPolicy": "GroupName",
}

_OF_RESOURCES: Mapping[str, tuple[str, str]] = {
    "AWS::ApiGateway::RestApi": ("Policy", ""),
    "AWS::DynamoDB::Table": ("ResourcePolicy.PolicyDocument", ""),
    "AWS::ECR::Repository": ("RepositoryPolicyText", ""),
    "AWS::Elasticsearch::Domain": ("AccessPolicies", ""),
    "AWS::Events::EventBusPolicy": ("Statement", "EventBusName"),
    "AWS::KMS::Key": ("KeyPolicy", ""),
    "AWS::Lambda::Alias": ("PolicyDocument", ""),
    "AWS::Logs::ResourcePolicy": ("PolicyDocument", "PolicyName"),
    "AWS::OpenSearchService::Domain": ("AccessPolicies", ""),
    "AWS::S3::AccessPoint": ("Policy", ""),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket"),
    "AWS::SNS::TopicInlinePolicy": ("PolicyDocument", "TopicArn"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics"),
    "AWS::SQS::QueueInlinePolicy": ("PolicyDocument", "Queue"),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", "Queues"),
    "AWS::SecretsManager::ResourcePolicy": ("ResourcePolicy", "SecretId"),
}
"""Policies of resources: where the document stands, and which property says whose it is (none: the resource's own)."""

_PERMISSIONS = {"AWS::Lambda::Permission": "FunctionName", "AWS::Lambda::LayerVersionPermission": "LayerVersionArn"}
_RESTRICTING = (
    "SourceArn",
    "SourceAccount",
    "EventSourceToken",
    "PrincipalOrgID",
    "OrganizationId",
    "FunctionUrlAuthType",
)
"""Properties of a permission that say when it holds."""


class Holders:
    """Who has what name, in a resolved tree."""

    def __init__(self, resources: Mapping[Path, ResolvedResource]) -> None:
        self.resources = resources
        self._named: dict[str, str] = {}
        self._managed: dict[str, Path] = {}
        for path, item in resources.items():
            name = at(item.properties, _NAMES[item.type]) if item.type in _NAMES else None
            if name is not None:
                self._named[shown(name)] = "/".join(path)
            if item.type == _MANAGED and (policy := at(item.properties, "ManagedPolicyName")) is not None:
                self._managed[shown(policy)] = path

    def called(self, value: Any) -> str:
        """Whom a reference, a name or an ARN is about: the place of the resource, else the text."""
        path = path_of(value)
        if path is not None:
            return "/".join(path)
        text = shown(value)
        return self._named.get(text, self._named.get(text.rpartition("/")[2] if ":role/" in text else text, text))

    def managed(self, arn: Any) -> ResolvedResource | None:
        """The managed policy of the tree that a reference or an ARN is about."""
        text = shown(arn)
        path = path_of(arn) or (self._managed.get(text.rpartition("/")[2]) if ":policy/" in text else None)
        item = self.resources.get(path) if path else None
        return item if item is not None and item.type == _MANAGED else None

    @cached_property
    def unattached(self) -> frozenset[Path]:
        """Managed policies that nothing in the tree has: whoever has them stands elsewhere."""
        used = {
            id(policy)
            for item in self.resources.values()
            for arn, _ in each(at(item.properties, "ManagedPolicyArns"))
            if (policy := self.managed(arn)) is not None
        }
        return frozenset(
            path
            for path, item in self.resources.items()
            if item.type == _MANAGED and id(item) not in used and not any(at(item.properties, name) for name in _LISTS)
        )


def grants(resources: Mapping[Path, ResolvedResource]) -> Iterator[Grant]:
    """All grants of the policies in a resolved tree."""
    holders = Holders(resources)
    for path, item in resources.items():
        properties = item.properties if isinstance(item.properties, Mapping) else {}
        for grant in _of(path, item.type, properties, holders):
            yield replace(grant, path=path, type=item.type)


def _of(path: Path, kind: str, properties: Mapping[str, Any], holders: Holders) -> Iterator[Grant]:
    place = "/".join(path)
    if kind == _ROLE:
        yield from _trust(properties.get("AssumeRolePolicyDocument"), place)
    if kind in _NAMES or kind in _MAKERS:
        yield from _own(place, properties, holders)
    if kind in _ATTACHED:
        for name in _LISTS:
            for holder, when in each(properties.get(name)):
                yield from _actions(properties.get("PolicyDocument"), holders.called(holder), when)
    if path in holders.unattached:
        yield from _actions(properties.get("PolicyDocument"), f"whoever has {place}", ALWAYS)
    if kind in _SINGLE:
        yield from _actions(properties.get("PolicyDocument"), holders.called(properties.get(_SINGLE[kind])), ALWAYS)
    if kind == "AWS::IAM::UserToGroupAddition":
        for user, when in each(properties.get("Users")):
            what = f"whatever the group {holders.called(properties.get('GroupName'))} may do"
            yield Grant("action", holders.called(user), Term(what), when=when)
    if kind in _OF_RESOURCES:
        where, owner = _OF_RESOURCES[kind]
        document = at(properties, *where.split("."))
        if kind == "AWS::Events::EventBusPolicy":
            # An older form has principal and action themselves.
            document = {"Statement": properties if document is None else document}
        for whose, when in each(properties.get(owner, {"Ref": list(path)})):
            yield from _principals(document, holders.called(whose), when)
    if kind in _PERMISSIONS:
        yield from _permission(properties, holders.called(properties.get(_PERMISSIONS[kind])))
    if kind.startswith("AWS::") and not kind.startswith(_WITHOUT):
        told = _OF_RESOURCES[kind][0].partition(".")[0] if kind in _OF_RESOURCES else ""
        told = "Policies" if kind in _MAKERS else told
        for document, when in documents({name: value for name, value in properties.items() if name != told}):
            yield from _written(document, place, when)


def _written(document: Any, place: str, when: When) -> Iterator[Grant]:
    """Of a policy that a resource of any type has: its own, which names who may use it, or one of what it gives."""
    statements = [s for s, _ in each(at(document, "Statement")) if isinstance(s, Mapping)]
    named = any(name in s for s in statements for name in ("Principal", "NotPrincipal"))
    yield from (_principals if named else _actions)(document, place, when)


def _own(place: str, properties: Mapping[str, Any], holders: Holders) -> Iterator[Grant]:
    """What a role, user or group has by itself."""
    for policy, when in each(properties.get("Policies")):
        if isinstance(policy, Mapping) and "PolicyDocument" in policy:
            yield from _actions(policy["PolicyDocument"], place, when)
        elif isinstance(policy, Mapping) and "Statement" in policy:
            yield from _actions(policy, place, when)
        else:
            # SAM: the name of a managed policy, or a template of a policy with its parameters.
            yield Grant("action", place, Term(f"policy {shown(policy)}"), when=when)
    for arn, when in each(properties.get("ManagedPolicyArns")):
        managed = holders.managed(arn)
        if managed is not None:
            yield from _actions(at(managed.properties, "PolicyDocument"), place, when)
        else:
            yield Grant("action", place, Term(f"policy {shown(arn)}"), when=when)
    for group, when in each(properties.get("Groups")):
        yield Grant("action", place, Term(f"whatever the group {holders.called(group)} may do"), when=when)


@dataclass(frozen=True)
class _Statement:
    denied: bool
    actions: tuple[tuple[Term, When], ...]
    resources: tuple[tuple[Term, When], ...]
    principals: tuple[tuple[str, When], ...]
    conditions: frozenset[Condition]
    when: When


def _actions(document: Any, holder: str, when: When) -> Iterator[Grant]:
    for statement in _statements(document, when):
        for action, resource, under in _products(statement):
            yield Grant("action", holder, action, resource, statement.conditions, under, statement.denied)


def _principals(document: Any, owner: str, when: When) -> Iterator[Grant]:
    for statement in _statements(document, when):
        for action, resource, under in _products(statement):
            # Of a resource's policy the `Resource` says which part of it.
            on = Term(f"{owner}: {resource}") if str(resource) else Term(owner)
            for principal, also in statement.principals:
                yield Grant("principal", principal, action, on, statement.conditions, under | also, statement.denied)


def _trust(document: Any, role: str) -> Iterator[Grant]:
    for statement in _statements(document, ALWAYS):
        for action, _, under in _products(statement):
            for principal, also in statement.principals:
                on = Term(role)
                yield Grant("trust", principal, action, on, statement.conditions, under | also, statement.denied)


def _permission(properties: Mapping[str, Any], function: str) -> Iterator[Grant]:
    found = frozenset(
        Condition("is", name, frozenset({shown(properties[name])})) for name in _RESTRICTING if name in properties
    )
    for principal, when in each(properties.get("Principal")):
        for action, also in each(properties.get("Action")):
            who = _principal("AWS" if _is_account(principal) or principal == "*" else "Service", principal)
            yield Grant("principal", who, Term(shown(action)), Term(function), found, when | also)


def _is_account(principal: Any) -> bool:
    text = shown(principal)
    return text.isdecimal() or text.startswith("arn:") or "${AWS::AccountId}" in text


def _products(statement: _Statement) -> Iterator[tuple[Term, Term, When]]:
    for action, under in statement.actions:
        for resource, also in statement.resources:
            yield action, resource, statement.when | under | also


def _statements(document: Any, when: When) -> Iterator[_Statement]:
    for one, under in branches(document, when):
        for statement, also in each(at(parsed(one), "Statement"), under):
            if isinstance(statement, Mapping):
                yield _statement(statement, also)


def _statement(written: Mapping[str, Any], when: When) -> _Statement:
    found, under = conditions(written.get("Condition"), when)
    return _Statement(
        denied=written.get("Effect") == "Deny",
        actions=_terms(written, "Action"),
        resources=_terms(written, "Resource"),
        principals=tuple(_who(written)),
        conditions=found,
        when=under,
    )


def _terms(written: Mapping[str, Any], name: str) -> tuple[tuple[Term, When], ...]:
    if f"Not{name}" in written:
        return ((Term("*", frozenset(shown(v) for v, _ in each(written[f"Not{name}"]))), ALWAYS),)
    if name not in written:
        return ((Term(""), ALWAYS),)
    return tuple((Term(shown(value)), when) for value, when in each(written[name]))


def _who(written: Mapping[str, Any]) -> Iterator[tuple[str, When]]:
    if "NotPrincipal" in written:
        yield f"everyone but {shown(written['NotPrincipal'])}", ALWAYS
    for principal, when in each(written.get("Principal")):
        if isinstance(principal, Mapping) and set(principal) <= {"AWS", "Service", "Federated", "CanonicalUser"}:
            for kind, values in principal.items():
                for value, also in each(values, when):
                    yield _principal(kind, value), also
        else:
            yield _principal("AWS", principal), when


def _principal(kind: str, value: Any) -> str:
    text = shown(value)
    if kind == "AWS" and text == "*":
        return ANYONE
    return text if kind in ("AWS", "Service") else f"{kind} {text}"
