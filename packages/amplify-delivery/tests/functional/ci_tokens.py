"""Tokens as a CI signs them for its jobs: what they say, and the address at which a job of GitHub asks for its own.

Nobody checks a signature here; issuer, audience and claims are compared as AWS does.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from amplify_delivery.components.documents.web_identity import GITHUB


class Issuer:
    """The address at which a job of GitHub asks for its token, and what the next token says."""

    def __init__(self, subject: str, claims: Mapping[str, str]) -> None:
        self.subject, self.claims = subject, claims
        self.asked: list[str] = []
        self.seconds = 300
        """How long a token lives, as GitHub's do."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(f"{self.path} {self.headers['Authorization']}")
                body = json.dumps({"value": issuer.token()}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def variables(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.server.server_port}/token?version=1"
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner"}

    def token(self) -> str:
        ends = {"exp": int(time.time()) + self.seconds}
        ours = {"iss": f"https://{GITHUB}", "aud": "sts.amazonaws.com", "sub": self.subject}
        return signed({**ours, **ends, **self.claims})


def signed(claims: Mapping[str, object]) -> str:
    """A token that says so."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
    return ".".join([*parts, "signature"])
