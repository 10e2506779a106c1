"""Many accounts beside each other: bounded, patient with AWS, and none in the way of another."""

from __future__ import annotations

import io
import os
import re
import signal
import threading
import time
from collections.abc import Callable

import pytest

from amplify_delivery.delivery.bootstrap import progress
from amplify_delivery.delivery.bootstrap.many import each, throttled
from amplify_delivery.delivery.bootstrap.progress import Progress, duration
from amplify_delivery.errors import DeliveryError, EngineKilledError, FailedError, PluginLostError, RefusedError, midway
from aws_rehearsal_tests.clock import Clock

SOON = (0.01, 0.01, 0.01)
NAMES = {f"account{number}": number for number in range(12)}


def nobody(_: str, __: str) -> None:
    pass


def results(do: Callable[[str, int], str], parallel: int = 4, pieces: dict[str, int] | None = None) -> dict[str, str]:
    found = each(NAMES if pieces is None else pieces, do, parallel, nobody, SOON)
    return {name: str(end.result or end.error) for name, end in found}


def test_no_more_than_so_many_at_the_same_time_and_all_in_the_end() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def do(name: str, _: int) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return name

    assert results(do, 3) == {name: name for name in NAMES}
    assert most == 3


def test_one_that_fails_stops_no_other() -> None:
    def do(name: str, number: int) -> str:
        if number % 5 == 0:
            raise FailedError("no", where=name)
        return "yes"

    found = results(do)
    assert {name for name, result in found.items() if result != "yes"} == {"account0", "account5", "account10"}
    assert set(found) == set(NAMES)
    assert list(found.values()).count("yes") == 9


def test_what_is_throttled_comes_again_and_says_so() -> None:
    tries: dict[str, int] = {}
    said = []

    def do(name: str, number: int) -> str:
        tries[name] = tries.get(name, 0) + 1
        if number % 2 and tries[name] < 3:
            raise RefusedError("asking: AWS says ThrottlingException: Rate exceeded (GetParameters)")
        return "done"

    found = dict(each(NAMES, do, 4, lambda name, text: said.append((name, text)), SOON))
    assert {end.result for end in found.values()} == {"done"}
    assert set(tries.values()) == {1, 3}
    assert ("account1", "AWS throttles: try 2 in 0 s") in said


def test_patience_ends_and_what_an_earlier_try_may_have_changed_is_told() -> None:
    tries = []

    def do(_: str, __: int) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise FailedError("Throttling: Rate exceeded")
        raise RefusedError("Throttling: Rate exceeded")

    ((_, end),) = each({"one": 1}, do, 1, nobody, SOON)
    assert len(tries) == len(SOON) + 1
    assert end.error
    assert end.error.exit_code == 4


@pytest.mark.parametrize(
    ("error", "why"),
    [(PluginLostError, "a plugin of the engine has ended"), (EngineKilledError, "the engine was killed")],
)
def test_an_engine_that_has_lost_a_plugin_or_its_life_runs_once_more_and_only_once(
    error: type[DeliveryError], why: str
) -> None:
    tries: dict[str, int] = {}
    said = []

    def do(name: str, number: int) -> str:
        tries[name] = tries.get(name, 0) + 1
        if number == 1 or (number == 0 and tries[name] == 1):
            with midway():
                raise error("gone")
        return "done"

    found = dict(each({"first": 0, "second": 1}, do, 2, lambda name, text: said.append((name, text)), SOON))
    assert tries == {"first": 2, "second": 2}
    assert found["first"].result == "done"
    assert found["second"].error
    assert found["second"].error.exit_code == 4
    assert sorted(said) == [(name, f"{why}: try 2 in 0 s") for name in ("first", "second")]


@pytest.mark.parametrize("message", ["AccessDenied: throttled nothing", "the project is called throttle-app"])
def test_what_is_wrong_otherwise_is_not_tried_again(message: str) -> None:
    tries = []

    def do(_: str, __: int) -> str:
        tries.append(1)
        raise RefusedError(message)

    assert message in results(do, pieces={"one": 1})["one"]
    assert len(tries) == 1


@pytest.mark.parametrize(
    "said",
    [
        "AWS says SlowDown: Please reduce your request rate. (PutObject, request 1)",
        "aws:iam/policy:Policy x: api error Throttling: Rate exceeded",
        "operation error SSM: PutParameter, TooManyUpdates... TooManyRequestsException: x",
        "Cloud Control: HandlerErrorCode: ThrottlingException",
    ],
)
def test_it_is_known_in_whatever_an_engine_says(said: str) -> None:
    assert throttled(RefusedError(said))


def test_a_defect_is_raised_after_what_runs_has_ended() -> None:
    ended = []

    def do(name: str, number: int) -> str:
        if number == 0:
            raise ZeroDivisionError
        time.sleep(0.05)
        ended.append(name)
        return name

    with pytest.raises(ZeroDivisionError):
        results(do, 4)
    assert len(ended) == 3  # nothing further is begun


def test_an_interrupt_begins_nothing_further_and_waits_for_what_runs() -> None:
    begun, ended = [], []

    def do(name: str, _: int) -> str:
        begun.append(name)
        if len(begun) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        ended.append(name)
        return name

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        results(do, 2)
    assert sorted(ended) == sorted(begun)
    assert len(begun) < len(NAMES)
    assert signal.getsignal(signal.SIGTERM) is before


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, **variables: str) -> list[str]:
    lines: list[str] = []
    shown = Progress.on(stream, 3, variables, lines.append)
    shown.now("a-account", progress.CHECKING)
    shown.now("b-account", progress.UPDATING)
    shown.ended("a-account", progress.UNCHANGED, "a-account: unchanged")
    shown.now("b-account", "AWS throttles: try 2 in 5 s")
    shown.ended("b-account", progress.CHANGED, "b-account: 2 created")
    shown.close()
    return lines


def screen(written: str) -> list[str]:
    """What a terminal shows in the end of it: lines up and everything below away."""
    rows: list[str] = []
    for part in re.split(r"(\x1b\[\d+A\x1b\[J)", written):
        up = re.fullmatch(r"\x1b\[(\d+)A\x1b\[J", part)
        if up:
            del rows[-int(up[1]) :]
        else:
            rows += part.splitlines()
    return rows


def test_on_a_terminal_a_table_is_drawn_anew_and_is_gone_in_the_end() -> None:
    stream = Terminal()
    assert told(stream, TERM="xterm") == ["a-account: unchanged", "b-account: 2 created"]
    assert "  b-account  updating, 0 s" in stream.getvalue()
    assert "[1/3] 1 unchanged" in stream.getvalue()
    assert screen(stream.getvalue()) == []


def test_the_table_tells_the_time_and_counts_folded_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream, clock = Terminal(), Clock(monkeypatch, progress)
    shown = Progress.on(stream, 2, {}, lambda _: None)
    shown.now("a-long-name-account", progress.UPDATING)
    clock.sleep(61)
    shown.tick()
    assert "a-long-name-account  updating, 61 s" in stream.getvalue()
    assert "\x1b[3A" in stream.getvalue()  # one line of counts, and one that fills two
    plain = io.StringIO()
    Progress.on(plain, 2, {"CI": "true"}, lambda _: None).tick()
    assert plain.getvalue() == ""


def test_what_takes_long_is_told_every_second() -> None:
    ticks: list[float] = []
    ended = list(each({"one": 1}, lambda *_: time.sleep(1.2), 1, nobody, SOON, tick=lambda: ticks.append(1)))
    assert len(ended) == len(ticks) == 1


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_elsewhere_there_are_plain_lines(stream: io.StringIO) -> None:
    lines = told(stream, CI="true")
    assert lines == ["a-account: unchanged", "b-account: 2 created"]
    assert stream.getvalue() == ("[0/3] b-account: updating\n[1/3] b-account: AWS throttles: try 2 in 5 s\n")


def test_of_one_alone_is_told_that_it_begins_once_more() -> None:
    stream = io.StringIO()
    shown = Progress.on(stream, 1, {}, lambda _: None)
    for what in (progress.CHECKING, progress.UPDATING, "AWS throttles: try 2 in 5 s", progress.UPDATING):
        shown.now("a-account", what)
    assert stream.getvalue() == "[0/1] a-account: AWS throttles: try 2 in 5 s\n"


def test_a_duration_is_told_in_minutes_and_seconds() -> None:
    assert [duration(s) for s in (0.4, 59, 200)] == ["0 s", "59 s", "3 min 20 s"]
