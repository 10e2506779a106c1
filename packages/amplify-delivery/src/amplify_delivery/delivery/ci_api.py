"""A GET of a CI's REST API with a token: one request, one answer, and no token for anybody else.

Used for GitHub's and GitLab's APIs, and for the address at which GitHub signs a job's token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from amplify_delivery.errors import RefusedError

OK, NOT_FOUND = 200, 404
_SECONDS = 20
"""For a connection, and for each read."""
_MOST = 4 * 1024 * 1024
"""Bytes of an answer: a workflow run has some 50 KB."""
_SHOWN = 200


@dataclass(frozen=True)
class Answer:
    """What an API says: an HTTP status, and the JSON object that came with it."""

    status: int
    document: Mapping[str, Any] = field(default_factory=dict)
    """Empty where an error came with no JSON object."""
    date: str = ""
    """The server's clock, as the header `Date` has it."""

    @property
    def said(self) -> str:
        """The status with the API's own words for an error, such as `403: Resource not accessible by integration`."""
        words = self.document.get("message") or self.document.get("error_description") or self.document.get("error")
        text = " ".join(str(words or "").split())[:_SHOWN]
        return f"{self.status}: {text}" if text.isprintable() and text else str(self.status)


class NoAnswerError(RefusedError):
    """The API could not be reached, or answered with something else than a JSON object."""


def get(url: str, headers: Mapping[str, str]) -> Answer:
    """The answer to a GET, whatever its status. Raises `NoAnswerError` where there is none.

    A redirect is followed on the same host only (GitHub answers one for a renamed repository): `urllib` would take the
    token along to any other. There it is the answer, with its status 301, 302, 303, 307 or 308.
    """
    if not url.startswith(("https://", "http://")):
        raise NoAnswerError(f"{url} is not the address of an API")
    try:
        asked = Request(url, headers={"Accept": "application/json", **headers})  # noqa: S310 - http or https, see above
        with build_opener(_SameHost()).open(asked, timeout=_SECONDS) as answer:
            return Answer(answer.status, _object(answer), str(answer.headers.get("Date") or ""))
    except HTTPError as error:
        with error:
            return Answer(error.code, _object_or_nothing(error), str(error.headers.get("Date") or ""))
    except (OSError, HTTPException, ValueError, TypeError) as error:
        raise NoAnswerError(f"{url} does not answer: {error}", remedy="repeat the command") from None


class _SameHost(HTTPRedirectHandler):
    """Follows a redirect to the scheme, host and port that were asked."""

    def redirect_request(  # noqa: PLR0917 - urllib's signature
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        asked, told = urlsplit(req.full_url), urlsplit(newurl)
        if (told.scheme, told.netloc) != (asked.scheme, asked.netloc):
            return None  # urllib raises it as an `HTTPError` then
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _object(answer: IO[bytes]) -> Mapping[str, Any]:
    """The JSON object of an answer. Raises `ValueError` if it is none, or is too large."""
    text = answer.read(_MOST + 1)
    if len(text) > _MOST:
        raise ValueError(f"the answer has more than {_MOST} bytes")
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("the answer is not a JSON object")
    return found


def _object_or_nothing(answer: IO[bytes]) -> Mapping[str, Any]:
    try:
        return _object(answer)
    except (OSError, HTTPException, ValueError, TypeError):
        return {}
