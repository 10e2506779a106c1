"""A role that a stack makes carries its permissions boundary, and an update gives it another one or takes it away.

MiniStack leaves `PermissionsBoundary` of `AWS::IAM::Role` out, so that a role bounded by its template may do
everything its policies say.
AWS: "PermissionsBoundary: The ARN of the policy used to set the permissions boundary for the role", update requires no
interruption ("AWS::IAM::Role" in the CloudFormation template reference); a policy that is not there fails the resource.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import stacks

from ._expect import expect, replace

_ROLE = "AWS::IAM::Role"


def apply() -> None:
    """Set the boundary on the role's record, which the evaluator asks."""
    provision = expect(stacks, "_provision_resource", "resource_type", "logical_id", "props", "stack_name")
    update = expect(stacks, "_update_resource", "resource_type", "physical_id", "old_props", "new_props")

    def provision_resource(resource_type: str, logical_id: str, props: Any, stack_name: str) -> Any:
        if resource_type != _ROLE:
            return provision(resource_type, logical_id, props, stack_name)
        boundary = _existing(props)
        made = provision(resource_type, logical_id, props, stack_name)
        iam._roles[made[0]]["PermissionsBoundary"] = boundary
        return made

    def update_resource(resource_type: str, physical_id: str, old: Any, new: Any, *rest: Any) -> Any:
        if resource_type != _ROLE or old == new:
            return update(resource_type, physical_id, old, new, *rest)
        boundary = _existing(new)
        made = update(resource_type, physical_id, old, new, *rest)
        # A role that was replaced, too, is a new record.
        iam._roles[made[0]]["PermissionsBoundary"] = boundary
        return made

    replace("_provision_resource", provision_resource, stacks)
    replace("_update_resource", update_resource, stacks)


def _existing(properties: Any) -> str | None:
    boundary = properties.get("PermissionsBoundary")
    if boundary and not iam._policy_exists(boundary):
        raise ValueError(f"Scope ARN: {boundary} does not exist or is not attachable. (Service: Iam, Status Code: 404)")
    return boundary or None


def probe(aws: Any) -> bool:
    """A bounded role may do no more than its boundary, until an update takes the boundary away."""
    name = aws.name("role-boundary")
    limit = aws.document({"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"})
    aws.query("iam", Action="CreatePolicy", PolicyName=name, PolicyDocument=json.dumps(limit))
    rights = aws.document({"Effect": "Allow", "Action": ["sns:ListTopics", "sqs:ListQueues"], "Resource": "*"})
    properties = {
        "RoleName": name,
        "AssumeRolePolicyDocument": aws.trust(aws.owner.root_arn),
        "Policies": [{"PolicyName": "rights", "PolicyDocument": rights}],
    }
    bounded = {**properties, "PermissionsBoundary": f"arn:aws:iam::{aws.owner.account}:policy/{name}"}

    def may(service: str, action: str) -> bool:
        session = aws.assume(f"arn:aws:iam::{aws.owner.account}:role/{name}", aws.owner)
        return bool(aws.succeeds(lambda: aws.query(service, session, Action=action)))

    aws.stack({"Role": {"Type": _ROLE, "Properties": bounded}}, name)
    kept_in = may("sns", "ListTopics") and not may("sqs", "ListQueues")
    aws.update_stack(name, {"Role": {"Type": _ROLE, "Properties": properties}})
    return kept_in and may("sqs", "ListQueues")
