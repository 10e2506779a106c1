"""Bake time: how long it waits, and what ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from amplify_delivery.delivery.pipeline.bake import POLL, AlarmState, wait
from amplify_delivery.errors import DeployError


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def states(*values: str) -> tuple[Callable[[], AlarmState], list[str]]:
    """An alarm that has these states one after the other, the last one for ever; and what was seen of it."""
    seen: list[str] = []

    def look() -> AlarmState:
        seen.append(values[min(len(seen), len(values) - 1)])
        return AlarmState(seen[-1], "too many errors")

    return look, seen


def test_without_an_alarm_it_only_waits() -> None:
    clock = Clock()
    wait(5, None, "dev", clock=clock, sleep=clock.sleep)
    assert clock.now == 1300


@pytest.mark.parametrize("quiet", ["OK", "INSUFFICIENT_DATA"])
def test_an_alarm_that_is_quiet_is_looked_at_until_the_end(quiet: str) -> None:
    clock, (look, seen) = Clock(), states(quiet)
    wait(5.1, look, "dev", clock=clock, sleep=clock.sleep)
    assert clock.now == pytest.approx(1306)
    assert len(seen) == 306 // POLL + 2


@pytest.mark.parametrize(("before", "seconds"), [(0, 0), (3, 3 * POLL), (10, 10 * POLL)])
def test_an_alarm_that_rings_ends_it_at_once(before: int, seconds: float) -> None:
    clock, (look, _) = Clock(), states(*["OK"] * before, "ALARM")
    with pytest.raises(DeployError, match="too many errors") as caught:
        wait(5, look, "dev, alarm errors", clock=clock, sleep=clock.sleep)
    assert clock.now == 1000 + seconds
    assert caught.value.where == "dev, alarm errors"
