"""AWS on a bad day: a proxy in front of the local AWS, which throttles one call in twenty and resets another, or for
which all credentials have ended once an operation was called, or those of a login that can be had anew."""

from __future__ import annotations

import io
import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

from amplify_delivery_rehearsal.conformance.login import Login
from amplify_delivery_rehearsal.conformance.proxy import Proxy, operation

_IN_XML = {"s3": (503, "SlowDown"), "": (400, "Throttling")}
_ENDED = "The security token included in the request is expired"


class FailingProxy(Proxy):
    """`failed` has the operations that were throttled or reset; nothing is while `every` is 0. Once the operation
    `ends_with` (`SERVICE:Operation`) was answered, all credentials have ended, until that is set anew; with a `login`
    that one is renewed when the operation is called, and what was kept of it is refused. `renewed` has the operations
    that were called with what it gave then, by whom (`go` is the engine)."""

    def __init__(self, port: int, every: int = 0) -> None:
        self.every = every
        self.failed: list[str] = []
        self.ends_with = ""
        self.login: Login | None = None
        self.renewed: dict[str, set[str]] = {"go": set(), "python": set()}
        self._ended_with = ""
        self._numbers = itertools.count(1)
        self._guard = threading.Lock()
        super().__init__(port)
        vars(self._server)["handle_error"] = lambda *_: None

    def _handler(self, port: int) -> type[BaseHTTPRequestHandler]:
        handler = super()._handler(port)
        answer = vars(handler)["_answer"]

        def answered(request: Any) -> None:
            with self._guard:
                number = next(self._numbers)
            if self.ends_with:
                self._answer_until_they_end(request, answer)
                return
            if not self.every or number % self.every:
                answer(request)
                return
            body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
            called = operation(request.command, request.path, request.headers, body)
            self.failed.append(called)
            if number // self.every % 2:
                request.close_connection = True
                return
            _throttle(request, called.partition(":")[0])

        for method in ("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"):
            setattr(handler, f"do_{method}", answered)
        return handler

    def _answer_until_they_end(self, request: Any, answer: Any) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        called = operation(request.command, request.path, request.headers, body)
        login = self.login
        if login and not login.renewed and called == self.ends_with:
            login.renew()
        if login.ended(request.headers) if login else self._ended_with == self.ends_with:
            self.failed.append(called)
            _refuse(request, called.partition(":")[0])
            return
        if login and login.is_second(request.headers):
            self.renewed["go" if "aws-sdk-go" in request.headers["User-Agent"] else "python"].add(called)
        request.rfile = io.BytesIO(body)
        answer(request)
        if called == self.ends_with:
            self._ended_with = called


def _throttle(request: Any, service: str) -> None:
    status, kind = _IN_XML.get(service, _IN_XML[""])
    told = "Please reduce your request rate." if service == "s3" else "Rate exceeded"
    _say(request, service, status, {"json": "ThrottlingException", "xml": kind}, told)


def _refuse(request: Any, service: str) -> None:
    """As AWS does with a session that has ended: S3 with 400, the others with 403 or, in JSON, 400."""
    status = 400 if service == "s3" or _is_json(request) else 403
    _say(request, service, status, {"json": "ExpiredTokenException", "xml": "ExpiredToken"}, _ENDED)


def _is_json(request: Any) -> bool:
    return "json" in (request.headers.get("Content-Type") or "")


def _say(request: Any, service: str, status: int, kinds: dict[str, str], told: str) -> None:
    if _is_json(request):
        content = json.dumps({"__type": kinds["json"], "message": told})
    elif service == "s3":
        content = f"<Error><Code>{kinds['xml']}</Code><Message>{told}</Message></Error>"
    else:
        error = f"<Error><Code>{kinds['xml']}</Code><Message>{told}</Message></Error>"
        content = f"<ErrorResponse>{error}</ErrorResponse>"
    request.send_response_only(status)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(content.encode())
