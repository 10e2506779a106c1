"""Calls of AWS, as lines of the debug log: which service and operation, where, how it ended, how long it took.

botocore's own debug log has parameters, bodies and signatures in it. Nothing of a call's input or output is told here,
and of a refusal the code alone: AWS repeats values in its messages.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

_BEGAN = "amplify_delivery_began"
"""Where the time stands in what botocore carries along with a call."""
_log = logging.getLogger(__name__)


def watch(session: Any) -> None:
    """Log the calls of all clients of a botocore session, from now on."""
    session.register("before-call", _before)
    session.register("after-call", _after)
    session.register("after-call-error", _failed)


def _before(context: dict[str, Any], **_: Any) -> None:
    context[_BEGAN] = time.monotonic()


def _after(model: Any, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> None:
    if not _log.isEnabledFor(logging.DEBUG):
        return
    answer = parsed.get("ResponseMetadata", {})
    code = parsed.get("Error", {}).get("Code")
    again = f", {answer['RetryAttempts']} times again" if answer.get("RetryAttempts") else ""
    _log.debug(
        "%s %s %s: %s%s in %.0f ms%s, request %s",
        model.service_model.service_name,
        model.name,
        context.get("client_region"),
        answer.get("HTTPStatusCode"),
        f" {code}" if code else "",
        _milliseconds(context),
        again,
        answer.get("RequestId", "?"),
    )


def _failed(exception: Exception, context: Mapping[str, Any], event_name: str = "", **_: Any) -> None:
    _log.debug(
        "%s %s: %s after %.0f ms",
        event_name.removeprefix("after-call-error."),
        context.get("client_region"),
        type(exception).__name__,
        _milliseconds(context),
    )


def _milliseconds(context: Mapping[str, Any]) -> float:
    now = time.monotonic()
    return (now - float(context.get(_BEGAN, now))) * 1000
