"""How a rehearsal ends that is told to: with everything that it has started, and nothing left behind."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amplify_delivery_rehearsal import commands

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""What a CI sends at a job's end, and a terminal that is closed. A terminal's Ctrl-C reaches the commands by itself."""


@contextmanager
def tidy() -> Iterator[None]:
    """Make the first of these signals an interrupt, as Ctrl-C is, for the block and the commands that run in it.

    Further ones change nothing: what is being put away is put away.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: Any) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        commands.interrupt_all()
        raise KeyboardInterrupt

    commands.begin()
    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        commands.begin()
