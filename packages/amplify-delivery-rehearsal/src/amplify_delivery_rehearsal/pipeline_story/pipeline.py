"""The pipeline as a person has it before her: waits for it, approves, rejects, tries again; all through its API."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amplify_delivery.errors import FailedError
from amplify_delivery_rehearsal.pipeline_story.people import Person
from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal.pipeline_service.state import CANCELLED, FAILED, IN_PROGRESS, SUCCEEDED, ActionRun, Execution

_WORDS = 6
"""Lines of a failed command that are shown: an error and what led to it."""
_BESIDE = re.compile(r"\[Container\]|debug: |the last \d+ debug lines:")
PATIENCE = 600.0
"""Seconds that an execution may take from one stop to the next."""


@dataclass(frozen=True)
class Pipeline:
    """`person` is somebody in the tooling account, with whose rights everything is done."""

    name: str
    service: PipelineService
    person: Person

    @property
    def executions(self) -> list[Execution]:
        """All of them, oldest first."""
        return self.service.executions(self.name)

    def arrive(self, commit: str) -> Execution:
        """Wait until the newest execution of `commit` stands: at an approval, or because it has ended.

        One that an update of the pipeline has cancelled is followed by another. Raises `FailedError` after `PATIENCE`.
        """

        def stands() -> Execution | None:
            found = [execution for execution in self.executions if commit_of(execution) == commit]
            newest = found[-1] if found else None
            if newest is None or newest.status == CANCELLED:
                return None
            return newest if not newest.running or waiting_approval(newest) else None

        return self._wait(stands, f"the commit {commit[:7]}")

    def leave(self, execution: Execution) -> Execution:
        """Wait until an execution stands once more, after an approval or a retry."""

        def stands() -> Execution | None:
            return execution if not execution.running or waiting_approval(execution) else None

        return self._wait(stands, f"execution {execution.id}")

    def wait_for_stage(self, stage: str, commit: str) -> Execution:
        """Wait until an execution of `commit` is in a stage. Raises `FailedError` also if one has failed before."""

        def inside() -> Execution | None:
            found = [e for e in self.executions if commit_of(e) == commit]
            return next((e for e in found if stage in e.stages or e.status == FAILED), None)

        execution = self._wait(inside, f"{stage} of {commit[:7]}")
        if stage not in execution.stages:
            raise FailedError(
                f"the execution is {execution.status} before {stage}:\n{self.why(execution)}",
                where=self.name,
                remedy="`--keep` leaves everything to look at",
            )
        return execution

    def answer(self, execution: Execution, status: str, summary: str) -> None:
        """Approve (`Approved`) or reject (`Rejected`) what an execution waits for."""
        run = waiting_approval(execution)
        if run is None:
            raise FailedError(f"execution {execution.id} waits for nobody", where=self.name)
        state = self.person.call("codepipeline", "get_pipeline_state", name=self.name)
        stages = {stage["stageName"]: stage for stage in state["stageStates"]}
        action = next(a for a in stages[run.stage]["actionStates"] if a["actionName"] == run.action.name)
        self.person.call(
            "codepipeline",
            "put_approval_result",
            pipelineName=self.name,
            stageName=run.stage,
            actionName=run.action.name,
            token=action["latestExecution"]["token"],
            result={"status": status, "summary": summary},
        )

    def retry(self, execution: Execution, stage: str) -> None:
        """Have the failed actions of a stage run once more."""
        self.person.call(
            "codepipeline",
            "retry_stage_execution",
            pipelineName=self.name,
            stageName=stage,
            pipelineExecutionId=execution.id,
            retryMode="FAILED_ACTIONS",
        )

    def why(self, execution: Execution) -> str:
        """What failed in an execution, and the end of the build's log."""
        lines = []
        for run in execution.history:
            if run.status == FAILED:
                lines.append(f"{run.stage}/{run.action.name}: {run.error[1] if run.error else run.summary or ''}")
                lines += self._log(run)[-30:]
        return "\n".join(lines) or f"execution {execution.id}: {execution.status}"

    def words(self, run: ActionRun) -> list[str]:
        """What the commands of an action's build have said themselves, its last lines; without CodeBuild's, and what
        a command in a CI tells of its calls before it tells what is wrong."""
        return own_words("\n".join(self._log(run)))[-_WORDS:]

    def plans(self, execution: Execution) -> list[Path]:
        """The logs of the plans that wait for an approval: those of the stage before it."""
        waiting = waiting_approval(execution)
        stage = f"{waiting.stage.removesuffix('-Approve')}-Plan" if waiting else ""
        ids = {r.external_id for r in execution.history if r.stage == stage and r.action.name.startswith("Plan-")}
        return [build.log for build in self.service.builds() if build.id in ids]

    def _log(self, run: ActionRun) -> list[str]:
        try:
            return self.service.log(run.external_id or "").splitlines()
        except KeyError:
            return []

    def _wait(self, condition: Callable[[], Execution | None], what: str) -> Execution:
        try:
            found: Execution = self.service.wait_until(condition, PATIENCE)
        except TimeoutError:
            raise FailedError(
                f"{what} has not arrived after {PATIENCE:.0f} seconds",
                where=self.name,
                remedy="`--keep` leaves everything to look at",
            ) from None
        return found


def own_words(log: str) -> list[str]:
    """Lines of commands themselves: neither CodeBuild's, nor what a command in a CI tells of its calls."""
    return [line.rstrip() for line in log.splitlines() if line.strip() and not _BESIDE.match(line)]


def commit_of(execution: Execution) -> str | None:
    """The commit that an execution delivers, once its source was read."""
    return execution.outputs.get("source", {}).get("CommitId")


def waiting_approval(execution: Execution) -> ActionRun | None:
    """The approval that an execution waits for."""
    stage = execution.stage_run if execution.inside else None
    for run in stage.actions.values() if stage else ():
        if run.action.category == "Approval" and run.status == IN_PROGRESS and run.token:
            return run
    return None


def status_of(execution: Execution, stage: str, action: str) -> str | None:
    """How an action's latest run stands; None if it was not reached."""
    run = execution.stages.get(stage)
    found = run.actions.get(action) if run else None
    return found.status if found else None


def all_succeeded(execution: Execution, stage: str) -> bool:
    """Whether a stage, and every action in it, succeeded."""
    run = execution.stages.get(stage)
    return (
        run is not None
        and run.status == SUCCEEDED
        and all(action.status == SUCCEEDED for action in run.actions.values())
    )
