"""What differs from its template and is right so: it was set by the delivery itself, not by a person. Pure.

Amplify's own `amplify drift` leaves out the auth roles' trust for the same reason (amplify-cli,
`drift-detection/detect-stack-drift.ts`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from amplify_delivery.changes.drift.model import Difference, Drifted
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembling.auth_roles import FEDERATED, trust
from amplify_delivery.export.documents import parsed

_AUTH_ROLES: Mapping[Path, str] = {("AuthRole",): "authenticated", ("UnauthRole",): "unauthenticated"}
"""Roles of the root, and whom their trust is for. The template says Deny; a custom resource sets what is below."""
_TRUST = "AssumeRolePolicyDocument"
_ROLE = "AWS::IAM::Role"
_KEY = "AWS::AppSync::ApiKey"


@dataclass(frozen=True)
class Own:
    """What the backend itself has made, and gives to its roles and pools."""

    identity_pools: frozenset[str] = frozenset()
    """Ids."""
    policies: frozenset[str] = frozenset()
    """Names of inline policies that resources of their own (AWS::IAM::Policy) add to roles."""
    managed_policies: frozenset[str] = frozenset()
    """ARNs of those that AWS::IAM::ManagedPolicy resources attach."""

    @classmethod
    def of(cls, deployed: Stacks, ids: Mapping[str, Collection[str]]) -> Own:
        """Of what is deployed; `ids` are the physical ids of its resources by type."""
        names = [
            (resource.properties or {}).get("PolicyName")
            for resource in deployed.resolved.resources.values()
            if resource.type == "AWS::IAM::Policy"
        ]
        return cls(
            frozenset(ids.get("AWS::Cognito::IdentityPool", ())),
            frozenset(n for n in names if isinstance(n, str)) | frozenset(ids.get("AWS::IAM::Policy", ())),
            frozenset(ids.get("AWS::IAM::ManagedPolicy", ())),
        )


def without_own(found: Drifted, own: Own) -> Drifted | None:
    """`found` without what is right so; None if nothing is left."""
    left = tuple(d for d in found.differences if not _is_own(found, d, own))
    return replace(found, differences=left) if left else None


def _is_own(found: Drifted, difference: Difference, own: Own) -> bool:
    top = difference.pointer.split("/")[1:2]
    if found.type == _KEY:
        return top == ["Expires"]  # the program's own policy moves it, and AppSync rounds it to the hour
    if found.type != _ROLE:
        return False
    if top == [_TRUST]:
        return found.path in _AUTH_ROLES and _is_auth_trust(found.actual.get(_TRUST), _AUTH_ROLES[found.path], own)
    added = difference.deployed in ("null", "")
    if top == ["Policies"]:
        return added and _member(difference.running, "PolicyName") in own.policies
    return top == ["ManagedPolicyArns"] and added and difference.running in own.managed_policies


def _is_auth_trust(document: Any, whom: str, own: Own) -> bool:
    """Whether it is what Amplify's `UpdateRolesWithIDPFunction` sets, for one of the backend's own identity pools: a
    trust that anybody has opened further is drift."""
    document = parsed(document)
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    if not isinstance(statements, list) or len(statements) != 1 or not isinstance(statements[0], Mapping):
        return False
    statement = {k: v for k, v in statements[0].items() if not (k == "Sid" and not v)}
    pool = (statement.get("Condition") or {}).get("StringEquals", {}).get(f"{FEDERATED}:aud")
    return pool in own.identity_pools and [statement] == trust(pool, whom)["Statement"]


def _member(value: str, name: str) -> Any:
    found = parsed(value)
    return found.get(name) if isinstance(found, Mapping) else None
