"""What the roles of a backend are given by its own templates, for use at run time. Pure.

Nobody but the boundary limits it: CloudFormation makes a role with any policy, and AWS denies what the boundary does
not let pass when the code runs. So it is compared before.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from amplify_delivery.components.documents.rights.managed_policies import attached
from amplify_delivery.export.documents import parsed, several

_POLICIES = ("AWS::IAM::GroupPolicy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")


def given_actions(resources: Iterable[tuple[str, str, Any]]) -> dict[str, list[str]]:
    """The actions that policies allow, each with the places of the resources that say so.

    `resources` are place, type and properties of each. A managed policy of AWS whose services are known counts as every
    action of each (`bedrock:*`). Left out are every action at once (`*`) and `NotAction`, which name nothing, policies
    that are attached by their ARNs and not known (`unknown_policies`), and actions of IAM on resources of other
    services, which AWS never allows: Amplify writes some.
    """
    found: dict[str, set[str]] = {}
    for place, kind, properties in resources:
        for _, services in attached(kind, properties):
            for service in services or ():
                found.setdefault(f"{service}:*", set()).add(place)
        for statement in _statements(kind, properties):
            for action in _actions(statement):
                found.setdefault(action, set()).add(place)
    return {action: sorted(places) for action, places in sorted(found.items())}


def unknown_policies(resources: Iterable[tuple[str, str, Any]]) -> dict[str, list[str]]:
    """The policies that are attached by their ARNs and of which nobody here knows what they give, with the places."""
    found: dict[str, set[str]] = {}
    for place, kind, properties in resources:
        for policy, services in attached(kind, properties):
            if services is None:
                found.setdefault(policy, set()).add(place)
    return {policy: sorted(places) for policy, places in sorted(found.items())}


def _statements(kind: str, properties: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(properties, Mapping):
        return
    documents = [properties.get("PolicyDocument")] if kind in _POLICIES else []
    if kind == "AWS::IAM::Role":
        documents += [p.get("PolicyDocument") for p in several(properties.get("Policies")) if isinstance(p, Mapping)]
    for document in map(parsed, documents):
        if isinstance(document, Mapping):
            yield from (s for s in several(document.get("Statement")) if isinstance(s, Mapping))


def _actions(statement: Mapping[str, Any]) -> Iterator[str]:
    if statement.get("Effect") != "Allow":
        return
    foreign = all(_is_of_another_service(resource) for resource in several(statement.get("Resource", "*")))
    for action in several(statement.get("Action")):
        if isinstance(action, str) and ":" in action and not (action.lower().startswith("iam:") and foreign):
            yield action


def _is_of_another_service(resource: Any) -> bool:
    text = resource if isinstance(resource, str) else json.dumps(resource)
    return "arn:" in text and ":iam:" not in text
