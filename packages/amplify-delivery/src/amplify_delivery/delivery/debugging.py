"""What a command does, line by line on stderr: `--debug`, or `AMPLIFY_DELIVERY_DEBUG=1`.

Told are the engine's command lines, calls of AWS (service, operation, region, outcome, time, request id) and processes
of cfn-lint. Never told is what any of them is given or answers: no parameter's value, no environment variable, no
credentials; a module that logs names what it does, and not with what.

In a CI nobody repeats a failure with `--debug`: there the last lines are kept, and printed when a command fails.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections import deque
from collections.abc import Mapping

from amplify_delivery.errors import DeliveryError

VARIABLE = "AMPLIFY_DELIVERY_DEBUG"
KEPT = 60
"""Lines that are printed after a failure in a CI."""
_CI = ("CODEBUILD_BUILD_ID", "CI")
"""Variables that tell of a CI: AWS CodeBuild's own, and the one that GitHub, GitLab, Bitbucket and others set."""
_LOGGER = "amplify_delivery"
_log = logging.getLogger(__name__)


class Debugging:
    """Where debug lines of one run of a command go: to stderr at once (`asked`), or kept for a failure in a CI."""

    def __init__(self, *, asked: bool, variables: Mapping[str, str]) -> None:
        self._kept: deque[str] = deque(maxlen=KEPT)
        self._asked = asked or variables.get(VARIABLE, "0") not in ("", "0")
        self._in_ci = any(variables.get(name) for name in _CI)
        self._handler = _Handler(None if self._asked else self._kept)
        self._handler.setFormatter(logging.Formatter("debug: %(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
        self._logger = logging.getLogger(_LOGGER)
        self._before = (self._logger.level, self._logger.propagate)

    def __enter__(self) -> Debugging:
        if self._asked or self._in_ci:
            self._logger.addHandler(self._handler)
            self._logger.setLevel(logging.DEBUG)
            self._logger.propagate = False
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, Exception):
            self._tell_kept()  # a defect: its traceback follows
        self._logger.removeHandler(self._handler)
        self._logger.level, self._logger.propagate = self._before

    def failed(self, error: DeliveryError) -> None:
        """Before the error is told, which should be what a log ends with: where it was raised, and in a CI what had
        been done before. The traceback is for who asked for it: in a CI's log it would be one for a user's mistake,
        and push what a step's commands have said out of the last lines."""
        if self._asked:
            _log.debug("raised here:", exc_info=error)
        elif self._kept:  # nothing was done before a refused argument: the error says all
            _log.debug("raised in %s", _place(error))
        self._tell_kept()

    def _tell_kept(self) -> None:
        if self._kept:
            print(f"the last {len(self._kept)} debug lines:", file=sys.stderr)
            print("\n".join(self._kept), file=sys.stderr)


def _place(error: BaseException) -> str:
    """File and line, from this package on."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "nowhere"
    return f"{frames[-1].filename.rpartition(f'{_LOGGER}/')[2]}:{frames[-1].lineno}"


class _Handler(logging.Handler):
    """To stderr as it is now, which a test may have replaced, or into `kept`."""

    def __init__(self, kept: deque[str] | None) -> None:
        super().__init__()
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if self._kept is None:
            print(text, file=sys.stderr, flush=True)
        else:
            self._kept.append(text)
