"""Pulumi Cloud for tests: the part of its service that `pulumi` asks for stacks, updates and secrets, on loopback.

Requests and answers are those of Pulumi's own client (`pkg/backend/httpstate/client` and `sdk/go/common/apitype` of
pulumi/pulumi), the codes and words of refusals those that this client looks for. One organisation, that of the user.

As the service has it: an update holds its stack by a lease, whose token its own calls carry, and which the client
renews; a preview holds nothing. A lease that is not renewed any more ends, and its update has failed then: here when a
test says so (`let_leases_end`), since no test waits for five minutes. Secrets are encrypted for one stack, and for no
other. Left out is what a client asks for only where the service offers it: journals, deltas of checkpoints, policies.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USER = "ann"
_EMPTY: dict[str, Any] = {"manifest": {"time": "0001-01-01T00:00:00Z", "magic": "", "version": ""}}
_PREVIEW = "preview"


class RefusedError(Exception):
    """An answer that is an error (`apitype.ErrorResponse`)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Update:
    """One of a stack's updates, or a preview."""

    kind: str
    request: dict[str, Any]
    version: int = 0
    token: str = ""
    status: str = "not started"
    began: int = 0
    ended: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As a history has it (`apitype.UpdateInfo`)."""
        metadata = self.request.get("metadata") or {}
        return {
            "kind": self.kind,
            "startTime": self.began,
            "endTime": self.ended,
            "message": metadata.get("message", ""),
            "environment": metadata.get("environment") or {},
            "config": self.request.get("config") or {},
            "result": self.status if self.status in ("succeeded", "failed") else "in-progress",
            "version": self.version,
        }


@dataclass
class Stack:
    """A stack, its state as it was last written, and what it has encrypted."""

    name: str
    project: str
    tags: dict[str, str]
    state: dict[str, Any] = field(default_factory=lambda: {"version": 3, "deployment": _EMPTY})
    version: int = 0
    updates: dict[str, Update] = field(default_factory=dict)
    active: str = ""
    """The id of the last update that was started."""
    clear: dict[str, str] = field(default_factory=dict)
    """Plain texts by ciphertext, both in base64."""

    @property
    def running(self) -> bool:
        return bool(self.active) and self.updates[self.active].status == "running"

    @property
    def resources(self) -> list[dict[str, Any]]:
        return list((self.state.get("deployment") or {}).get("resources") or ())

    def to_json(self) -> dict[str, Any]:
        update = self.updates[self.active] if self.running else None
        told = {"kind": update.kind, "author": USER, "started": update.began} if update else None
        return {
            **({"currentOperation": told} if told else {}),
            "id": f"{USER}/{self.project}/{self.name}",
            "orgName": USER,
            "projectName": self.project,
            "stackName": self.name,
            "activeUpdate": self.active,
            "tags": self.tags,
            "version": self.version,
        }


class PulumiCloud:
    """The service. `url` is what `PULUMI_BACKEND_URL` names, `token` is the user's."""

    def __init__(self) -> None:
        self.token = f"pul-{secrets.token_hex(20)}"
        self.stacks: dict[tuple[str, str], Stack] = {}
        self.asked: list[tuple[str, str]] = []
        """Method and path of each request."""
        self.before: Callable[[str, str], None] = lambda method, path: None
        """Is called with method and path before a request is answered, and may raise `RefusedError`."""
        self.after: Callable[[str, str], None] = lambda method, path: None
        """The same, once it is carried out and before it is answered."""
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self.url = ""

    @property
    def variables(self) -> dict[str, str]:
        """What a shell has that is logged in there."""
        return {"PULUMI_BACKEND_URL": self.url, "PULUMI_ACCESS_TOKEN": self.token}

    @contextmanager
    def served(self) -> Iterator[None]:
        """On loopback, within the block."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        vars(server)["handle_error"] = _ignore  # the engine closes nothing properly
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def stack(self, project: str, name: str) -> Stack:
        return self.stacks[project, name]

    def let_leases_end(self) -> None:
        """What happens five minutes after the last that was heard of an update."""
        with self._lock:
            for stack in self.stacks.values():
                for update in stack.updates.values():
                    if update.status == "running":
                        update.status, update.token, update.ended = "failed", "", int(time.time())

    def answer(self, method: str, path: str, query: str, credentials: str, body: dict[str, Any]) -> Any:
        """The answer to a request; None for one without a body. Raises `RefusedError`."""
        self.before(method, path)
        found = self._answer(method, path, query, credentials, body)
        self.after(method, path)
        return found

    def _answer(self, method: str, path: str, query: str, credentials: str, body: dict[str, Any]) -> Any:
        with self._lock:
            self.asked.append((method, path))
            kind, _, token = credentials.partition(" ")
            if path == "/api/capabilities":
                return {"capabilities": _CAPABILITIES}
            update = _OF_UPDATE.fullmatch(path)
            if update and update["verb"] in _WITH_LEASE:
                return self._of_lease(update, kind, token, body)
            if kind != "token" or token != self.token:
                raise RefusedError(401, "Unauthorized: No credentials provided or are invalid.")
            return self._of_user(method, path, query, body)

    def _of_user(self, method: str, path: str, query: str, body: dict[str, Any]) -> Any:
        if path == "/api/user":
            return {"githubLogin": USER, "name": USER, "organizations": [{"githubLogin": USER, "name": USER}]}
        if path == "/api/user/organizations/default":
            return {"gitHubLogin": USER}
        if path == "/api/user/stacks":
            asked = re.search(r"project=([^&]*)", query)
            found = [s for s in self.stacks.values() if asked is None or s.project == asked[1]]
            return {"stacks": [self._summary(s) for s in found]}
        project = re.fullmatch(rf"/api/stacks/{USER}/([^/]+)", path)
        if project and method == "POST":
            return self._create(project[1], body)
        if project:
            if not any(s.project == project[1] for s in self.stacks.values()):
                raise RefusedError(404, "Not Found: Project not found")
            return None
        named = _OF_STACK.fullmatch(path)
        if named is None or named["owner"] != USER or (named["project"], named["name"]) not in self.stacks:
            raise RefusedError(404, f"Not Found: {path}")
        return self._of_stack(self.stacks[named["project"], named["name"]], method, named["rest"] or "", query, body)

    def _summary(self, stack: Stack) -> dict[str, Any]:
        last = [u.began for u in stack.updates.values() if u.began and u.kind != _PREVIEW]
        told = {k: stack.to_json()[k] for k in ("id", "orgName", "projectName", "stackName")}
        return {**told, "lastUpdate": max(last), "resourceCount": len(stack.resources)} if last else told

    def _create(self, project: str, body: dict[str, Any]) -> dict[str, Any]:
        name = str(body["stackName"])
        if (project, name) in self.stacks:
            raise RefusedError(409, f"Conflict: Stack '{name}' already exists")
        made = Stack(name, project, dict(body.get("tags") or {}))
        if body.get("state"):
            made.state = body["state"]
        self.stacks[project, name] = made
        return {}

    def _of_stack(self, stack: Stack, method: str, rest: str, query: str, body: dict[str, Any]) -> Any:
        if not rest and method == "DELETE":
            if stack.resources and "force=true" not in query:
                raise RefusedError(400, "Bad Request: Stack still contains resources.")
            del self.stacks[stack.project, stack.name]
            return None
        if not rest:
            return stack.to_json()
        if rest == "tags":
            stack.tags = dict(body)
            return None
        if rest == "export":
            return stack.state
        if rest == "import":
            self._check_free(stack)
            key = self._add(stack, Update("import", {}))
            stack.version += 1
            made = stack.updates[key]
            made.status, made.version, made.began, made.ended = "succeeded", stack.version, *2 * (int(time.time()),)
            stack.state = {k: body[k] for k in ("version", "features", "deployment") if k in body}
            return {"updateId": key}
        if rest == "updates":
            told = [u.to_json() for u in stack.updates.values() if u.began and u.kind != _PREVIEW]
            size = re.search(r"pageSize=(\d+)", query)
            return {"updates": told[::-1][: int(size[1]) if size else None]}
        if rest in ("encrypt", "decrypt", "batch-encrypt", "batch-decrypt"):
            return self._crypt(stack, rest, body)
        if rest in ("update", _PREVIEW, "refresh", "destroy"):
            return {"updateID": self._add(stack, Update(rest, body))}
        return self._of_update(stack, method, rest, body)

    def _of_update(self, stack: Stack, method: str, rest: str, body: dict[str, Any]) -> Any:
        _, _, tail = rest.partition("/")
        key, _, verb = tail.partition("/")
        update = stack.updates.get(key)
        if update is None:
            raise RefusedError(404, f"Not Found: Update '{key}' not found")
        if method == "GET" and not verb:
            return {"status": update.status, "events": []}
        if verb == "cancel":
            if update.status != "running":
                raise RefusedError(409, "Conflict: The Update has already completed")
            update.status, update.token, update.ended = "failed", "", int(time.time())
            return None
        if verb or method != "POST":
            raise RefusedError(404, f"Not Found: {rest}")
        return self._start(stack, key, update, body)

    def _start(self, stack: Stack, key: str, update: Update, body: dict[str, Any]) -> dict[str, Any]:
        if update.kind != _PREVIEW:
            self._check_free(stack)
            stack.version += 1
            stack.active = key
        if body.get("tags") is not None:
            stack.tags = dict(body["tags"])
        update.token, update.status = secrets.token_hex(16), "running"
        update.version, update.began = stack.version, int(time.time())
        return {"version": stack.version, "token": update.token, "tokenExpiration": int(time.time()) + 300}

    def _check_free(self, stack: Stack) -> None:
        if stack.running:
            raise RefusedError(409, "Conflict: Another update is currently in progress.")

    def _add(self, stack: Stack, update: Update) -> str:
        key = f"00000000-0000-4000-8000-{next(self._ids):012d}"
        stack.updates[key] = update
        return key

    def _of_lease(self, named: re.Match[str], kind: str, token: str, body: dict[str, Any]) -> Any:
        stack = self.stacks.get((named["project"], named["name"]))
        update = stack.updates.get(named["id"]) if stack else None
        if stack is None or update is None:
            raise RefusedError(404, f"Not Found: Update '{named['id']}' not found")
        if kind != "update-token" or not update.token or token != update.token:
            raise RefusedError(403, "The provided update token has expired.")  # as in pulumi/pulumi issue 4619
        if named["verb"] == "renew_lease":
            return {"token": update.token, "tokenExpiration": int(time.time()) + int(body["duration"])}
        if named["verb"] == "checkpoint":
            stack.state = {k: body[k] for k in ("version", "features", "deployment") if body.get(k) is not None}
        elif named["verb"] == "complete":
            update.status, update.token, update.ended = str(body["status"]), "", int(time.time())
        else:
            update.events += body["events"]
        return None

    @staticmethod
    def _crypt(stack: Stack, rest: str, body: dict[str, Any]) -> dict[str, Any]:
        def encrypted(plain: str) -> str:
            made = base64.b64encode(secrets.token_bytes(24)).decode()
            stack.clear[made] = plain
            return made

        def decrypted(text: str) -> str:
            if text not in stack.clear:
                raise RefusedError(400, "Bad Request: invalid ciphertext")
            return stack.clear[text]

        if rest == "encrypt":
            return {"ciphertext": encrypted(body["plaintext"])}
        if rest == "decrypt":
            return {"plaintext": decrypted(body["ciphertext"])}
        if rest == "batch-encrypt":
            return {"ciphertexts": [encrypted(text) for text in body["plaintexts"]]}
        return {"plaintexts": {text: decrypted(text) for text in body["ciphertexts"]}}


def _ignore(*_: object) -> None:
    pass


_CAPABILITIES = [
    {"capability": "batch-encrypt"},
    {"capability": "deployment-schema-version", "version": 1, "configuration": {"version": 4}},
]
_STACK = r"/api/stacks/(?P<owner>[^/]+)/(?P<project>[^/]+)/(?P<name>[^/]+)"
_OF_STACK = re.compile(rf"{_STACK}(?:/(?P<rest>.+))?")
_OF_UPDATE = re.compile(rf"{_STACK}/(?:update|preview|refresh|destroy)/(?P<id>[^/]+)/(?P<verb>[a-z_/]+)")
_WITH_LEASE = ("renew_lease", "checkpoint", "complete", "events/batch")
"""What an update itself calls, by the token of its lease."""


def _handler(cloud: PulumiCloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                sent = gzip.decompress(sent)
            path, _, query = self.path.partition("?")
            try:
                body = json.loads(sent) if sent else {}
                found = cloud.answer(self.command, path, query, self.headers.get("Authorization") or "", body or {})
                self._send(204 if found is None else 200, found)
            except RefusedError as refused:
                self._send(refused.code, {"code": refused.code, "message": str(refused)})

        def _send(self, code: int, found: Any) -> None:
            body = b"" if found is None else json.dumps(found).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def pulumi_cloud() -> Iterator[PulumiCloud]:
    """The service, while a test runs."""
    cloud = PulumiCloud()
    with cloud.served():
        yield cloud
