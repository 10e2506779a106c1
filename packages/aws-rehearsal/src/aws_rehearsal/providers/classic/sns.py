"""`aws:sns/topic:Topic` and `aws:sns/topicPolicy:TopicPolicy`.

Plays internal/service/sns/topic.go and topic_policy.go of terraform-provider-aws: both ids are the topic's ARN, every
setting is an attribute that is set by a call of its own, and a topic's policy can't be taken away: deleting one puts
SNS's own in its place. A topic of this name that exists already is taken over without a word, as CreateTopic does.
"""

from __future__ import annotations

import json
import re
from typing import Any

from aws_rehearsal.providers.classic.propagation import patiently
from aws_rehearsal.providers.classic.tags import every_tag, tag_changes, tag_list
from aws_rehearsal.providers.errors import ProviderError, aws_error, error_code
from aws_rehearsal.providers.naming import automatic_name
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Prop, normal_policy, out, policy_that_is_no_json
from aws_rehearsal.providers.wire import Properties

_GONE = ("NotFound", "NotFoundException")
_FEEDBACK = {"application": "Application", "firehose": "Firehose", "http": "HTTP", "lambda": "Lambda", "sqs": "SQS"}
_ATTRIBUTES = {
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maximumMessageSize": "MaximumMessageSize",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
    **{
        f"{own}{setting}": f"{name}{setting}"
        for own, name in _FEEDBACK.items()
        for setting in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")
    },
}
_FIFO = ("archivePolicy", "contentBasedDeduplication", "fifoThroughputScope", "fifoTopic")


class Topic(Resource):
    token = "aws:sns/topic:Topic"
    called = "SNS Topic"
    name_property = "name"
    name_length = 256
    name_blockers = ("namePrefix",)
    props = {
        **{key: Prop("int" if key.endswith("SampleRate") else "string") for key in _ATTRIBUTES},
        **{key: Prop("any", replaces=key == "fifoTopic") for key in _FIFO},
        "arn": out(),
        "beginningArchiveTime": out(),
        "deliveryPolicy": Prop("json"),
        "maximumMessageSize": Prop("int", computed=True),
        "name": Prop(replaces=True, computed=True, conflicts=("namePrefix",)),
        "namePrefix": Prop(replaces=True, computed=True, conflicts=("name",)),
        "owner": out(),
        "policy": Prop("policy", computed=True),
        "region": REGION,
        "signatureVersion": Prop("int", computed=True),
        "tags": TAGS,
        "tagsAll": out("map"),
        "tracingConfig": Prop(computed=True, choices=("Active", "PassThrough")),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        wrong = [(key, f"the stand-in plays no {key}: only standard topics") for key in _FIFO if inputs.get(key)]
        name = inputs.get("name")
        if isinstance(name, str) and not re.fullmatch(r"[0-9A-Za-z_-]{1,256}", name):
            wrong.append(("name", f"invalid topic name: {name}"))
        return wrong

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("sns")
        name = inputs.get("name") or automatic_name(inputs["namePrefix"], b"", 256, separator="")
        try:
            arn = str(client.create_topic(Name=name, Tags=tag_list(call.session.tags(inputs.get("tags"))))["TopicArn"])
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating SNS Topic ({name})", error) from error
        call.has_id(arn)
        for key in sorted(_ATTRIBUTES):
            if inputs.get(key):
                put_attribute(client, arn, _ATTRIBUTES[key], str(inputs[key]))
        return self._state(call, arn, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("sns")
        found = attributes_of(client, resource_id, f"reading SNS Topic ({resource_id})")
        if found is None:
            return None
        try:
            tags = client.list_tags_for_resource(ResourceArn=resource_id)["Tags"]
        except client.exceptions.ClientError as error:
            raise aws_error(f"listing tags for SNS Topic ({resource_id})", error) from error
        every = every_tag(tags)
        outputs: Properties = {
            **kept(olds, "namePrefix"),
            "arn": found["TopicArn"],
            "beginningArchiveTime": found.get("BeginningArchiveTime", ""),
            "name": resource_id.rpartition(":")[2],
            "owner": found.get("Owner"),
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
        }
        for key, name in _ATTRIBUTES.items():
            if found.get(name):
                outputs[key] = int(found[name]) if self.props[key].kind == "int" else found[name]
        outputs["policy"] = same_policy(olds.get("policy"), outputs.get("policy", ""))
        return resource_id, {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("sns")
        for key in sorted(changed & set(_ATTRIBUTES)):
            value = news.get(key)
            if key == "policy" and not value:
                continue
            put_attribute(client, resource_id, _ATTRIBUTES[key], "" if value is None else str(value))
        gone, tags = tag_changes(olds, call.session.tags(news.get("tags")))
        try:
            if gone:
                client.untag_resource(ResourceArn=resource_id, TagKeys=gone)
            if tags:
                client.tag_resource(ResourceArn=resource_id, Tags=tag_list(tags))
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating tags for SNS Topic ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("sns")
        try:
            client.delete_topic(TopicArn=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) not in _GONE:
                raise aws_error(f"deleting SNS Topic ({resource_id})", error) from error


class TopicPolicy(Resource):
    token = "aws:sns/topicPolicy:TopicPolicy"
    called = "SNS Topic Policy"
    props = {
        "arn": Prop(required=True, replaces=True),
        "owner": out(),
        "policy": Prop("policy", required=True),
        "region": REGION,
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        return policy_that_is_no_json(inputs, "JSON policy")

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        arn = inputs["arn"]
        put_attribute(call.client("sns"), arn, "Policy", inputs["policy"])
        return self._state(call, arn, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        found = attributes_of(call.client("sns"), resource_id, f"reading SNS Topic Policy ({resource_id})")
        if found is None or not found.get("Policy"):
            return None
        policy = same_policy(olds.get("policy"), found["Policy"])
        return resource_id, {"arn": found["TopicArn"], "owner": found.get("Owner", ""), "policy": policy}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        return self.create(call, {**news, "arn": resource_id})[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        owner = olds.get("owner") or resource_id.split(":")[4]
        try:
            put_attribute(call.client("sns"), resource_id, "Policy", _default_policy(resource_id, owner))
        except ProviderError as error:
            cause = error.__cause__
            if not isinstance(cause, Exception) or error_code(cause) not in _GONE:
                raise


def attributes_of(client: Any, arn: str, doing: str) -> dict[str, str] | None:
    """A topic's attributes, None if there is no such topic."""
    try:
        found: dict[str, str] = client.get_topic_attributes(TopicArn=arn)["Attributes"]
    except client.exceptions.ClientError as error:
        if error_code(error) in _GONE:
            return None
        raise aws_error(doing, error) from error
    return found


def put_attribute(client: Any, arn: str, name: str, value: str) -> None:
    """Sets one; again while SNS refuses it, since a policy's principal may be too new for it."""
    try:
        patiently(
            lambda: client.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value),
            "InvalidParameter",
        )
    except client.exceptions.ClientError as error:
        raise aws_error(f"setting SNS Topic ({arn}) attribute ({name})", error) from error


def same_policy(old: Any, found: str) -> str:
    """An equivalent document is shown as it was written (`PolicyToSet`)."""
    return str(old) if old and normal_policy(str(old)) == normal_policy(found) else found


def _default_policy(arn: str, owner: str) -> str:
    """What SNS gives a new topic: its owner may do everything."""
    actions = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe"
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in f"{actions} ListSubscriptionsByTopic Publish Receive".split()],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


TYPES = {kind.token: kind() for kind in (Topic, TopicPolicy)}
