"""What the SDK is spared comes to what it would have come to."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from pulumi._utils import ContextProperty

from aws_rehearsal.warm import sdk

WAITS = [asyncio.wait, sdk.waiting()]


async def all_of(wait: Callable[..., Any], outstanding: set[asyncio.Task[Any]]) -> list[Any]:
    """As `pulumi.runtime.stack.wait_for_rpcs` waits for outputs, which go on making others; what came, in its order."""
    came: list[Any] = []
    while outstanding:
        tasks = list(outstanding)
        outstanding.clear()
        done, left = await wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert done and done.isdisjoint(left) and done | left == set(tasks)
        assert all(task.done() for task in done)
        came += sorted([await task for task in done])
        outstanding |= left
    return came


async def played(wait: Callable[..., Any], seed: int, fails: int | None) -> list[Any]:
    """Tasks that end after some turns of the loop; some make another one, and one of them may fail."""
    random, outstanding, number = Random(seed), set[asyncio.Task[int]](), iter(range(1000))

    def begin() -> None:
        outstanding.add(asyncio.create_task(task(next(number), random.randrange(6), random.random() < 0.4)))

    async def task(name: int, turns: int, more: bool) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        if name == fails:
            raise ValueError(name)
        if more:
            begin()
        return name

    for _ in range(12):
        begin()
    try:
        return await all_of(wait, outstanding)
    finally:
        for left in outstanding:
            left.cancel()


@pytest.mark.parametrize("fails", [None, 0, 7, 14])
def test_outputs_are_waited_for_to_the_last_and_a_failure_is_raised(fails: int | None) -> None:
    for seed in range(20):
        outcomes = []
        for wait in WAITS:
            try:
                outcomes.append(sorted(asyncio.run(played(wait, seed, fails))))
            except ValueError as error:
                outcomes.append([str(error)])
        assert outcomes[0] == outcomes[1]
        assert len(outcomes[0]) >= 12 or outcomes[0] == [str(fails)]


@pytest.mark.parametrize("wait", WAITS)
def test_other_waits_are_asyncios(wait: Callable[..., Any]) -> None:
    async def ended() -> tuple[int, int]:
        tasks = [asyncio.create_task(asyncio.sleep(seconds)) for seconds in (0, 0, 60)]
        done, left = await wait(tasks, timeout=0.01, return_when=asyncio.ALL_COMPLETED)
        tasks[2].cancel()
        every, _ = await wait(tasks, return_when=asyncio.ALL_COMPLETED)
        assert every == {*done, *left}
        return len(done), len(left)

    assert asyncio.run(ended()) == (2, 1)
    with pytest.raises(ValueError, match="empty"):
        asyncio.run(wait([], return_when=asyncio.FIRST_COMPLETED))


def test_a_wait_that_is_given_up_is_given_up() -> None:
    async def given_up() -> bool:
        never = asyncio.create_task(asyncio.sleep(60))
        waits = asyncio.create_task(sdk.waiting()([never], return_when=asyncio.FIRST_COMPLETED))
        for _ in range(3):
            await asyncio.sleep(0)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        return never.cancel()

    assert asyncio.run(given_up())


def test_a_stack_trace_names_the_same_places() -> None:
    def told(frames: traceback.StackSummary) -> list[tuple[str, int | None, str]]:
        return [(frame.filename, frame.lineno, frame.name) for frame in frames]

    one, other = told(sdk.extract_stack()), told(traceback.extract_stack())
    assert one == other
    assert one[-1][2] == "test_a_stack_trace_names_the_same_places"


@pytest.mark.parametrize("value", [None, 0, "text", {1, 2}, {"a": 1}])
def test_a_setting_is_what_it_is(value: Any) -> None:
    class Read(ContextProperty):
        __get__ = sdk.reading(ContextProperty.__get__)

    read, own = Read(name="read"), ContextProperty(name="own")
    settings: Any = type("Settings", (), {"read": read, "own": own})
    assert settings.read is read
    for default in (None, value):
        settings().own, settings().read = default, default
        was, is_now = settings().own, settings().read
        assert (was is own, is_now is read) == (isinstance(default, dict),) * 2
        assert isinstance(default, dict) or was is is_now is default
