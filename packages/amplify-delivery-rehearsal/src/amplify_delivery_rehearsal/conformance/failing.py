"""AWS on a bad day: a proxy in front of the local AWS, which throttles one call in twenty and resets another."""

from __future__ import annotations

import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

from amplify_delivery_rehearsal.conformance.proxy import Proxy, operation

_IN_XML = {"s3": (503, "SlowDown"), "": (400, "Throttling")}


class FailingProxy(Proxy):
    """`failed` has the operations that were throttled or reset; nothing is while `every` is 0."""

    def __init__(self, port: int, every: int = 0) -> None:
        self.every = every
        self.failed: list[str] = []
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


def _throttle(request: Any, service: str) -> None:
    status, kind = _IN_XML.get(service, _IN_XML[""])
    if "json" in (request.headers.get("Content-Type") or ""):
        content = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"})
    elif service == "s3":
        content = f"<Error><Code>{kind}</Code><Message>Please reduce your request rate.</Message></Error>"
    else:
        content = f"<ErrorResponse><Error><Code>{kind}</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
    request.send_response_only(status)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(content.encode())
