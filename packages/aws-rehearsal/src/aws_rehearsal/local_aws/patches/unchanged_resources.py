"""An update touches, and reports, only resources that changed.

MiniStack walks through every resource of an updated stack: an unchanged one gets events and a new time too, so
that nobody can tell from the API what an update touched. It also writes a resource again whose stack's tags come in
another order than before: the provider sends them sorted, the Amplify CLI as its `tags.json` has them, and what was set
beside the template (the auth roles' trust) was lost by a push that changed nothing of the roles.
AWS: "CloudFormation updates only the resources that you have changed" (CloudFormation User Guide, "Update
behaviors of stack resources"); resources that did not change have no events. A tag is known by its key alone
("Resource tag": "Each tag consists of a key and a value").
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, provisioners, stacks

from ._expect import expect, replace

NESTED = "AWS::CloudFormation::Stack"
_QUIET = ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")


def apply() -> None:
    """Take the events of unchanged resources back when an update has ended, and their times."""
    deploy = expect(
        stacks, "_deploy_stack_async", "stack_name", "stack_id", "template", "param_values", "disable_rollback", "tags"
    )

    async def deploy_stack(stack_name: str, stack_id: str, *args: Any, **kwargs: Any) -> None:
        before = (kwargs.get("previous_stack") or {}).get("_resources") or {}
        # The record is changed in place: what is compared later has to be kept.
        known = {
            name: (r.get("PhysicalResourceId"), r.get("Properties"), r.get("Timestamp"), r.get("ResourceStatus"))
            for name, r in before.items()
            if r.get("ResourceType") != NESTED
        }
        events = cloudformation._stack_events.setdefault(stack_id, [])
        first = len(events)
        await deploy(stack_name, stack_id, *args, **kwargs)
        if kwargs.get("is_update"):
            _take_back(stack_name, stack_id, first, known)

    from ministack.services.cloudformation import changesets  # noqa: PLC0415

    holders = [m for m in (stacks, handlers, changesets) if hasattr(m, "_deploy_stack_async")]
    replace("_deploy_stack_async", deploy_stack, *holders)

    tagged = expect(provisioners, "_with_stack_tags", "resource_type", "props", "stack_tags")

    def in_order(resource_type: str, props: dict[str, Any], stack_tags: Any, *args: Any, **kwargs: Any) -> Any:
        ordered = sorted(stack_tags or [], key=lambda tag: str(tag.get("Key")))
        return tagged(resource_type, props, ordered, *args, **kwargs)

    replace("_with_stack_tags", in_order, provisioners, stacks)


def _take_back(stack_name: str, stack_id: str, first: int, known: dict[str, tuple[Any, Any, Any, Any]]) -> None:
    resources = (cloudformation._stacks.get(stack_name) or {}).get("_resources") or {}
    unchanged = set()
    for name, (physical_id, properties, time, status) in known.items():
        record = resources.get(name)
        if record is None or (record.get("PhysicalResourceId"), record.get("Properties")) != (physical_id, properties):
            continue
        if record.get("ResourceStatus") == "UPDATE_FAILED":
            continue  # as before, because it could not be brought back there: its rollback has failed
        unchanged.add(name)
        record["Timestamp"], record["ResourceStatus"] = time, status
    events = cloudformation._stack_events.get(stack_id, [])
    events[first:] = [
        e for e in events[first:] if e["LogicalResourceId"] not in unchanged or e["ResourceStatus"] not in _QUIET
    ]


def probe(aws: Any) -> bool:
    """Of the resources, the changed one alone has an update event, and a topic's name for people, set beside the
    template, outlives tags in another order."""
    name = aws.name("unchanged")
    tags = [{"Key": key, "Value": "1"} for key in ("b", "a")]
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name, "DisplayName": "the template's"}}
    aws.stack({"Same": aws.parameter("a"), "Other": aws.parameter("b"), "Topic": topic}, name, **_members(tags))
    found = aws.query("sns", Action="CreateTopic", Name=name)
    of = {"TopicArn": found.partition("<TopicArn>")[2].partition("<")[0]}
    aws.query("sns", Action="SetTopicAttributes", AttributeName="DisplayName", AttributeValue="ours", **of)
    other = {"Same": aws.parameter("a"), "Other": aws.parameter("c"), "Topic": topic}
    aws.update_stack(name, other, **_members(tags[::-1]))
    answer = aws.query("cloudformation", Action="DescribeStackEvents", StackName=name)
    kept = ">ours<" in aws.query("sns", Action="GetTopicAttributes", **of)
    return kept and _updates(answer, "Same") == 0 < _updates(answer, "Other")


def _members(tags: list[dict[str, str]]) -> dict[str, str]:
    """Tags as CloudFormation's query protocol has them."""
    return {f"Tags.member.{n}.{key}": value for n, tag in enumerate(tags, 1) for key, value in tag.items()}


def _updates(answer: str, logical_id: str) -> int:
    named = f"<LogicalResourceId>{logical_id}</LogicalResourceId>"
    return sum(1 for member in answer.split("<member>") if named in member and ">UPDATE_" in member)
