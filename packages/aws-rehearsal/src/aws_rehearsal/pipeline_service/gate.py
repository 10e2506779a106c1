"""Questions to the front inside the local AWS: who may do what, and role sessions for AWS services."""

from __future__ import annotations

import contextlib
import http.client
import json
from dataclasses import dataclass
from typing import Any

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.errors import ServiceError


@dataclass(frozen=True)
class Caller:
    """Who sent a request, as the local AWS found out."""

    access_key_id: str
    arn: str
    account: str
    region: str


@dataclass(frozen=True)
class Denied:
    """Why something is not allowed, in AWS's words."""

    code: str
    message: str


class Gate:
    """The front of one local AWS."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token

    def join(self, port: int) -> None:
        """Have the requests for the services handed on to `port`."""
        self._ask("join", {"port": port})

    def denied(
        self, caller: Caller, action: str, resource: str, context: dict[str, Any] | None = None
    ) -> Denied | None:
        """Why `caller` may not do `action` on `resource`, None if it may."""
        answer = self._ask(
            "authorize",
            {
                "access_key_id": caller.access_key_id,
                "account": caller.account,
                "region": caller.region,
                "action": action,
                "resource": resource,
                "context": context or {},
            },
        )
        return None if answer["allowed"] else Denied(answer["code"], answer["message"])

    def require(self, caller: Caller, action: str, resource: str, context: dict[str, Any] | None = None) -> None:
        """Raise AWS's `AccessDeniedException` unless `caller` may do `action` on `resource`."""
        denied = self.denied(caller, action, resource, context)
        if denied is not None:
            raise ServiceError(denied.code, denied.message)

    def assume(
        self, role: str, service: str, source_arn: str, region: str, session_name: str, *, dry_run: bool = False
    ) -> Credentials | None:
        """Credentials of `role` for an AWS service acting for `source_arn`; None if its trust does not let it in.

        With `dry_run` the role's trust is only asked: the answer's credentials are empty.
        """
        answer = self._ask(
            "assume",
            {
                "role": role,
                "service": service,
                "source_arn": source_arn,
                "source_account": source_arn.split(":")[4],
                "region": region,
                "session_name": session_name[:64],
                "dry_run": dry_run,
            },
        )
        if not answer["assumed"]:
            return None
        return Credentials(
            role.split(":")[4],
            answer.get("access_key_id", ""),
            answer.get("secret_access_key", ""),
            answer.get("session_token"),
        )

    def key(self, named: str, account: str, region: str) -> dict[str, Any] | None:
        """A KMS key as `account` names it: `arn`, `state`, `aliases`; None if there is none."""
        answer = self._ask("key", {"key": named, "account": account, "region": region})
        return answer if answer["found"] else None

    def publish(self, topic: str, service: str, source_account: str, message: str) -> bool:
        """Publish to an SNS topic as an AWS service; whether the topic's policy let it."""
        asked = {"topic": topic, "service": service, "source_account": source_account, "message": message}
        return bool(self._ask("publish", asked)["published"])

    def _ask(self, question: str, document: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with contextlib.closing(connection):
            connection.request(
                "POST", f"/_pipelines/{question}", json.dumps(document), {"X-Pipelines-Token": self._token}
            )
            response = connection.getresponse()
            body = response.read()
        if response.status != 200:
            raise ServiceError("InternalFailure", f"{question}: {body.decode(errors='replace')[:500]}", 500)
        found: dict[str, Any] = json.loads(body)
        return found
