"""Trying again what AWS refuses until a change elsewhere has spread: a new role, a target that has just gone.

Plays `tfresource.RetryWhen...` of terraform-provider-aws. Upstream tries for minutes; the local AWS knows at once, so
PROPAGATION_SECONDS are enough for what the engine makes at the same time, and a mistake is told soon.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from aws_rehearsal.providers.errors import ProviderError, error_code, error_message

PROPAGATION_SECONDS = 2.0
POLL_SECONDS = 0.1

Answer = TypeVar("Answer")


def patiently(act: Callable[[], Answer], code: str, message: str = "") -> Answer:
    """What `act` answers, tried again as long as AWS refuses it with this error code and a text with `message` in it.

    Raises what `act` raises: at once for any other error, else when time is up.
    """
    deadline = time.monotonic() + PROPAGATION_SECONDS
    while True:
        try:
            return act()
        except Exception as error:
            early = error_code(error) == code and message in error_message(error)
            if not early or time.monotonic() >= deadline:
                raise
        time.sleep(POLL_SECONDS)


def until_gone(look: Callable[[], Any], gone: Collection[str]) -> None:
    """Looks for what was deleted until AWS answers with one of these error codes, or nothing (None, False).

    Raises what `look` raises else, and ProviderError if it is still there when time is up.
    """
    deadline = time.monotonic() + PROPAGATION_SECONDS
    while True:
        try:
            if not look():
                return
        except Exception as error:
            if error_code(error) in gone:
                return
            raise
        if time.monotonic() >= deadline:
            raise ProviderError("timeout while waiting for state to become ''")
        time.sleep(POLL_SECONDS)
