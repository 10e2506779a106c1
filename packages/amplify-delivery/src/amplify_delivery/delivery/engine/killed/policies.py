"""Whether what is there has the policy that a killed run was about to give it: a role's trust, a policy's own document
and that of a key are sent with the call that makes them.

What has another one is not what that run was making, or was changed since: nobody can tell. Reads only, with what the
providers read of each type too; where a policy may not be read, the time decides (`by_time`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from amplify_delivery.components.documents.statements import same_policy
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine.killed.pending import CREATING, OURS, Answer, Operation, There, Unknown, hidden
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing


def carried(account: Account, operation: Operation, answer: Answer) -> Answer:
    """The same of a create, unless the policy that is there tells that it may be another one's. Raises
    `RefusedError`."""
    look = LOOKS.get(operation.type)
    if not isinstance(answer, There) or operation.kind != CREATING or look is None:
        return answer
    key, read = look
    sent = operation.inputs.get(key)
    if not sent or hidden(sent) or any(component in operation.urn for component in OURS):
        return answer
    with account.asking(f"asking for the policy of {operation.what}"), suppressing(*ACCESS_DENIED) as refusal:
        found = read(account, answer.id)
    if refusal or same_policy(sent, found):
        return answer
    return Unknown(
        f"what is there as {answer.id} has another {key} than that run was about to give it: somebody else's, or "
        "changed since"
    )


def _trust(account: Account, name: str) -> Any:
    return account.client("iam").get_role(RoleName=name)["Role"].get("AssumeRolePolicyDocument")


def _document(account: Account, arn: str) -> Any:
    iam = account.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def _key_policy(account: Account, key: str) -> Any:
    return account.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]


LOOKS: Mapping[str, tuple[str, Callable[[Account, str], Any]]] = {
    "aws-native:iam:Role": ("assumeRolePolicyDocument", _trust),
    "aws:iam/policy:Policy": ("policy", _document),
    "aws:iam/role:Role": ("assumeRolePolicy", _trust),
    "aws:kms/key:Key": ("policy", _key_policy),
}
"""By Pulumi type: the input that holds it, and what AWS has, by the id that is found."""
