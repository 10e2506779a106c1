"""Who makes something with tags needs the right to tag it, beside the right to make it.

MiniStack asks for the creation only, so a role that may make a key, a topic or a rule with tags here is refused on AWS.
AWS: "Required permissions" of CreateKey (KMS API reference): `kms:TagResource`, in an IAM policy, "to use the Tags
parameter"; CreateTopic (SNS): `sns:CreateTopic` and `sns:TagResource`; PutRule (EventBridge): `events:PutRule` and
`events:TagResource`; "Tagging IAM resources" (IAM user guide): `iam:TagRole`, `iam:TagPolicy`.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id

from ._expect import expect, replace

TAGGING = {
    "events:PutRule": "events:TagResource",
    "iam:CreatePolicy": "iam:TagPolicy",
    "iam:CreateRole": "iam:TagRole",
    "kms:CreateKey": "kms:TagResource",
    "sns:CreateTopic": "sns:TagResource",
}


def apply() -> None:
    """Ask for both; everything else as before."""
    enforce = expect(iam_evaluator, "enforce", "access_key_id", "iam_action", "service", "region", "resource_arn")

    def enforce_both(access_key_id: str, iam_action: str, service: str, region: str, **more: Any) -> Any:
        denied = enforce(access_key_id, iam_action, service, region, **more)
        tagging = TAGGING.get(iam_action)
        context = more.get("service_context") or {}
        if denied is not None or tagging is None or not any(key.lower() == "aws:tagkeys" for key in context):
            return denied
        if iam_action == "kms:CreateKey":
            # It has no id yet.
            more = {**more, "resource_arn": f"arn:aws:kms:{region}:{get_account_id()}:key/new"}
        return enforce(access_key_id, tagging, service, region, **more)

    replace("enforce", enforce_both, iam_evaluator)


def probe(aws: Any) -> bool:
    """A role that may make keys makes one without tags; with the right to tag also one with them."""
    owner = aws.owner
    create = {"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*"}
    tag = {"Effect": "Allow", "Action": "kms:TagResource", "Resource": f"arn:aws:kms:*:{owner.account}:key/*"}
    role = aws.role(owner, "key-maker")
    aws.put_policy(owner, "key-maker", create)
    session = aws.assume(role, owner)

    def make(*tags: dict[str, str]) -> bool:
        return bool(aws.succeeds(lambda: aws.json(session, "kms", "TrentService.CreateKey", Tags=list(tags))))

    tagged = {"TagKey": "app", "TagValue": "mine"}
    before = make() and not make(tagged)
    aws.put_policy(owner, "key-maker", create, tag)
    return before and make(tagged)
