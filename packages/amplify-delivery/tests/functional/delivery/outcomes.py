"""How a command has ended, and what is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

from amplify_delivery_rehearsal.workspace import Finished


def succeeds(finished: Finished) -> Finished:
    assert finished.exit_code == 0, finished.output
    return finished


def fails(finished: Finished, *reasons: str) -> Finished:
    assert finished.exit_code != 0, finished.output
    for reason in reasons:
        assert reason in finished.output
    assert "Traceback" not in finished.output
    return finished


def wait_until(condition: Callable[[], object], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
