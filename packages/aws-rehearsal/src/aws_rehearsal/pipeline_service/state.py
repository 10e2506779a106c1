"""What happens to a pipeline: executions, their stages and actions. Plain state, changed only by `engine`."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from aws_rehearsal.pipeline_service.definitions import Action, Pipeline, Stage

IN_PROGRESS, SUCCEEDED, FAILED, SKIPPED = "InProgress", "Succeeded", "Failed", "Skipped"
STOPPED, STOPPING, CANCELLED, SUPERSEDED, ABANDONED = "Stopped", "Stopping", "Cancelled", "Superseded", "Abandoned"
OVERRIDDEN = "Overridden"

RUNNING = (IN_PROGRESS, STOPPING)
"""Statuses of an execution that has not ended."""


def new_id() -> str:
    """An id as executions and actions have them."""
    return str(uuid.uuid4())


@dataclass
class Artifact:
    """An artifact of an execution: where its zip lies, by region, and the revision it was made from."""

    name: str
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    revision: str | None = None
    summary: str | None = None
    url: str | None = None
    created: float = 0.0


@dataclass
class RuleRun:
    """One check of a rule."""

    name: str
    id: str = field(default_factory=new_id)
    status: str = IN_PROGRESS
    summary: str | None = None
    updated: float = field(default_factory=time.time)


@dataclass
class ConditionRun:
    """One check of a stage's condition: InProgress, then Succeeded, Failed, Errored, or Overridden by a person."""

    status: str = IN_PROGRESS
    summary: str | None = None
    rules: list[RuleRun] = field(default_factory=list)
    updated: float = field(default_factory=time.time)

    @property
    def passed(self) -> bool:
        return self.status in (SUCCEEDED, OVERRIDDEN)


@dataclass
class ActionRun:
    """One execution of an action."""

    action: Action
    stage: str
    id: str = field(default_factory=new_id)
    status: str = IN_PROGRESS
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    updated_by: str | None = None
    summary: str | None = None
    external_id: str | None = None
    external_url: str | None = None
    error: tuple[str, str] | None = None
    token: str | None = None
    deadline: float | None = None
    configuration: dict[str, str] = field(default_factory=dict)
    inputs: list[Artifact] = field(default_factory=list)
    outputs: list[Artifact] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


@dataclass
class StageRun:
    """What an execution did in a stage; `actions` holds the latest run of each action."""

    name: str
    status: str = IN_PROGRESS
    actions: dict[str, ActionRun] = field(default_factory=dict)
    before_entry: ConditionRun | None = None
    on_success: ConditionRun | None = None
    on_failure: ConditionRun | None = None
    automatic_retries: int = 0
    manual_retries: int = 0
    entered: float = field(default_factory=time.time)


@dataclass
class Execution:
    """One execution of a pipeline, under the definition it was started with.

    `position` is the stage it is in (`inside`) or waits to enter. A rollback runs one stage only (`only`).
    """

    pipeline: Pipeline
    trigger: tuple[str, str]
    id: str = field(default_factory=new_id)
    status: str = IN_PROGRESS
    summary: str | None = None
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    position: int = 0
    inside: bool = False
    only: bool = False
    rollback_of: str | None = None
    stop_reason: str | None = None
    stop_as: str = STOPPED
    stages: dict[str, StageRun] = field(default_factory=dict)
    history: list[ActionRun] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    wanted_revisions: dict[str, str] = field(default_factory=dict)
    wanted_keys: dict[str, str] = field(default_factory=dict)
    """Other object keys of S3 sources, by action."""

    @property
    def stage(self) -> Stage:
        """The stage it is in or waits to enter."""
        return self.pipeline.stages[self.position]

    @property
    def stage_run(self) -> StageRun | None:
        return self.stages.get(self.stage.name)

    @property
    def running(self) -> bool:
        return self.status in RUNNING

    def namespaces(self) -> dict[str, dict[str, str]]:
        """Every variable an action may refer to now."""
        return {
            "codepipeline": {"PipelineExecutionId": self.id},
            "variables": self.variables,
            **self.outputs,
        }


@dataclass
class Transition:
    """Whether executions may enter a stage."""

    enabled: bool = True
    reason: str | None = None
    changed_by: str | None = None
    changed_at: float = field(default_factory=time.time)


@dataclass
class PipelineState:
    """A pipeline with everything that happened to it, oldest execution first."""

    definition: Pipeline
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    executions: list[Execution] = field(default_factory=list)
    transitions: dict[str, Transition] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    client_tokens: dict[str, str] = field(default_factory=dict)
    versions: dict[int, Pipeline] = field(default_factory=dict)
    heads: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)

    def execution(self, execution_id: str) -> Execution | None:
        """The execution of that id."""
        return next((found for found in self.executions if found.id == execution_id), None)

    def transition(self, stage: str) -> Transition:
        """The transition into a stage."""
        return self.transitions.setdefault(stage, Transition())

    def latest_in(self, stage: str) -> Execution | None:
        """The execution that entered a stage last."""
        entered = [run for run in self.executions if stage in run.stages]
        return max(entered, key=lambda run: run.stages[stage].entered, default=None)
