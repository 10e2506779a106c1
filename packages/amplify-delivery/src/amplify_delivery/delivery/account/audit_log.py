"""A bootstrapped environment's audit log: a log group in its account that the pipeline can append to and not shorten.

One event for each plan and each deployment, one stream for each command that ran: `plan/...` and `deploy/...`, since
the role that plans may write its own only. What an event holds: `amplify_delivery.delivery.deployment.audit`.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from amplify_delivery.components.documents.naming import DEPLOY, EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.publishing.aws_errors import suppressing

_MOST = 100_000
"""Characters of an event that are kept; CloudWatch Logs takes 256 KiB (quotas of CloudWatch Logs, "Event size")."""


class AuditLog:
    """The log of one environment, for one run of a command (`plan` or `deploy`).

    `build` is the id of CodeBuild's build, if it is one. Every method raises `RefusedError`.
    """

    def __init__(self, account: Account, names: EnvironmentNames, command: str, build: str | None) -> None:
        self._account, self._group = account, names.audit_log_group
        self._stream = f"{names.audit_streams(command)}{_run(build)}"
        self._deployments = names.audit_streams(DEPLOY)

    def open(self) -> str:
        """Make this run's stream; the ARN of whoever runs it. Nothing is to be changed by somebody who can't."""
        account = self._account
        logs = account.client("logs")
        with account.asking(f"opening the audit log {self._group}"):
            who: str = account.client("sts").get_caller_identity()["Arn"]
            # A build may run the command more than once.
            with suppressing("ResourceAlreadyExistsException"):
                logs.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        return who

    def append(self, event: Mapping[str, Any]) -> None:
        """Append an event."""
        account = self._account
        text = json.dumps(event, ensure_ascii=False)
        if len(text) > _MOST:
            short = {"dataLoss": list(event.get("dataLoss", ()))[:100], "error": str(event.get("error", ""))[:10_000]}
            text = json.dumps({**event, **short}, ensure_ascii=False)
        time = int(datetime.now(UTC).timestamp() * 1000)
        with account.asking(f"writing to the audit log {self._group}"):
            account.client("logs").put_log_events(
                logGroupName=self._group,
                logStreamName=self._stream,
                logEvents=[{"timestamp": time, "message": text}],
            )

    def deployed(self, approved: str, target: str) -> bool:
        """Whether the plan with the digest `approved` was carried out here, and led to `target` (its digest)."""
        if not re.fullmatch("[0-9a-f]{64}", approved):
            return False
        return any(carried_out(event, approved, target) for event in self._events(approved))

    def deployments(self) -> Iterator[Mapping[str, Any]]:
        """The events of deployments that have changed something, the oldest first."""
        yield from (event for event in self._events("deployed") if event.get("result") == "deployed")

    def _events(self, term: str) -> Iterator[Mapping[str, Any]]:
        """The events of deployments in which a word stands."""
        account = self._account
        with account.asking(f"reading the audit log {self._group}"):
            pages = account.client("logs").get_paginator("filter_log_events")
            for page in pages.paginate(
                logGroupName=self._group, logStreamNamePrefix=self._deployments, filterPattern=f'"{term}"'
            ):
                for found in page["events"]:
                    if found["logStreamName"].startswith(self._deployments):
                        yield _parsed(found["message"])


def carried_out(event: Mapping[str, Any], approved: str, target: str) -> bool:
    """Whether an event tells that the plan `approved` was carried out and led to `target`.

    That there was nothing to change counts only if it was that very plan: else something else stood there already.
    """
    if event.get("approved") != approved or event.get("target") != target:
        return False
    result = event.get("result")
    return result == "deployed" or (result == "nothing to change" and event.get("plan") == approved)


def _parsed(message: str) -> Mapping[str, Any]:
    try:
        event = json.loads(message)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _run(build: str | None) -> str:
    """Names a run: the build's id, where it is one. A stream's name has neither `:` nor `*`."""
    if build:
        return re.sub("[:*]", "/", build)
    return f"by-hand/{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(4)}"
