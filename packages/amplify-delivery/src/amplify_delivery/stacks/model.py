"""From a pipeline's stack file and its environments' to the pipeline as a model. Without Pulumi."""

from __future__ import annotations

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.model import (
    Approval,
    CodeCommitSource,
    ConnectionSource,
    EnvironmentRef,
    GitHubTokenSource,
    PipelineModel,
    S3Source,
    Source,
    Stage,
    Step,
    Trigger,
)
from amplify_delivery.stacks.access import enrolled_environment, pipeline_names
from amplify_delivery.stacks.config import PipelineConfig, Project
from amplify_delivery.stacks.config import pipeline as config


def pipeline_model(project: Project, app: str, name: str, pipeline: PipelineConfig) -> PipelineModel:
    """The model of the pipeline `name`, with the places that its environments' own files say.

    Raises `ConfigError` for an environment that has no file, or that is not enrolled. Artifact
    stores are not part of it: their keys are only known once they are made.
    """
    names = pipeline_names(app, name, pipeline)
    return PipelineModel(
        names=names,
        source=_source(pipeline),
        stages=tuple(_stage(project, names, pipeline, stage) for stage in pipeline.stages),
        stores=(),
        triggers=tuple(
            Trigger(t.branches, t.exclude_branches, t.paths, t.exclude_paths, t.tags, t.exclude_tags)
            for t in pipeline.triggers
        ),
        tags=dict(pipeline.tags),
        kept_regions=pipeline.artifact_regions,
    )


def _source(pipeline: PipelineConfig) -> Source:
    source = pipeline.source
    if isinstance(source, config.ConnectionSource):
        # A filter decides then: with both, each push would start it.
        detect = source.detect_changes and not pipeline.triggers
        return ConnectionSource(source.connection, source.repository, source.branch, detect)
    if isinstance(source, config.GitHubTokenSource):
        owner, _, repository = source.repository.partition("/")
        return GitHubTokenSource(owner, repository, source.branch, "", source.poll, source.token_secret)
    if isinstance(source, config.CodeCommitSource):
        return CodeCommitSource(source.repository, source.branch)
    return S3Source(source.bucket, source.key, source.poll)


def _stage(project: Project, names: PipelineNames, pipeline: PipelineConfig, stage: config.Stage) -> Stage:
    return Stage(
        name=stage.name,
        environments=tuple(_environment(project, name) for name in stage.environments),
        pre=tuple(Step(step.name) for step in stage.pre),
        post=tuple(Step(step.name) for step in stage.post),
        approval=_approval(names, pipeline, stage.approval) if stage.approval else None,
        approval_before_plan=(
            _approval(names, pipeline, stage.approval_before_plan) if stage.approval_before_plan else None
        ),
        bake_minutes=stage.bake.time if stage.bake else 0,
        on_failure=stage.on_failure,
    )


def _environment(project: Project, name: str) -> EnvironmentRef:
    environment = enrolled_environment(project, name)
    return EnvironmentRef(environment.environment, environment.account, environment.region)


def _approval(names: PipelineNames, pipeline: PipelineConfig, approval: config.Approval) -> Approval:
    own_topic = names.arn("sns", names.topic) if pipeline.notifications else None
    return Approval(
        comment=approval.comment or "",
        timeout_minutes=approval.timeout,
        topic_arn=approval.notification or own_topic,
        review_url=approval.review_url,
        skip_unchanged=approval.skip_unchanged,
    )
