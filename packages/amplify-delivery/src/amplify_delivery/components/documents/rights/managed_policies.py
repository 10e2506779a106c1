"""The managed policies that a resource attaches, and what AWS's own give (`export.templates.aws_policies`)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.templates.aws_policies import policies

_SAM = "Policies"
_ATTACHING = {
    "AWS::IAM::Group": "ManagedPolicyArns",
    "AWS::IAM::Role": "ManagedPolicyArns",
    "AWS::IAM::User": "ManagedPolicyArns",
    "AWS::Serverless::Function": _SAM,
    "AWS::Serverless::StateMachine": _SAM,
}
"""The property that lists policies by their ARNs; in SAM's also by their names."""
_OF_AWS = re.compile(r":iam::aws:policy/([\w+=,.@/-]+)")
_OF_AN_ACCOUNT = re.compile(r":iam::\d{12}:policy/[\w+=,.@/-]+")


def services(policy: str) -> tuple[str, ...] | None:
    """The services in which a managed policy of AWS gives rights, by its path and name (`service-role/AWSLambdaRole`);
    None if it is not known."""
    found = policies().get(policy)
    return None if found is None else tuple(found.split())


def attached(kind: str, properties: Any) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """The policies that stand in no template, which a resource of the type `kind` attaches to its role, user or group:
    each with its services, or None if what it gives is not known. What a template makes itself is looked at there, and
    so are the inline policies and policy templates of SAM.
    """
    names = _ATTACHING.get(kind)
    listed = properties.get(names) if names and isinstance(properties, Mapping) else None
    for policy in listed if isinstance(listed, list) else [listed] if isinstance(listed, str) else ():
        text = policy if isinstance(policy, str) else "".join(_texts(policy))
        of_aws = _OF_AWS.search(text)
        if of_aws:
            yield of_aws[1], services(of_aws[1])
        elif isinstance(policy, str) and names == _SAM:
            known = services(text)
            yield text, known if known is not None else services(f"service-role/{text}")
        elif _OF_AN_ACCOUNT.search(text) or isinstance(policy, str):
            yield text, None


def _texts(value: Any) -> Iterator[str]:
    """Every text in an expression that nobody could resolve, in order: `Fn::Join` and `Fn::Sub` leave their parts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, Mapping) and "Ref" not in value and "Fn::GetAtt" not in value:
        for item in value.values():
            yield from _texts(item)
