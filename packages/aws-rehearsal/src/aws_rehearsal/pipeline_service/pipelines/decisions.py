"""What a pipeline does next: pure decisions over its state, as lists of steps. `engine` carries them out.

After "How pipeline executions work" and "How do stage conditions work?" of the CodePipeline User Guide:

- a stage processes one execution at a time: it is locked while an execution is in it;
- SUPERSEDED (the default): "a more recent execution can overtake an older one" that waits between stages;
- QUEUED: "executions are processed one by one in the order that they are queued";
- PARALLEL: "executions don't wait for other runs to complete before starting or finishing";
- a disabled transition keeps executions from entering the stage, those waiting there are superseded by mode;
- actions of one run order run in parallel; a failed action fails its stage, later stages are not reached;
- an entry condition that fails engages its result: SKIP goes on to the next stage, FAIL fails the stage;
- a stage configured for automatic retry is retried once per execution.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_rehearsal.pipeline_service.definitions import Action, Condition, Stage
from aws_rehearsal.pipeline_service.state import (
    ABANDONED,
    CANCELLED,
    FAILED,
    IN_PROGRESS,
    SKIPPED,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    SUPERSEDED,
    ConditionRun,
    Execution,
    PipelineState,
    StageRun,
)


@dataclass(frozen=True)
class Enter:
    """The execution enters the stage it waits for, which locks it."""

    execution: str


@dataclass(frozen=True)
class Check:
    """A condition of the stage is checked: `moment` is before_entry, on_success or on_failure."""

    execution: str
    moment: str


@dataclass(frozen=True)
class Start:
    """Actions are started, all at once."""

    execution: str
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class EndStage:
    """The stage ends with `status`, and the execution leaves it if that is a good one."""

    execution: str
    status: str


@dataclass(frozen=True)
class Retry:
    """The stage is retried by itself, after its `onFailure`."""

    execution: str
    mode: str


@dataclass(frozen=True)
class RollBack:
    """The failed stage is rolled back by a new execution of its own."""

    execution: str
    stage: str


@dataclass(frozen=True)
class EndExecution:
    """The execution ends."""

    execution: str
    status: str
    summary: str | None = None


Step = Enter | Check | Start | EndStage | Retry | RollBack | EndExecution


def next_steps(state: PipelineState) -> list[Step]:
    """Everything that can be done now; nothing in it depends on anything else in it."""
    steps: list[Step] = []
    for execution in state.executions:
        if not execution.running:
            continue
        if execution.inside:
            steps += in_stage(execution)
        elif execution.status == STOPPING:
            steps.append(EndExecution(execution.id, execution.stop_as, execution.stop_reason))
        elif newer := overtaking(state, execution):
            steps.append(EndExecution(execution.id, SUPERSEDED, f"superseded by execution {newer}"))
        elif may_enter(state, execution):
            steps.append(Enter(execution.id))
            # One entry at a time: the next one must see the stage locked.
            break
    return steps


def overtaking(state: PipelineState, execution: Execution) -> str | None:
    """The newer execution that overtakes one waiting in SUPERSEDED mode, None if it may go on waiting."""
    if execution.pipeline.mode != "SUPERSEDED" or may_enter(state, execution):
        return None
    for other in state.executions:
        newer = other.running and not other.inside and other.started > execution.started
        if newer and other.stage.name == execution.stage.name:
            return other.id
    return None


def may_enter(state: PipelineState, execution: Execution) -> bool:
    """Whether an execution may enter the stage it waits for."""
    stage = execution.stage.name
    if not state.transition(stage).enabled:
        return False
    if execution.pipeline.mode == "PARALLEL":
        return True
    # Who waits longest enters first: `next_steps` asks for the executions in the order they were started in.
    return not any(other.running and other.inside and other.stage.name == stage for other in state.executions)


def in_stage(execution: Execution) -> list[Step]:
    """The steps of an execution inside a stage."""
    stage, run = execution.stage, execution.stage_run
    assert run is not None  # noqa: S101 - Enter makes it
    if execution.status == STOPPING:
        return _stopping(execution, run)
    before = _before(execution, stage.before_entry, run.before_entry)
    if before is not None:
        return before
    return _actions(execution, stage, run)


def _stopping(execution: Execution, run: StageRun) -> list[Step]:
    """ "Stop and wait: all in-progress actions are allowed to complete, and subsequent actions are not started."""
    if any(action.status == IN_PROGRESS for action in run.actions.values()):
        return []
    return [EndStage(execution.id, CANCELLED if execution.stop_as == CANCELLED else STOPPED)]


def _before(execution: Execution, condition: Condition | None, run: ConditionRun | None) -> list[Step] | None:
    """Steps of the entry condition, None once the stage's actions may run."""
    if condition is None or (run is not None and run.passed):
        return None
    if run is None:
        return [Check(execution.id, "before_entry")]
    if run.status == IN_PROGRESS:
        return []
    if condition.result == "SKIP" and run.status == FAILED:
        return [EndStage(execution.id, SKIPPED)]
    return [EndStage(execution.id, FAILED)]


def _actions(execution: Execution, stage: Stage, run: StageRun) -> list[Step]:
    statuses = [action.status for action in run.actions.values()]
    failed = any(status in (FAILED, ABANDONED) for status in statuses)
    if IN_PROGRESS in statuses:
        return []
    if failed:
        return _failed(execution, stage, run)
    waiting = [action for action in stage.actions if action.name not in run.actions]
    if waiting:
        order = min(action.run_order for action in waiting)
        return [Start(execution.id, tuple(action for action in waiting if action.run_order == order))]
    return _succeeded(execution, stage, run)


def _succeeded(execution: Execution, stage: Stage, run: StageRun) -> list[Step]:
    condition, checked = stage.on_success, run.on_success
    if condition is None or (checked is not None and checked.passed):
        return [EndStage(execution.id, SUCCEEDED)]
    if checked is None:
        return [Check(execution.id, "on_success")]
    if checked.status == IN_PROGRESS:
        return []
    steps: list[Step] = [EndStage(execution.id, FAILED)]
    if condition.result == "ROLLBACK":
        steps.append(RollBack(execution.id, stage.name))
    return steps


def _failed(execution: Execution, stage: Stage, run: StageRun) -> list[Step]:
    if stage.on_failure_result == "RETRY" and not run.automatic_retries:
        return [Retry(execution.id, stage.retry_mode or "FAILED_ACTIONS")]
    steps: list[Step] = [EndStage(execution.id, FAILED)]
    rolls_back = stage.on_failure_result == "ROLLBACK"
    if stage.on_failure is not None:
        if run.on_failure is None:
            return [Check(execution.id, "on_failure")]
        if run.on_failure.status == IN_PROGRESS:
            return []
        rolls_back = rolls_back or (stage.on_failure.result == "ROLLBACK" and not run.on_failure.passed)
    # A rollback that fails does not roll back once more.
    if rolls_back and not execution.only:
        steps.append(RollBack(execution.id, stage.name))
    return steps


def rollback_target(state: PipelineState, stage: str) -> Execution | None:
    """The execution a stage is rolled back to by itself: the latest that succeeded in it.

    "The pipeline can only roll back to a previous execution if the previous execution was started in the current
    pipeline structure version. You cannot roll back to a target execution ID that is a rollback execution type."
    """
    good = [execution for execution in state.executions if may_roll_back_to(state, execution, stage)]
    return max(good, key=lambda execution: execution.stages[stage].entered, default=None)


def may_roll_back_to(state: PipelineState, execution: Execution, stage: str) -> bool:
    """Whether a stage may be rolled back to an execution."""
    run = execution.stages.get(stage)
    return (
        execution.pipeline.version == state.definition.version
        and execution.rollback_of is None
        and run is not None
        and run.status == SUCCEEDED
    )
