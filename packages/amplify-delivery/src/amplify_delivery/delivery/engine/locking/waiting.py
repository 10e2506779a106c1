"""Waiting while another deployment changes the same environment, or another update the same pipeline.

Whoever waits begins again afterwards: what the other one has left is not what was looked at before.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from types import MappingProxyType

from amplify_delivery.delivery import output
from amplify_delivery.errors import ConfigError, LockedError

WAIT_VARIABLE = "AMPLIFY_DELIVERY_WAIT"
"""Minutes that a command waits. Those of the pipeline do: the release in front may be in its deployment still when the
next one is planned, and a build that was abandoned goes on while the next one begins. CodeBuild itself would not have
the second one wait: "builds return an error if the number of running builds reaches the concurrent build limit for the
project" ("Builds in AWS CodeBuild")."""
_LONGEST_WAIT = 2160
"""Minutes of the longest build that CodeBuild runs."""
PAUSES = (2.0, 4.0, 8.0, 15.0)
"""Seconds between two attempts; the last one for all that follow."""


def add_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """`--wait MINUTES`, while something else changes `what`."""
    parser.add_argument(
        "--wait",
        type=_minutes,
        metavar="MINUTES",
        help=f"wait at most this long while another run changes {what}; default: ${WAIT_VARIABLE}, else not at all",
    )


def _minutes(text: str) -> int:
    if not (text.isdecimal() and int(text) <= _LONGEST_WAIT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes up to {_LONGEST_WAIT}")
    return int(text)


def _of_variable(text: str) -> int:
    try:
        return _minutes(text)
    except argparse.ArgumentTypeError as error:
        raise ConfigError(str(error), where=f"${WAIT_VARIABLE}", remedy="set it again, or unset it") from None


_NONE: Mapping[str, str] = MappingProxyType({})


class Patience:
    """The time that one run of a command has for waiting, whatever it waits for."""

    def __init__(self, minutes: int | None, variables: Mapping[str, str] = _NONE) -> None:
        """`minutes` as they were asked for, else those of the variable, else none. Raises `ConfigError`."""
        if minutes is None:
            minutes = _of_variable(variables.get(WAIT_VARIABLE, "0"))
        self.minutes = minutes
        self._deadline = time.monotonic() + minutes * 60.0
        self._waited = 0

    @property
    def left(self) -> float:
        """Seconds."""
        return max(self._deadline - time.monotonic(), 0.0)

    def wait(self, error: LockedError) -> bool:
        """Wait a little for the lock; False, at once, when there is no time left."""
        if not self.left:
            return False
        if not self._waited:
            output.progress(f"{error.message}: waiting until that has ended, {self.minutes} minutes at most")
        time.sleep(min(PAUSES[min(self._waited, len(PAUSES) - 1)], self.left))
        self._waited += 1
        return True
