"""`aws:cloudwatch/eventRule:EventRule`.

Plays internal/service/events/rule.go of terraform-provider-aws: the id is the name (behind the bus, if that is not the
default one), another name or bus is another rule, and a rule goes only when its targets have gone. PutRule replaces the
whole rule.
"""

from __future__ import annotations

import json
import re
from typing import Any

from aws_rehearsal.providers.classic.propagation import patiently
from aws_rehearsal.providers.classic.tags import every_tag, tag_changes, tag_list
from aws_rehearsal.providers.errors import aws_error, error_code
from aws_rehearsal.providers.naming import automatic_name
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Change, Prop, normal_json, out
from aws_rehearsal.providers.wire import Properties

DEFAULT_BUS = "default"
GONE = "ResourceNotFoundException"
BUS = Prop(replaces=True, default=DEFAULT_BUS)
_STATES = ("DISABLED", "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


class EventRule(Resource):
    token = "aws:cloudwatch/eventRule:EventRule"
    called = "EventBridge Rule"
    name_property = "name"
    name_length = 64
    name_blockers = ("namePrefix",)
    props = {
        "arn": out(),
        "description": Prop(),
        "eventBusName": BUS,
        "eventPattern": Prop("json"),
        "forceDestroy": Prop("bool", default=False),
        "isEnabled": Prop("bool", computed=True),
        "name": Prop(replaces=True, computed=True, conflicts=("namePrefix",)),
        "namePrefix": Prop(replaces=True, computed=True, conflicts=("name",)),
        "region": REGION,
        "roleArn": Prop(),
        "scheduleExpression": Prop(),
        "state": Prop(computed=True, choices=_STATES),
        "tags": TAGS,
        "tagsAll": out("map"),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        wrong = []
        if "isEnabled" in inputs:
            wrong.append(("isEnabled", "the stand-in plays no isEnabled, which is deprecated: use state"))
        if not inputs.get("eventPattern") and not inputs.get("scheduleExpression"):
            wrong.append(("eventPattern", "one of `event_pattern,schedule_expression` must be specified"))
        pattern, name = inputs.get("eventPattern"), inputs.get("name")
        if isinstance(pattern, str):
            try:
                if len(json.dumps(json.loads(pattern), separators=(",", ":"))) > 4096:
                    wrong.append(("eventPattern", '"event_pattern" cannot be longer than 4096 characters'))
            except ValueError as error:
                wrong.append(("eventPattern", f'"event_pattern" contains an invalid JSON: {error}'))
        if isinstance(name, str) and not re.fullmatch(r"[0-9A-Za-z_.-]{1,64}", name):
            wrong.append(("name", f'"name" ({name}) is no name of a rule: 1 to 64 of [0-9A-Za-z_.-]'))
        return wrong

    def unknown_after(self, found: list[Change]) -> set[str]:
        return {"isEnabled"} if any(change.property == "state" for change in found) else set()

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        name = inputs.get("name") or automatic_name(inputs["namePrefix"], b"", 64, separator="")
        self._put(call, name, inputs, "creating")
        bus = inputs["eventBusName"]
        return self._state(call, name if bus == DEFAULT_BUS else f"{bus}/{name}", inputs)

    def _put(self, call: Call, name: str, inputs: Properties, doing: str) -> None:
        client = call.client("events")
        request: dict[str, Any] = {
            "Name": name,
            "EventBusName": inputs["eventBusName"],
            "Tags": tag_list(call.session.tags(inputs.get("tags"))),
        }
        for key, own in (
            ("description", "Description"),
            ("roleArn", "RoleArn"),
            ("scheduleExpression", "ScheduleExpression"),
            ("state", "State"),
        ):
            if inputs.get(key):
                request[own] = inputs[key]
        if inputs.get("eventPattern"):
            request["EventPattern"] = normal_json(inputs["eventPattern"])
        try:
            patiently(lambda: client.put_rule(**request), "ValidationException", "cannot be assumed by principal")
        except client.exceptions.ClientError as error:
            raise aws_error(f"{doing} EventBridge Rule ({name})", error) from error

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("events")
        bus, name = _bus_and_rule(resource_id)
        try:
            found = client.describe_rule(Name=name, EventBusName=bus)
            tags = client.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"]
        except client.exceptions.ClientError as error:
            if error_code(error) == GONE:
                return None
            raise aws_error(f"reading EventBridge Rule ({resource_id})", error) from error
        every = every_tag(tags)
        outputs = {
            **kept(olds, "namePrefix"),
            "arn": found["Arn"],
            "description": found.get("Description"),
            "eventBusName": bus,
            "eventPattern": normal_json(found["EventPattern"]) if found.get("EventPattern") else None,
            "forceDestroy": bool(olds.get("forceDestroy")),
            "isEnabled": str(found.get("State", "")).startswith("ENABLED"),
            "name": found["Name"],
            "roleArn": found.get("RoleArn"),
            "scheduleExpression": found.get("ScheduleExpression"),
            "state": found.get("State"),
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
        }
        return resource_id, {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("events")
        if changed - {"tags", "forceDestroy"}:
            self._put(call, _bus_and_rule(resource_id)[1], news, "updating")
        gone, tags = tag_changes(olds, call.session.tags(news.get("tags")))
        try:
            if gone:
                client.untag_resource(ResourceARN=olds["arn"], TagKeys=gone)
            if tags:
                client.tag_resource(ResourceARN=olds["arn"], Tags=tag_list(tags))
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating tags for EventBridge Rule ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("events")
        bus, name = _bus_and_rule(resource_id)
        force = bool(olds.get("forceDestroy"))
        try:
            patiently(
                lambda: client.delete_rule(Name=name, EventBusName=bus, Force=force),
                "ValidationException",
                "Rule can't be deleted since it has targets",
            )
        except client.exceptions.ClientError as error:
            if error_code(error) != GONE:
                raise aws_error(f"deleting EventBridge Rule ({resource_id})", error) from error


def _bus_and_rule(resource_id: str) -> tuple[str, str]:
    bus, _, name = resource_id.rpartition("/")
    return bus or DEFAULT_BUS, name


TYPES = {EventRule.token: EventRule()}
