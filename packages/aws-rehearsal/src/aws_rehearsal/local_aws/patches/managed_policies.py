"""A managed policy that is not there is not attached, nor one that only a service's own role may have.

MiniStack attaches any ARN, to a role that CloudFormation makes and to one of IAM's API.
AWS: IAM API Reference, "AttachRolePolicy": `NoSuchEntity`, "Policy ARN does not exist or is not attachable." (as users
report it: terraform 31748, aws-cdk 3379, also for a path that is left out and for policies that AWS has retired), and
`PolicyNotAttachable`, "AWS service role policies can only be attached to the service-linked role for that service"
("Cannot attach a Service Role Policy to a Customer Role.", aws-cdk 6131). AWS's own are those of `policy_list`; of them
MiniStack knows the statements of some, the others give no rights here.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import iam
from policy_list import SERVICE_LINKED, names

from ._expect import PatchError
from ._resources import Properties, before_create_or_update

_ARN = re.compile(r"arn:aws[\w-]*:iam::(?P<account>aws|\d{12}):policy/(?P<name>.+)")
_CALLS = ("AttachGroupPolicy", "AttachRolePolicy", "AttachUserPolicy")
_TYPES = {"AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::User"}


def apply() -> None:
    """Ask before a call of IAM attaches a policy, and before a stack makes or changes what has some."""
    for action in _CALLS:
        if action not in iam._IAM_HANDLERS:
            raise PatchError(f"ministack.services.iam._IAM_HANDLERS has no {action} any more")
        iam._IAM_HANDLERS[action] = _asking(iam._IAM_HANDLERS[action])
    before_create_or_update(_TYPES, _of_a_stack)


def _asking(attach: Any) -> Any:
    def attach_known(parameters: Any) -> Any:
        wrong = _wrong(iam._p(parameters, "PolicyArn"))
        if wrong:
            code, sentence = wrong
            return iam._error(404 if code == "NoSuchEntity" else 400, code, sentence, ns="iam")
        return attach(parameters)

    return attach_known


def _of_a_stack(new: Properties, old: Properties | None) -> Properties:
    there = (old or {}).get("ManagedPolicyArns") or []
    for arn in new.get("ManagedPolicyArns") or []:
        wrong = None if arn in there else _wrong(str(arn))
        if wrong:
            code, sentence = wrong
            status = 404 if code == "NoSuchEntity" else 400
            raise ValueError(f"{sentence} (Service: Iam, Status Code: {status}, Error Code: {code})")
    return new


def _wrong(arn: str) -> tuple[str, str] | None:
    """IAM's code and sentence for what cannot be attached."""
    named = _ARN.fullmatch(arn)
    name = named["name"] if named else ""
    if named and named["account"] == "aws":
        if name.startswith(SERVICE_LINKED) and name in names():
            return "PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role."
        there = name in names()
    else:
        there = bool(named and named["account"] == get_account_id() and iam._policy_exists(arn))
    return None if there else ("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


def probe(aws: Any) -> bool:
    """A role with a policy that AWS has is made; with one that it has not, by that path, the stack fails."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}

    def attaching(policy: str) -> Any:
        properties = {
            "AssumeRolePolicyDocument": trust,
            "ManagedPolicyArns": [f"arn:aws:iam::aws:policy/{policy}"],
        }
        return aws.stack({"Role": {"Type": "AWS::IAM::Role", "Properties": properties}})

    return (
        attaching("service-role/AWSLambdaRole") == "CREATE_COMPLETE"
        and attaching("AWSLambdaRole") == "ROLLBACK_COMPLETE"
    )
