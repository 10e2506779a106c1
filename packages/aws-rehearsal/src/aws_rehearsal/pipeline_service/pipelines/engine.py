"""Carries out what `decisions` decides: the acting half of CodePipeline.

One lock guards all state; whatever takes time (actions, rules) runs in a thread of its own and comes back to `pump`,
which asks for the next steps until there are none. What a person or the API does goes through `orders`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from aws_rehearsal.pipeline_service.definitions import Action, Condition
from aws_rehearsal.pipeline_service.errors import ActionError, ServiceError
from aws_rehearsal.pipeline_service.notifications.events import Event, Listener
from aws_rehearsal.pipeline_service.pipelines.actions import Actions
from aws_rehearsal.pipeline_service.pipelines.decisions import (
    Check,
    EndStage,
    Enter,
    Retry,
    RollBack,
    Start,
    Step,
    next_steps,
    rollback_target,
)
from aws_rehearsal.pipeline_service.pipelines.rules import Rules
from aws_rehearsal.pipeline_service.state import (
    ABANDONED,
    CANCELLED,
    FAILED,
    IN_PROGRESS,
    SKIPPED,
    STOPPED,
    SUCCEEDED,
    ActionRun,
    ConditionRun,
    Execution,
    PipelineState,
    RuleRun,
    StageRun,
)

Key = tuple[str, str, str]
"""Account, region, name."""

_MOST_STEPS = 10_000


class Engine:
    """All pipelines, and their executions."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.pipelines: dict[Key, PipelineState] = {}
        self._actions: Actions | None = None
        self._rules: Rules | None = None
        self._listeners: list[Listener] = []
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def ready(self, actions: Actions, rules: Rules) -> None:
        """Give the engine what it carries actions and rules out with."""
        self._actions, self._rules = actions, rules

    def listen(self, listener: Listener) -> None:
        """Have every change told; a listener's own error is not ours."""
        self._listeners.append(listener)

    def emit(self, event: Event) -> None:
        """Tell a change."""
        for listener in self._listeners:
            with contextlib.suppress(Exception):
                listener(event)

    def close(self, patience: float = 5.0) -> None:
        """Start nothing more, end approvals and waits, and let the threads come home."""
        with self.lock:
            self._closed = True
            for state in self.pipelines.values():
                for execution in state.executions:
                    if execution.running:
                        self.abandon(execution, STOPPED, "the service was closed")
            threads = list(self._threads)
        deadline = time.monotonic() + patience
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def start(self, state: PipelineState, execution: Execution) -> Execution:
        """Add an execution and let it go."""
        with self.lock:
            if self._closed:
                raise ServiceError("ConflictException", "the service was closed")
            state.executions.append(execution)
            self._told_execution(execution)
        self.pump(state)
        return execution

    def pump(self, state: PipelineState) -> None:
        """Carry out steps until there are none."""
        with self.lock:
            for _ in range(_MOST_STEPS):
                steps = [] if self._closed else next_steps(state)
                if not steps:
                    break
                for step in steps:
                    self._carry_out(state, step)
            else:
                raise RuntimeError(f"{state.definition.name}: no end of steps")
            self.changed.notify_all()

    def finish_action(self, state: PipelineState, execution: Execution, run: ActionRun, status: str) -> None:
        """An action ended; nothing happens if it was abandoned meanwhile."""
        with self.lock:
            if run.status != IN_PROGRESS:
                return
            run.status, run.updated, run.token = status, time.time(), None
            if status == SUCCEEDED:
                execution.artifacts |= {artifact.name: artifact for artifact in run.outputs}
                if run.action.namespace:
                    execution.outputs = {**execution.outputs, run.action.namespace: run.variables}
            self._told_action(execution, run)
        self.pump(state)

    def fail_action(self, state: PipelineState, execution: Execution, run: ActionRun, failure: ActionError) -> None:
        """An action failed."""
        with self.lock:
            if run.status == IN_PROGRESS:
                run.error = (failure.code, failure.message[:5000])
                run.summary = failure.message[:2048]
        self.finish_action(state, execution, run, FAILED)

    def abandon(self, execution: Execution, status: str, reason: str | None) -> None:
        """End an execution at once; its running actions are abandoned (what they started goes on by itself)."""
        with self.lock:
            run = execution.stage_run if execution.inside else None
            if run is not None:
                for action in run.actions.values():
                    if action.status == IN_PROGRESS:
                        action.status, action.updated, action.token = ABANDONED, time.time(), None
                        self._told_action(execution, action)
                run.status = CANCELLED if status == CANCELLED else STOPPED
                self._told_stage(execution, run)
            self._end(execution, status, reason)
            self.changed.notify_all()

    def expire(self, now: float) -> None:
        """Fail the approvals whose time is over."""
        with self.lock:
            late = [
                (state, execution, run)
                for state in self.pipelines.values()
                for execution in state.executions
                if execution.running and execution.inside and execution.stage_run is not None
                for run in execution.stage_run.actions.values()
                if run.status == IN_PROGRESS and run.deadline is not None and run.deadline < now
            ]
        for state, execution, run in late:
            self.fail_action(
                state, execution, run, ActionError("Timeout", "Approval action timed out: nobody responded in time")
            )

    def _carry_out(self, state: PipelineState, step: Step) -> None:
        execution = state.execution(step.execution)
        assert execution is not None  # noqa: S101 - decisions speak of executions there are
        if isinstance(step, Enter):
            execution.inside = True
            run = execution.stages[execution.stage.name] = StageRun(execution.stage.name)
            self._told_stage(execution, run)
        elif isinstance(step, Check):
            self._check(state, execution, step.moment)
        elif isinstance(step, Start):
            self._start_actions(state, execution, step.actions)
        elif isinstance(step, EndStage):
            self._end_stage(execution, step.status)
        elif isinstance(step, Retry):
            self.retry(execution, step.mode, by_itself=True)
        elif isinstance(step, RollBack):
            target = rollback_target(state, step.stage)
            if target is not None:
                self.roll_back(state, step.stage, target, ("AutomatedRollback", execution.id))
        else:
            self._end(execution, step.status, step.summary)

    def retry(self, execution: Execution, mode: str, *, by_itself: bool) -> None:
        """Have a stage's failed actions, or all of them, run again."""
        run = execution.stage_run
        assert run is not None  # noqa: S101 - it failed in it
        keep = {} if mode == "ALL_ACTIONS" else {n: a for n, a in run.actions.items() if a.status == SUCCEEDED}
        run.actions = keep
        run.status, run.on_success, run.on_failure = IN_PROGRESS, None, None
        if run.before_entry is not None and not run.before_entry.passed:
            run.before_entry = None
        run.automatic_retries += by_itself
        run.manual_retries += not by_itself
        execution.status, execution.inside = IN_PROGRESS, True
        self._told_stage(execution, run)
        self._told_execution(execution)

    def roll_back(self, state: PipelineState, stage: str, target: Execution, trigger: tuple[str, str]) -> Execution:
        """Start the execution that rolls a stage back to `target`, with its variables and artifacts."""
        names = [found.name for found in target.pipeline.stages]
        execution = Execution(
            target.pipeline,
            trigger,
            position=names.index(stage),
            only=True,
            rollback_of=target.id,
            variables=dict(target.variables),
            outputs=dict(target.outputs),
            artifacts=dict(target.artifacts),
        )
        state.executions.append(execution)
        self._told_execution(execution)
        return execution

    def _start_actions(self, state: PipelineState, execution: Execution, actions: tuple[Action, ...]) -> None:
        stage = execution.stage_run
        assert stage is not None  # noqa: S101 - it is inside
        for action in actions:
            run = ActionRun(action, stage.name)
            stage.actions[action.name] = run
            execution.history.append(run)
            self._told_action(execution, run)
            self._in_thread(f"action-{action.name}", self._perform, state, execution, run)

    def _perform(self, state: PipelineState, execution: Execution, run: ActionRun) -> None:
        assert self._actions is not None  # noqa: S101 - ready() was called
        try:
            if not self._actions.perform(execution, run):
                self._told_action(execution, run)
                return
        except ActionError as failure:
            self.fail_action(state, execution, run, failure)
        except Exception as error:  # noqa: BLE001 - an action that can't be carried out has failed
            self.fail_action(state, execution, run, ActionError("InternalError", repr(error)))
        else:
            self.finish_action(state, execution, run, SUCCEEDED)

    def _check(self, state: PipelineState, execution: Execution, moment: str) -> None:
        condition: Condition = getattr(execution.stage, moment)
        stage = execution.stage_run
        assert stage is not None  # noqa: S101 - it is inside
        run = ConditionRun(rules=[RuleRun(rule.name) for rule in condition.rules])
        setattr(stage, moment, run)
        self._in_thread(f"condition-{stage.name}", self._check_rules, state, execution, condition, run)

    def _check_rules(self, state: PipelineState, execution: Execution, condition: Condition, run: ConditionRun) -> None:
        """Rules are evaluated together: one that fails makes the condition fail."""
        assert self._rules is not None  # noqa: S101 - ready() was called
        for rule, checked in zip(condition.rules, run.rules, strict=True):
            try:
                passed, checked.summary = self._rules.check(execution, rule)
            except Exception as error:  # noqa: BLE001 - a rule that can't be checked has failed
                passed, checked.summary = False, getattr(error, "message", repr(error))
            checked.status, checked.updated = SUCCEEDED if passed else FAILED, time.time()
        with self.lock:
            bad = [rule for rule in run.rules if rule.status == FAILED]
            run.status, run.updated = FAILED if bad else SUCCEEDED, time.time()
            run.summary = "; ".join(rule.summary or rule.name for rule in bad or run.rules)[:2048]
        self.pump(state)

    def _end_stage(self, execution: Execution, status: str) -> None:
        run = execution.stage_run
        assert run is not None  # noqa: S101 - it is inside
        run.status = status
        self._told_stage(execution, run)
        if status in (SUCCEEDED, SKIPPED):
            self.leave_stage(execution)
        else:
            self._end(execution, status, execution.stop_reason)

    def leave_stage(self, execution: Execution) -> None:
        """Go on to the next stage, or to the end."""
        execution.inside = False
        if execution.only or execution.position + 1 == len(execution.pipeline.stages):
            self._end(execution, SUCCEEDED, None)
        else:
            execution.position += 1

    def _end(self, execution: Execution, status: str, summary: str | None) -> None:
        execution.status, execution.inside, execution.updated = status, False, time.time()
        execution.summary = summary
        self._told_execution(execution)

    def _in_thread(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        def run() -> None:
            try:
                target(*arguments)
            finally:
                with self.lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _told_execution(self, execution: Execution) -> None:
        execution.updated = time.time()
        self.emit(
            Event("execution", execution.pipeline.name, execution.id, execution.status, detail=execution.summary or "")
        )

    def _told_stage(self, execution: Execution, run: StageRun) -> None:
        execution.updated = time.time()
        self.emit(Event("stage", execution.pipeline.name, execution.id, run.status, run.name))

    def _told_action(self, execution: Execution, run: ActionRun) -> None:
        execution.updated = time.time()
        detail = run.error[1] if run.error else run.summary or ""
        name = execution.pipeline.name
        self.emit(Event("action", name, execution.id, run.status, run.stage, run.action.name, detail))
