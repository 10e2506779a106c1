"""A proxy in front of the local AWS that notes which operation of which service was called.

It hands requests on as they are, the host's name included, since that is signed.
"""

from __future__ import annotations

import http.client
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_SETTINGS = {
    "accelerate": "BucketAccelerateConfiguration",
    "acl": "BucketAcl",
    "cors": "BucketCors",
    "encryption": "BucketEncryption",
    "lifecycle": "BucketLifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "object-lock": "ObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "PublicAccessBlock",
    "replication": "BucketReplication",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
_WHOLE = {"delete": "DeleteObjects", "uploads": "ListMultipartUploads", "versions": "ListObjectVersions"}
_BUCKET = {"GET": "ListObjects", "PUT": "CreateBucket", "DELETE": "DeleteBucket", "HEAD": "HeadBucket"}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


def operation(method: str, path: str, headers: Any, body: bytes) -> str:
    """`SERVICE:Operation` of a signed request; empty for one that is not signed."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/aws4_request", headers.get("Authorization") or "")
    if not scope:
        return ""
    service, parts = scope[1], urlsplit(path)
    if target := headers.get("X-Amz-Target"):
        return f"{service}:{target.rpartition('.')[2]}"
    if rpc := re.search(r"/operation/(\w+)$", parts.path):
        return f"{service}:{rpc[1]}"
    if service == "s3":
        return f"s3:{_s3(method, parts.path, parse_qs(parts.query, keep_blank_values=True))}"
    if action := parse_qs(body.decode("utf-8", "replace")).get("Action"):
        return f"{service}:{action[0]}"
    name = parts.path.strip("/").partition("/")[0]
    return f"{service}:{name[:1].upper()}{name[1:]}"


def _s3(method: str, path: str, query: dict[str, list[str]]) -> str:
    if path.startswith("/v20180820/"):
        verb = {"GET": "ListTagsForResource", "POST": "TagResource", "DELETE": "UntagResource"}.get(method, method)
        return f"Control{verb}"
    verb = method.capitalize()
    if path.strip("/").partition("/")[2]:
        return f"{verb}Object{'Tagging' if 'tagging' in query else ''}"
    for key in query:
        if key in _WHOLE:
            return _WHOLE[key]
        if key in _SETTINGS:
            return verb + _SETTINGS[key]
    return _BUCKET[method]


class Proxy:
    """Listens on the loopback interface as long as it is entered; `calls` can be emptied."""

    def __init__(self, port: int) -> None:
        self.calls: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(port))
        self._server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def passes(self, called: str, request: str) -> bool:
        """Whether a call is handed on; else its connection is closed. `request` is its path and body."""
        del request
        if called:
            self.calls.add(called)
        return True

    def answers(self, called: str, request: str) -> bool:
        """Whether the answer is handed back; else the connection is closed, and AWS has done what was asked."""
        del called, request
        return True

    def _handler(self, port: int) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # An answer is sent in two parts: the second would wait 40 ms for a client that confirms the first one late.
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                self._upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

            def finish(self) -> None:
                self._upstream.close()
                super().finish()

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                called = operation(self.command, self.path, self.headers, body)
                request = f"{self.path} {body.decode('utf-8', 'replace')}"
                if not proxy.passes(called, request):
                    self.close_connection = True
                    return
                answer = self._sent(body)
                content = answer.read()
                if not proxy.answers(called, request):
                    self.close_connection = True
                    return
                _pass_on(self, answer, content)

            def _sent(self, body: bytes) -> http.client.HTTPResponse:
                """The answer, on the connection on which the client's other requests went: as without the proxy."""
                used = self._upstream.sock is not None
                try:
                    return self._asked(body)
                except ConnectionError:
                    self._upstream.close()
                    if not used:
                        raise
                    return self._asked(body)  # it had been idle for so long that the other end has closed it

            def _asked(self, body: bytes) -> http.client.HTTPResponse:
                self._upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    self._upstream.putheader(name, value)
                self._upstream.endheaders(body)
                return self._upstream.getresponse()

            def log_message(self, *_: object) -> None:
                """Nothing: the calls are what there is to say."""

        for method in ("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"):
            setattr(Handler, f"do_{method}", Handler._answer)
        return Handler


def _pass_on(handler: BaseHTTPRequestHandler, answer: http.client.HTTPResponse, content: bytes) -> None:
    """Give an answer, whose body has been read, to the client."""
    handler.send_response_only(answer.status)
    for name, value in answer.getheaders():
        if name.lower() not in _HOP_BY_HOP | {"content-length"}:
            handler.send_header(name, value)
    # A HEAD request's answer tells a length that it does not have.
    length = answer.getheader("Content-Length") if handler.command == "HEAD" else None
    handler.send_header("Content-Length", length or str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
