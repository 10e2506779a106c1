"""How long the parts of a stack's last operation took, from events as CloudFormation tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from amplify_delivery.delivery.deployment.live.events import Event
from amplify_delivery.delivery.reporting.last_operation import last, timings
from amplify_delivery.delivery.reporting.page.report_model import Span
from amplify_delivery.delivery.reporting.running_stacks import parents

BEGAN = datetime(2026, 11, 28, 9, 12, tzinfo=UTC)
ROOT, API = "arn:aws:cloudformation:eu-central-1:222222222222:stack/root/1", "arn:.../stack/root-api-X/2"


def event(second: int, name: str, status: str, stack: str = ROOT, physical: str = "id") -> Event:
    return Event.of(
        {
            "EventId": f"{name}-{second}",
            "StackId": stack,
            "Timestamp": BEGAN + timedelta(seconds=second),
            "LogicalResourceId": name,
            "PhysicalResourceId": physical,
            "ResourceStatus": status,
        }
    )


def own(second: int, status: str, stack: str = ROOT) -> Event:
    return event(second, "root", status, stack, physical=stack)


UPDATE: Sequence[Event] = [
    own(64, "UPDATE_COMPLETE"),
    own(62, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
    event(61, "api", "UPDATE_COMPLETE"),
    event(9, "auth", "UPDATE_COMPLETE"),
    event(4, "auth", "UPDATE_IN_PROGRESS"),
    event(3, "api", "UPDATE_IN_PROGRESS"),
    own(0, "UPDATE_IN_PROGRESS"),
]
"""Newest first, as DescribeStackEvents gives them."""
BEFORE: Sequence[Event] = [own(-500, "CREATE_COMPLETE"), event(-800, "api", "CREATE_IN_PROGRESS")]
CHILD: Sequence[Event] = [
    event(40, "Todo", "UPDATE_COMPLETE", API),
    event(10, "Todo", "UPDATE_IN_PROGRESS", API),
    own(5, "UPDATE_IN_PROGRESS", API),
    event(-700, "Todo", "CREATE_COMPLETE", API),
]


def test_the_last_operation_ends_where_it_began() -> None:
    assert list(last([*UPDATE, *BEFORE])) == UPDATE


def test_of_a_nested_stack_only_what_came_since_belongs_to_it() -> None:
    assert list(last(CHILD, BEGAN)) == CHILD[:3]
    assert list(last(CHILD[3:], BEGAN)) == []


def test_each_part_with_its_beginning_and_its_time() -> None:
    found = timings({(): UPDATE, ("api",): CHILD[:3]})
    assert found is not None
    assert (found.title, found.seconds) == ("Update of 2026-11-28 09:12 UTC, UPDATE_COMPLETE", 64.0)
    assert found.spans == (
        Span("api", 3.0, 58.0, "UPDATE_COMPLETE", "good"),
        Span("auth", 4.0, 5.0, "UPDATE_COMPLETE", "good"),
        Span("api/Todo", 10.0, 30.0, "UPDATE_COMPLETE", "good"),
    )


def test_what_failed_and_what_still_runs_are_told_apart() -> None:
    failed = [event(8, "api", "UPDATE_FAILED"), event(6, "auth", "UPDATE_IN_PROGRESS"), *UPDATE[-2:]]
    found = timings({(): [own(9, "UPDATE_ROLLBACK_IN_PROGRESS"), *failed]})
    assert found is not None
    assert {(span.name, span.tone) for span in found.spans} == {("api", "bad"), ("auth", "warn")}
    assert found.title.endswith("UPDATE_ROLLBACK_IN_PROGRESS")


def test_nothing_is_told_of_a_stack_without_events() -> None:
    assert timings({}) is None
    assert timings({(): []}) is None


def test_stacks_with_nested_ones_are_asked_each_after_its_parent() -> None:
    assert parents([(), ("api",), ("api", "Todo"), ("auth",), ("z", "y", "x")]) == [(), ("api",), ("z", "y")]
    assert parents([()]) == []
