"""The trust of the two auth roles, which Amplify sets beside the template.

The root template makes AuthRole and UnauthRole with a trust that denies everybody, and the function of a custom
resource writes the true one once the identity pool is there (amplify-cli, update-idp-roles-cfn.json). A handler of
`AWS::IAM::Role` may call iam:UpdateAssumeRolePolicy in every update (its schema says so, its code is not public): then
an update for another reason, a permissions boundary or a tag, writes what the template says, and nobody gets
credentials of the identity pool any more. The custom resource must not be made to run again for it: it answers with the
name of its log stream as its physical id, which is another one each time, so CloudFormation takes the update for a
replacement, and has the function delete what was: it denies everybody.

So the true trust stands in the template, where the pool is known: in an environment that is adopted, or any other that
names it as a parameter of the root. Where it is not, the template is the exporter's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amplify_delivery.export.assembly import canonical

IDENTITY_POOL = "AuthIdentityPool"
"""The root's parameter that holds the identity pool's id; empty: the roles' trust is the exporter's."""
KNOWN = f"Knows{IDENTITY_POOL}"
DECLARATION: Mapping[str, str] = {
    "Type": "String",
    "Default": "",
    "Description": "Identity pool whose users the auth roles trust; empty: as the custom resource sets it",
}
CONDITION: Mapping[str, Any] = {"Fn::Not": [{"Fn::Equals": [{"Ref": IDENTITY_POOL}, ""]}]}

_USERS = {"authRoleName": "authenticated", "unauthRoleName": "unauthenticated"}
"""The properties by which the custom resource names the roles, and for whom each is."""
_SETS = ("idpId", *_USERS)
_ROLE, _TRUST = "AWS::IAM::Role", "AssumeRolePolicyDocument"
FEDERATED = "cognito-identity.amazonaws.com"


def setters(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The custom resources of a root template that set the trust."""
    return [
        name
        for name, item in resources.items()
        if item.get("Type", "").startswith("Custom::") and all(p in (item.get("Properties") or {}) for p in _SETS)
    ]


def users_of(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """For whom (`authenticated`, `unauthenticated`) each role is that such a custom resource sets the trust of."""
    found = {
        _role(resources, resources[setter]["Properties"][named]): users
        for setter in setters(resources)
        for named, users in _USERS.items()
    }
    return {role: users for role, users in found.items() if role}


def auth_roles(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The roles of a root template that an identity pool gives to its users."""
    return [
        name
        for name, item in resources.items()
        if item.get("Type") == _ROLE and FEDERATED.encode() in canonical((item.get("Properties") or {}).get(_TRUST))
    ]


def trust(pool: Any, users: str) -> dict[str, Any]:
    """The trust that the custom resource's function sets, for `authenticated` or `unauthenticated` users."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": FEDERATED},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{FEDERATED}:aud": pool},
                    "ForAnyValue:StringLike": {f"{FEDERATED}:amr": users},
                },
            }
        ],
    }


def trusting(resources: dict[str, Mapping[str, Any]]) -> bool:
    """Give each role that such a custom resource names the true trust, where the pool is known, in place; whether there
    is any. A trust that lets somebody in already is somebody's own."""
    found = False
    for setter in setters(resources):
        for named, users in _USERS.items():
            role = _role(resources, resources[setter]["Properties"][named])
            properties = resources[role]["Properties"] if role else {}
            if role and b'"Allow"' not in canonical(properties.get(_TRUST)):
                chosen = {"Fn::If": [KNOWN, trust({"Ref": IDENTITY_POOL}, users), properties.get(_TRUST)]}
                resources[role] = {**resources[role], "Properties": {**properties, _TRUST: chosen}}
                found = True
    return found


def _role(resources: Mapping[str, Mapping[str, Any]], named: Any) -> str:
    """The role that an expression names: by reference to it, or to the parameter that is its name too."""
    target = named.get("Ref") if isinstance(named, Mapping) else None
    for name in auth_roles(resources):
        if target and (name == target or (resources[name].get("Properties") or {}).get("RoleName") == named):
            return name
    return ""
