"""`aws:sns/topicSubscription:TopicSubscription`.

Plays internal/service/sns/topic_subscription.go of terraform-provider-aws: the id is the subscription's ARN, which SNS
tells also while nobody has confirmed. An e-mail address has to be confirmed by whoever reads the mail: nobody waits
for it, the resource is there and `pendingConfirmation` says that nothing is delivered yet. Such a subscription can't be
taken back: a delete forgets it, and SNS drops it by itself after two days; the same address subscribed again until then
is the same subscription. HTTP endpoints that confirm by themselves are waited for.
"""

from __future__ import annotations

import time
from typing import Any

from aws_rehearsal.providers.classic.propagation import POLL_SECONDS
from aws_rehearsal.providers.errors import ProviderError, aws_error, error_code, error_message
from aws_rehearsal.providers.resource import REGION, Call, Resource, kept
from aws_rehearsal.providers.schema import Prop, out
from aws_rehearsal.providers.wire import Properties

_GONE = ("NotFound", "NotFoundException")
_PENDING = "pending confirmation"
_ATTRIBUTES = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "replayPolicy": "ReplayPolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}
_PROTOCOLS = (
    "application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs",
)  # fmt: skip


class TopicSubscription(Resource):
    token = "aws:sns/topicSubscription:TopicSubscription"
    called = "SNS Topic Subscription"
    props = {
        "arn": out(),
        "confirmationTimeoutInMinutes": Prop("int", default=1),
        "confirmationWasAuthenticated": out("bool"),
        "deliveryPolicy": Prop("json"),
        "endpoint": Prop(required=True, replaces=True),
        "endpointAutoConfirms": Prop("bool", default=False),
        "filterPolicy": Prop("json"),
        "filterPolicyScope": Prop(computed=True, choices=("MessageAttributes", "MessageBody")),
        "ownerId": out(),
        "pendingConfirmation": out("bool"),
        "protocol": Prop(required=True, replaces=True, choices=_PROTOCOLS),
        "rawMessageDelivery": Prop("bool", default=False),
        "redrivePolicy": Prop("json"),
        "region": REGION,
        "replayPolicy": Prop("json"),
        "subscriptionRoleArn": Prop(),
        "topic": Prop(required=True, replaces=True),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        if inputs.get("filterPolicyScope") and not inputs.get("filterPolicy"):
            return [("filterPolicyScope", "filter_policy is required when filter_policy_scope is set")]
        return []

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("sns")
        attributes = {name: _text(inputs[key]) for key, name in _ATTRIBUTES.items() if inputs.get(key)}
        try:
            answer = client.subscribe(
                TopicArn=inputs["topic"],
                Protocol=inputs["protocol"],
                Endpoint=inputs["endpoint"],
                Attributes=attributes,
                ReturnSubscriptionArn=True,
            )
        except client.exceptions.ClientError as error:
            raise aws_error("creating SNS Topic Subscription", error) from error
        arn = str(answer["SubscriptionArn"])
        call.has_id(arn)
        if _is_waited_for(inputs):
            self._wait(client, arn, inputs)
        return self._state(call, arn, inputs)

    def _wait(self, client: Any, arn: str, inputs: Properties) -> None:
        http = "http" in inputs["protocol"]
        deadline = time.monotonic() + 60.0 * (inputs["confirmationTimeoutInMinutes"] if http else 2)
        while True:
            found = _attributes_of(client, arn)
            if found is not None and found.get("PendingConfirmation") != "true":
                return
            if time.monotonic() >= deadline:
                reason = "timeout while waiting for state to become 'false' (last state: 'true')"
                raise ProviderError(f"waiting for SNS Topic Subscription ({arn}) confirmation: {reason}")
            time.sleep(POLL_SECONDS)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        found = _attributes_of(call.client("sns"), resource_id)
        if found is None:
            return None
        outputs: Properties = {
            "confirmationTimeoutInMinutes": 1,
            "endpointAutoConfirms": False,
            **kept(olds, "confirmationTimeoutInMinutes", "endpointAutoConfirms"),
            "arn": found["SubscriptionArn"],
            "confirmationWasAuthenticated": found.get("ConfirmationWasAuthenticated") == "true",
            "endpoint": found["Endpoint"],
            "ownerId": found.get("Owner", ""),
            "pendingConfirmation": found.get("PendingConfirmation") == "true",
            "protocol": found["Protocol"],
            "topic": found["TopicArn"],
        }
        for key, name in _ATTRIBUTES.items():
            if found.get(name):
                outputs[key] = found[name]
        outputs["rawMessageDelivery"] = found.get("RawMessageDelivery") == "true"
        return resource_id, outputs

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("sns")
        for key in _in_order(changed, news):
            name, value = _ATTRIBUTES[key], _text(news.get(key))
            if key == "filterPolicy":
                value = value or "{}"
            sent = {} if key == "redrivePolicy" and not value else {"AttributeValue": value}
            try:
                client.set_subscription_attributes(SubscriptionArn=resource_id, AttributeName=name, **sent)
            except client.exceptions.ClientError as error:
                raise aws_error(f"setting SNS Topic Subscription ({resource_id}) attribute ({name})", error) from error
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("sns")
        try:
            client.unsubscribe(SubscriptionArn=resource_id)
        except client.exceptions.ClientError as error:
            if _PENDING not in error_message(error) and error_code(error) not in _GONE:
                raise aws_error(f"deleting SNS Topic Subscription ({resource_id})", error) from error


def _is_waited_for(inputs: Properties) -> bool:
    if "http" in inputs["protocol"]:
        return bool(inputs["endpointAutoConfirms"])
    return "email" not in inputs["protocol"]


def _in_order(changed: set[str], news: Properties) -> list[str]:
    """The body as scope allows more than attributes do: it is set before the policy, the other one after it."""
    keys = sorted(changed & set(_ATTRIBUTES) - {"filterPolicyScope"})
    if "filterPolicyScope" not in changed or not news.get("filterPolicyScope"):
        return keys
    scope = ["filterPolicyScope"]
    return scope + keys if news["filterPolicyScope"] == "MessageBody" else keys + scope


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _attributes_of(client: Any, arn: str) -> dict[str, str] | None:
    try:
        found: dict[str, str] = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    except client.exceptions.ClientError as error:
        if error_code(error) in _GONE:
            return None
        raise aws_error(f"reading SNS Topic Subscription ({arn})", error) from error
    return found or None


TYPES = {TopicSubscription.token: TopicSubscription()}
