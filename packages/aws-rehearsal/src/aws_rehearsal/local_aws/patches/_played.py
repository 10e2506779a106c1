"""What is common to services that are played: what a call makes is kept and told again, and nothing runs behind it.

MiniStack's own functions say whose request it is and where; so an account and a region sees only what is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack import app
from ministack.core.responses import REST_JSON_CONTENT_TYPE, AccountRegionScopedDict, json_response

from ._expect import expect, replace

Answer = tuple[int, dict[str, str], bytes]


class PlayedError(Exception):
    """A refusal: AWS's name for it, its status and its sentence."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def kept() -> Any:
    """A store by account and region, emptied together with all of MiniStack's own."""
    store = AccountRegionScopedDict()
    original = expect(app, "_reset_all_state")

    def reset_all_state() -> None:
        original()
        store._data.clear()

    replace("_reset_all_state", reset_all_state, app)
    return store


def answer(body: Mapping[str, Any], status: int = 200) -> Answer:
    """An answer of a service that speaks REST and JSON."""
    found: Answer = json_response(dict(body), status, content_type=REST_JSON_CONTENT_TYPE)
    return found


def refusal(error: PlayedError, message_key: str = "message") -> Answer:
    """A refusal of such a service; SDKs find its name in the header."""
    status, headers, body = answer({message_key: str(error)}, error.status)
    return status, {**headers, "x-amzn-errortype": error.code}, body
