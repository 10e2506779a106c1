"""Starting a pipeline again that was changed while it ran, where CodePipeline itself would take another commit.

`RestartExecutionOnUpdate` takes the newest commit of the source action's branch. Where triggers, a person or a schedule
start the pipeline, nobody has released that commit, perhaps: so it starts with the commit that the change came from,
and whatever was started after that and is cancelled by the change comes again behind it. "StartPipelineExecution" and
"PipelineExecutionSummary" in the CodePipeline API reference.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.pipeline.definition import HANDED_ON, RELEASE, START_NEXT

SOURCE = "Source"
"""The name of our pipelines' source action."""
RUNNING, CANCELLED = "InProgress", "Cancelled"


@dataclass(frozen=True)
class Run:
    """An execution of the pipeline; `commit` is None until its source action has ended."""

    id: str
    status: str
    commit: str | None


def runs(client: Any, pipeline: str, source: str = SOURCE) -> tuple[Run, ...]:
    """The pipeline's latest executions, oldest first: one page holds more than can run at the same time."""
    found = client.list_pipeline_executions(pipelineName=pipeline, maxResults=100)["pipelineExecutionSummaries"]
    return tuple(_run(summary, source) for summary in sorted(found, key=lambda summary: summary["startTime"]))


def settled(client: Any, pipeline: str, *, source: str = SOURCE, pause: float = 2) -> frozenset[str]:
    """The executions that have ended, once all others have told their commit: what is cancelled before it has could not
    be started again. After half a minute it is not waited for any longer: a source action may wait for its provider."""
    for _ in range(15):
        found = runs(client, pipeline, source)
        if all(run.commit or run.status != RUNNING for run in found):
            break
        time.sleep(pause)
    return frozenset(run.id for run in found if run.status != RUNNING)


def again(
    client: Any,
    pipeline: str,
    own: Run,
    ended: Collection[str],
    *,
    definition: str,
    source: str = SOURCE,
    handed_on: bool = False,
) -> tuple[str, ...]:
    """After a change: start the pipeline with the commit of `own`, the execution that made it, then with those that
    were started after it, had not `ended` before the change, and are cancelled now. Of a change by hand, which no
    execution has made (`own` has no commit), with all that it has cancelled. What was `handed_on` by another pipeline
    comes again as it was handed on.

    Their commits, in that order.
    """
    begin = start_handed_on if handed_on else start
    found = runs(client, pipeline, source)
    ids = [run.id for run in found]
    later = found[ids.index(own.id) + 1 :] if own.id in ids else () if own.commit else found
    come = [own, *(run for run in later if run.status == CANCELLED and run.id not in ended)]
    return tuple(
        run.commit
        for run in come
        if run.commit and begin(client, pipeline, run, token(run.id or run.commit, definition), source)
    )


def start_handed_on(client: Any, pipeline: str, run: Run, token: str, source: str = SOURCE) -> str:
    """Start the pipeline with the release that `run` was started with: its variables name it."""
    found = client.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=run.id)["pipelineExecution"]
    variables = {item["name"]: item["resolvedValue"] for item in found.get("variables", ())}
    revision = {"actionName": source, "revisionType": "S3_OBJECT_KEY", "revisionValue": variables[RELEASE]}
    started: str = client.start_pipeline_execution(
        name=pipeline,
        clientRequestToken=token,
        sourceRevisions=[revision],
        variables=[{"name": name, "value": variables[name]} for name in HANDED_ON],
    )["pipelineExecutionId"]
    return started


def start(client: Any, pipeline: str, run: Run, token: str, source: str = SOURCE) -> str:
    """Start the pipeline with a run's commit; the execution's id. With the same `token` it is started once."""
    revision = {"actionName": source, "revisionType": "COMMIT_ID", "revisionValue": run.commit}
    started: str = client.start_pipeline_execution(name=pipeline, clientRequestToken=token, sourceRevisions=[revision])[
        "pipelineExecutionId"
    ]
    return started


def by_hand(pipeline: str, commit: str | None, before: str | None = None) -> str:
    """The command with which a person starts it; for one that follows the pipeline `before`, that of what hands on."""
    if before:
        return (
            f"aws codepipeline retry-stage-execution --pipeline-name {before} --stage-name {START_NEXT} "
            "--retry-mode ALL_ACTIONS --pipeline-execution-id EXECUTION"
        )
    revision = f"actionName={SOURCE},revisionType=COMMIT_ID,revisionValue={commit or 'COMMIT'}"
    return f"aws codepipeline start-pipeline-execution --name {pipeline} --source-revisions {revision}"


def token(run: str, definition: str) -> str:
    """The idempotency token of a run (an execution's id, or a commit) that comes again because of a definition."""
    return f"{run}-{definition[:16]}"


def _run(summary: Mapping[str, Any], source: str) -> Run:
    revisions = {r["actionName"]: r.get("revisionId") for r in summary.get("sourceRevisions", ())}
    return Run(summary["pipelineExecutionId"], summary["status"], revisions.get(source))
