"""What an account denies its execution role while roles of the backend have no boundary (`boundary: false`). Pure.

Whatever gives a role rights is denied without the boundary (components/documents/rights/boundary.py), and taking it
away always is. The trust of the two auth roles may be changed all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from amplify_delivery.changes.steps import AddResource, ChangeResource, RemoveResource, ReplaceResource, Step

_ROLE = "AWS::IAM::Role"
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy")
_MANAGED = "AWS::IAM::ManagedPolicy"
_AUTH_ROLES = (("AuthRole",), ("UnauthRole",))
_RIGHTS = frozenset({"Policies", "ManagedPolicyArns", "PermissionsBoundary"})
_TRUST = "AssumeRolePolicyDocument"


def denied(steps: Sequence[Step]) -> tuple[str, ...]:
    """The places of the steps that the account denies."""
    return tuple(step.place for step in steps if _is_denied(step))


def _is_denied(step: Step) -> bool:
    if not isinstance(step, AddResource | ChangeResource | RemoveResource | ReplaceResource):
        return False
    if isinstance(step, ChangeResource):
        if step.type == _ROLE:
            return bool(_RIGHTS & set(step.properties)) or (_TRUST in step.properties and step.path not in _AUTH_ROLES)
        return step.type in _POLICIES or (step.type == _MANAGED and "Roles" in step.properties)
    if isinstance(step, RemoveResource) and step.kept:
        return False
    return step.type in (_ROLE, *_POLICIES, _MANAGED)
