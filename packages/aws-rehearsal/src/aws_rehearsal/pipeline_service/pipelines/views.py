"""State as the CodePipeline API answers it. Pure."""

from __future__ import annotations

from typing import Any

from aws_rehearsal.pipeline_service.definitions import Action
from aws_rehearsal.pipeline_service.masking import masked, without_secrets
from aws_rehearsal.pipeline_service.state import (
    IN_PROGRESS,
    ActionRun,
    Artifact,
    ConditionRun,
    Execution,
    PipelineState,
    RuleRun,
    StageRun,
)


def declaration(declared: dict[str, Any]) -> dict[str, Any]:
    """A pipeline's structure as GetPipeline answers it: secrets of configurations are masked."""
    stages = [{**stage, "actions": [masked(action) for action in stage["actions"]]} for stage in declared["stages"]]
    return {
        "pipelineType": "V1",
        "executionMode": "SUPERSEDED",
        **declared,
        "stages": stages,
    }


def execution_summary(execution: Execution) -> dict[str, Any]:
    """An execution in ListPipelineExecutions."""
    revisions = [
        {
            "actionName": run.action.name,
            "revisionId": run.external_id,
            "revisionSummary": run.summary,
            "revisionUrl": run.external_url,
        }
        for run in execution.history
        if run.action.is_source and run.status == "Succeeded"
    ]
    return {
        **_execution(execution),
        "startTime": execution.started,
        "lastUpdateTime": execution.updated,
        "sourceRevisions": revisions,
        "stopTrigger": {"reason": execution.stop_reason} if execution.stop_reason else None,
    }


def execution_details(execution: Execution) -> dict[str, Any]:
    """An execution in GetPipelineExecution."""
    return {
        **_execution(execution),
        "pipelineName": execution.pipeline.name,
        "pipelineVersion": execution.pipeline.version,
        "artifactRevisions": [
            {
                "name": artifact.name,
                "revisionId": artifact.revision,
                "revisionSummary": artifact.summary,
                "created": artifact.created,
                "revisionUrl": artifact.url,
            }
            for artifact in execution.artifacts.values()
            if artifact.revision
        ],
        "variables": [{"name": name, "resolvedValue": value} for name, value in execution.variables.items()],
    }


def _execution(execution: Execution) -> dict[str, Any]:
    rollback = execution.rollback_of
    return {
        "pipelineExecutionId": execution.id,
        "status": execution.status,
        "statusSummary": execution.summary,
        "trigger": {"triggerType": execution.trigger[0], "triggerDetail": execution.trigger[1]},
        "executionMode": execution.pipeline.mode,
        "executionType": "ROLLBACK" if rollback else "STANDARD",
        "rollbackMetadata": {"rollbackTargetPipelineExecutionId": rollback} if rollback else None,
    }


def action_execution(execution: Execution, run: ActionRun) -> dict[str, Any]:
    """An action in ListActionExecutions."""
    action = run.action
    region = execution.pipeline.region_of(action)
    return {
        "pipelineExecutionId": execution.id,
        "actionExecutionId": run.id,
        "pipelineVersion": execution.pipeline.version,
        "stageName": run.stage,
        "actionName": action.name,
        "startTime": run.started,
        "lastUpdateTime": run.updated,
        "updatedBy": run.updated_by,
        "status": run.status,
        "input": {
            "actionTypeId": {
                "category": action.category,
                "owner": action.owner,
                "provider": action.provider,
                "version": action.version,
            },
            "configuration": without_secrets(action.configuration),
            "resolvedConfiguration": without_secrets(run.configuration),
            "roleArn": action.role,
            "region": region,
            "inputArtifacts": [_artifact(artifact, region) for artifact in run.inputs],
            "namespace": action.namespace,
        },
        "output": {
            "outputArtifacts": [_artifact(artifact, region) for artifact in run.outputs],
            "executionResult": {
                "externalExecutionId": run.external_id,
                "externalExecutionSummary": run.summary,
                "externalExecutionUrl": run.external_url,
                "errorDetails": _error(run),
            },
            "outputVariables": run.variables,
        },
    }


def _artifact(artifact: Artifact, region: str) -> dict[str, Any]:
    bucket, key = artifact.places.get(region) or next(iter(artifact.places.values()))
    return {"name": artifact.name, "s3location": {"bucket": bucket, "key": key}}


def _error(run: ActionRun) -> dict[str, str] | None:
    return {"code": run.error[0], "message": run.error[1]} if run.error else None


def pipeline_state(state: PipelineState) -> dict[str, Any]:
    """A pipeline in GetPipelineState."""
    pipeline = state.definition
    return {
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.version,
        "created": state.created,
        "updated": state.updated,
        "stageStates": [_stage(state, index, stage.name, stage.actions) for index, stage in enumerate(pipeline.stages)],
    }


def _stage(state: PipelineState, index: int, name: str, actions: tuple[Action, ...]) -> dict[str, Any]:
    latest = state.latest_in(name)
    run = latest.stages[name] if latest else None
    waiting = [
        {
            "pipelineExecutionId": execution.id,
            "status": IN_PROGRESS,
            "type": "ROLLBACK" if execution.rollback_of else "STANDARD",
        }
        for execution in state.executions
        if execution.running and not execution.inside and execution.stage.name == name
    ]
    transition = state.transition(name)
    return {
        "stageName": name,
        "inboundExecution": waiting[0] if waiting else None,
        "inboundExecutions": waiting,
        "inboundTransitionState": {
            "enabled": transition.enabled,
            "lastChangedBy": transition.changed_by,
            "lastChangedAt": transition.changed_at if transition.changed_by else None,
            "disabledReason": transition.reason,
        }
        if index or not transition.enabled
        else {"enabled": True},
        "actionStates": [_action_state(action, latest, run) for action in actions],
        "latestExecution": None
        if latest is None or run is None
        else {
            "pipelineExecutionId": latest.id,
            "status": run.status,
            "type": "ROLLBACK" if latest.rollback_of else "STANDARD",
        },
        **({} if run is None else _conditions(run)),
    }


def _conditions(run: StageRun) -> dict[str, Any]:
    retried = run.automatic_retries + run.manual_retries
    return {
        "beforeEntryConditionState": _condition(run.before_entry),
        "onSuccessConditionState": _condition(run.on_success),
        "onFailureConditionState": _condition(run.on_failure),
        "retryStageMetadata": {
            "autoStageRetryAttempt": run.automatic_retries or None,
            "manualStageRetryAttempt": run.manual_retries or None,
            "latestRetryTrigger": "ManualStageRetry" if run.manual_retries else "AutomatedStageRetry",
        }
        if retried
        else None,
    }


def _condition(run: ConditionRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "latestExecution": {"status": run.status, "summary": run.summary},
        "conditionStates": [
            {
                "latestExecution": {"status": run.status, "summary": run.summary, "lastStatusChange": run.updated},
                "ruleStates": [_rule(rule) for rule in run.rules],
            }
        ],
    }


def _rule(rule: RuleRun) -> dict[str, Any]:
    return {
        "ruleName": rule.name,
        "latestExecution": {
            "ruleExecutionId": rule.id,
            "status": rule.status,
            "summary": rule.summary,
            "lastStatusChange": rule.updated,
        },
    }


def _action_state(action: Action, latest: Execution | None, run: StageRun | None) -> dict[str, Any]:
    state: dict[str, Any] = {"actionName": action.name}
    found = run.actions.get(action.name) if run else None
    if found is None or latest is None:
        return state
    if action.is_source and found.external_id:
        state["currentRevision"] = {
            "revisionId": found.external_id,
            "revisionChangeId": found.external_id[:100],
            "created": found.updated,
        }
    state["latestExecution"] = {
        "actionExecutionId": found.id,
        "status": found.status,
        "summary": found.summary,
        "lastStatusChange": found.updated,
        "token": found.token,
        "lastUpdatedBy": found.updated_by,
        "externalExecutionId": found.external_id,
        "externalExecutionUrl": found.external_url,
        "errorDetails": _error(found),
    }
    return state
