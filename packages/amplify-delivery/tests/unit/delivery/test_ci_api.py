"""One question to a CI's API: what counts as an answer, and where the token goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from amplify_delivery.delivery import ci_api
from amplify_delivery.delivery.account.remote import tokens
from amplify_delivery.errors import RefusedError


class Server:
    """Answers each path with a status, headers and a body; keeps the tokens that it was asked with."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.tokens: list[str] = []
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                ours.tokens.append(self.headers.get("Authorization") or "")
                status, headers, body = ours.answers[self.path]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def api() -> Iterator[Server]:
    server = Server()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    server = Server()
    yield server
    server.server.shutdown()
    server.server.server_close()


HEADERS = {"Authorization": "Bearer t"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_no_token_to_another_host(api: Server, elsewhere: Server, status: int) -> None:
    elsewhere.answers["/new"] = (200, {}, b'{"id": 1}')
    api.answers["/old"] = (status, {"Location": f"{elsewhere.url}/new"}, b"")
    assert ci_api.get(f"{api.url}/old", HEADERS).status == status
    assert elsewhere.tokens == []
    # GitHub sends who asks for a renamed repository to its number, on the same host.
    api.answers["/new"] = (200, {}, b'{"id": 2}')
    api.answers["/old"] = (status, {"Location": "/new"}, b"")
    assert ci_api.get(f"{api.url}/old", HEADERS).document == {"id": 2}
    assert api.tokens == ["Bearer t"] * 3


def test_a_job_asks_for_its_token_in_the_same_way(api: Server, elsewhere: Server) -> None:
    variables = {tokens.URL_VARIABLE: f"{api.url}/token?v=1", tokens.BEARER_VARIABLE: "b"}
    found = tokens.source(variables, "sts.amazonaws.com")
    assert found
    path = "/token?v=1&audience=sts.amazonaws.com"
    elsewhere.answers["/"] = (200, {}, b'{"value": "stolen"}')
    for wrong in (
        (302, {"Location": f"{elsewhere.url}/"}, b""),
        (500, {}, b"<html>"),
        (200, {}, b"<html>"),
        (200, {}, b"[]"),
        (200, {}, b"{}"),
        (200, {"Content-Length": "99"}, b"{"),
    ):
        api.answers[path] = wrong
        with pytest.raises(RefusedError, match="GitHub gave no token"):
            found.fetch()
    assert elsewhere.tokens == []
    api.answers[path] = (200, {}, b'{"value": "signed"}')
    assert found.fetch() == "signed"
    assert set(api.tokens) == {"bearer b"}


def test_an_error_is_told_in_the_apis_words(api: Server) -> None:
    api.answers["/"] = (403, {}, b'{"message": "Resource not accessible\\n by personal access token"}')
    assert ci_api.get(f"{api.url}/", {}).said == "403: Resource not accessible by personal access token"
    api.answers["/"] = (401, {}, b'{"error": "\\u001b[2J"}')
    assert ci_api.get(f"{api.url}/", {}).said == "401"
    api.answers["/"] = (502, {}, b"<html>")
    assert ci_api.get(f"{api.url}/", {}).said == "502"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "file:///etc/hostname", "http://[/", "nothing"])
def test_what_does_not_answer_is_told_as_such(url: str) -> None:
    with pytest.raises(ci_api.NoAnswerError):
        ci_api.get(url, HEADERS)
