"""The operations of CodePipeline's API: each takes checked parameters and the caller, and answers a dictionary."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from aws_rehearsal.pipeline_service.clients import Access
from aws_rehearsal.pipeline_service.definitions import read_pipeline
from aws_rehearsal.pipeline_service.errors import ServiceError, validation
from aws_rehearsal.pipeline_service.gate import Caller
from aws_rehearsal.pipeline_service.masking import keep_masked_secrets
from aws_rehearsal.pipeline_service.pages import page
from aws_rehearsal.pipeline_service.pipelines import structure, views
from aws_rehearsal.pipeline_service.pipelines.engine import Engine
from aws_rehearsal.pipeline_service.pipelines.orders import Orders
from aws_rehearsal.pipeline_service.roles import SERVICE
from aws_rehearsal.pipeline_service.sources.connections import require_pass
from aws_rehearsal.pipeline_service.state import ActionRun, Execution, PipelineState

Answer = dict[str, Any]


class PipelinesApi:
    """CodePipeline's API over one engine."""

    def __init__(self, engine: Engine, orders: Orders, access: Access, on_definition: Callable[[PipelineState], None]):
        self._engine, self._orders, self._gate, self._clients = engine, orders, access.gate, access.clients
        self._on_definition = on_definition
        """Called with every pipeline that is created or updated: change detection starts from there."""

    def handler(self, operation: str) -> Callable[[dict[str, Any], Caller], Answer] | None:
        """What carries an operation out, None if the service does not offer it."""
        return _OPERATIONS.get(operation) and functools.partial(_OPERATIONS[operation], self)

    def create_pipeline(self, params: dict[str, Any], caller: Caller) -> Answer:
        declared = params["pipeline"]
        self._authorize(caller, "CreatePipeline", declared["name"], _tag_context(params))
        key = (caller.account, caller.region, declared["name"])
        self._check(declared, caller)
        with self._engine.lock:
            if key in self._engine.pipelines:
                raise ServiceError(
                    "PipelineNameInUseException",
                    f"A pipeline with the name '{declared['name']}' already exists in account '{caller.account}'",
                )
            definition = read_pipeline(declared, caller.account, caller.region, 1)
            state = PipelineState(definition, versions={1: definition})
            state.tags = {tag["key"]: tag["value"] for tag in params.get("tags", ())}
            self._engine.pipelines[key] = state
        self._on_definition(state)
        if not [name for name, default in definition.variables.items() if default is None]:
            # A new pipeline runs at once, with the trigger type CreatePipeline; not without all of its variables.
            self._orders.start(state, ("CreatePipeline", caller.arn))
        return {"pipeline": views.declaration(definition.declared), "tags": params.get("tags", [])}

    def update_pipeline(self, params: dict[str, Any], caller: Caller) -> Answer:
        declared = params["pipeline"]
        self._authorize(caller, "UpdatePipeline", declared["name"])
        state = self._state(declared["name"], caller)
        keep_masked_secrets(declared, state.definition.declared)
        self._check(declared, caller)
        with self._engine.lock:
            definition = read_pipeline(declared, caller.account, caller.region, state.definition.version + 1)
            self._orders.update(state, definition)
        self._on_definition(state)
        return {"pipeline": views.declaration(definition.declared)}

    def get_pipeline(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._authorize(caller, "GetPipeline", params["name"])
        state = self._state(params["name"], caller)
        found = state.versions.get(params.get("version", state.definition.version))
        if found is None:
            raise ServiceError("PipelineVersionNotFoundException", f"There is no version {params['version']}")
        metadata = {"pipelineArn": found.arn, "created": state.created, "updated": state.updated}
        return {"pipeline": views.declaration(found.declared), "metadata": metadata}

    def delete_pipeline(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._authorize(caller, "DeletePipeline", params["name"])
        with self._engine.lock:
            state = self._engine.pipelines.pop((caller.account, caller.region, params["name"]), None)
            for execution in state.executions if state else ():
                if execution.running:
                    self._engine.abandon(execution, "Cancelled", "the pipeline was deleted")
        return {}

    def list_pipelines(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._gate.require(
            caller, "codepipeline:ListPipelines", f"arn:aws:codepipeline:{caller.region}:{caller.account}:*"
        )
        with self._engine.lock:
            found = [
                {
                    "name": state.definition.name,
                    "version": state.definition.version,
                    "pipelineType": state.definition.kind,
                    "executionMode": state.definition.mode,
                    "created": state.created,
                    "updated": state.updated,
                }
                for (account, region, _), state in sorted(self._engine.pipelines.items())
                if (account, region) == (caller.account, caller.region)
            ]
        return page("pipelines", found, params)

    def list_tags_for_resource(self, params: dict[str, Any], caller: Caller) -> Answer:
        state = self._by_arn(params["resourceArn"], caller, "ListTagsForResource")
        return {"tags": [{"key": key, "value": value} for key, value in state.tags.items()]}

    def tag_resource(self, params: dict[str, Any], caller: Caller) -> Answer:
        state = self._by_arn(params["resourceArn"], caller, "TagResource", _tag_context(params))
        state.tags |= {tag["key"]: tag["value"] for tag in params["tags"]}
        return {}

    def untag_resource(self, params: dict[str, Any], caller: Caller) -> Answer:
        state = self._by_arn(params["resourceArn"], caller, "UntagResource")
        state.tags = {key: value for key, value in state.tags.items() if key not in params["tagKeys"]}
        return {}

    def start_pipeline_execution(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._authorize(caller, "StartPipelineExecution", params["name"])
        state = self._state(params["name"], caller)
        execution = self._orders.start(
            state,
            ("StartPipelineExecution", caller.arn),
            {item["name"]: item["value"] for item in params.get("variables", ())},
            _wanted(params, lambda kind: kind != "S3_OBJECT_KEY"),
            params.get("clientRequestToken"),
            keys=_wanted(params, lambda kind: kind == "S3_OBJECT_KEY"),
        )
        return {"pipelineExecutionId": execution.id}

    def stop_pipeline_execution(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._authorize(caller, "StopPipelineExecution", params["pipelineName"])
        state = self._state(params["pipelineName"], caller)
        execution = self._execution(state, params["pipelineExecutionId"], "PipelineExecutionNotStoppableException")
        self._orders.stop(state, execution, params.get("reason"), abandon=params.get("abandon", False))
        return {"pipelineExecutionId": execution.id}

    def get_pipeline_execution(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._authorize(caller, "GetPipelineExecution", params["pipelineName"])
        state = self._state(params["pipelineName"], caller)
        with self._engine.lock:
            return {"pipelineExecution": views.execution_details(self._execution(state, params["pipelineExecutionId"]))}

    def list_pipeline_executions(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._authorize(caller, "ListPipelineExecutions", params["pipelineName"])
        state = self._state(params["pipelineName"], caller)
        succeeded_in = ((params.get("filter") or {}).get("succeededInStage") or {}).get("stageName")
        with self._engine.lock:
            found = [
                views.execution_summary(execution)
                for execution in reversed(state.executions)
                if succeeded_in is None or _succeeded_in(execution, succeeded_in)
            ]
        return page("pipelineExecutionSummaries", found, params)

    def list_action_executions(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._authorize(caller, "ListActionExecutions", params["pipelineName"])
        state = self._state(params["pipelineName"], caller)
        wanted = params.get("filter") or {}
        latest = (wanted.get("latestInPipelineExecution") or {}).get("pipelineExecutionId")
        only = wanted.get("pipelineExecutionId") or latest
        with self._engine.lock:
            executions = [self._execution(state, only)] if only else list(reversed(state.executions))
            found = [
                views.action_execution(execution, run)
                for execution in executions
                for run in reversed(execution.history)
            ]
        return page("actionExecutionDetails", found, params)

    def get_pipeline_state(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._authorize(caller, "GetPipelineState", params["name"])
        state = self._state(params["name"], caller)
        with self._engine.lock:
            return views.pipeline_state(state)

    def put_approval_result(self, params: dict[str, Any], caller: Caller) -> Answer:
        name, stage, action = params["pipelineName"], params["stageName"], params["actionName"]
        self._authorize(caller, "PutApprovalResult", f"{name}/{stage}/{action}")
        state = self._state(name, caller)
        self._stage_name(state, stage)
        result = params["result"]
        with self._engine.lock:
            execution, run = _approval(state, stage, action, params["token"])
        self._orders.approve(state, run, execution, params["token"], (result["status"], result["summary"], caller.arn))
        return {"approvedAt": run.updated}

    def retry_stage_execution(self, params: dict[str, Any], caller: Caller) -> Answer:
        name, stage = params["pipelineName"], params["stageName"]
        self._authorize(caller, "RetryStageExecution", f"{name}/{stage}")
        state = self._state(name, caller)
        self._stage_name(state, stage)
        execution = self._execution(state, params["pipelineExecutionId"], "StageNotRetryableException")
        self._orders.retry_stage(state, execution, stage, params["retryMode"])
        return {"pipelineExecutionId": execution.id}

    def rollback_stage(self, params: dict[str, Any], caller: Caller) -> Answer:
        name, stage = params["pipelineName"], params["stageName"]
        self._authorize(caller, "RollbackStage", f"{name}/{stage}")
        state = self._state(name, caller)
        self._stage_name(state, stage)
        target = self._execution(state, params["targetPipelineExecutionId"])
        return {"pipelineExecutionId": self._orders.roll_back_stage(state, stage, target).id}

    def override_stage_condition(self, params: dict[str, Any], caller: Caller) -> Answer:
        name, stage = params["pipelineName"], params["stageName"]
        self._authorize(caller, "OverrideStageCondition", f"{name}/{stage}")
        state = self._state(name, caller)
        self._stage_name(state, stage)
        execution = self._execution(state, params["pipelineExecutionId"], "ConditionNotOverridableException")
        self._orders.override(state, execution, stage, params["conditionType"])
        return {}

    def enable_stage_transition(self, params: dict[str, Any], caller: Caller) -> Answer:
        return self._transition("EnableStageTransition", params, caller, enabled=True)

    def disable_stage_transition(self, params: dict[str, Any], caller: Caller) -> Answer:
        return self._transition("DisableStageTransition", params, caller, enabled=False)

    def _transition(self, operation: str, params: dict[str, Any], caller: Caller, *, enabled: bool) -> Answer:
        name, stage = params["pipelineName"], params["stageName"]
        self._authorize(caller, operation, f"{name}/{stage}")
        state = self._state(name, caller)
        self._stage_name(state, stage)
        if params["transitionType"] == "Outbound":
            raise validation("Transition type Outbound is not supported: disable the next stage's Inbound")
        self._orders.set_transition(state, stage, enabled=enabled, reason=params.get("reason"), by=caller.arn)
        return {}

    def _check(self, declared: dict[str, Any], caller: Caller) -> None:
        structure.check(declared, caller.region)
        role = declared["roleArn"]
        self._gate.require(caller, "iam:PassRole", role, {"iam:PassedToService": SERVICE})
        arn = f"arn:aws:codepipeline:{caller.region}:{caller.account}:{declared['name']}"
        credentials = self._gate.assume(role, SERVICE, arn, caller.region, "check")
        if credentials is None:
            raise _not_authorized("CodePipeline", role)
        for action_role in _action_roles(declared):
            # AWS documents nothing of it; seen in terraform-provider-aws issue 13103 and terraform pull request 14263.
            try:
                self._clients.assume(credentials, action_role, "check", caller.region)
            except ClientError as error:
                raise _not_authorized(role, action_role) from error
        for stage in declared["stages"]:
            for action in stage["actions"]:
                connection = (action.get("configuration") or {}).get("ConnectionArn")
                if connection:
                    require_pass(self._gate, caller, connection, SERVICE)

    def _authorize(self, caller: Caller, operation: str, resource: str, context: Answer | None = None) -> None:
        arn = f"arn:aws:codepipeline:{caller.region}:{caller.account}:{resource}"
        self._gate.require(caller, f"codepipeline:{operation}", arn, context)

    def _state(self, name: str, caller: Caller) -> PipelineState:
        with self._engine.lock:
            state = self._engine.pipelines.get((caller.account, caller.region, name))
        if state is None:
            raise ServiceError(
                "PipelineNotFoundException", f"Account '{caller.account}' does not have a pipeline with name '{name}'"
            )
        return state

    def _by_arn(self, arn: str, caller: Caller, operation: str, context: Answer | None = None) -> PipelineState:
        self._gate.require(caller, f"codepipeline:{operation}", arn, context)
        for state in list(self._engine.pipelines.values()):
            if state.definition.arn == arn and state.definition.account == caller.account:
                return state
        raise ServiceError("ResourceNotFoundException", f"There is no resource {arn}")

    def _execution(
        self, state: PipelineState, execution_id: str, missing: str = "PipelineExecutionNotFoundException"
    ) -> Execution:
        found = state.execution(execution_id)
        if found is None:
            raise ServiceError(missing, f"There is no pipeline execution {execution_id}")
        return found

    def _stage_name(self, state: PipelineState, stage: str) -> None:
        if state.definition.stage(stage) is None:
            raise ServiceError(
                "StageNotFoundException", f"Pipeline '{state.definition.name}' does not have a stage '{stage}'"
            )


def _action_roles(declared: dict[str, Any]) -> list[str]:
    """The roles of a pipeline's actions and rules, each once, beside the pipeline's own."""
    stages = declared["stages"]
    found = [action.get("roleArn") for stage in stages for action in stage["actions"]]
    for moment in ("beforeEntry", "onSuccess", "onFailure"):
        conditions = [c for stage in stages for c in (stage.get(moment) or {}).get("conditions") or ()]
        found += [rule.get("roleArn") for condition in conditions for rule in condition.get("rules") or ()]
    return [role for role in dict.fromkeys(found) if role and role != declared["roleArn"]]


def _not_authorized(who: str, role: str) -> ServiceError:
    return ServiceError("InvalidStructureException", f"{who} is not authorized to perform AssumeRole on role {role}")


def _approval(state: PipelineState, stage: str, action: str, token: str) -> tuple[Execution, ActionRun]:
    """The run of an approval that the token belongs to (of parallel executions, each has its own), else the latest."""
    latest = state.latest_in(stage)
    for execution in [*(run for run in state.executions if run.inside and run.stage.name == stage), latest]:
        run = execution.stages[stage].actions.get(action) if execution else None
        if execution is None or run is None or run.action.category != "Approval":
            continue
        if run.token == token or execution is latest:
            return execution, run
    raise ServiceError("ActionNotFoundException", f"There is no approval {action} in progress in stage {stage}")


def _succeeded_in(execution: Execution, stage: str) -> bool:
    run = execution.stages.get(stage)
    return run is not None and run.status == "Succeeded"


def _wanted(params: dict[str, Any], kind: Callable[[str], bool]) -> dict[str, str]:
    """The revisions of these types, by source action; of an S3 source there may be a key and a version."""
    given = params.get("sourceRevisions", ())
    return {item["actionName"]: item["revisionValue"] for item in given if kind(item["revisionType"])}


def _tag_context(params: dict[str, Any]) -> Answer:
    tags = params.get("tags") or ()
    context: Answer = {f"aws:RequestTag/{tag['key']}": tag["value"] for tag in tags}
    return {**context, "aws:TagKeys": [tag["key"] for tag in tags]} if tags else {}


_OPERATIONS: dict[str, Callable[[PipelinesApi, dict[str, Any], Caller], Answer]] = {
    "CreatePipeline": PipelinesApi.create_pipeline,
    "UpdatePipeline": PipelinesApi.update_pipeline,
    "GetPipeline": PipelinesApi.get_pipeline,
    "DeletePipeline": PipelinesApi.delete_pipeline,
    "ListPipelines": PipelinesApi.list_pipelines,
    "ListTagsForResource": PipelinesApi.list_tags_for_resource,
    "TagResource": PipelinesApi.tag_resource,
    "UntagResource": PipelinesApi.untag_resource,
    "StartPipelineExecution": PipelinesApi.start_pipeline_execution,
    "StopPipelineExecution": PipelinesApi.stop_pipeline_execution,
    "GetPipelineExecution": PipelinesApi.get_pipeline_execution,
    "ListPipelineExecutions": PipelinesApi.list_pipeline_executions,
    "ListActionExecutions": PipelinesApi.list_action_executions,
    "GetPipelineState": PipelinesApi.get_pipeline_state,
    "PutApprovalResult": PipelinesApi.put_approval_result,
    "RetryStageExecution": PipelinesApi.retry_stage_execution,
    "RollbackStage": PipelinesApi.rollback_stage,
    "OverrideStageCondition": PipelinesApi.override_stage_condition,
    "EnableStageTransition": PipelinesApi.enable_stage_transition,
    "DisableStageTransition": PipelinesApi.disable_stage_transition,
}
