"""The V2 features of a pipeline's structure, and what refers across it: variables, conditions, triggers. Pure.

A part of `structure`, after "Pipeline types" (what V2 has and V1 has not), "Variables reference", "Configure conditions
for a stage" and "Add trigger with code push or pull request event types" of the CodePipeline User Guide.
"""

from __future__ import annotations

import re
from typing import Any

from aws_rehearsal.pipeline_service.errors import ServiceError, validation
from aws_rehearsal.pipeline_service.pipelines import variables

_RESULTS = {"beforeEntry": ("FAIL", "SKIP"), "onSuccess": ("FAIL", "ROLLBACK"), "onFailure": ("ROLLBACK", "RETRY")}
RULES = {"VariableCheck": ("Variable", "Value", "Operator"), "CloudWatchAlarm": ("AlarmName",)}
"""Rule providers the service can check -> the keys they must have."""

_V2_ONLY = ("variables", "triggers")


def check(declared: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    """Raise what AWS raises for features that are not valid."""
    _check_version_two(declared, stages)
    _check_variables(declared, stages)
    _check_conditions(declared, stages)
    _check_triggers(declared, stages)


def invalid(message: str) -> ServiceError:
    """An `InvalidStructureException`."""
    return ServiceError("InvalidStructureException", message)


def _check_version_two(declared: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    if declared.get("pipelineType", "V1") == "V2":
        return
    for feature in _V2_ONLY:
        if declared.get(feature):
            raise invalid(f"Pipeline of type V1 cannot have {feature}. {feature.capitalize()} require type V2")
    if declared.get("executionMode", "SUPERSEDED") != "SUPERSEDED":
        raise invalid(f"Execution mode {declared['executionMode']} requires a pipeline of type V2")
    for stage in stages:
        for feature in ("beforeEntry", "onSuccess", "onFailure"):
            if stage.get(feature):
                raise invalid(f"Stage {stage['name']}: {feature} requires a pipeline of type V2")


def _check_variables(declared: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    names = [item["name"] for item in declared.get("variables", ())]
    if len(names) != len(set(names)):
        raise invalid("Pipeline variable names must be unique within the pipeline")
    known: dict[str, tuple[int, int]] = {}
    for index, stage in enumerate(stages):
        for action in stage["actions"]:
            if action.get("namespace"):
                known[action["namespace"]] = (index, action.get("runOrder", 1))
    for index, stage in enumerate(stages):
        for action in stage["actions"]:
            here = (index, action.get("runOrder", 1))
            for text in (action.get("configuration") or {}).values():
                _check_references(f"action {action['name']}", text, names, known, here)
        for moment, here in (("beforeEntry", (index, 0)), ("onSuccess", (index, 1000)), ("onFailure", (index, 1000))):
            for condition in (stage.get(moment) or {}).get("conditions", ()):
                for rule in condition.get("rules", ()):
                    for text in (rule.get("configuration") or {}).values():
                        _check_references(f"rule {rule['name']}", text, names, known, here)


def _check_references(
    where: str, text: str, names: list[str], known: dict[str, tuple[int, int]], here: tuple[int, int]
) -> None:
    for namespace, key in variables.references(text):
        if namespace == "codepipeline":
            valid = key == "PipelineExecutionId"
        elif namespace == "variables":
            valid = key in names
        else:
            valid = namespace in known and known[namespace] < here
        if not valid:
            raise validation(
                "Valid format for a pipeline execution variable reference is a namespace and a key separated by a "
                "period (.). The following pipeline execution variables are referencing a namespace that does not "
                f"exist before the {where}: #{{{namespace}.{key}}}"
            )


def _check_conditions(declared: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    for index, stage in enumerate(stages):
        for moment, allowed in _RESULTS.items():
            block = stage.get(moment)
            if not block:
                continue
            label = f"Stage {stage['name']}: {moment}"
            if index == 0 and moment == "beforeEntry":
                raise invalid(f"{label} is not supported for the source stage")
            results = [condition.get("result") for condition in block.get("conditions", ())]
            if moment == "onFailure" and block.get("result"):
                results.append(block["result"])
            for result in results:
                if result is not None and result not in allowed:
                    raise invalid(f"{label}: result {result} is not one of {', '.join(allowed)}")
                if result == "ROLLBACK" and declared.get("executionMode") == "PARALLEL":
                    raise invalid(f"{label}: ROLLBACK is not available for a pipeline in PARALLEL mode")
                if result == "ROLLBACK" and index == 0:
                    raise invalid(f"{label}: the source stage cannot be rolled back")
            if block.get("retryConfiguration") and block.get("result") != "RETRY":
                raise invalid(f"{label}: retryConfiguration requires the result RETRY")
            _check_rules(label, block)


def _check_rules(label: str, block: dict[str, Any]) -> None:
    for condition in block.get("conditions", ()):
        for rule in condition.get("rules", ()):
            needed = RULES.get(rule["ruleTypeId"]["provider"])
            if needed is None:
                raise invalid(f"{label}: rule provider {rule['ruleTypeId']['provider']} is not available")
            for key in needed:
                if key not in (rule.get("configuration") or {}):
                    raise invalid(f"{label}: rule {rule['name']} is missing required configuration '{key}'")
            if rule["ruleTypeId"]["provider"] == "VariableCheck":
                _check_one_variable(f"{label}: rule {rule['name']}", rule["configuration"]["Variable"])


def _check_one_variable(label: str, text: str) -> None:
    """`Variable` is "the pipeline variable to check" ("VariableCheck"): what a text with two would be is not said."""
    if not re.fullmatch(r"#\{[^{}]+\}", text):
        raise invalid(f"{label} checks one variable, as #{{namespace.key}}, not '{text}'")


def _check_triggers(declared: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    connections = {
        action["name"]
        for action in stages[0]["actions"]
        if action["actionTypeId"]["provider"] == "CodeStarSourceConnection"
    }
    for trigger in declared.get("triggers", ()):
        git = trigger["gitConfiguration"]
        if git["sourceActionName"] not in connections:
            raise invalid(
                f"Trigger for source action {git['sourceActionName']}: there is no such source action of provider "
                "CodeStarSourceConnection"
            )
        for push in git.get("push", ()):
            if push.get("tags") and (push.get("branches") or push.get("filePaths")):
                raise invalid("A push filter has either tags, or branches and file paths")
            if push.get("filePaths") and not push.get("branches"):
                raise invalid("A push filter with file paths needs branches")
