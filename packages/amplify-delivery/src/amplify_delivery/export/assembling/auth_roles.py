"""The trust of the two auth roles, which a custom resource sets, and which must be set again whenever they change.

Amplify's root template makes AuthRole and UnauthRole with a trust that denies everybody, and the function of a custom
resource writes the true one once the identity pool is there (amplify-cli, update-idp-roles-cfn.json). A handler of
`AWS::IAM::Role` may call iam:UpdateAssumeRolePolicy in every update (its schema says so, its code is not public): then
an update for another reason, a permissions boundary or a tag, writes what the template says, and nobody can sign in to
AWS any more, because the custom resource does not run again by itself: its properties are the same. So it gets one that
is a digest of what the roles are to be. That it comes after them, its own references see to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.templates.resolve import resolve

AUTH_ROLES_STATE = "AuthRolesState"
"""The property that holds the digest, and the root's parameter that it takes it from."""

_SETS = ("idpId", "authRoleName", "unauthRoleName")
"""The properties by which the custom resource is known."""
_ROLE = "AWS::IAM::Role"
_FEDERATED = b"cognito-identity.amazonaws.com"


def setters(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The custom resources of a root template that set the trust."""
    return [
        name
        for name, item in resources.items()
        if item.get("Type", "").startswith("Custom::") and all(p in (item.get("Properties") or {}) for p in _SETS)
    ]


def auth_roles(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The roles of a root template that an identity pool gives to its users."""
    return [
        name
        for name, item in resources.items()
        if item.get("Type") == _ROLE
        and _FEDERATED in canonical((item.get("Properties") or {}).get("AssumeRolePolicyDocument"))
    ]


def follow_roles(resources: dict[str, Any]) -> bool:
    """Make the custom resource's property the parameter that holds the digest, in place; whether there is one."""
    names = setters(resources)
    for name in names:
        item = resources[name]
        resources[name] = {**item, "Properties": {**item["Properties"], AUTH_ROLES_STATE: {"Ref": AUTH_ROLES_STATE}}}
    return bool(names)


def roles_state(template: Mapping[str, Any], parameters: Mapping[str, str], tags: Mapping[str, str]) -> str:
    """A digest of everything by which CloudFormation would update the auth roles of a root template that is called with
    `parameters`: their properties, and the stack's tags, which reach every resource."""
    tree = resolve(template, parameters, lambda *_: ("", {}))
    names = auth_roles(template["Resources"])
    roles = {name: tree.resources[name,].properties for name in names if (name,) in tree.resources}
    return hashlib.sha256(canonical([roles, dict(tags)])).hexdigest()[:32]
