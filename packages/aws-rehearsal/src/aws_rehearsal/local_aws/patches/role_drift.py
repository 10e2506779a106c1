"""Drift of a role is found in its inline policies, its managed policies and its permissions boundary, too.

MiniStack compares the trust policy, the description, the session duration and the tags only: a policy that somebody
added by hand stays unseen.
AWS: "CloudFormation determines drift for a given resource by comparing its actual property values with the expected";
of `AWS::IAM::Role` every property that can be read is compared ("Resource type support for imports and drift
detection"); of those, as everywhere, the ones that the template sets.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import drift

from ._expect import PatchError

_ROLE = "AWS::IAM::Role"
_MORE = {"ManagedPolicyArns", "Policies", "PermissionsBoundary"}


def apply() -> None:
    """Read these properties as well."""
    known = drift._DRIFT_READERS.get(_ROLE)
    if known is None:
        raise PatchError(f"{drift.__name__} does not read {_ROLE} any more")
    read, supported = known

    def read_role(physical_id: str, properties: Any) -> Any:
        found = read(physical_id, properties)
        if found is None:
            return None
        role = iam._roles[physical_id]
        found["ManagedPolicyArns"] = list(role["AttachedPolicies"])
        found["Policies"] = _inline(role["InlinePolicies"], properties.get("Policies") or [])
        found["PermissionsBoundary"] = role.get("PermissionsBoundary")
        trust = "AssumeRolePolicyDocument"
        return {**found, trust: _as_written(found[trust], properties.get(trust))}

    drift._DRIFT_READERS[_ROLE] = (read_role, supported | _MORE)


def _inline(policies: dict[str, Any], written: list[Any]) -> list[dict[str, Any]]:
    texts = {policy.get("PolicyName"): policy.get("PolicyDocument") for policy in written}
    return [
        {"PolicyName": name, "PolicyDocument": _as_written(json.loads(document), texts.get(name))}
        for name, document in policies.items()
    ]


def _as_written(document: Any, written: Any) -> Any:
    """A document in the template's form: there it may also be JSON as text."""
    if isinstance(written, str) and json.loads(written) == document:
        return written
    return document


def probe(aws: Any) -> bool:
    """Nothing differs at first; another document, a further managed policy and another boundary do."""
    name = aws.name("role-drift")
    document = json.dumps(aws.document({"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}))
    for policy in (name, f"{name}-other"):
        aws.query("iam", Action="CreatePolicy", PolicyName=policy, PolicyDocument=document)
    arn = f"arn:aws:iam::{aws.owner.account}:policy/{name}"
    properties = {
        "RoleName": name,
        "AssumeRolePolicyDocument": aws.trust("lambda.amazonaws.com"),
        "Policies": [{"PolicyName": "rights", "PolicyDocument": document}],
        "ManagedPolicyArns": [arn],
        "PermissionsBoundary": arn,
    }
    aws.stack({"Role": {"Type": _ROLE, "Properties": properties}}, name)

    def differs() -> bool:
        detect = {"Action": "DetectStackResourceDrift", "StackName": name, "LogicalResourceId": "Role"}
        return "<StackResourceDriftStatus>MODIFIED<" in aws.query("cloudformation", **detect)

    def changed(back: dict[str, str], **call: str) -> bool:
        aws.query("iam", RoleName=name, **call)
        seen = differs()
        aws.query("iam", RoleName=name, **back)
        return seen and not differs()

    policy = {"Action": "PutRolePolicy", "PolicyName": "rights"}
    other = json.dumps(aws.document({"Effect": "Allow", "Action": "sns:*", "Resource": "*"}))
    more = {"PolicyArn": f"{arn}-other"}
    bound = {"Action": "PutRolePermissionsBoundary"}
    return (
        not differs()
        and changed({**policy, "PolicyDocument": document}, **policy, PolicyDocument=other)
        and changed({"Action": "DetachRolePolicy", **more}, Action="AttachRolePolicy", **more)
        and changed({**bound, "PermissionsBoundary": arn}, **bound, PermissionsBoundary=f"{arn}-other")
    )
