"""Checks of what carries events: rules and schedules of EventBridge, queues of SQS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.documents import parsed
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import certain, in_every_branch, is_open, target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

EVENTS = Rule(
    "AD728",
    "refused",
    "A rule or a schedule that EventBridge does not take: a pattern in which a field has a value in place of a list of "
    "values, or an empty one; a rule's schedule on a bus of one's own; a rule that sends to a queue which keeps an "
    "order, and does not say in which group (`SqsParameters`); a schedule that is neither cron, rate nor at.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html",
    '`Event pattern is not valid. Reason: "source" must be an object or an array`, `ScheduleExpression is supported '
    "only on the default event bus`, `Parameter(s) SqsParameters must be specified for target`, `Invalid Schedule "
    "Expression every day`",
    remedy="write a list of values in the pattern, keep schedules to the default bus, give a target its SqsParameters, "
    "or correct the expression, and export again",
)
QUEUE = Rule(
    "AD740",
    "refused",
    "A queue that SQS does not take: one that hands its messages on after too many attempts, and does not say how many "
    "these are or to which queue, or to a queue of the other kind: one that keeps an order (`FifoQueue`) hands on to "
    "such a one, and no other does. Or one that has the name of such a one (`.fifo`), and keeps none.",
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    "`Reason: Redrive policy does not contain mandatory attribute: maxReceiveCount`, `Reason: Dead-letter queue must "
    "be same type of queue as the source`",
    remedy="give the RedrivePolicy its maxReceiveCount and deadLetterTargetArn, or both queues the same FifoQueue "
    "(`amplify override`), and export again",
)
_SCHEDULE = re.compile(
    r"rate\(\s*\d+\s+(minute|hour|day)s?\s*\)|cron\(\s*\S+(\s+\S+){5}\s*\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)"
)
"""EventBridge Scheduler User Guide, "Schedule types"."""
_SHOWN = 60
"""Characters of a value that a finding shows."""


def refused_events(tree: Tree) -> Iterator[Finding]:
    """AD728, AD740: EventBridge or SQS refuses it, in the middle of the deployment."""
    for path, resource in tree.resolved.resources.items():
        rule, properties = EVENTS, as_mapping(resource.properties)
        if resource.type == "AWS::Events::Rule":
            problems = _of_rule(tree, properties)
        elif resource.type == "AWS::Scheduler::Schedule":
            problems = _of_schedule(properties.get("ScheduleExpression"))
        elif resource.type == "AWS::SQS::Queue":
            rule, problems = QUEUE, _of_queue(tree, properties)
        else:
            continue
        for problem in problems:
            yield rule.at(tree.file(path[:-1]), f"{path[-1]} {problem}", rule.remedy)


def _of_queue(tree: Tree, properties: Mapping[str, Any]) -> Iterator[str]:
    name = properties.get("QueueName")
    if isinstance(name, str) and name.endswith(".fifo") and _keeps_order(properties) is False:
        yield f"is called {name}, and keeps no order (FifoQueue): no other queue has a dot in its name"
    yield from in_every_branch(properties.get("RedrivePolicy"), _incomplete)
    policy = as_mapping(parsed(properties.get("RedrivePolicy")))
    letters, own = policy.get("deadLetterTargetArn"), _keeps_order(properties)
    made = tree.resolved.resources.get(target(letters) or ())
    if isinstance(letters, str):
        theirs: bool | None = letters.endswith(".fifo")
    else:
        theirs = _keeps_order(as_mapping(made.properties)) if made and made.type == "AWS::SQS::Queue" else None
    if own is not None and theirs is not None and own is not theirs:
        kinds = {True: "which keeps an order", False: "which keeps none"}
        there = letters if isinstance(letters, str) else "/".join(target(letters) or ())
        yield f"hands its messages on to {there}, {kinds[theirs]}, as {'it does' if own else 'it does not'}"


def _incomplete(policy: Any) -> list[str]:
    said = as_mapping(parsed(policy))
    needed = ("maxReceiveCount", "deadLetterTargetArn") if said and not is_open(said) else ()
    return [f"has a RedrivePolicy without {name}" for name in needed if name not in said]


def _keeps_order(queue: Mapping[str, Any]) -> bool | None:
    """Whether a queue does; None if only CloudFormation knows."""
    given = queue.get("FifoQueue", False)
    return None if isinstance(given, Mapping) else str(given).lower() == "true"


def _of_rule(tree: Tree, properties: Mapping[str, Any]) -> Iterator[str]:
    for where, value in _no_lists((), parsed(properties.get("EventPattern"))):
        what = "an empty list" if value == [] else "no list"
        shown = repr(value)[:_SHOWN]
        yield f"has the pattern {'.'.join(where)}: {shown}, which is {what} of values"
    if certain(properties, "ScheduleExpression") and _is_own(tree, properties.get("EventBusName")):
        yield "has a schedule on a bus of one's own: EventBridge keeps schedules on the account's default bus"
    targets = properties.get("Targets")
    for one in map(as_mapping, targets if isinstance(targets, list) else ()):
        if "SqsParameters" not in one and not is_open(one) and _is_ordered(tree, one.get("Arn")):
            yield f"sends to the queue of its target {one.get('Id')}, which keeps an order, without SqsParameters"


def _is_ordered(tree: Tree, queue: Any) -> bool:
    """Whether this is a queue, of the backend or by its ARN, that keeps an order: each message is of a group then."""
    if isinstance(queue, str):
        return ":sqs:" in queue and queue.endswith(".fifo")
    made = tree.resolved.resources.get(target(queue) or ())
    return made is not None and made.type == "AWS::SQS::Queue" and _keeps_order(as_mapping(made.properties)) is True


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
    elif isinstance(expression, str) and expression.startswith("cron("):
        _minute, _hour, day, _month, weekday, _year = expression[5:-1].split()
        if "?" not in (day, weekday):  # of `?` in both, AWS says nothing
            yield f"has the schedule {expression!r}: one of day and day of the week is ?"
