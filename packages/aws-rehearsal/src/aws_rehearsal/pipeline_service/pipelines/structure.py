"""The structure of a pipeline: what `CreatePipeline` and `UpdatePipeline` refuse.

After "CodePipeline pipeline structure reference", "Quotas in AWS CodePipeline" and the action structure references of
the CodePipeline User Guide. What botocore's model says about lengths and patterns is checked by `shapes` before.
Pure: whether roles exist and trust CodePipeline is asked by the caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_rehearsal.pipeline_service.errors import ServiceError
from aws_rehearsal.pipeline_service.pipelines import features, variables
from aws_rehearsal.pipeline_service.pipelines.features import invalid

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
    # With artifacts a Lambda action is not played.
    ("Invoke", "AWS", "Lambda"): _Provider(_NONE, _NONE, "FunctionName", "UserParameters"),
    ("Invoke", "AWS", "CodePipeline"): _Provider(_NONE, _NONE, "PipelineName", "SourceRevisions Variables"),
    ("Deploy", "AWS", "S3"): _Provider(
        (1, 1), _NONE, "BucketName Extract", "ObjectKey KMSEncryptionKeyARN CannedACL CacheControl"
    ),
    ("Deploy", "AWS", "ECS"): _Provider((1, 1), _NONE, "ClusterName ServiceName", "FileName DeploymentTimeout"),
    ("Approval", "AWS", "Manual"): _Provider(_NONE, _NONE, "", "CustomData NotificationArn ExternalEntityLink"),
}
"""Category, owner, provider -> what its actions may have. What the service can run, and no more."""


def check(declared: dict[str, Any], region: str) -> None:
    """Raise what AWS raises for a structure that is not valid; `region` is the pipeline's own."""
    stages = declared["stages"]
    _check_stages(stages)
    _check_stores(declared, region)
    _check_actions(stages, region)
    _check_artifacts(stages)
    _check_cross_account(declared, stages)
    features.check(declared, stages)


def _invalid_action(message: str) -> ServiceError:
    return ServiceError("InvalidActionDeclarationException", message)


def _actions(stages: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for stage in stages:
        for action in stage["actions"]:
            yield stage, action


def _is_source(action: dict[str, Any]) -> bool:
    return bool(action["actionTypeId"]["category"] == "Source")


def _check_stages(stages: list[dict[str, Any]]) -> None:
    if len(stages) < 2:
        raise invalid(f"Pipeline has {len(stages)} stage(s). There should be at least two stages in pipeline")
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
            raise invalid(f"Pipeline stage {stage['name']} should only contain source actions")
        if index > 0 and any(_is_source(action) for action in actions):
            raise invalid("Source actions may only occur in the first stage of a pipeline")
    if total > MAX_ACTIONS:
        raise ServiceError("LimitExceededException", f"Pipeline has {total} actions, limit is {MAX_ACTIONS}")


def _check_stores(declared: dict[str, Any], region: str) -> None:
    one, many = declared.get("artifactStore"), declared.get("artifactStores")
    if bool(one) == bool(many):
        raise invalid("You must include either artifactStore or artifactStores in your pipeline, but not both")
    regions = {action["region"] for _, action in _actions(declared["stages"]) if action.get("region")}
    if one and regions - {region}:
        raise invalid(
            "Pipeline has cross-region actions: artifactStores must hold a store for each of the regions "
            f"{sorted(regions | {region})}"
        )
    if many and (missing := (regions | {region}) - set(many)):
        raise invalid(f"Pipeline has no artifact store in the region(s) {sorted(missing)}")
    if many and (unused := set(many) - regions - {region}):
        raise invalid(f"Pipeline has artifact stores in the region(s) {sorted(unused)}, where none of its actions is")


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
        topic = str((action.get("configuration") or {}).get("NotificationArn") or "")
        if topic and kind["category"] == "Approval" and topic.split(":")[3:4] != [region]:
            # The user guide says that it must be; what is answered, it does not say.
            raise _invalid_action(f"{label}: the topic {topic} must be in the region of the pipeline, {region}")
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
                    raise invalid(f"Output Artifact Bundle name must be unique within the pipeline: {item['name']}")
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
    """A CodeBuild action in another account can put out no artifacts: a limitation of cross-account actions."""
    home = declared["roleArn"].split(":")[4]
    for stage, action in _actions(stages):
        role = action.get("roleArn")
        if role is None or role.split(":")[4] == home:
            continue
        if action["actionTypeId"]["provider"] == "CodeBuild" and action.get("outputArtifacts"):
            raise _invalid_action(
                f"Action {action['name']} in stage {stage['name']}: a CodeBuild action in another account "
                f"({role.split(':')[4]}) cannot have output artifacts"
            )
