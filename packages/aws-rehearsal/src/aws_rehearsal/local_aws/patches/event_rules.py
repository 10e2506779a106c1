"""PutRule replaces a whole rule, a rule with targets can't be deleted, and a rule is authorised by the ARN that it has.

MiniStack keeps the description and the role that an update leaves out, takes an update's tags over, and deletes the
targets together with their rule.
AWS: EventBridge API Reference, "PutRule": "the old values for those arguments are not kept. Instead, they are replaced
with null values"; "any tags you specify in the PutRule operation are not used if you are updating an existing rule";
"DeleteRule": "Before you can delete the rule, you must remove all targets, using RemoveTargets".

MiniStack takes `rate(1 days)`, `rate(5 minute)` and `rate(0 minutes)` for schedules.
AWS: EventBridge user guide, "Rate expressions": a positive number, with the singular for 1 and the plural for more.

And MiniStack authorises `rule/default/NAME`, where the call gives the name as `Name`; else the bus, or nothing.
AWS: `arn:PARTITION:events:REGION:ACCOUNT:rule/NAME` on the default bus, `rule/BUS/NAME` on another one ("Actions,
resources, and condition keys for Amazon EventBridge", service authorization reference: rule-on-default-event-bus,
rule-on-custom-event-bus).
"""

from __future__ import annotations

import re
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import error_response_json
from ministack.services import eventbridge

from ._expect import expect, replace

_RATE = re.compile(r"rate\((\d+)\s+(?:minute|hour|day)(s?)\)")
_BY_NAME = frozenset({"DeleteRule", "DescribeRule", "DisableRule", "EnableRule", "PutRule"})
_BY_RULE = frozenset({"ListTargetsByRule", "PutTargets", "RemoveTargets"})
_BY_ARN = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})


def apply() -> None:
    """Have what is left out written as empty; look for targets before a delete; name rules as AWS does."""
    _apply_arns()
    _apply_rates()
    put = expect(eventbridge, "_put_rule", "data")
    delete = expect(eventbridge, "_delete_rule", "data")
    expect(eventbridge, "_rule_key", "rule_name", "bus_name")

    def put_rule(data: dict[str, Any]) -> Any:
        emptied = {"Description": "", "RoleArn": "", **data}
        if _key(data) in eventbridge._rules:
            emptied.pop("Tags", None)
        return put(emptied)

    def delete_rule(data: dict[str, Any]) -> Any:
        if eventbridge._targets.get(_key(data)):
            return error_response_json("ValidationException", "Rule can't be deleted since it has targets.", 400)
        return delete(data)

    replace("_put_rule", put_rule, eventbridge)
    replace("_delete_rule", delete_rule, eventbridge)


def _apply_rates() -> None:
    valid = expect(eventbridge, "_validate_schedule_expression", "expr")

    def validate_schedule_expression(expr: str) -> bool:
        rate = _RATE.fullmatch(expr or "")
        agrees = rate is None or (int(rate[1]) > 0 and (int(rate[1]) == 1) == (not rate[2]))
        return agrees and bool(valid(expr))

    replace("_validate_schedule_expression", validate_schedule_expression, eventbridge)


def _apply_arns() -> None:
    original = expect(
        iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body", "query_params"
    )

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        named = _rule_arn(rest) if service == "events" else None
        return named or original(service, *rest, **more)

    replace("extract_resource_arn", extract_resource_arn, iam_actions)


def _rule_arn(request: tuple[Any, ...]) -> str | None:
    """The rule that a call names; None if it names none."""
    _, _, headers, body, _, region, account = request[:7]
    target = next((str(value) for name, value in headers.items() if name.lower() == "x-amz-target"), "")
    operation = target.rpartition(".")[2]

    def field(name: str) -> str:
        return str(iam_actions._safe_json_field(body, name) or "")

    if operation in _BY_ARN:
        return field("ResourceARN") or None
    if operation not in _BY_NAME | _BY_RULE:
        return None
    name, bus = field("Name" if operation in _BY_NAME else "Rule"), field("EventBusName").rpartition("/")[2]
    own = name if bus in ("", "default") else f"{bus}/{name}"
    return f"arn:aws:events:{region}:{account}:rule/{own}"


def _key(data: dict[str, Any]) -> Any:
    return eventbridge._rule_key(data.get("Name"), data.get("EventBusName", "default"))


def probe(aws: Any) -> bool:
    """A description that is left out is gone, and a rule goes only after its target."""
    name, schedule = "probe-event-rules", {"ScheduleExpression": "rate(1 day)", "State": "DISABLED"}

    def call(operation: str, **body: Any) -> Any:
        return aws.json(aws.owner, "events", f"AWSEvents.{operation}", **body)

    call("PutRule", Name=name, Description="probe", **schedule)
    call("PutRule", Name=name, **schedule)
    target = f"arn:aws:codepipeline:us-east-1:{aws.owner.account}:probe"
    call("PutTargets", Rule=name, Targets=[{"Id": "probe", "Arn": target}])
    emptied = not call("DescribeRule", Name=name).get("Description")
    refused = not aws.succeeds(lambda: call("DeleteRule", Name=name))
    call("RemoveTargets", Rule=name, Ids=["probe"])
    deleted = aws.succeeds(lambda: call("DeleteRule", Name=name))
    wrong = ("rate(1 days)", "rate(5 minute)", "rate(0 minutes)")
    taken = [
        rate for rate in wrong if aws.succeeds(lambda rate=rate: call("PutRule", Name=name, ScheduleExpression=rate))
    ]
    return emptied and refused and deleted and not taken and _probe_arns(aws, name, schedule)


def _probe_arns(aws: Any, name: str, schedule: dict[str, str]) -> bool:
    """Who may write one rule of the default bus writes it and its targets, and neither another nor one of its name."""
    rule = f"arn:aws:events:*:{aws.owner.account}:rule/{name}"
    role = aws.role(aws.owner, "rule-writer")
    aws.put_policy(aws.owner, "rule-writer", {"Effect": "Allow", "Action": "events:*", "Resource": rule})
    session = aws.assume(role, aws.owner)

    def call(operation: str, **body: Any) -> Any:
        return aws.json(session, "events", f"AWSEvents.{operation}", **body)

    arn = f"arn:aws:events:us-east-1:{aws.owner.account}:rule/{name}"
    return (
        aws.succeeds(lambda: call("PutRule", Name=name, EventBusName="default", **schedule))
        and aws.succeeds(lambda: call("ListTargetsByRule", Rule=name))
        and aws.succeeds(lambda: call("ListTagsForResource", ResourceARN=arn))
        and aws.succeeds(lambda: call("DeleteRule", Name=name))
        and not aws.succeeds(lambda: call("PutRule", Name=f"{name}-2", **schedule))
        and not aws.succeeds(lambda: call("ListTargetsByRule", Rule=f"{name}-2"))
    )
