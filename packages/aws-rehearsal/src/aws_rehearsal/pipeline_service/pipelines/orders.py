"""What is ordered from outside: start, stop, retry, roll back, approve, override, transitions, a new definition.

Each order is refused with the exception the CodePipeline API reference names for it.
"""

from __future__ import annotations

import time
from typing import Literal

from aws_rehearsal.pipeline_service.definitions import Pipeline
from aws_rehearsal.pipeline_service.errors import ActionError, ServiceError, validation
from aws_rehearsal.pipeline_service.pipelines.decisions import may_roll_back_to
from aws_rehearsal.pipeline_service.pipelines.engine import Engine
from aws_rehearsal.pipeline_service.state import (
    CANCELLED,
    FAILED,
    IN_PROGRESS,
    OVERRIDDEN,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    ActionRun,
    ConditionRun,
    Execution,
    PipelineState,
    StageRun,
    Transition,
)

UpdatePolicy = Literal["cancel", "let-go-on", "finish"]
"""What an update does to executions that run: end them at once, leave them to run under their old definition, or let
their running actions finish and end them then. AWS shows the first ("a status of cancelled means that the pipeline's
definition was updated before the stage execution could be completed") but promises none."""

MOST_CONCURRENT = 50


class Orders:
    """Orders to one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.update_policy: UpdatePolicy = "cancel"

    def start(
        self,
        state: PipelineState,
        trigger: tuple[str, str],
        variables: dict[str, str] | None = None,
        revisions: dict[str, str] | None = None,
        token: str | None = None,
        *,
        keys: dict[str, str] | None = None,
    ) -> Execution:
        """Start an execution; the same client request token answers with the one it started."""
        with self._engine.lock:
            if token is not None and token in state.client_tokens:
                found = state.execution(state.client_tokens[token])
                if found is not None:
                    return found
            pipeline = state.definition
            running = sum(execution.running for execution in state.executions)
            if pipeline.mode != "SUPERSEDED" and running >= MOST_CONCURRENT:
                raise ServiceError(
                    "ConcurrentPipelineExecutionsLimitExceededException",
                    f"The pipeline has reached the limit for concurrent pipeline executions: {MOST_CONCURRENT}",
                )
            execution = Execution(
                pipeline,
                trigger,
                variables=_variables(pipeline, variables or {}),
                wanted_revisions=_revisions(pipeline, revisions or {}),
                wanted_keys=_keys(pipeline, _revisions(pipeline, keys or {})),
            )
            if token is not None:
                state.client_tokens[token] = execution.id
        return self._engine.start(state, execution)

    def stop(self, state: PipelineState, execution: Execution, reason: str | None, *, abandon: bool) -> None:
        """Stop an execution: let its actions finish, or abandon them."""
        with self._engine.lock:
            if not execution.running:
                raise ServiceError(
                    "PipelineExecutionNotStoppableException",
                    f"Unable to stop the pipeline execution {execution.id}. The execution may already be in a Stopped "
                    f"state, or it may no longer be in progress: {execution.status}",
                )
            if execution.status == STOPPING and not abandon:
                raise ServiceError(
                    "DuplicatedStopRequestException",
                    f"The pipeline execution {execution.id} is already in a Stopping state. If you already chose to "
                    "stop and wait, you cannot make that request again",
                )
            execution.stop_reason = reason
            if abandon:
                self._engine.abandon(execution, STOPPED, reason)
            else:
                execution.status = STOPPING
        self._engine.pump(state)

    def retry_stage(self, state: PipelineState, execution: Execution, stage: str, mode: str) -> None:
        """Retry a failed stage."""
        with self._engine.lock:
            run = self._failed_stage(state, execution, stage)
            if any(action.status == IN_PROGRESS for action in run.actions.values()):
                raise ServiceError("ConflictException", f"Stage {stage} has actions in progress")
            if execution.pipeline.version != state.definition.version:
                raise ServiceError(
                    "StageNotRetryableException",
                    "Unable to retry. The pipeline structure or the pipeline state might have changed while actions "
                    "awaited retry, or the stage contains no failed actions",
                )
            self._engine.retry(execution, mode, by_itself=False)
        self._engine.pump(state)

    def roll_back_stage(self, state: PipelineState, stage: str, target: Execution) -> Execution:
        """Roll a stage back to an execution that was successful in it."""
        with self._engine.lock:
            names = [found.name for found in state.definition.stages]
            if names.index(stage) == 0 or state.definition.mode == "PARALLEL":
                raise ServiceError(
                    "UnableToRollbackStageException",
                    f"Unable to roll back the stage {stage}: source "
                    "stages, and stages of pipelines in PARALLEL mode, cannot be rolled back",
                )
            if target.pipeline.version != state.definition.version:
                raise ServiceError(
                    "PipelineExecutionOutdatedException",
                    "The specified pipeline execution is outdated and cannot be used as a target pipeline execution "
                    f"for rollback: it ran in version {target.pipeline.version} of the pipeline's structure, which is "
                    f"now {state.definition.version}",
                )
            latest = state.latest_in(stage)
            busy = latest is not None and latest.inside and latest.stage.name == stage
            if busy or not may_roll_back_to(state, target, stage):
                raise ServiceError(
                    "UnableToRollbackStageException",
                    f"Unable to roll back the stage {stage}. The cause might be if the pipeline version has changed "
                    "since the target pipeline execution was deployed, the stage is currently running, or an incorrect "
                    "target pipeline execution ID was provided",
                )
            execution = self._engine.roll_back(state, stage, target, ("ManualRollback", target.id))
        self._engine.pump(state)
        return execution

    def approve(
        self, state: PipelineState, run: ActionRun, execution: Execution, token: str, result: tuple[str, str, str]
    ) -> None:
        """Answer an approval; `result` is Approved or Rejected, the summary, and who says so."""
        verdict, summary, by = result
        with self._engine.lock:
            if run.status != IN_PROGRESS:
                raise ServiceError(
                    "ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected"
                )
            if run.token is None or run.token != token:
                raise ServiceError(
                    "InvalidApprovalTokenException", "The approval request already received a response or has expired"
                )
            run.updated_by, run.deadline = by, None
            run.variables = {"ApprovalSummary": summary} if summary else {}
        if verdict == "Approved":
            run.summary = summary
            self._engine.finish_action(state, execution, run, SUCCEEDED)
        else:
            self._engine.fail_action(state, execution, run, ActionError("Rejected", summary or "Rejected"))

    def override(self, state: PipelineState, execution: Execution, stage: str, kind: str) -> None:
        """Let an execution pass a condition that failed."""
        with self._engine.lock:
            run = self._failed_stage(state, execution, stage)
            moment = {"BEFORE_ENTRY": "before_entry", "ON_SUCCESS": "on_success"}[kind]
            condition: ConditionRun | None = getattr(run, moment)
            if condition is None or condition.status != FAILED:
                raise ServiceError(
                    "ConditionNotOverridableException",
                    f"Unable to override: the {kind} condition of stage {stage} has not failed",
                )
            condition.status = OVERRIDDEN
            run.status, execution.status, execution.inside = IN_PROGRESS, IN_PROGRESS, True
        self._engine.pump(state)

    def set_transition(self, state: PipelineState, stage: str, *, enabled: bool, reason: str | None, by: str) -> None:
        """Open or close the way into a stage."""
        with self._engine.lock:
            state.transitions[stage] = Transition(enabled, None if enabled else reason, by, time.time())
        self._engine.pump(state)

    def update(self, state: PipelineState, definition: Pipeline) -> None:
        """Give a pipeline a new structure version, and do to what runs what the policy says."""
        with self._engine.lock:
            state.definition, state.updated = definition, time.time()
            state.versions[definition.version] = definition
            reason = f"the pipeline was updated to version {definition.version}"
            for execution in state.executions:
                if not execution.running or self.update_policy == "let-go-on":
                    continue
                if self.update_policy == "cancel":
                    self._engine.abandon(execution, CANCELLED, reason)
                else:
                    execution.status, execution.stop_as, execution.stop_reason = STOPPING, CANCELLED, reason
        self._engine.pump(state)

    def _failed_stage(self, state: PipelineState, execution: Execution, stage: str) -> StageRun:
        latest = state.latest_in(stage)
        if latest is not execution:
            raise ServiceError(
                "NotLatestPipelineExecutionException",
                f"The stage {stage} has failed in a later run of the pipeline and the pipelineExecutionId associated "
                "with the request is out of date",
            )
        run = execution.stages[stage]
        if run.status != FAILED or execution.running:
            raise ServiceError("StageNotRetryableException", f"Stage {stage} is not in a failed state: {run.status}")
        return run


def _variables(pipeline: Pipeline, given: dict[str, str]) -> dict[str, str]:
    for name in given:
        if name not in pipeline.variables:
            raise validation(f"The pipeline {pipeline.name} has no variable {name}")
    found = {}
    for name, default in pipeline.variables.items():
        value = given.get(name, default)
        if value is None:
            raise validation(f"The variable {name} of the pipeline {pipeline.name} has no default value: give it one")
        found[name] = value
    return found


def _revisions(pipeline: Pipeline, given: dict[str, str]) -> dict[str, str]:
    names = {action.name for action in pipeline.sources()}
    for name in given:
        if name not in names:
            raise validation(f"The pipeline {pipeline.name} has no source action {name}")
    return given


def _keys(pipeline: Pipeline, given: dict[str, str]) -> dict[str, str]:
    """For S3_OBJECT_KEY, "the configuration parameter AllowOverrideForS3ObjectKey needs to be set to true" ("Start a
    pipeline with a source revision override")."""
    for action in pipeline.sources():
        if action.name in given and action.configuration.get("AllowOverrideForS3ObjectKey") != "true":
            raise validation(f"The source action {action.name} does not allow another object key")
    return given
