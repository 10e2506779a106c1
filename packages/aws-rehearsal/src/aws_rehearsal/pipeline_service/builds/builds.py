"""Builds: what one is, and the state its API answers are made from. `build_run` runs them."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_rehearsal.pipeline_service.definitions import Store

IN_PROGRESS, SUCCEEDED, FAILED = "IN_PROGRESS", "SUCCEEDED", "FAILED"
TIMED_OUT, STOPPED, FAULT = "TIMED_OUT", "STOPPED", "FAULT"


@dataclass(frozen=True)
class Input:
    """An artifact a pipeline hands to a build."""

    name: str
    region: str
    store: Store
    place: tuple[str, str]
    revision: str | None = None


@dataclass(frozen=True)
class Output:
    """Where a pipeline wants an artifact of a build."""

    name: str
    region: str
    store: Store
    key: str


@dataclass(frozen=True)
class Ticket:
    """What CodePipeline tells CodeBuild beside the public StartBuild call, which has no fields for it."""

    initiator: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    primary: str
    account: str


@dataclass
class Phase:
    """A phase of a build."""

    kind: str
    status: str = IN_PROGRESS
    started: float = field(default_factory=time.time)
    ended: float | None = None
    contexts: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Build:
    """One build, with the project as it was when it started and what the call overrode already in it."""

    project: dict[str, Any]
    account: str
    region: str
    number: int
    initiator: str
    log: Path
    overrides: list[dict[str, Any]] = field(default_factory=list)
    ticket: Ticket | None = None
    source_version: str | None = None
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = IN_PROGRESS
    started: float = field(default_factory=time.time)
    ended: float | None = None
    phases: list[Phase] = field(default_factory=list)
    exported: dict[str, str] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        return str(self.project["name"])

    @property
    def id(self) -> str:
        return f"{self.name}:{self.uuid}"

    @property
    def arn(self) -> str:
        return f"arn:aws:codebuild:{self.region}:{self.account}:build/{self.id}"

    @property
    def project_arn(self) -> str:
        return f"arn:aws:codebuild:{self.region}:{self.account}:project/{self.name}"

    @property
    def resolved_version(self) -> str | None:
        """The commit it builds, if its source is an artifact made from one."""
        if self.ticket is None:
            return self.source_version
        return next((item.revision for item in self.ticket.inputs if item.name == self.ticket.primary), None)

    def document(self) -> dict[str, Any]:
        """The build as BatchGetBuilds answers it."""
        project = self.project
        variables = list((project.get("environment") or {}).get("environmentVariables") or ())
        stream = self.uuid
        group = f"/aws/codebuild/{self.name}"
        return {
            "id": self.id,
            "arn": self.arn,
            "buildNumber": self.number,
            "startTime": self.started,
            "endTime": self.ended,
            "currentPhase": self.phases[-1].kind if self.phases else "SUBMITTED",
            "buildStatus": self.status,
            "sourceVersion": self.source_version,
            "resolvedSourceVersion": self.resolved_version,
            "projectName": self.name,
            "phases": [_phase_document(phase) for phase in self.phases],
            "source": project.get("source"),
            "artifacts": {"location": self._artifact_location()},
            "environment": {
                **(project.get("environment") or {}),
                "environmentVariables": [
                    *(item for item in variables if item["name"] not in {o["name"] for o in self.overrides}),
                    *self.overrides,
                ],
            },
            "serviceRole": project.get("serviceRole"),
            "logs": {
                "groupName": group,
                "streamName": stream,
                "deepLink": self.log.as_uri(),
                "cloudWatchLogsArn": f"arn:aws:logs:{self.region}:{self.account}:log-group:{group}:log-stream:{stream}",
            },
            "timeoutInMinutes": project.get("timeoutInMinutes", 60),
            "queuedTimeoutInMinutes": project.get("queuedTimeoutInMinutes", 480),
            "buildComplete": self.ended is not None,
            "initiator": self.initiator,
            "encryptionKey": project.get("encryptionKey"),
            "exportedEnvironmentVariables": [{"name": name, "value": value} for name, value in self.exported.items()],
        }

    def _artifact_location(self) -> str:
        if self.ticket is None or not self.ticket.outputs:
            return ""
        first = self.ticket.outputs[0]
        return f"arn:aws:s3:::{first.store.bucket}/{first.key}"


def _phase_document(phase: Phase) -> dict[str, Any]:
    if phase.kind == "COMPLETED":
        return {"phaseType": phase.kind, "startTime": phase.started}
    return {
        "phaseType": phase.kind,
        "phaseStatus": phase.status,
        "startTime": phase.started,
        "endTime": phase.ended,
        "durationInSeconds": None if phase.ended is None else int(phase.ended - phase.started),
        "contexts": [{"statusCode": code, "message": message} for code, message in phase.contexts],
    }
