"""PutRule replaces a whole rule, and a rule with targets can't be deleted.

MiniStack keeps the description and the role that an update leaves out, takes an update's tags over, and deletes the
targets together with their rule.
AWS: EventBridge API Reference, "PutRule": "the old values for those arguments are not kept. Instead, they are replaced
with null values"; "any tags you specify in the PutRule operation are not used if you are updating an existing rule";
"DeleteRule": "Before you can delete the rule, you must remove all targets, using RemoveTargets".
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import eventbridge

from ._expect import expect, replace


def apply() -> None:
    """Have what is left out written as empty; look for targets before a delete."""
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
    return emptied and refused and aws.succeeds(lambda: call("DeleteRule", Name=name))
