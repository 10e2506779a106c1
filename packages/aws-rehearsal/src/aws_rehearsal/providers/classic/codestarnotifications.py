"""`aws:codestarnotifications/notificationRule:NotificationRule`.

Plays internal/service/codestarnotifications/notification_rule.go of terraform-provider-aws: the id is the ARN, only
another `resource` is another rule. Targets come into being with the first rule that names them and are no part of it,
so one that no rule names any more is deleted, as far as other rules let it go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from aws_rehearsal.providers.classic.propagation import patiently
from aws_rehearsal.providers.classic.tags import Tags, tag_changes
from aws_rehearsal.providers.errors import aws_error, error_code, error_message
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource
from aws_rehearsal.providers.schema import Prop, out
from aws_rehearsal.providers.wire import Properties

_SUBSCRIBED = "The target cannot be deleted because it is subscribed to one or more notification rules."
_SERVICE = "codestar-notifications"


class NotificationRule(Resource):
    token = "aws:codestarnotifications/notificationRule:NotificationRule"
    called = "CodeStar Notification Rule"
    name_property = "name"
    name_length = 64
    props = {
        "arn": out(),
        "detailType": Prop(required=True, choices=("BASIC", "FULL")),
        "eventTypeIds": Prop("set", required=True),
        "name": Prop(),
        "region": REGION,
        "resource": Prop(required=True, replaces=True),
        "status": Prop(default="ENABLED", choices=("ENABLED", "DISABLED")),
        "tags": TAGS,
        "tagsAll": out("map"),
        "targets": Prop("set", fields={"address": Prop(required=True), "status": out(), "type": Prop(default="SNS")}),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        wrong = []
        name = inputs.get("name")
        if isinstance(name, str) and not 1 <= len(name) <= 64:
            wrong.append(("name", f"expected length of name to be in the range (1 - 64), got {name}"))
        if isinstance(name, str) and not re.fullmatch(r"[0-9A-Za-z_ -]+", name):
            wrong.append(
                (
                    "name",
                    "invalid value for name (must be one or more alphanumeric, hyphen, underscore or space characters)",
                )
            )
        for key, most in (("eventTypeIds", 200), ("targets", 10)):
            items = inputs.get(key)
            if isinstance(items, list) and len(items) > most:
                wrong.append((key, f"Too many {key}: at most {most} are supported, but {len(items)} were given"))
        if inputs.get("eventTypeIds") == []:
            wrong.append(("eventTypeIds", "Not enough list items: attribute event_type_ids requires 1 item minimum"))
        return wrong

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client(_SERVICE)
        request = {**_request(inputs), "Resource": inputs["resource"]}
        tags = call.session.tags(inputs.get("tags"))
        try:
            arn = str(client.create_notification_rule(**request, **({"Tags": tags} if tags else {}))["Arn"])
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating CodeStar Notification Rule ({inputs['name']})", error) from error
        return self._state(call, arn, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client(_SERVICE)
        try:
            found = client.describe_notification_rule(Arn=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return None
            raise aws_error(f"reading CodeStar Notification Rule ({resource_id})", error) from error
        every: Tags = {key: text for key, text in (found.get("Tags") or {}).items() if not key.startswith("aws:")}
        return resource_id, {
            "arn": found["Arn"],
            "detailType": found["DetailType"],
            "eventTypeIds": sorted(event["EventTypeId"] for event in found.get("EventTypes", [])),
            "name": found["Name"],
            "resource": found["Resource"],
            "status": found["Status"],
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
            "targets": [
                {
                    "address": target["TargetAddress"],
                    "status": target.get("TargetStatus", ""),
                    "type": target["TargetType"],
                }
                for target in found.get("Targets", [])
            ],
        }

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client(_SERVICE)
        try:
            client.update_notification_rule(Arn=resource_id, **_request(news))
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating CodeStar Notification Rule ({resource_id})", error) from error
        _drop_targets(client, resource_id, _addresses(olds) - _addresses(news))
        gone, tags = tag_changes(olds, call.session.tags(news.get("tags")))
        try:
            if gone:
                client.untag_resource(Arn=resource_id, TagKeys=gone)
            if tags:
                client.tag_resource(Arn=resource_id, Tags=tags)
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating tags for CodeStar Notification Rule ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client(_SERVICE)
        try:
            client.delete_notification_rule(Arn=resource_id)  # one that is gone is no error
        except client.exceptions.ClientError as error:
            raise aws_error(f"deleting CodeStar Notification Rule ({resource_id})", error) from error
        _drop_targets(client, resource_id, _addresses(olds))


def _request(inputs: Properties) -> dict[str, Any]:
    return {
        "DetailType": inputs["detailType"],
        "EventTypeIds": sorted(inputs["eventTypeIds"]),
        "Name": inputs["name"],
        "Status": inputs["status"],
        "Targets": [
            {"TargetAddress": target["address"], "TargetType": target["type"]} for target in inputs.get("targets") or ()
        ],
    }


def _addresses(properties: Properties) -> set[str]:
    return {target["address"] for target in properties.get("targets") or ()}


def _drop_targets(client: Any, rule: str, addresses: Iterable[str]) -> None:
    for address in sorted(addresses):
        try:
            _drop_target(client, address)
        except client.exceptions.ClientError as error:
            # Another rule wants it: it stays.
            if error_code(error) != "ValidationException" or _SUBSCRIBED not in error_message(error):
                raise aws_error(f"deleting CodeStar Notification Rule ({rule}) targets", error) from error


def _drop_target(client: Any, address: str) -> None:
    patiently(
        lambda: client.delete_target(TargetAddress=address, ForceUnsubscribeAll=False),
        "ValidationException",
        _SUBSCRIBED,
    )


TYPES = {NotificationRule.token: NotificationRule()}
