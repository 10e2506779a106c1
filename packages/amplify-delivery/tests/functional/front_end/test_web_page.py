"""Tests that look at the page in a browser: where there is none they say so, and in a CI they fail."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aws_rehearsal_tests.absent import IN_CI
from functional.front_end import web_page
from functional.report.browsers import EXCUSED, chromium


def test_without_a_browser_the_rest_of_a_test_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    for variable in (IN_CI, EXCUSED):
        monkeypatch.delenv(variable, raising=False)
    with pytest.warns(UserWarning, match="the page is not looked at: there is no Chromium on PATH"):
        assert web_page.look(tmp_path) is None
    monkeypatch.setenv(IN_CI, "1")
    with pytest.raises(pytest.fail.Exception, match="there is no Chromium on PATH"):
        web_page.look(tmp_path)


def test_the_page_is_copied_without_what_configured_it_here(tmp_path: Path) -> None:
    source = web_page.copy(tmp_path / "web")
    assert {file.name for file in source.parent.iterdir()} == {"index.html", "app.js"}


class Api(BaseHTTPRequestHandler):
    """An API that tells its one list to whoever has the key, and lets nobody read that with it, as AppSync answers."""

    def do_OPTIONS(self) -> None:
        self.answer("")

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["query"]
        if not self.headers["x-api-key"]:
            self.refuse("UnauthorizedException", "Valid authorization header not provided.")
        elif "__schema" not in query:
            self.refuse("Unauthorized", "Not Authorized to access listPosts on type Query")
        else:
            text, item = {"name": "String", "kind": "SCALAR"}, {"name": "Post", "kind": "OBJECT"}
            types = {"Post": ("title", text), "PostConnection": ("items", {"kind": "LIST", "ofType": item})}
            listed = {"name": "listPosts", "args": [], "type": {"name": "PostConnection", "kind": "OBJECT"}}
            told = [
                {"name": name, "fields": [{"name": field, "args": [], "type": of}]}
                for name, (field, of) in types.items()
            ]
            schema = {"queryType": {"name": "Query", "fields": [listed]}, "types": told}
            self.answer(json.dumps({"data": {"__schema": schema}}))

    def refuse(self, kind: str, message: str) -> None:
        self.answer(json.dumps({"data": None, "errors": [{"errorType": kind, "message": message}]}))

    def answer(self, body: str) -> None:
        self.send_response(200)
        for name in ("Origin", "Headers"):
            self.send_header(f"Access-Control-Allow-{name}", "*")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/graphql"
    server.shutdown()
    server.server_close()


@pytest.mark.processes
def test_a_list_that_wants_more_than_the_key_says_who_may_read_it(tmp_path: Path, endpoint: str) -> None:
    """An API with a key may have models of which no rule lets anybody read with it."""
    source = web_page.copy(tmp_path / "web")
    source.mkdir()
    ends = "`amplify-delivery docs front-end` tells how."
    with chromium(os.environ) as browser, web_page.served(source.parent) as address:
        for key, kind, refusal, says in (
            ("da2-key", "API_KEY", "Not Authorized to access listPosts", "Its @auth rules ask for more than that."),
            ("da2-key", "AMAZON_COGNITO_USER_POOLS", "Not Authorized", "a user who has signed in."),
            ("da2-key", "AWS_IAM", "Not Authorized", "a request that is signed with a role of the identity pool."),
            ("", "AWS_LAMBDA", "Valid authorization header not provided.", "without a key: the API has none."),
        ):
            config = {"aws_appsync_graphqlEndpoint": endpoint, "aws_appsync_authenticationType": kind}
            config |= {"aws_appsync_apiKey": key} if key else {}
            (source / "aws-exports.js").write_text(f"export default {json.dumps(config)};\n")
            page = browser.new_page()
            page.goto(address)
            page.wait_for_selector('main[aria-busy="false"]')
            first, second = page.locator("main p").all_inner_texts()
            page.close()
            assert refusal in first
            assert says in second
            assert second.endswith(ends)
