"""The tokens that a CI signs for its jobs, and the address at which GitHub's jobs ask for them.

"OpenID Connect reference" of GitHub, "OpenID Connect (OIDC) Authentication Using ID Tokens" of GitLab. Nobody checks a
signature here (`local_aws.patches.web_identity` says why), so there is none.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex, token_urlsafe
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

GITHUB = "token.actions.githubusercontent.com"
_GITHUBS_SECONDS = 300
"""How long a token of GitHub's lives."""

Claims = Mapping[str, object]


def signed(claims: Claims, seconds: int) -> str:
    """A token that says so, for as long."""
    now = int(time.time())
    ours = {**claims, "iat": now, "nbf": now, "exp": now + seconds, "jti": token_hex(16)}
    parts = [_encoded({"alg": "RS256", "typ": "JWT"}), _encoded(ours)]
    return ".".join([*parts, "rehearsed"])


class Issuer:
    """An address on the loopback interface; who asks for the token of a job has to know that job's bearer token."""

    def __init__(self) -> None:
        self._claims: dict[str, Claims] = {}
        self._bearers: dict[str, str] = {}
        self.asked: list[str] = []
        """The subjects of the tokens that were given, in order."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._token))
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="issuer", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def job(self, name: str, claims: Claims) -> dict[str, str]:
        """What GitHub puts into the environment of a job with `id-token: write`; its tokens say `claims`."""
        self._claims[name] = claims
        bearer = self._bearers.setdefault(name, token_urlsafe(24))
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{self._server.server_port}/{quote(name)}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer,
        }

    def _token(self, name: str, authorization: str, audience: str) -> str | None:
        kind, _, bearer = authorization.partition(" ")
        claims = self._claims.get(name)
        # Another job's would be a token with that job's rights.
        if claims is None or kind.lower() != "bearer" or bearer != self._bearers[name]:
            return None
        self.asked.append(str(claims["sub"]))
        # "the URL of the repository owner" is the default of the audience.
        aud = audience or f"https://github.com/{claims.get('repository_owner', '')}"
        return signed({**claims, "iss": f"https://{GITHUB}", "aud": aud}, _GITHUBS_SECONDS)


def _handler(token: Callable[[str, str, str], str | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            audience = parse_qs(parts.query).get("audience", [""])[0]
            found = token(unquote(parts.path).strip("/"), self.headers.get("Authorization", ""), audience)
            body = json.dumps({"value": found} if found else {"message": "no token for this job"}).encode()
            self.send_response(200 if found else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Silent: a token is nothing for a log."""

    return Handler


def _encoded(part: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
