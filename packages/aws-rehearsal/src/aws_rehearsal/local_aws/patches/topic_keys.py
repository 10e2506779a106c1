"""Whoever publishes to a topic that a customer's key encrypts may use the key for it.

MiniStack writes down the key, and lets everybody publish who may.
AWS: SNS asks KMS with the publisher's rights, for kms:GenerateDataKey and kms:Decrypt ("Key management" in the SNS
developer guide); the request comes through the service, and its encryption context names the topic. A service that
publishes by itself has its rights in the key's policy, which is not played.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import kms, sns

from . import _rights
from ._expect import expect, replace

_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")


def apply() -> None:
    """Ask before something is published."""
    publish = expect(sns, "_publish", "params")
    expect(sns, "_normalize_arn", "arn")
    expect(sns, "_error", "code", "message", "status")

    def publishing(params: dict[str, Any]) -> Any:
        topic = sns._topics.get(sns._normalize_arn(sns._p(params, "TopicArn") or sns._p(params, "TargetArn")))
        denied = _denied(topic or {})
        return sns._error("KMSAccessDenied", denied, 400) if denied else publish(params)

    replace("_publish", publishing, sns)


def _denied(topic: dict[str, Any]) -> str:
    named = (topic.get("attributes") or {}).get("KmsMasterKeyId")
    key = kms._resolve_key(named) if named else None
    if not key:
        return ""
    context = {
        "kms:ViaService": f"sns.{get_region()}.amazonaws.com",
        "kms:EncryptionContext:aws:sns:topicArn": topic["arn"],
        "kms:EncryptionContextKeys": ["aws:sns:topicArn"],
    }
    for action in _ACTIONS:
        caller, arn = _rights.caller_key.get(), key["Arn"]
        refused = iam_evaluator.enforce(caller, action, "kms", get_region(), resource_arn=arn, service_context=context)
        if refused is not None:
            return f"not authorized to perform: {action} on resource: {arn}"
    return ""


def probe(aws: Any) -> bool:
    """Of two roles that may publish the one does that may use the topic's key."""
    key = aws.json(aws.owner, "kms", "TrentService.CreateKey")["KeyMetadata"]["Arn"]
    attribute = {"Attributes.entry.1.key": "KmsMasterKeyId", "Attributes.entry.1.value": key}
    told = aws.query("sns", Action="CreateTopic", Name=aws.name("with-a-key"), **attribute)
    topic = told.partition("<TopicArn>")[2].partition("<")[0]
    publishes = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}

    def publisher(name: str, *statements: dict[str, Any]) -> bool:
        role = aws.role(aws.owner, name)
        aws.put_policy(aws.owner, name, publishes, *statements)
        session = aws.assume(role, aws.owner)
        return bool(aws.succeeds(lambda: aws.query("sns", session, Action="Publish", TopicArn=topic, Message="x")))

    condition = {"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic}}
    uses = {"Effect": "Allow", "Action": [*_ACTIONS], "Resource": key, "Condition": condition}
    return publisher("publisher-with-key", uses) and not publisher("publisher-alone")
