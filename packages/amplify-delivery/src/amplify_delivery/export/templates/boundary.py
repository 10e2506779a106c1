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

_FUNCTION, _MACHINE = "AWS::Serverless::Function", "AWS::Serverless::StateMachine"
ROLE_MAKERS = frozenset({_FUNCTION, _MACHINE})
"""Types of AWS::Serverless-2016-10-31 that make a role, with the boundary that they are given, if they have none. A
state machine's goes to the roles that its events make as well, also where it has one itself."""

_SCHEDULE = "ScheduleV2"
"""The one event that makes a role with a boundary of its own property ("ScheduleV2", AWS SAM developer guide)."""

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
        resources[name] = {**item, "Properties": _with_boundary(item.get("Properties") or {})}
    scheduled = [name for name, item in resources.items() if _schedules(item)]
    for name in scheduled:
        item = resources[name]
        changed = {event: {**e, "Properties": _with_boundary(e["Properties"])} for event, e in _schedules(item).items()}
        properties = item["Properties"]
        resources[name] = {**item, "Properties": {**properties, "Events": {**properties["Events"], **changed}}}
    return bool(names or scheduled)


def _with_boundary(properties: Mapping[str, Any]) -> dict[str, Any]:
    otherwise = properties.get(PROPERTY, {"Ref": "AWS::NoValue"})
    return {**properties, PROPERTY: {"Fn::If": [HAS_BOUNDARY, {"Ref": PERMISSIONS_BOUNDARY}, otherwise]}}


def _schedules(item: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The events that make a role of their own, by their names."""
    events = (item.get("Properties") or {}).get("Events") if item["Type"] in ROLE_MAKERS else None
    return {
        name: event
        for name, event in (events if isinstance(events, Mapping) else {}).items()
        if isinstance(event, Mapping)
        and event.get("Type") == _SCHEDULE
        and isinstance(event.get("Properties"), Mapping)
        and "RoleArn" not in event["Properties"]
    }


def _makes_a_role(item: Mapping[str, Any]) -> bool:
    properties = item.get("Properties") or {}
    return "Role" not in properties or (item["Type"] == _MACHINE and bool(properties.get("Events")))


def _principals(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        name
        for name, item in resources.items()
        if item["Type"] in PRINCIPALS or (item["Type"] in ROLE_MAKERS and _makes_a_role(item))
    ]
