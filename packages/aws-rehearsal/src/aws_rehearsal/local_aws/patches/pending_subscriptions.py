"""A topic's e-mail subscription waits until its reader confirms it, and can't be taken back before.

MiniStack takes every e-mail address for confirmed, deletes subscriptions in any state, and does not tell the ARN of
one that waits to whoever asked for it.
AWS: SNS API Reference, "Subscribe": e-mail has to be confirmed, and until then the answer is "pending confirmation"
unless ReturnSubscriptionArn is set; Unsubscribe refuses what is pending ("Cannot unsubscribe a subscription that is
pending confirmation", as terraform-provider-aws expects it), which SNS drops by itself after 48 hours.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import sns

from ._expect import expect, replace

_MAIL = ("email", "email-json")


def apply() -> None:
    """Put a new e-mail subscription back to waiting; tell its ARN only if asked; keep it until it is confirmed."""
    subscribe = expect(sns, "_subscribe", "params")
    unsubscribe = expect(sns, "_unsubscribe", "params")
    parameter = expect(sns, "_p", "params", "key", "default")

    def subscribe_mail(params: dict[str, Any]) -> Any:
        before = {found["arn"] for found in _matching(params, parameter)}
        answer = subscribe(params)
        after = _matching(params, parameter)
        if answer[0] >= 300 or not after:
            return answer
        (made,) = after
        if made["arn"] not in before and made["protocol"] in _MAIL:
            made.update(confirmed=False, token=new_uuid())
            made["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
        told = made["confirmed"] or parameter(params, "ReturnSubscriptionArn") == "true"
        arn = made["arn"] if told else "pending confirmation"
        content = f"<SubscribeResult><SubscriptionArn>{arn}</SubscriptionArn></SubscribeResult>"
        return sns._xml(200, "SubscribeResponse", content)

    def unsubscribe_confirmed(params: dict[str, Any]) -> Any:
        arn = parameter(params, "SubscriptionArn")
        topic = sns._sub_arn_to_topic.get(arn)
        found = sns._find_subscription(topic, arn) if topic else None
        if found is not None and not found["confirmed"]:
            reason = "Invalid parameter: Cannot unsubscribe a subscription that is pending confirmation"
            return sns._error("InvalidParameter", reason, 400)
        return unsubscribe(params)

    replace("_subscribe", subscribe_mail, sns)
    replace("_unsubscribe", unsubscribe_confirmed, sns)


def _matching(params: dict[str, Any], parameter: Any) -> list[dict[str, Any]]:
    """The subscription of this protocol and endpoint, in a list; SNS has at most one."""
    topic = sns._topic_by_arn_any_scope(parameter(params, "TopicArn")) or {"subscriptions": []}
    wanted = (parameter(params, "Protocol"), parameter(params, "Endpoint"))
    return [found for found in topic["subscriptions"] if (found["protocol"], found["endpoint"]) == wanted]


def probe(aws: Any) -> bool:
    """An e-mail subscription is pending, tells its ARN when asked, and is not deleted."""
    topic = f"arn:aws:sns:us-east-1:{aws.owner.account}:probe-pending"
    address = {"TopicArn": topic, "Protocol": "email", "Endpoint": "probe@example.com"}
    aws.query("sns", Action="CreateTopic", Name="probe-pending")
    answer = aws.query("sns", Action="Subscribe", ReturnSubscriptionArn="true", **address)
    arn = answer.partition("<SubscriptionArn>")[2].partition("</SubscriptionArn>")[0]
    attributes = aws.query("sns", Action="GetSubscriptionAttributes", SubscriptionArn=arn)
    waits = "<key>PendingConfirmation</key><value>true</value>" in attributes
    return waits and not aws.succeeds(lambda: aws.query("sns", Action="Unsubscribe", SubscriptionArn=arn))
