"""What CloudFormation does is told while it does it: read from its events, drawn, and asked for not too often."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.deployment.live import drawing, following, polling
from amplify_delivery.delivery.deployment.live.board import Board, left
from amplify_delivery.delivery.deployment.live.events import Earlier, Event, earlier
from amplify_delivery.delivery.deployment.live.polling import CALLS, Polling
from amplify_delivery.delivery.engine.watch import RootWork, Watch
from amplify_delivery.delivery.planning.program import BACKEND
from unit.delivery.deployment.live.told import API, FAILED, MODEL, NAME, ROOT, STACK, TABLE, UPDATE, at, event, own, raw

AT_WORK = RootWork(now=True, begun=1)


def board_of(*told: dict[str, Any]) -> Board:
    board = Board()
    board.take(map(Event.of, told))
    return board


def test_the_board_knows_every_stack_and_resource_with_its_times() -> None:
    board = board_of(*UPDATE)
    assert (board.kind, board.began, board.ended) == ("update", at(0), None)
    table = board.items["api", "Todo", "TodoTable"]
    assert (table.status, table.seconds(at(60))) == ("CREATE_COMPLETE", 34)
    assert board.items["auth",].seconds(at(60)) == 4
    assert [item.path for item in board.at_work] == [("api",), ("api", "Todo")]
    assert (board.done, board.known, board.failures) == (2, 2, [])
    assert board.asked_next() == [API, MODEL]


def test_what_goes_on_is_told_once() -> None:
    board = Board()
    told = board.take(map(Event.of, UPDATE))
    assert [item.path for item in told if item.path == ("api",)] == [("api",)]


def test_failures_stay_through_the_rollback_and_what_was_cancelled_is_none() -> None:
    board = board_of(*UPDATE, *FAILED)
    assert [(item.path[-1], item.reason) for item in board.failures] == [("Index", "Table already exists: Index")]
    assert "ROLLBACK" in board.status
    assert ("auth",) in [item.path for item in board.at_work]


def test_a_new_operation_begins_anew_and_a_deletion_after_a_failed_create_does_not() -> None:
    board = board_of(*UPDATE, own(50, "UPDATE_COMPLETE"), own(60, "UPDATE_IN_PROGRESS"))
    assert (board.items, board.began, board.ended) == ({}, at(60), None)
    created = board_of(own(0, "CREATE_IN_PROGRESS"), *UPDATE[2:4], own(9, "DELETE_IN_PROGRESS"))
    assert (created.kind, created.began) == ("create", at(0))
    assert created.items


def test_a_nested_stack_that_fails_at_once_is_found_by_the_reason() -> None:
    reason = f"Embedded stack {API} was not successfully updated. Currently in UPDATE_ROLLBACK_COMPLETE"
    told = [
        UPDATE[0],
        raw(1, ROOT, "api", STACK, "UPDATE_IN_PROGRESS"),
        raw(2, API, "R", TABLE, "CREATE_FAILED", "", "x"),
    ]
    board = board_of(told[0], told[1], raw(3, ROOT, "api", STACK, "UPDATE_FAILED", reason=reason), told[2])
    assert [item.path for item in board.failures] == [("api",), ("api", "R")]
    assert drawing.plain(board.failures[0], at(9)) == "  api: failed after 2 s"
    assert [row for row in drawing.rows(board, None, at(9), 80, 9) if "✗" in row] == ["  ✗ api/R: x"]


def test_events_of_stacks_that_nobody_knows_are_left_out() -> None:
    board = board_of(UPDATE[0], raw(1, MODEL, "TodoTable", TABLE, "CREATE_IN_PROGRESS"))
    assert board.items == {}


OLD = [
    own(0, "CREATE_IN_PROGRESS"),
    raw(1, ROOT, "api", STACK, "CREATE_IN_PROGRESS"),
    raw(2, ROOT, "api", STACK, "CREATE_IN_PROGRESS", API),
    raw(90, ROOT, "api", STACK, "CREATE_COMPLETE", API),
    own(100, "CREATE_COMPLETE"),
    own(200, "UPDATE_IN_PROGRESS"),
    raw(201, ROOT, "api", STACK, "UPDATE_IN_PROGRESS", API),
    raw(221, ROOT, "api", STACK, "UPDATE_COMPLETE", API),
    own(225, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
    own(230, "UPDATE_COMPLETE"),
    own(300, "UPDATE_IN_PROGRESS"),
    own(310, "UPDATE_ROLLBACK_IN_PROGRESS"),
    own(320, "UPDATE_ROLLBACK_COMPLETE"),
]


def test_how_long_it_took_before_is_read_from_what_went_well() -> None:
    found = earlier(reversed([Event.of(told) for told in OLD]))
    assert found == {"update": Earlier("update", 30, {"api": 20}), "create": Earlier("create", 100, {"api": 88})}


@pytest.mark.parametrize(
    ("before", "now", "rest"),
    [
        (None, 10, None),
        (Earlier("create", 100, {}), 10, None),  # of another kind
        (Earlier("update", 100, {}), 10, 90),
        (Earlier("update", 20, {"api": 60}), 30, 32),  # what is at work took longer
        (Earlier("update", 20, {"api": 10}), 30, None),  # nobody can tell any more
    ],
)
def test_what_is_left_is_estimated_from_the_last_time(before: Earlier | None, now: float, rest: float | None) -> None:
    assert left(board_of(*UPDATE), before, at(now)) == rest


def test_nothing_is_left_of_what_has_ended() -> None:
    assert left(board_of(*UPDATE, own(50, "UPDATE_COMPLETE")), Earlier("update", 100, {}), at(60)) is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.9, "0 s"), (59.9, "59 s"), (185, "3 min 05 s"), (3600 * 2 + 120, "2 h 02 min")]
)
def test_a_duration_is_told_in_its_largest_units(seconds: float, said: str) -> None:
    assert drawing.duration(seconds) == said


def test_plain_lines_tell_stacks_slow_resources_and_failures() -> None:
    board = Board()
    lines = [drawing.plain(item, at(50)) for item in board.take(map(Event.of, [*UPDATE, *FAILED]))]
    assert [line for line in lines if line] == [
        "  auth: updating",
        "  api: creating",
        "  auth: updated in 4 s",
        "  api/Todo: creating",
        "  api/Todo/TodoTable: created in 34 s",
        "  api/Todo/Index (AWS::DynamoDB::Table) failed after 2 s: Table already exists: Index",
        "  auth: updating",
    ]


def test_a_line_says_that_work_goes_on() -> None:
    said = drawing.still(board_of(*UPDATE), Earlier("update", 100, {}), at(70))
    assert said == ("  update, 1 min 10 s: 2 of 2 resources begun; about 30 s left; at work: api/Todo (1 min 05 s)")
    late = drawing.still(board_of(*UPDATE), Earlier("update", 60, {}), at(70))
    assert "the last update took 1 min 00 s; at work" in late


def test_a_terminal_shows_the_stacks_at_work_and_never_more_than_fits() -> None:
    board = board_of(*UPDATE, *FAILED[:3])
    shown = drawing.rows(board, None, at(60), 200, 20)
    assert shown == [
        "update, 1 min 00 s: 2 of 4 resources begun, 1 failed",
        "  api/  58 s",
        "    Todo/  55 s",
        "      Late  DynamoDB::Table  creating  18 s",
        "  ✗ api/Todo/Index: Table already exists: Index",
    ]
    small = drawing.rows(board, None, at(60), 20, 4)
    assert len(small) == 4
    assert small[1].strip() == "api/  58 s"
    assert small[2].strip() == "... and 2 more"
    assert all(len(row) <= 20 for row in small)
    assert drawing.rows(Board(), None, at(0), 80, 20) == []


def test_a_large_deployment_fits_too() -> None:
    many = [own(0, "CREATE_IN_PROGRESS")]
    many += [raw(1, ROOT, f"S{n:03}", STACK, "CREATE_IN_PROGRESS", f"{API}{n}") for n in range(160)]
    shown = drawing.rows(board_of(*many), None, at(9), 80, 24)
    assert len(shown) == 24
    assert shown[-1] == "  ... and 138 more"


class Told:
    """A client of CloudFormation that tells what has happened so far; `calls` are the stacks it was asked about."""

    def __init__(self, events: Sequence[dict[str, Any]] = (), error: str = "") -> None:
        self.events, self.error = list(events), error
        self.calls: list[str] = []

    def get_paginator(self, operation: str) -> Told:
        assert operation == "describe_stack_events"
        return self

    def paginate(self, StackName: str) -> Any:  # noqa: N803 - boto3's name
        self.calls.append(StackName)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": ""}}, "DescribeStackEvents")
        stack = ROOT if StackName == NAME else StackName
        found = [told for told in self.events if told["StackId"] == stack]
        if not found:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": ""}}, "DescribeStackEvents")
        newest = found[::-1]
        return [{"StackEvents": newest[at : at + 10]} for at in range(0, len(newest), 10)]


def test_only_what_is_new_is_told_through_all_nested_stacks() -> None:
    client = Told([own(-100, "CREATE_IN_PROGRESS"), own(-50, "CREATE_COMPLETE")])
    rounds = Polling(client, NAME, AT_WORK)
    rounds.begin()
    assert rounds.earlier["create"].total == 50
    assert rounds.round() == []
    client.events += UPDATE[:9]
    paths = [item.path for item in [*rounds.round(), *rounds.round()]]
    assert paths == [("auth",), ("api",), ("auth",), ("api", "Todo"), ("api", "Todo", "TodoTable")]
    client.events += UPDATE[9:]
    assert [item.path[-1] for item in rounds.round()] == ["Resolver", "Resolver", "TodoTable"]
    assert rounds.round(last=True) == []


def test_a_stack_that_is_made_is_followed_from_its_beginning() -> None:
    client = Told()
    rounds = Polling(client, NAME, AT_WORK)
    rounds.begin()
    assert rounds.round() == []
    client.events += [own(0, "CREATE_IN_PROGRESS"), UPDATE[2]]
    assert [item.path for item in rounds.round()] == [("api",)]
    assert rounds.board.kind == "create"


def test_old_events_of_nested_stacks_are_left_out() -> None:
    old = [raw(-90, API, "Former", TABLE, "CREATE_IN_PROGRESS"), raw(-80, API, "Former", TABLE, "CREATE_COMPLETE")]
    rounds = Polling(Told([*old, *UPDATE]), NAME, AT_WORK)
    assert "Former" not in {item.path[-1] for item in [*rounds.round(), *rounds.round()]}


def test_a_round_asks_about_so_many_stacks_and_the_next_about_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"{API}{number}" for number in range(CALLS + 3)]
    events = [own(0, "UPDATE_IN_PROGRESS")]
    events += [raw(1, ROOT, f"S{n}", STACK, "UPDATE_IN_PROGRESS", stack) for n, stack in enumerate(ids)]
    client = Told([*events, *(raw(1, stack, "R", TABLE, "UPDATE_IN_PROGRESS") for stack in ids)])
    rounds = Polling(client, NAME, AT_WORK)
    rounds.round()
    first = client.calls[1:]
    rounds.round()
    assert len(first) == CALLS
    assert set(first) | set(client.calls) >= set(ids)
    client.calls.clear()
    rounds.round(last=True)
    assert set(client.calls) >= set(ids)
    client.calls.clear()
    monkeypatch.setattr(polling, "LAST_CALLS", 5)
    rounds.round(last=True)
    assert len(client.calls) == 1 + 5


class Stop:
    """Stops after so many waits, and remembers how long each was."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return len(self.waits) > self._rounds


def follow(client: Told, rounds: int, work: RootWork | None = None) -> tuple[Polling, Stop]:
    stop, found = Stop(rounds), Polling(client, NAME, work or AT_WORK)
    found.follow(stop, 5, lambda _: None)  # type: ignore[arg-type]
    return found, stop


def test_nothing_is_asked_while_the_engine_is_at_something_else() -> None:
    """Before: a call each five seconds, and one more of every nested stack at the end."""
    client = Told(UPDATE)
    follow(client, 100, RootWork())
    assert client.calls == []
    _, stop = follow(client, 100, RootWork(now=False, begun=1))
    # It has ended meanwhile: one round of that, and the last one.
    assert len(client.calls) <= 2 * (1 + CALLS)
    assert stop.waits[2:] == [5] * 99


def test_without_news_the_pause_grows_and_with_news_it_is_as_before() -> None:
    client = Told([own(0, "UPDATE_IN_PROGRESS")])

    class Later(Stop):
        def wait(self, seconds: float) -> bool:
            if len(self.waits) == 8:
                client.events.append(UPDATE[1])
            return super().wait(seconds)

    stop, found = Later(10), Polling(client, NAME, AT_WORK)
    found.follow(stop, 4, lambda _: None)  # type: ignore[arg-type]
    assert stop.waits == [4, 6, 9, 13.5, 16, 16, 16, 16, 16, 4, 6]


def engine_event(kind: str, type_: str, operation: str) -> Any:
    metadata = SimpleNamespace(
        type=type_,
        op=operation,
        urn=f"urn:pulumi:dev::app::{BACKEND}{type_}::n",
        new=None,
        old=None,
        diffs=(),
        keys=(),
        provider="",
    )
    events = dict.fromkeys(
        ("diagnostic_event", "resource_pre_event", "res_outputs_event", "res_op_failed_event", "summary_event")
    )
    return SimpleNamespace(**{**events, kind: SimpleNamespace(metadata=metadata)})


@pytest.mark.parametrize("end", ["res_outputs_event", "res_op_failed_event"])
def test_the_engine_says_when_it_is_at_the_root_stack(end: str) -> None:
    watch = Watch()
    seen = []
    for kind, type_, operation in (
        ("resource_pre_event", "aws:s3/bucket:Bucket", "update"),
        ("resource_pre_event", ROOT_STACK, "refresh"),
        ("resource_pre_event", ROOT_STACK, "update"),
        ("res_outputs_event", "aws:s3/bucket:Bucket", "update"),
        (end, ROOT_STACK, "update"),
        ("resource_pre_event", ROOT_STACK, "update"),
    ):
        watch(engine_event(kind, type_, operation))
        seen.append((watch.root.now, watch.root.begun))
    assert seen == [(False, 0), (False, 0), (True, 1), (True, 1), (False, 1), (True, 2)]


def test_the_pause_grows_while_aws_throttles() -> None:
    _, stop = follow(Told(error="Throttling"), 6)
    assert stop.waits == [5, 10, 20, 40, 60, 60, 60]


def test_without_the_right_nothing_is_asked_again() -> None:
    client = Told(error="AccessDenied")
    found, stop = follow(client, 6)
    assert (found.denied, len(stop.waits), len(client.calls)) == (True, 1, 1)


def test_a_full_disk_ends_it_without_a_word() -> None:
    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    Polling(Told(UPDATE), NAME, AT_WORK).follow(Stop(2), 5, full)  # type: ignore[arg-type]


def test_what_has_ended_is_told_at_last() -> None:
    lines: list[str] = []
    with following.followed(Told(UPDATE), NAME, AT_WORK, lines.append, {}):
        pass
    # All of it was there before: nothing of it is this deployment's.
    assert lines == []
    client = Told()
    with following.followed(client, NAME, AT_WORK, lines.append, {}):
        client.events += [*UPDATE, *FAILED]
    assert "  api: creating" in lines
    assert any("failed after 2 s: Table already exists" in line for line in lines)


def test_a_deletion_is_told_by_the_id_of_its_stack() -> None:
    """Of the engine's destroy; CloudFormation knows a deleted stack by its id only."""

    class Gone(Told):
        def paginate(self, StackName: str) -> Any:  # noqa: N803 - as boto3 calls it
            assert StackName != NAME
            return super().paginate(StackName)

    lines: list[str] = []
    client, work = Gone(UPDATE[:0]), RootWork(begun=1)
    engine = SimpleNamespace(root=work, line=lines.append)
    account = SimpleNamespace(client=lambda _: client)
    with following.destroying(engine, {})(account, ROOT):  # type: ignore[arg-type]
        client.events += [
            own(0, "DELETE_IN_PROGRESS", "User Initiated"),
            raw(1, ROOT, "api", STACK, "DELETE_IN_PROGRESS", API),
            raw(1, API, f"{NAME}-api-X", STACK, "DELETE_IN_PROGRESS", API),
            raw(2, API, "Table", TABLE, "DELETE_IN_PROGRESS", "Todo-dev"),
            raw(62, API, "Table", TABLE, "DELETE_COMPLETE", "Todo-dev"),
            raw(63, ROOT, "api", STACK, "DELETE_COMPLETE", API),
            own(64, "DELETE_COMPLETE"),
        ]
    assert lines == ["  api: deleting", "  api: deleted in 1 min 02 s", "  api/Table: deleted in 1 min 00 s"]


def test_what_cannot_be_shown_stops_no_deployment() -> None:
    ran = []
    with following.followed(Told(error="AccessDenied"), NAME, AT_WORK, print, {}):
        ran.append(1)
    assert ran == [1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "drawn"), [({"TERM": "xterm"}, True), ({"TERM": "xterm", "CI": "true"}, False), ({}, False)]
)
def test_where_it_is_drawn(variables: dict[str, str], drawn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert (following._terminal(print, variables) is not None) is drawn
    # With --json the progress goes to stderr, which is none here.
    assert following._terminal(output.progress, variables) is None


def test_a_terminal_is_drawn_on_and_left_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr(following, "_DRAWN", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    drawn = threading.Event()
    rows = drawing.rows

    def watched(*arguments: Any) -> list[str]:
        found = rows(*arguments)
        if found:
            drawn.set()
        return found

    monkeypatch.setattr(drawing, "rows", watched)
    client = Told()
    with following.followed(client, NAME, AT_WORK, print, {"TERM": "xterm"}):
        client.events += [*UPDATE, *FAILED]
        assert drawn.wait(300)
        print("what the engine says")
    said = screen.getvalue()
    assert "resources begun" in said
    assert "what the engine says" in said
    assert "Table already exists" in said


def test_the_calls_are_bounded() -> None:
    assert polling.CALLS <= 10
    assert event(0, ROOT, "x", TABLE, "CREATE_FAILED").failed
