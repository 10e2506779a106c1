"""A build's log in CloudWatch Logs, written with the project role's credentials.

"Allow AWS CodeBuild to interact with other AWS services" names the three calls; the sentence of a refusal is the one
that CodeBuild's builds end with, in their first phase that has the role.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.builds.builds import Build
from aws_rehearsal.pipeline_service.clients import Clients
from aws_rehearsal.pipeline_service.errors import ActionError

_EVENTS = 5_000
"""Lines per call; CloudWatch Logs takes 10,000 and a megabyte."""
_LINE = 200
"""Characters of a line that are kept here: who wants the whole reads the file."""


class BuildLog:
    """The log stream of one build; none where the project has CloudWatch Logs switched off."""

    def __init__(self, build: Build, clients: Clients) -> None:
        self._build, self._clients = build, clients
        declared = (build.project.get("logsConfig") or {}).get("cloudWatchLogs") or {}
        self._on = declared.get("status", "ENABLED") != "DISABLED"
        self._group = declared.get("groupName") or f"/aws/codebuild/{build.name}"
        self._client: Any = None

    def begin(self, credentials: Credentials) -> None:
        """Make the stream, and the group if nobody has, and write a first line. Raises `ActionError`."""
        if not self._on:
            return
        client = self._clients.get("logs", credentials, self._build.region)
        stream = {"logGroupName": self._group, "logStreamName": self._build.uuid}
        with self._telling("log streams"):
            try:
                client.create_log_stream(**stream)
            except client.exceptions.ResourceNotFoundException:
                with self._telling("log groups"):
                    client.create_log_group(logGroupName=self._group)
                client.create_log_stream(**stream)
        with self._telling("log events"):
            client.put_log_events(**stream, logEvents=[_event("[Container] Waiting for agent ping")])
        self._client = client

    def end(self) -> None:
        """Write the rest. What is refused by now is lost, and the build is what it was."""
        if self._client is None:
            return
        with contextlib.suppress(OSError, BotoCoreError, ClientError):
            lines = [line[:_LINE] for line in self._build.log.read_text(errors="replace").splitlines() if line.strip()]
            for at in range(0, len(lines), _EVENTS):
                self._client.put_log_events(
                    logGroupName=self._group,
                    logStreamName=self._build.uuid,
                    logEvents=[_event(line) for line in lines[at : at + _EVENTS]],
                )

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            role, message = self._build.project["serviceRole"], error.response.get("Error", {}).get("Message", error)
            raise ActionError(
                "ACCESS_DENIED",
                f"Service role {role} does not allow AWS CodeBuild to create Amazon CloudWatch Logs {what} for build "
                f"{self._build.arn}. Error message: {message}",
            ) from error


def _event(line: str) -> dict[str, Any]:
    return {"timestamp": int(time.time() * 1000), "message": line}
