"""Check of rules and schedules of EventBridge."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import certain, target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

EVENTS = Rule(
    "AD728",
    "refused",
    "A rule or a schedule that EventBridge does not take: a pattern in which a field has a value in place of a list of "
    "values, or an empty one; a rule's schedule on a bus of one's own; a schedule that is neither cron, rate nor at.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html",
    '`Event pattern is not valid. Reason: "source" must be an object or an array`, `ScheduleExpression is supported '
    "only on the default event bus`, `Invalid Schedule Expression every day`",
    remedy="write a list of values in the pattern, keep schedules to the default bus, or correct the expression, and "
    "export again",
)
_SCHEDULE = re.compile(
    r"rate\(\s*\d+\s+(minute|hour|day)s?\s*\)|cron\((\s*\S+){6}\s*\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)"
)
"""EventBridge Scheduler User Guide, "Schedule types"."""
_SHOWN = 60
"""Characters of a value that a finding shows."""


def refused_events(tree: Tree) -> Iterator[Finding]:
    """AD728: EventBridge refuses it, in the middle of the deployment."""
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        if resource.type == "AWS::Events::Rule":
            problems = _of_rule(tree, properties)
        elif resource.type == "AWS::Scheduler::Schedule":
            problems = _of_schedule(properties.get("ScheduleExpression"))
        else:
            continue
        for problem in problems:
            yield EVENTS.at(tree.file(path[:-1]), f"{path[-1]} {problem}", EVENTS.remedy)


def _of_rule(tree: Tree, properties: Mapping[str, Any]) -> Iterator[str]:
    for where, value in _no_lists((), _read(properties.get("EventPattern"))):
        what = "an empty list" if value == [] else "no list"
        shown = repr(value)[:_SHOWN]
        yield f"has the pattern {'.'.join(where)}: {shown}, which is {what} of values"
    if certain(properties, "ScheduleExpression") and _is_own(tree, properties.get("EventBusName")):
        yield "has a schedule on a bus of one's own: EventBridge keeps schedules on the account's default bus"


def _read(pattern: Any) -> Any:
    """A pattern, which a template may give as JSON."""
    if not isinstance(pattern, str):
        return pattern
    try:
        return json.loads(pattern)
    except ValueError:
        return None


def _no_lists(where: tuple[str, ...], pattern: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The fields of a pattern that have no list of values, and their values."""
    for name, value in pattern.items() if isinstance(pattern, Mapping) else ():
        if name == "Ref" or name.startswith("Fn::"):
            return  # only CloudFormation knows it
        if isinstance(value, Mapping):
            yield from _no_lists((*where, name), value)
        elif not isinstance(value, list) or not value:
            yield (*where, name), value


def _is_own(tree: Tree, bus: Any) -> bool:
    """Whether a bus is not the account's: by its name or ARN, or as one of the backend."""
    if isinstance(bus, str):
        return bus.rpartition("/")[2] not in ("", "default")
    made = tree.resolved.resources.get(target(bus) or ())
    return made is not None and made.type == "AWS::Events::EventBus"


def _of_schedule(expression: Any) -> Iterator[str]:
    if isinstance(expression, str) and not _SCHEDULE.fullmatch(expression):
        yield (
            f"has the schedule {expression[:_SHOWN]!r}: it is cron(...) of six fields, rate(5 minutes) or "
            "at(2030-01-01T00:00:00)"
        )
