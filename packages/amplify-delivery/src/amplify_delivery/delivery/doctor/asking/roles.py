"""Roles as IAM has stored them, and what IAM's policy simulator says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from amplify_delivery.delivery.doctor.asking.clients import Clients, NotKnownError, asking
from amplify_delivery.delivery.doctor.judging.trust import Decision, Trust
from amplify_delivery.publishing.aws_errors import suppressing

_NO_ROLE = "NoSuchEntity"
_MANY = 100
"""Actions that are simulated in one call."""


def trust(clients: Clients, role_arn: str) -> Trust:
    """A role's trust policy."""
    with asking("iam:GetRole"), suppressing(_NO_ROLE):
        found = clients.client("iam").get_role(RoleName=role_arn.rpartition("/")[2])["Role"]
        # A role of that name under another path is another role.
        return Trust(role_arn, found["AssumeRolePolicyDocument"] if found["Arn"] == role_arn else None)
    return Trust(role_arn, None)


def simulated_as(clients: Clients, caller: str) -> str:
    """Whose policies are simulated for whoever calls with the ARN `caller`: her user, or the role that she has assumed.
    Raises `NotKnownError` for those whom the simulator does not take."""
    kind, _, name = caller.split(":", 5)[5].partition("/")
    if kind == "user":
        return caller
    if kind != "assumed-role":
        raise NotKnownError(f"IAM simulates users and roles, and {caller} is neither", remedy="use a user or a role")
    with asking("iam:GetRole"):
        return str(clients.client("iam").get_role(RoleName=name.partition("/")[0])["Role"]["Arn"])


def simulate(
    clients: Clients, who: str, actions: Iterable[str], resource: str | None = None, **context: str
) -> list[Decision]:
    """What the simulator says of the actions of `who` (a user's or role's ARN), on a resource or on everything.

    `context` are condition keys: `__` in a name stands for `:`, `_` for `.`, as in `aws__RequestedRegion`.
    """
    wanted = sorted(actions)
    entries = [
        {"ContextKeyName": name.replace("__", ":"), "ContextKeyType": "string", "ContextKeyValues": [value]}
        for name, value in context.items()
    ]
    more: dict[str, Any] = {"ResourceArns": [resource]} if resource else {}
    found: list[Decision] = []
    with asking("iam:SimulatePrincipalPolicy"), suppressing(_NO_ROLE):
        simulating = clients.client("iam").get_paginator("simulate_principal_policy")
        for at in range(0, len(wanted), _MANY):
            pages = simulating.paginate(
                PolicySourceArn=who, ActionNames=wanted[at : at + _MANY], ContextEntries=entries, **more
            )
            found += [d for page in pages for result in page["EvaluationResults"] for d in _decisions(result)]
        return found
    raise NotKnownError(f"there is no {who} to simulate")


def _decisions(result: Mapping[str, Any]) -> Iterator[Decision]:
    """One for each resource that was named: what stands above is for the type of resource."""
    specific: Sequence[Mapping[str, Any]] = result.get("ResourceSpecificResults") or ()
    for one in specific:
        yield _decision(result, one, str(one["EvalResourceName"]), str(one["EvalResourceDecision"]))
    if not specific:
        yield _decision(result, result, str(result.get("EvalResourceName", "*")), str(result["EvalDecision"]))


def _decision(whole: Mapping[str, Any], one: Mapping[str, Any], resource: str, decision: str) -> Decision:
    organization = whole.get("OrganizationsDecisionDetail") or {}
    boundary = one.get("PermissionsBoundaryDecisionDetail") or whole.get("PermissionsBoundaryDecisionDetail") or {}
    return Decision(
        str(whole["EvalActionName"]),
        resource,
        decision == "allowed",
        organization.get("AllowedByOrganizations"),
        boundary.get("AllowedByPermissionsBoundary"),
        tuple(one.get("MissingContextValues") or ()),
    )
