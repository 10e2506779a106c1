"""Composite alarms are told to whoever may look at all alarms, metric alarms by their names.

MiniStack asks for DescribeAlarms on `*`, whatever alarms the call names, and then tells both kinds.
AWS: the action knows alarms (service authorization reference); but "You can't return information about composite alarms
if your cloudwatch:DescribeAlarms permission has a narrower scope" than `*` (CloudWatch API reference, DescribeAlarms).
"""

from __future__ import annotations

import contextvars
import importlib
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import cloudwatch

from ._expect import expect, json_body, replace

_ACTION, _COMPOSITE = "DescribeAlarms", "CompositeAlarm"
_NAMES, _TYPES = "AlarmNames", "AlarmTypes"
_access_key: contextvars.ContextVar[str] = contextvars.ContextVar("describes_alarms", default="")


def apply() -> None:
    """Ask by the alarms' names, and leave the composite ones out where that is all that the caller may see."""
    extract = expect(iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body")
    handle = expect(cloudwatch, "handle_request", "method", "path", "headers", "body", "query_params")
    describe = expect(cloudwatch, "_describe_alarms", "params", "cbor_data", "is_cbor", "is_json")

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        if service == "monitoring" and len(rest) > 3 and _is_asked(rest[1], rest[2], rest[3]):
            names = _named(rest[2], rest[3]) or ["*"]
            return f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{names[0]}"
        return extract(service, *rest, **more)

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        _access_key.set(extract_access_key_id(headers, query_params) or "")
        return await handle(method, path, headers, body, query_params)

    def describe_alarms(params: Any, cbor_data: Any, is_cbor: bool, is_json: bool = False) -> Any:
        if not _may_see_all():
            params, cbor_data = _without(params), {**cbor_data, _TYPES: _others(cbor_data.get(_TYPES))}
        return describe(params, cbor_data, is_cbor, is_json)

    replace("extract_resource_arn", extract_resource_arn, iam_actions)
    replace("handle_request", handle_request, cloudwatch)
    replace("_describe_alarms", describe_alarms, cloudwatch)


def _may_see_all() -> bool:
    denied = iam_evaluator.enforce(_access_key.get(), f"cloudwatch:{_ACTION}", "cloudwatch", get_region())
    return denied is None


def _others(types: Any) -> list[str]:
    """The types but for composite ones; something that there is not, where nothing else is asked for."""
    wanted = types or ["MetricAlarm"]
    return [kind for kind in wanted if kind != _COMPOSITE] or ["None"]


def _without(params: Any) -> Any:
    asked = {name: value for name, value in params.items() if name.startswith(f"{_TYPES}.member.")}
    named = [value[0] if isinstance(value, list) else value for value in asked.values()]
    left = {name: value for name, value in params.items() if name not in asked}
    return left | {f"{_TYPES}.member.{n}": [kind] for n, kind in enumerate(_others(named), start=1)}


def _is_asked(path: str, headers: Any, body: bytes) -> bool:
    """By any of the service's three protocols."""
    target = str(headers.get("x-amz-target", "")).rpartition(".")[2]
    return _ACTION in (target, path.rpartition("/")[2]) or f"Action={_ACTION}&" in f"{_text(body)}&"


def _named(headers: Any, body: bytes) -> list[str]:
    if "cbor" in str(headers.get("content-type", "")):
        # As MiniStack does it: what comes with it, and is not installed here.
        found = importlib.import_module("cbor2").loads(body) if body else {}
        return [str(name) for name in found.get(_NAMES) or ()]
    names = json_body(body).get(_NAMES)
    if isinstance(names, list):
        return [str(name) for name in names]
    return [value[0] for name, value in parse_qs(_text(body)).items() if name.startswith(f"{_NAMES}.member.")]


def _text(body: bytes) -> str:
    return (body or b"").decode("utf-8", "replace")


def probe(aws: Any) -> bool:
    """Who may look at all alarms sees a composite one, who may look at those of the account, by name, does not."""
    plain = {"Namespace": "probe", "MetricName": "m", "Threshold": "1", "Period": "60", "EvaluationPeriods": "1"}
    compared = {"ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum"}
    aws.query("monitoring", Action="PutMetricAlarm", AlarmName="probe-one", **plain, **compared)
    aws.query("monitoring", Action="PutCompositeAlarm", AlarmName="probe-all", AlarmRule="ALARM(probe-one)")

    def sees(role: str, resource: str) -> list[bool]:
        arn = aws.role(aws.owner, role)
        allowed = {"Effect": "Allow", "Action": f"cloudwatch:{_ACTION}", "Resource": resource}
        aws.put_policy(aws.owner, role, allowed)
        session = aws.assume(arn, aws.owner)
        asked = {f"{_TYPES}.member.1": "MetricAlarm", f"{_TYPES}.member.2": _COMPOSITE}

        def told(name: str) -> bool:
            answer = aws.query("monitoring", session, Action=_ACTION, **asked, **{f"{_NAMES}.member.1": name})
            return f"<AlarmName>{name}<" in answer

        return [told("probe-one"), told("probe-all")]

    ours = f"arn:aws:cloudwatch:*:{aws.owner.account}:alarm:*"
    return sees("alarm-reader", "*") == [True, True] and sees("alarm-namer", ours) == [True, False]
