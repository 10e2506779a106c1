"""The HTTP side: what the front inside the local AWS hands on, taken on the loopback interface."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aws_rehearsal.pipeline_service import shapes
from aws_rehearsal.pipeline_service.errors import ServiceError
from aws_rehearsal.pipeline_service.gate import Caller

Operation = Callable[[dict[str, Any], Caller], dict[str, Any]]
Find = Callable[[str, str], Operation | None]
"""Service and operation -> what carries it out."""


Declared = Callable[[dict[str, Any]], dict[str, Any]]
"""What makes, changes or deletes a resource of a template."""


def answer(find: Find, declared: Declared, document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and body for a request as the front hands it on. Never raises."""
    try:
        if "resource" in document:
            return 200, declared(document)
        given: dict[str, Any] = {}
        if "target" in document:
            service, model = shapes.operation(document["target"])
        else:
            service = document["service"]
            model, given = shapes.rest_operation(service, document["path"], document["query"])
        carry_out = find(service, model.name)
        if carry_out is None:
            raise ServiceError("UnknownOperationException", f"{model.name} is not part of the rehearsal")  # noqa: TRY301
        try:
            params = json.loads(document["body"] or "{}")
        except ValueError as error:
            raise ServiceError("SerializationException", f"not JSON: {error}") from error
        params = {**params, **given} if given else params
        shapes.check_input(model, params)
        return 200, shapes.as_output(model, carry_out(params, Caller(**document["caller"])))
    except ServiceError as error:
        return error.status, error.document()
    except Exception as error:  # noqa: BLE001 - an answer in any case
        return 500, {"__type": "InternalFailure", "message": repr(error)}


class Listener:
    """A server on a free port of the loopback interface, one thread per request."""

    def __init__(self, find: Find, declared: Declared, token: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                if not hmac.compare_digest(self.headers.get("X-Pipelines-Token", "").encode(), token.encode()):
                    status, document = 403, {"__type": "AccessDeniedException", "message": "wrong token"}
                else:
                    status, document = answer(find, declared, json.loads(body))
                content = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Nothing on standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="pipelines", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)
