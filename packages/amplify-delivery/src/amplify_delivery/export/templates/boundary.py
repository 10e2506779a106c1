"""The permissions boundary of an environment, put on every IAM role and user that a template makes.

An account that lets a pipeline in lets CloudFormation make roles with its own boundary only ("Permissions boundaries
for IAM entities" in the IAM user guide). Its ARN differs from environment to environment, and templates are the same
for all; so it is a parameter that every stack hands down to those with a role in them or below them. Empty, as in a
personal stack, roles have no boundary, or the one that the export gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PERMISSIONS_BOUNDARY = "BackendPermissionsBoundary"
"""The parameter that this engine adds where a template, or one below it, has a role: a policy's ARN, or nothing."""

HAS_BOUNDARY = f"Has{PERMISSIONS_BOUNDARY}"
"""The condition that this engine adds where a template has a role."""

DECLARATION: Mapping[str, str] = {"Type": "String", "Default": ""}
CONDITION: Mapping[str, Any] = {"Fn::Not": [{"Fn::Equals": [{"Ref": PERMISSIONS_BOUNDARY}, ""]}]}

PRINCIPALS = frozenset({"AWS::IAM::Role", "AWS::IAM::User"})
"""The types that take a boundary. Groups have none: what counts is that of the users in them."""

ROLE_MAKERS = frozenset({"AWS::Serverless::Function", "AWS::Serverless::StateMachine"})
"""Types of AWS::Serverless-2016-10-31 that make a role, with the boundary that they are given, if they have none."""

PROPERTY = "PermissionsBoundary"


def own_boundaries(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The roles and users to which the export itself gives a boundary."""
    return [name for name in _principals(resources) if PROPERTY in (resources[name].get("Properties") or {})]


def bound(resources: dict[str, Mapping[str, Any]]) -> bool:
    """Put the boundary on every role and user, in place; whether there is any.

    IAM takes one boundary: an environment's replaces the export's own, which stays where there is no other. The
    account would not let the role be made with the export's.
    """
    names = _principals(resources)
    for name in names:
        item = resources[name]
        properties = item.get("Properties") or {}
        otherwise = properties.get(PROPERTY, {"Ref": "AWS::NoValue"})
        value = {"Fn::If": [HAS_BOUNDARY, {"Ref": PERMISSIONS_BOUNDARY}, otherwise]}
        resources[name] = {**item, "Properties": {**properties, PROPERTY: value}}
    return bool(names)


def _principals(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        name
        for name, item in resources.items()
        if item["Type"] in PRINCIPALS or (item["Type"] in ROLE_MAKERS and "Role" not in (item.get("Properties") or {}))
    ]
