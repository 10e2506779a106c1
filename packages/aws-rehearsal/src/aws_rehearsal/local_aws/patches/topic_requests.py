"""What is asked about a subscription, or a topic's tags, is authorised for the topic; a new one by its protocol too.

MiniStack evaluates a call that names a `SubscriptionArn` or a `ResourceArn` for `*`, so that a right on one topic
allows none of them, and knows no `sns:Protocol` and `sns:Endpoint`.
AWS: the refusals of Unsubscribe and GetSubscriptionAttributes name the topic's ARN ("SNS:Unsubscribe on resource:
arn:aws:sns:REGION:ACCOUNT:TOPIC"); "Actions, resources, and condition keys for Amazon SNS", service authorization
reference: the tagging calls know topics, and Subscribe the two condition keys.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

from ._expect import expect, replace


def apply() -> None:
    """Name the topic, and tell what a subscription is of; everything else as before."""
    extract = expect(
        iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body", "query_params"
    )
    context_of = expect(iam_actions, "request_tag_context", "service", "iam_action", "body", "params")
    expect(iam_actions, "_query_param", "query_params", "key")

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        found = extract(service, *rest, **more)
        if service != "sns" or found != "*":
            return found
        params = more["query_params"] if "query_params" in more else rest[4]
        named = _text(params, "SubscriptionArn") or _text(params, "ResourceArn")
        return ":".join(named.split(":")[:6]) if named.startswith("arn:") else found

    def request_tag_context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found = context_of(service, iam_action, body, params)
        if iam_action != "sns:Subscribe":
            return found
        asked = {name: _text(params, name) for name in ("Protocol", "Endpoint")}
        return {**found, **{f"sns:{name}": text for name, text in asked.items() if text}}

    replace("extract_resource_arn", extract_resource_arn, iam_actions)
    replace("request_tag_context", request_tag_context, iam_actions)


def _text(params: dict[str, Any], name: str) -> str:
    return str(iam_actions._query_param(params, name) or "")


def probe(aws: Any) -> bool:
    """A role with rights on one topic has them for its subscriptions and tags, and not for another's."""
    owner = aws.owner
    mine, other = (f"arn:aws:sns:us-east-1:{owner.account}:{aws.name(name)}" for name in ("mine", "other"))
    role = aws.role(owner, "topic-keeper")
    aws.put_policy(
        owner,
        "topic-keeper",
        {"Effect": "Allow", "Action": ["sns:GetSubscriptionAttributes", "sns:TagResource"], "Resource": mine},
        {
            "Effect": "Allow",
            "Action": "sns:Subscribe",
            "Resource": mine,
            "Condition": {"StringEquals": {"sns:Protocol": "email"}},
        },
    )
    session = aws.assume(role, owner)
    tag = {"Tags.member.1.Key": "team", "Tags.member.1.Value": "a"}

    def subscribe(by: Any, topic: str, protocol: str, endpoint: str) -> str:
        answer = aws.query(
            "sns",
            by,
            Action="Subscribe",
            TopicArn=topic,
            Protocol=protocol,
            Endpoint=endpoint,
            ReturnSubscriptionArn="true",
        )
        return str(answer.partition("<SubscriptionArn>")[2].partition("</SubscriptionArn>")[0])

    for topic in (mine, other):
        aws.query("sns", Action="CreateTopic", Name=topic.rpartition(":")[2])
    theirs = subscribe(owner, other, "email", "probe@example.com")

    def allowed(**request: str) -> bool:
        return bool(aws.succeeds(lambda: aws.query("sns", session, **request)))

    return (
        aws.succeeds(lambda: subscribe(session, mine, "email", "probe@example.com"))
        and not aws.succeeds(lambda: subscribe(session, mine, "https", "https://example.com/x"))
        and allowed(Action="TagResource", ResourceArn=mine, **tag)
        and not allowed(Action="TagResource", ResourceArn=other, **tag)
        and not allowed(Action="GetSubscriptionAttributes", SubscriptionArn=theirs)
    )
