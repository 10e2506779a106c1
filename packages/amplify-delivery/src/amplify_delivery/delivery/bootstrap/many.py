"""Many pieces of work beside each other, each on its own: one that fails stops no other, one that AWS throttles comes
again a little later, and so does, once, one whose engine was killed or has lost a plugin."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from amplify_delivery.delivery.engine.pulumi_command import engines_of_threads
from amplify_delivery.errors import DeliveryError, EngineKilledError, PluginLostError

PAUSES = (5.0, 15.0, 30.0, 60.0)
"""Seconds before the second and every further try, about: those who were throttled together must not come together."""
_THROTTLED = re.compile(
    r"\b(?:Throttl\w+|TooManyRequests\w*|RequestLimitExceeded|RequestThrottled\w*|SlowDown|PriorRequestNotComplete"
    r"|BandwidthLimitExceeded|EC2ThrottledException|ProvisionedThroughputExceededException)\b|\bRate exceeded\b"
)
"""AWS's codes for it, as botocore's retries know them, wherever they stand in what an engine or a provider says."""

_PLUGIN_ENDED = "a plugin of the engine has ended"

Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Ended(Generic[Work, Result]):
    """A piece of work, and its result or what it has failed with."""

    work: Work
    result: Result | None
    error: DeliveryError | None = None


def throttled(error: DeliveryError) -> bool:
    """Whether AWS had too much to do, and nothing else is wrong."""
    return bool(_THROTTLED.search(error.message))


def each(
    pieces: Mapping[str, Work],
    do: Callable[[str, Work], Result],
    parallel: int,
    told: Callable[[str, str], None],
    pauses: Sequence[float] = PAUSES,
    *,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[tuple[str, Ended[Work, Result]]]:
    """`do` each of `pieces`, by name, so many at the same time; each as it ends, whatever has become of it.

    What `do` raises other than a `DeliveryError` is a defect, or an interrupt: nothing further is begun, what runs is
    waited for, and it is raised. `told` is what has become of which in between, `tick` is called every second in which
    nothing has ended.
    """
    with engines_of_threads() as stop, ThreadPoolExecutor(parallel, "account") as pool:
        running: dict[Future[Result], str] = {}
        left = list(pieces)[::-1]
        try:
            while left or running:
                while left and len(running) < parallel and not stop.is_set():
                    name = left.pop()
                    running[pool.submit(_patiently, do, name, pieces[name], told=told, pauses=pauses, stop=stop)] = name
                ended = wait(running, timeout=1, return_when=FIRST_COMPLETED).done
                if not ended:
                    tick()
                for future in ended:
                    name = running.pop(future)
                    yield name, _ended(pieces[name], future)
                if stop.is_set() and not running:
                    raise KeyboardInterrupt
        finally:
            stop.set()


def _ended(work: Work, future: Future[Result]) -> Ended[Work, Result]:
    try:
        return Ended(work, future.result())
    except DeliveryError as error:
        return Ended(work, None, error)


def _patiently(
    do: Callable[[str, Work], Result],
    name: str,
    work: Work,
    *,
    told: Callable[[str, str], None],
    pauses: Sequence[float],
    stop: threading.Event,
) -> Result:
    changed, number, left, lost = False, 1, list(pauses), False
    while True:
        try:
            return do(name, work)
        except DeliveryError as error:
            # An earlier try may have changed something, even if the last one has not.
            changed = error.changed = changed or error.changed
            if isinstance(error, (PluginLostError, EngineKilledError)) and pauses and not lost:
                # Nobody has refused anything, and what the engine had begun the next run finds.
                lost_one = "the engine was killed" if isinstance(error, EngineKilledError) else _PLUGIN_ENDED
                why, pause, lost = lost_one, pauses[0], True
            elif throttled(error) and left:
                why, pause = "AWS throttles", left.pop(0)
            else:
                raise
            number, seconds = number + 1, pause * random.uniform(0.5, 1.5)  # noqa: S311 - nothing secret
            told(name, f"{why}: try {number} in {seconds:.0f} s")
            if stop.wait(seconds):
                raise
