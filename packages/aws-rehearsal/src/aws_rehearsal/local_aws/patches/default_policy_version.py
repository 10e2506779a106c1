"""IAM has SetDefaultPolicyVersion.

MiniStack does not know the action: a policy's new version can only be made the default while it is created.
AWS: IAM API Reference, "SetDefaultPolicyVersion": "sets the specified version of the specified policy as the policy's
default (operative) version".
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import iam

from ._expect import PatchError, expect

_ACTION = "SetDefaultPolicyVersion"


def apply() -> None:
    """Add the action beside the others."""
    parameter = expect(iam, "_p", "params", "key")
    handlers = getattr(iam, "_IAM_HANDLERS", None)
    if not isinstance(handlers, dict) or "CreatePolicyVersion" not in handlers:
        raise PatchError("ministack.services.iam has no table of its actions any more")

    def set_default_policy_version(params: dict[str, Any]) -> Any:
        policy = iam._policies.get(parameter(params, "PolicyArn"))
        wanted = parameter(params, "VersionId")
        if policy is None or wanted not in policy["Versions"]:
            return iam._error(404, "NoSuchEntity", f"Policy version {wanted} not found.", ns="iam")
        for version, found in policy["Versions"].items():
            found["IsDefaultVersion"] = version == wanted
        policy["DefaultVersionId"] = wanted
        return iam._xml(200, f"{_ACTION}Response", "", ns="iam")

    handlers.setdefault(_ACTION, set_default_policy_version)


def probe(aws: Any) -> bool:
    """A policy's second version becomes its default."""
    arn = f"arn:aws:iam::{aws.owner.account}:policy/probe-default-version"
    text = json.dumps(aws.document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}))
    aws.query("iam", Action="CreatePolicy", PolicyName="probe-default-version", PolicyDocument=text)
    aws.query("iam", Action="CreatePolicyVersion", PolicyArn=arn, PolicyDocument=text)
    done = aws.succeeds(lambda: aws.query("iam", Action=_ACTION, PolicyArn=arn, VersionId="v2"))
    return done and "<DefaultVersionId>v2<" in aws.query("iam", Action="GetPolicy", PolicyArn=arn)
