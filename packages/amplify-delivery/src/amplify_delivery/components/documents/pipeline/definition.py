"""The CodePipeline itself, as CloudFormation's `AWS::CodePipeline::Pipeline` properties.

Source, Build, UpdatePipeline, PublishAssets, and per stage of ours X-Plan [gate, pre, plan], X-Approve [approval] and
X [deploy, post, bake]. Three stages for one, because a rejected approval is a failed action: only X may have
`OnFailure`, else a rejection would roll production back. "CodePipeline pipeline structure reference" and "Stage
conditions" in the CodePipeline user guide.

Nothing in it varies per commit: a stage can be rolled back only to an execution of the same structure.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence

from amplify_delivery.components.documents.naming import CHECK, DEPLOY, PLAN, PUBLISH
from amplify_delivery.components.documents.pipeline.artifact import VARIABLE
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef, PipelineModel
from amplify_delivery.components.documents.pipeline.source_action import (
    BUILD_ARTIFACT,
    RELEASES_PREFIX,
    SOURCE_ARTIFACT,
    Properties,
    push_filter,
    source_action,
)
from amplify_delivery.components.documents.pipeline.source_models import S3Source
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Stage, Step, in_order
from amplify_delivery.components.documents.statements import to_json

MAX_ACTIONS_PER_STAGE = 50

COMMIT, RELEASE = "COMMIT_ID", "RELEASE"
HANDED_ON = (VARIABLE, COMMIT, RELEASE)
"""Variables of a pipeline that follows another one: the artifact's digest, the commit, and the object's key. None has a
default: whoever starts an execution has to say what is released."""
START_NEXT = "StartNext"


def _digest(model: PipelineModel) -> dict[str, str]:
    return {VARIABLE: f"#{{variables.{VARIABLE}}}" if model.before else f"#{{build.{VARIABLE}}}"}


def definition_digest(properties: Properties) -> str:
    """SHA-256 of a definition: it changes if and only if the pipeline does."""
    return hashlib.sha256(to_json(properties).encode()).hexdigest()


def pipeline_properties(model: PipelineModel) -> Properties:
    """The whole pipeline. Call `limits.validate` first: this function takes its input as it is."""
    names = model.names
    properties: Properties = {
        "Name": names.pipeline,
        "RoleArn": names.role_arn(),
        "PipelineType": "V2",
        "ExecutionMode": "QUEUED",
        # A changed pipeline starts once more, with the branch's newest commit: it contains everything that was
        # cancelled. Where that one may not be released, `amplify-delivery update-pipeline` starts it, with the commit
        # that the change came from.
        "RestartExecutionOnUpdate": model.releases_every_push,
        **({"Variables": [{"Name": name} for name in HANDED_ON]} if model.before else {}),
        **_stores(model),
        "Stages": list(_stages(model)),
    }
    if model.triggers:
        pushes = [push_filter(trigger) for trigger in model.triggers]
        properties["Triggers"] = [
            {
                "ProviderType": "CodeStarSourceConnection",
                "GitConfiguration": {"SourceActionName": "Source", "Push": pushes},
            }
        ]
    if model.tags:
        properties["Tags"] = [{"Key": key, "Value": value} for key, value in sorted(model.tags.items())]
    return properties


def _stores(model: PipelineModel) -> Properties:
    """One store as a scalar, several by region: CodePipeline takes either, and gives back what it was given."""
    stores = {
        store.region: {
            "Type": "S3",
            "Location": store.bucket,
            "EncryptionKey": {"Type": "KMS", "Id": store.key_arn},
        }
        for store in model.stores
    }
    if len(stores) == 1:
        return {"ArtifactStore": next(iter(stores.values()))}
    return {"ArtifactStores": [{"Region": region, "ArtifactStore": stores[region]} for region in sorted(stores)]}


def _stages(model: PipelineModel) -> Iterator[Properties]:
    names = model.names
    yield {"Name": "Source", "Actions": [source_action(model)]}
    if not model.before:
        yield {
            "Name": "Build",
            "Actions": [
                _code_build(
                    "Build",
                    names.project("build"),
                    names.role_arn("build-action"),
                    artifact=SOURCE_ARTIFACT,
                    output=BUILD_ARTIFACT,
                    namespace="build",
                )
            ],
        }
    if model.updates_itself:
        yield {
            "Name": "UpdatePipeline",
            "Actions": [
                _code_build(
                    "UpdatePipeline",
                    names.project("update"),
                    names.role_arn("update-action"),
                    variables={**_digest(model), **_run(model), **_file(model)},
                )
            ],
        }
    refs = [model.place(name) for stage in model.stages for name in stage.environments]
    groups = [refs[at : at + MAX_ACTIONS_PER_STAGE] for at in range(0, len(refs), MAX_ACTIONS_PER_STAGE)]
    for number, group in enumerate(groups, start=1):
        yield {
            "Name": "PublishAssets" if len(groups) == 1 else f"PublishAssets-{number}",
            "Actions": [_inside(model, ref, PUBLISH, "Publish", 1) for ref in group],
        }
    for stage in model.stages:
        yield from _stage(model, stage)
    if model.followers:
        yield {"Name": START_NEXT, "Actions": _starting(model)}


def _starting(model: PipelineModel) -> list[Properties]:
    """The release goes on: its artifact as an object of its own, then a start of each pipeline that follows, with the
    object's key, the digest and the commit. "Amazon S3 deploy action" and "AWS CodePipeline invoke action" references.

    The digest comes from Build, through the variables: an object that somebody has put in the place of another is
    refused by whoever runs it.
    """
    names = model.names
    key = f"{RELEASES_PREFIX}#{{codepipeline.PipelineExecutionId}}.zip"
    store = next((store for store in model.stores if store.region == names.region), None)
    handed = {**_digest(model), COMMIT: _run(model)[COMMIT], RELEASE: key}
    variables = [{"name": name, "value": handed[name]} for name in HANDED_ON]
    revision = [{"actionName": "Source", "revisionType": "S3_OBJECT_KEY", "revisionValue": key}]
    put: Properties = {
        "Name": "HandOn",
        "ActionTypeId": {"Category": "Deploy", "Owner": "AWS", "Provider": "S3", "Version": "1"},
        "RunOrder": 1,
        "Configuration": {
            "BucketName": names.artifact_bucket(names.region),
            "Extract": "false",
            "KMSEncryptionKeyARN": store.key_arn if store else "",
            "ObjectKey": key,
        },
        "InputArtifacts": [{"Name": BUILD_ARTIFACT}],
        "RoleArn": names.role_arn("next"),
    }
    starts: list[Properties] = [
        {
            "Name": f"Start-{follower.name}",
            "ActionTypeId": {"Category": "Invoke", "Owner": "AWS", "Provider": "CodePipeline", "Version": "1"},
            "RunOrder": 2,
            "Configuration": {
                "PipelineName": follower.pipeline,
                "SourceRevisions": json.dumps(revision, separators=(",", ":")),
                "Variables": json.dumps(variables, separators=(",", ":")),
            },
            "RoleArn": names.role_arn("next"),
        }
        for follower in model.followers
    ]
    return [put, *starts]


def _stage(model: PipelineModel, stage: Stage) -> Iterator[Properties]:
    plans: list[Properties] = []
    deploys: list[Properties] = []
    first = 1
    if stage.approval_before_plan:
        # A part of X-Plan, not a stage of its own: there are 50 at most, and a rejection leads to nothing else.
        plans.append(_manual(model, "Approve-Plan", stage.approval_before_plan, f"Commit: {_run(model)['COMMIT_ID']}"))
        first = 2
    for ref in map(model.place, stage.environments):
        pre, order = _steps(model, ref, stage.pre, first)
        plans += [*pre, _inside(model, ref, PLAN, "Plan", order, namespace=f"plan-{ref.name}")]
        post, order = _steps(model, ref, stage.post, 2)
        deploys += [_inside(model, ref, DEPLOY, "Deploy", 1, plan=True), *post]
        if stage.bake:
            deploys.append(_inside(model, ref, CHECK, "Bake", order, step="bake"))
    yield {"Name": f"{stage.name}-Plan", "Actions": plans}
    if stage.approval:
        approve: Properties = {"Name": f"{stage.name}-Approve", "Actions": [_approval(model, stage.approval, stage)]}
        if stage.approval.skip_unchanged:
            rule = _something_changes(stage.environments[0])
            approve["BeforeEntry"] = {"Conditions": [{"Result": "SKIP", "Rules": [rule]}]}
        yield approve
    last: Properties = {"Name": stage.name, "Actions": deploys}
    if stage.on_failure == "rollback":
        last["OnFailure"] = {"Result": "ROLLBACK"}
    elif stage.on_failure == "retry":
        last["OnFailure"] = {"Result": "RETRY", "RetryConfiguration": {"RetryMode": "FAILED_ACTIONS"}}
    yield last


def _steps(
    model: PipelineModel, ref: EnvironmentRef, steps: Sequence[Step], first: int
) -> tuple[list[Properties], int]:
    """The actions of steps from the run order `first` on, and the order of what comes after them."""
    groups = in_order(steps)
    actions = [
        _inside(model, ref, CHECK, step.name, order, step=step.name)
        for order, group in enumerate(groups, start=first)
        for step in group
    ]
    return actions, first + len(groups)


def _something_changes(environment: str) -> Properties:
    """The rule that lets an execution into X-Approve; where it fails, the stage is skipped ("VariableCheck").

    A rule checks one variable, and all rules of a condition must hold: so there is none that says "in one of several
    environments something changes". `Stage` refuses several environments that would skip.
    """
    check = {"Variable": f"#{{plan-{environment}.CHANGES}}", "Value": "0", "Operator": "NE"}
    return {
        "Name": "SomethingChanges",
        "RuleTypeId": {"Category": "Rule", "Owner": "AWS", "Provider": "VariableCheck", "Version": "1"},
        "Configuration": check,
    }


def _approval(model: PipelineModel, approval: Approval, stage: Stage) -> Properties:
    plans = " ".join(f"{name}: #{{plan-{name}.CHANGES}} (#{{plan-{name}.PLAN_DIGEST}})" for name in stage.environments)
    return _manual(model, "Approve", approval, f"Changes: {plans}")


def _manual(model: PipelineModel, name: str, approval: Approval, text: str) -> Properties:
    configuration = {"CustomData": f"{approval.comment or ''} {text}".strip()}
    if topic := model.topic_of(approval):
        configuration["NotificationArn"] = topic
    if approval.review_url:
        configuration["ExternalEntityLink"] = approval.review_url
    return {
        "Name": name,
        "ActionTypeId": {"Category": "Approval", "Owner": "AWS", "Provider": "Manual", "Version": "1"},
        "RunOrder": 1,
        "Configuration": configuration,
        "TimeoutInMinutes": approval.timeout,
    }


def _inside(
    model: PipelineModel,
    ref: EnvironmentRef,
    project: str,
    name: str,
    order: int,
    *,
    step: str | None = None,
    plan: bool = False,
    namespace: str | None = None,
) -> Properties:
    """An action that runs in the target account, with its action role. It can have no output artifact: a project of
    another account does not use the store's key ("cross-account action" in the CodeBuild action reference)."""
    names = ref.names(model.app)
    variables = {**_digest(model), **_run(model)}
    if step:
        variables["STEP_NAME"] = step
    if plan:
        variables["PLAN_DIGEST"] = f"#{{plan-{ref.name}.PLAN_DIGEST}}"
    action = _code_build(
        f"{name}-{ref.name}",
        names.project(project),
        names.action_role_arn,
        order=order,
        variables=variables,
        namespace=namespace,
    )
    if ref.region != model.names.region:
        action["Region"] = ref.region
    return action


def _file(model: PipelineModel) -> dict[str, str]:
    """Of the file that Build has put into the artifact: it is of the definition that was applied before, so another
    file has to be another definition. Else the execution that brings changed commands would go on with the old ones."""
    if model.program is None or model.file is None:
        return {}
    return {"STACK_FILE_DIGEST": hashlib.sha256(model.file.encode()).hexdigest()}


def _run(model: PipelineModel) -> dict[str, str]:
    """What the audit log needs to name an execution."""
    if model.before:
        return {COMMIT: f"#{{variables.{COMMIT}}}", "EXECUTION_ID": "#{codepipeline.PipelineExecutionId}"}
    revision = "VersionId" if isinstance(model.source, S3Source) else "CommitId"
    return {"COMMIT_ID": f"#{{source.{revision}}}", "EXECUTION_ID": "#{codepipeline.PipelineExecutionId}"}


def _code_build(
    name: str,
    project: str,
    role_arn: str,
    *,
    artifact: str = BUILD_ARTIFACT,
    output: str | None = None,
    order: int = 1,
    variables: dict[str, str] | None = None,
    namespace: str | None = None,
) -> Properties:
    configuration = {"ProjectName": project}
    if variables:
        listed = [{"name": key, "value": variables[key], "type": "PLAINTEXT"} for key in sorted(variables)]
        configuration["EnvironmentVariables"] = json.dumps(listed, separators=(",", ":"))
    action: Properties = {
        "Name": name,
        "ActionTypeId": {"Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1"},
        "RunOrder": order,
        "Configuration": configuration,
        "InputArtifacts": [{"Name": artifact}],
        "RoleArn": role_arn,
    }
    if output:
        action["OutputArtifacts"] = [{"Name": output}]
    if namespace:
        action["Namespace"] = namespace
    return action
