"""The structure of a pipeline: what `CreatePipeline` and `UpdatePipeline` refuse.

After "CodePipeline pipeline structure reference", "Quotas in AWS CodePipeline" and the action structure references of
the CodePipeline User Guide. What botocore's model says about lengths and patterns is checked by `shapes` before.
Pure: whether roles exist and trust CodePipeline is asked by the caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rehearsal.pipeline_service import variables
from rehearsal.pipeline_service.errors import ServiceError, validation

MAX_STAGES = 50
MAX_ACTIONS_PER_STAGE = 50
MAX_ACTIONS = 500


class _Provider:
    """What an action of one provider may have: artifacts in and out (from, to), keys it must and may have."""

    def __init__(
        self, inputs: tuple[int, int], outputs: tuple[int, int], required: str = "", optional: str = "", v: str = "1"
    ) -> None:
        self.inputs, self.outputs, self.versions = inputs, outputs, (v,)
        self.required, self.optional = required.split(), optional.split()


_SOURCE, _NONE = (1, 1), (0, 0)
PROVIDERS: dict[tuple[str, str, str], _Provider] = {
    ("Source", "AWS", "CodeStarSourceConnection"): _Provider(
        _NONE, _SOURCE, "ConnectionArn FullRepositoryId BranchName", "OutputArtifactFormat DetectChanges"
    ),
    ("Source", "ThirdParty", "GitHub"): _Provider(
        _NONE, _SOURCE, "Owner Repo Branch OAuthToken", "PollForSourceChanges"
    ),
    ("Source", "AWS", "CodeCommit"): _Provider(
        _NONE, _SOURCE, "RepositoryName BranchName", "PollForSourceChanges OutputArtifactFormat"
    ),
    ("Source", "AWS", "S3"): _Provider(
        _NONE, _SOURCE, "S3Bucket S3ObjectKey", "PollForSourceChanges AllowOverrideForS3ObjectKey"
    ),
    **{
        (category, "AWS", "CodeBuild"): _Provider(
            (1, 5), (0, 5), "ProjectName", "PrimarySource BatchEnabled CombineArtifacts EnvironmentVariables"
        )
        for category in ("Build", "Test")
    },
    ("Approval", "AWS", "Manual"): _Provider(
        _NONE, _NONE, "", "CustomData NotificationArn ExternalEntityLink"
    ),
}
"""Category, owner, provider -> what its actions may have. What the service can run, and no more."""

_RESULTS = {"beforeEntry": ("FAIL", "SKIP"), "onSuccess": ("FAIL", "ROLLBACK"), "onFailure": ("ROLLBACK", "RETRY")}
RULES = {"VariableCheck": ("Variable", "Value", "Operator"), "CloudWatchAlarm": ("AlarmName",)}
"""Rule providers the service can check -> the keys they must have."""

_V2_ONLY = ("variables", "triggers")


def check(declared: dict[str, Any], region: str) -> None:
    """Raise what AWS raises for a structure that is not valid; `region` is the pipeline's own."""
    stages = declared["stages"]
    _check_stages(stages)
    _check_version_two(declared, stages)
    _check_stores(declared, region)
    _check_actions(stages, region)
    _check_artifacts(stages)
    _check_cross_account(declared, stages)
    _check_variables(declared, stages)
    _check_conditions(declared, stages)
    _check_triggers(declared, stages)


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidStructureException", message)


def _invalid_action(message: str) -> ServiceError:
    return ServiceError("InvalidActionDeclarationException", message)


def _actions(stages: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for stage in stages:
        for action in stage["actions"]:
            yield stage, action


def _is_source(action: dict[str, Any]) -> bool:
    return action["actionTypeId"]["category"] == "Source"


def _check_stages(stages: list[dict[str, Any]]) -> None:
    if len(stages) < 2:
        raise _invalid(f"Pipeline has {len(stages)} stage(s). There should be at least two stages in pipeline")
    if len(stages) > MAX_STAGES:
        raise ServiceError("LimitExceededException", f"Pipeline has {len(stages)} stages, limit is {MAX_STAGES}")
    names = [stage["name"] for stage in stages]
    for name in names:
        if names.count(name) > 1:
            raise ServiceError("InvalidStageDeclarationException", f"Stage name {name} is not unique in the pipeline")
    total = 0
    for index, stage in enumerate(stages):
        actions = stage["actions"]
        total += len(actions)
        if not actions:
            raise ServiceError("InvalidStageDeclarationException", f"Stage {stage['name']} has no actions")
        if len(actions) > MAX_ACTIONS_PER_STAGE:
            raise ServiceError(
                "LimitExceededException",
                f"Stage {stage['name']} has {len(actions)} actions, limit is {MAX_ACTIONS_PER_STAGE}",
            )
        action_names = [action["name"] for action in actions]
        for name in action_names:
            if action_names.count(name) > 1:
                raise _invalid_action(f"Action name {name} is not unique in stage {stage['name']}")
        if index == 0 and not all(_is_source(action) for action in actions):
            raise _invalid(f"Pipeline stage {stage['name']} should only contain source actions")
        if index > 0 and any(_is_source(action) for action in actions):
            raise _invalid("Source actions may only occur in the first stage of a pipeline")
    if total > MAX_ACTIONS:
        raise ServiceError("LimitExceededException", f"Pipeline has {total} actions, limit is {MAX_ACTIONS}")


def _check_version_two(declared: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    if declared.get("pipelineType", "V1") == "V2":
        return
    for feature in _V2_ONLY:
        if declared.get(feature):
            raise _invalid(f"Pipeline of type V1 cannot have {feature}. {feature.capitalize()} require type V2")
    if declared.get("executionMode", "SUPERSEDED") != "SUPERSEDED":
        raise _invalid(f"Execution mode {declared['executionMode']} requires a pipeline of type V2")
    for stage in stages:
        for feature in ("beforeEntry", "onSuccess", "onFailure"):
            if stage.get(feature):
                raise _invalid(f"Stage {stage['name']}: {feature} requires a pipeline of type V2")


def _check_stores(declared: dict[str, Any], region: str) -> None:
    one, many = declared.get("artifactStore"), declared.get("artifactStores")
    if bool(one) == bool(many):
        raise _invalid("You must include either artifactStore or artifactStores in your pipeline, but not both")
    regions = {action["region"] for _, action in _actions(declared["stages"]) if action.get("region")}
    if one and regions - {region}:
        raise _invalid(
            "Pipeline has cross-region actions: artifactStores must hold a store for each of the regions "
            f"{sorted(regions | {region})}"
        )
    if many and (missing := (regions | {region}) - set(many)):
        raise _invalid(f"Pipeline has no artifact store in the region(s) {sorted(missing)}")
    if many and (unused := set(many) - regions - {region}):
        raise _invalid(f"Pipeline has artifact stores in the region(s) {sorted(unused)}, where none of its actions is")


def _check_actions(stages: list[dict[str, Any]], region: str) -> None:
    namespaces: set[str] = set()
    for stage, action in _actions(stages):
        kind = action["actionTypeId"]
        label = f"Action {action['name']} in stage {stage['name']}"
        provider = PROVIDERS.get((kind["category"], kind["owner"], kind["provider"]))
        if provider is None or kind["version"] not in provider.versions:
            raise _invalid_action(
                f"ActionType (Category: '{kind['category']}', Provider: '{kind['provider']}', Owner: "
                f"'{kind['owner']}', Version: '{kind['version']}') in action '{action['name']}' is not available"
            )
        _check_configuration(label, provider, action)
        for side, (least, most) in (("input", provider.inputs), ("output", provider.outputs)):
            count = len(action.get(f"{side}Artifacts", ()))
            if not least <= count <= most:
                raise _invalid_action(f"{label} has {count} {side} artifacts; it should have {least} to {most}")
        if _is_source(action) and action.get("region", region) != region:
            raise _invalid_action(f"{label}: source actions must be in the region of the pipeline")
        if action.get("timeoutInMinutes") and kind["category"] != "Approval":
            raise _invalid_action(f"{label}: timeoutInMinutes is supported for manual approval actions only")
        namespace = action.get("namespace")
        if namespace:
            if namespace in variables.RESERVED:
                raise _invalid_action(f"{label}: the namespace {namespace} is reserved")
            if namespace in namespaces:
                raise _invalid_action(f"{label}: namespace {namespace} is not unique in the pipeline")
            namespaces.add(namespace)


def _check_configuration(label: str, provider: _Provider, action: dict[str, Any]) -> None:
    keys = set(action.get("configuration") or {})
    for key in provider.required:
        if key not in keys:
            raise _invalid_action(f"{label} is missing required configuration '{key}'")
    for key in sorted(keys - set(provider.required) - set(provider.optional)):
        raise _invalid_action(f"{label} contains unknown configuration '{key}'")
    if len(action.get("inputArtifacts", ())) > 1 and action["actionTypeId"]["provider"] == "CodeBuild":
        inputs = [item["name"] for item in action["inputArtifacts"]]
        if action["configuration"].get("PrimarySource") not in inputs:
            raise _invalid_action(f"{label} has several input artifacts; PrimarySource must name one of them")


def _check_artifacts(stages: list[dict[str, Any]]) -> None:
    produced: dict[str, tuple[int, int]] = {}
    for index, stage in enumerate(stages):
        for action in stage["actions"]:
            for item in action.get("outputArtifacts", ()):
                if item["name"] in produced:
                    raise _invalid(f"Output Artifact Bundle name must be unique within the pipeline: {item['name']}")
                produced[item["name"]] = (index, action.get("runOrder", 1))
    for index, stage in enumerate(stages):
        for action in stage["actions"]:
            for item in action.get("inputArtifacts", ()):
                made = produced.get(item["name"])
                if made is None or made >= (index, action.get("runOrder", 1)):
                    raise _invalid_action(
                        f"Input Artifact Bundle {item['name']} in action {action['name']} is not declared as Output "
                        "Artifact Bundle in any of the preceding actions"
                    )


def _check_cross_account(declared: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    """A CodeBuild action in another account can put out no artifacts.

    "Cross-account actions: ... CodeBuild action: output artifacts are not supported" - the build's project writes with
    its own account's role, and the pipeline's account could not own what it wrote.
    """
    home = declared["roleArn"].split(":")[4]
    for stage, action in _actions(stages):
        role = action.get("roleArn")
        foreign = role is not None and role.split(":")[4] != home
        if foreign and action["actionTypeId"]["provider"] == "CodeBuild" and action.get("outputArtifacts"):
            raise _invalid_action(
                f"Action {action['name']} in stage {stage['name']}: a CodeBuild action in another account "
                f"({role.split(':')[4]}) cannot have output artifacts"
            )


def _check_variables(declared: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    names = [item["name"] for item in declared.get("variables", ())]
    if len(names) != len(set(names)):
        raise _invalid("Pipeline variable names must be unique within the pipeline")
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
                raise _invalid(f"{label} is not supported for the source stage")
            results = [condition.get("result") for condition in block.get("conditions", ())]
            if moment == "onFailure" and block.get("result"):
                results.append(block["result"])
            for result in results:
                if result is not None and result not in allowed:
                    raise _invalid(f"{label}: result {result} is not one of {', '.join(allowed)}")
                if result == "ROLLBACK" and declared.get("executionMode") == "PARALLEL":
                    raise _invalid(f"{label}: ROLLBACK is not available for a pipeline in PARALLEL mode")
                if result == "ROLLBACK" and index == 0:
                    raise _invalid(f"{label}: the source stage cannot be rolled back")
            if block.get("retryConfiguration") and block.get("result") != "RETRY":
                raise _invalid(f"{label}: retryConfiguration requires the result RETRY")
            _check_rules(label, block)


def _check_rules(label: str, block: dict[str, Any]) -> None:
    for condition in block.get("conditions", ()):
        for rule in condition.get("rules", ()):
            needed = RULES.get(rule["ruleTypeId"]["provider"])
            if needed is None:
                raise _invalid(f"{label}: rule provider {rule['ruleTypeId']['provider']} is not available")
            for key in needed:
                if key not in (rule.get("configuration") or {}):
                    raise _invalid(f"{label}: rule {rule['name']} is missing required configuration '{key}'")


def _check_triggers(declared: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    connections = {
        action["name"]
        for action in stages[0]["actions"]
        if action["actionTypeId"]["provider"] == "CodeStarSourceConnection"
    }
    for trigger in declared.get("triggers", ()):
        git = trigger["gitConfiguration"]
        if git["sourceActionName"] not in connections:
            raise _invalid(
                f"Trigger for source action {git['sourceActionName']}: there is no such source action of provider "
                "CodeStarSourceConnection"
            )
        for push in git.get("push", ()):
            if push.get("tags") and (push.get("branches") or push.get("filePaths")):
                raise _invalid("A push filter has either tags, or branches and file paths")
            if push.get("filePaths") and not push.get("branches"):
                raise _invalid("A push filter with file paths needs branches")
