"""A call of IAM on a role is authorised against the role's ARN, which has its path; so is the making of a policy.

MiniStack makes the ARN from the name alone (`role/NAME`): a policy that names `role/PATH/NAME` allows nothing then,
and, worse, denies nothing. The making of a policy it evaluates against `*`.
AWS: `arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}`, `...:policy/${PolicyNameWithPath}` ("Actions,
resources, and condition keys for AWS Identity and Access Management" in the Service Authorization Reference).
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions
from ministack.services import iam

from ._expect import expect, replace

_PARAMETERS = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")


def apply() -> None:
    """Answer the ARN of the role that there is, of one that is about to be made with the path of the request."""
    extract = expect(iam_actions, "extract_resource_arn", *_PARAMETERS)

    def extract_resource_arn(  # noqa: PLR0917 - MiniStack's own
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: Any,
        query_params: Any,
        region: str,
        account_id: str,
    ) -> Any:
        found = extract(service, method, path, headers, body, query_params, region, account_id)
        if service != "iam":
            return found
        role, policy, in_path = (iam_actions._query_param(query_params, k) for k in ("RoleName", "PolicyName", "Path"))
        if role:
            record = iam._roles.get_scoped(account_id, None, role)
            return record["Arn"] if record else f"arn:aws:iam::{account_id}:role{in_path or '/'}{role}"
        if policy and found == "*":
            return f"arn:aws:iam::{account_id}:policy{in_path or '/'}{policy}"
        return found

    replace("extract_resource_arn", extract_resource_arn, iam_actions)


def probe(aws: Any) -> bool:
    """Whoever may change the roles and policies of one path changes these, and no others."""
    account, mine, other = aws.owner.account, aws.name("path-mine"), aws.name("path-other")
    role = aws.role(aws.owner, "path-user")
    aws.put_policy(
        aws.owner,
        "path-user",
        {
            "Effect": "Allow",
            "Action": ["iam:GetRole", "iam:CreateRole", "iam:CreatePolicy"],
            "Resource": [f"arn:aws:iam::{account}:{kind}/mine/*" for kind in ("role", "policy")],
        },
    )
    aws.role(aws.owner, mine, path="/mine/")
    aws.role(aws.owner, other)
    session = aws.assume(role, aws.owner)
    trust = '{"Version": "2012-10-17", "Statement": []}'

    def may(action: str, **parameters: str) -> bool:
        return bool(aws.succeeds(lambda: aws.query("iam", session, Action=action, **parameters)))

    new = {"RoleName": aws.name("path-new"), "AssumeRolePolicyDocument": trust}
    rights = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    policy = {"PolicyName": aws.name("path-policy"), "PolicyDocument": rights}
    allowed = [may("GetRole", RoleName=mine), may("CreateRole", Path="/mine/", **new)]
    allowed.append(may("CreatePolicy", Path="/mine/", **policy))
    refused = [may("GetRole", RoleName=other), may("CreateRole", Path="/", **{**new, "RoleName": f"{other}-2"})]
    refused.append(may("CreatePolicy", **policy))
    return all(allowed) and not any(refused)
