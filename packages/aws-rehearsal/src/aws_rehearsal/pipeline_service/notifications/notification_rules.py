"""Notification rules: which changes of a pipeline they name, and what is told. Pure.

"Events for notification rules on pipelines" of the Developer Tools console user guide; the message is that of its
"Notification examples", with the pipeline's EventBridge detail in it.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from typing import Any

from aws_rehearsal.pipeline_service import state as states
from aws_rehearsal.pipeline_service.notifications.events import Event
from aws_rehearsal.pipeline_service.state import ActionRun, Execution

SERVICE = "codestar-notifications.amazonaws.com"
_PREFIX = "codepipeline-pipeline-"
_EVENTS = {
    "action-execution": ("Action execution", "succeeded failed canceled started"),
    "stage-execution": ("Stage execution", "started succeeded resumed canceled failed"),
    "pipeline-execution": ("Pipeline execution", "failed canceled started resumed succeeded superseded"),
    "manual-approval": ("Manual approval", "failed needed succeeded"),
}
EVENT_TYPES = {
    f"{_PREFIX}{subject}-{what}": f"{title}: {what.capitalize()}"
    for subject, (title, words) in _EVENTS.items()
    for what in words.split()
}
"""Id of an event type of pipelines -> its name."""

_SUBJECTS = {"execution": "pipeline-execution", "stage": "stage-execution", "action": "action-execution"}
_WORDS = {
    states.IN_PROGRESS: "started",
    states.SUCCEEDED: "succeeded",
    states.FAILED: "failed",
    states.CANCELLED: "canceled",
    states.ABANDONED: "canceled",
    states.SUPERSEDED: "superseded",
}
_DETAIL_TYPES = {
    "pipeline-execution": "CodePipeline Pipeline Execution State Change",
    "stage-execution": "CodePipeline Stage Execution State Change",
    "action-execution": "CodePipeline Action Execution State Change",
    "manual-approval": "CodePipeline Manual Approval State Change",
}


@dataclass
class NotificationRule:
    """A rule as CreateNotificationRule made it; `statuses` tells of each target, by its address."""

    arn: str
    account: str
    region: str
    name: str
    resource: str
    detail_type: str
    event_types: tuple[str, ...]
    targets: tuple[tuple[str, str], ...]
    """Type and address of each target."""
    created_by: str
    created: float
    modified: float
    status: str = "ENABLED"
    tags: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A change of a pipeline that a rule may name; `key` is the same for the same change told twice."""

    event_type: str
    key: str
    detail: dict[str, Any]

    @property
    def detail_type(self) -> str:
        subject = next(subject for subject in _EVENTS if self.event_type.startswith(f"{_PREFIX}{subject}-"))
        return _DETAIL_TYPES[subject]


def changes(event: Event, execution: Execution) -> list[Change]:
    """What an event of the engine is in notification rules; the execution as it is while the event is told."""
    subject, word = _SUBJECTS.get(event.kind), _WORDS.get(event.status)
    if subject is None:
        return []
    detail = {
        "pipeline": execution.pipeline.name,
        "execution-id": execution.id,
        "version": execution.pipeline.version,
    }
    if event.kind == "execution":
        # One that goes on after it had ended, because a stage is retried, is resumed.
        if word == "started" and any(run.manual_retries or run.automatic_retries for run in execution.stages.values()):
            word = "resumed"
        return _change(subject, word, f"{execution.id}/{_retries(execution)}", detail)
    stage = execution.stages.get(event.stage)
    detail["stage"] = event.stage
    if event.kind == "stage":
        retries = stage.manual_retries + stage.automatic_retries if stage else 0
        word = "resumed" if word == "started" and retries else word
        return _change(subject, word, f"{execution.id}/{event.stage}/{retries}", detail)
    run = next((run for run in reversed(execution.history) if _is_run(run, event)), None)
    if run is None:
        return []
    kind = run.action
    kinds = {"category": kind.category, "owner": kind.owner, "provider": kind.provider, "version": kind.version}
    detail |= {"action": event.action, "region": execution.pipeline.region_of(kind), "type": kinds}
    found = _change(subject, word, run.id, detail)
    if kind.category == "Approval":
        asked = "needed" if run.status == states.IN_PROGRESS and run.token else None
        found += _change("manual-approval", word if word in ("succeeded", "failed") else asked, run.id, detail)
    return found


def _retries(execution: Execution) -> int:
    return sum(run.manual_retries + run.automatic_retries for run in execution.stages.values())


def _is_run(run: ActionRun, event: Event) -> bool:
    return (run.stage, run.action.name) == (event.stage, event.action)


def _change(subject: str, word: str | None, key: str, detail: dict[str, Any]) -> list[Change]:
    event_type = f"{_PREFIX}{subject}-{word}"
    if event_type not in EVENT_TYPES:
        return []
    assert word is not None  # noqa: S101 - it is part of a known name
    return [Change(event_type, f"{event_type}/{key}", {**detail, "state": word.upper()})]


def message(rule: NotificationRule, change: Change, at: float, about: dict[str, str]) -> str:
    """What is published; `about` is told by rules of the detail type FULL only."""
    time = datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(
        {
            "account": rule.account,
            "detailType": change.detail_type,
            "region": rule.region,
            "source": "aws.codepipeline",
            "time": time,
            "notificationRuleArn": rule.arn,
            "detail": change.detail,
            "resources": [rule.resource],
            "additionalAttributes": about if rule.detail_type == "FULL" else {},
        }
    )
