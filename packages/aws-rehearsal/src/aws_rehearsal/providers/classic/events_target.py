"""`aws:cloudwatch/eventTarget:EventTarget`.

Plays internal/service/events/target.go of terraform-provider-aws: the id joins rule and target with a dash and can't be
read back into its parts, so an import names them with slashes; of the optional blocks a read notices what changed, but
not that one is gone. The blocks that belong to one kind of target each are not played.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from aws_rehearsal.providers.classic.events import BUS, DEFAULT_BUS, GONE
from aws_rehearsal.providers.errors import ProviderError, aws_error, error_code
from aws_rehearsal.providers.resource import REGION, Call, Resource, kept
from aws_rehearsal.providers.schema import Prop
from aws_rehearsal.providers.wire import Properties

_TARGET_PARAMETERS = (
    "appsyncTarget",
    "batchTarget",
    "ecsTarget",
    "httpTarget",
    "kinesisTarget",
    "redshiftTarget",
    "runCommandTargets",
    "sagemakerPipelineTarget",
    "sqsTarget",
)


class EventTarget(Resource):
    token = "aws:cloudwatch/eventTarget:EventTarget"
    called = "EventBridge Target"
    props = {
        **{key: Prop("any") for key in _TARGET_PARAMETERS},
        "arn": Prop(required=True),
        "deadLetterConfig": Prop("object", fields={"arn": Prop()}),
        "eventBusName": BUS,
        "forceDestroy": Prop("bool", default=False),
        "input": Prop(conflicts=("inputPath", "inputTransformer")),
        "inputPath": Prop(conflicts=("input", "inputTransformer")),
        "inputTransformer": Prop(
            "object",
            fields={"inputPaths": Prop("map"), "inputTemplate": Prop(required=True)},
            conflicts=("input", "inputPath"),
        ),
        "region": REGION,
        "retryPolicy": Prop(
            "object", fields={"maximumEventAgeInSeconds": Prop("int"), "maximumRetryAttempts": Prop("int")}
        ),
        "roleArn": Prop(),
        "rule": Prop(required=True, replaces=True),
        "targetId": Prop(computed=True, replaces=True),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        return [(key, f"the stand-in plays no {key}") for key in _TARGET_PARAMETERS if key in inputs]

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        target = inputs.get("targetId") or f"terraform-{time.strftime('%Y%m%d%H%M%S')}{secrets.token_hex(6)}"
        known = {**inputs, "targetId": target}
        resource_id = _target_id(known)
        self._put(call, known, f"creating EventBridge Target ({resource_id})")
        return self._state(call, resource_id, known)

    def _put(self, call: Call, inputs: Properties, doing: str) -> None:
        client = call.client("events")
        target: dict[str, Any] = {"Id": inputs["targetId"], "Arn": inputs["arn"]}
        for key, own in (("input", "Input"), ("inputPath", "InputPath"), ("roleArn", "RoleArn")):
            if inputs.get(key):
                target[own] = inputs[key]
        transformer, retries, letters = (
            inputs.get(key) or {} for key in ("inputTransformer", "retryPolicy", "deadLetterConfig")
        )
        if transformer:
            target["InputTransformer"] = {"InputTemplate": transformer["inputTemplate"]}
            if transformer.get("inputPaths"):
                target["InputTransformer"]["InputPathsMap"] = transformer["inputPaths"]
        if retries:
            # Upstream sends a zero for what is not given.
            target["RetryPolicy"] = {
                "MaximumEventAgeInSeconds": retries.get("maximumEventAgeInSeconds", 0),
                "MaximumRetryAttempts": retries.get("maximumRetryAttempts", 0),
            }
        if letters.get("arn"):
            target["DeadLetterConfig"] = {"Arn": letters["arn"]}
        try:
            answer = client.put_targets(Rule=inputs["rule"], EventBusName=inputs["eventBusName"], Targets=[target])
        except client.exceptions.ClientError as error:
            raise aws_error(doing, error) from error
        _refuse_failures(answer, doing)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("events")
        place = olds if olds.get("rule") else _imported(resource_id)
        request = {"Rule": place["rule"], "EventBusName": place["eventBusName"], "Limit": 100}
        targets: list[dict[str, Any]] = []
        try:
            while True:
                answer = client.list_targets_by_rule(**request)
                targets += answer["Targets"]
                if not answer.get("NextToken"):
                    break
                request["NextToken"] = answer["NextToken"]
        except client.exceptions.ClientError as error:
            if error_code(error) in (GONE, "ValidationException"):
                return None
            raise aws_error(f"reading EventBridge Target ({resource_id})", error) from error
        found = next((target for target in targets if target["Id"] == place["targetId"]), None)
        if found is None:
            return None
        outputs = {
            **kept(olds, "deadLetterConfig", "inputTransformer", "retryPolicy"),
            "arn": found["Arn"],
            "eventBusName": place["eventBusName"],
            "forceDestroy": bool(olds.get("forceDestroy")),
            "input": found.get("Input"),
            "inputPath": found.get("InputPath"),
            "roleArn": found.get("RoleArn"),
            "rule": place["rule"],
            "targetId": found["Id"],
        }
        if "InputTransformer" in found:
            outputs["inputTransformer"] = {
                "inputPaths": found["InputTransformer"].get("InputPathsMap", {}),
                "inputTemplate": found["InputTransformer"]["InputTemplate"],
            }
        if "RetryPolicy" in found:
            outputs["retryPolicy"] = {
                "maximumEventAgeInSeconds": found["RetryPolicy"].get("MaximumEventAgeInSeconds", 0),
                "maximumRetryAttempts": found["RetryPolicy"].get("MaximumRetryAttempts", 0),
            }
        if "DeadLetterConfig" in found:
            outputs["deadLetterConfig"] = {"arn": found["DeadLetterConfig"].get("Arn", "")}
        return _target_id(outputs), {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        known = {**news, "targetId": olds["targetId"]}
        if changed - {"forceDestroy"}:
            self._put(call, known, f"updating EventBridge Target ({resource_id})")
        return self._state(call, resource_id, known)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("events")
        doing = f"deleting EventBridge Target ({resource_id})"
        try:
            answer = client.remove_targets(
                Rule=olds["rule"],
                EventBusName=olds["eventBusName"],
                Ids=[olds["targetId"]],
                Force=bool(olds.get("forceDestroy")),
            )
        except client.exceptions.ClientError as error:
            if error_code(error) == GONE:
                return
            raise aws_error(doing, error) from error
        _refuse_failures(answer, doing)


def _refuse_failures(answer: dict[str, Any], doing: str) -> None:
    failed = [
        f"{entry.get('TargetId', '')}: {entry.get('ErrorCode', '')}: {entry.get('ErrorMessage', '')}"
        for entry in answer.get("FailedEntries", [])
    ]
    if failed:
        raise ProviderError(f"{doing}: " + "\n".join(failed))


def _target_id(place: Properties) -> str:
    bus = () if place["eventBusName"] == DEFAULT_BUS else (place["eventBusName"],)
    return "-".join((*bus, place["rule"], place["targetId"]))


def _imported(resource_id: str) -> Properties:
    parts = resource_id.rsplit("/", 2)
    if len(parts) == 2:
        parts = [DEFAULT_BUS, *parts]
    if len(parts) != 3 or not all(parts):
        raise ProviderError(
            f"unexpected format for ID ({resource_id}), expected EVENTBUSNAME/RULENAME/TARGETID or RULENAME/TARGETID",
            "INVALID_ARGUMENT",
        )
    return dict(zip(("eventBusName", "rule", "targetId"), parts, strict=True))


TYPES = {EventTarget.token: EventTarget()}
