"""From a pipeline's stack file and its environments' to the pipeline as a model. Without Pulumi."""

from __future__ import annotations

from collections.abc import Collection

from amplify_delivery.components.documents import regions
from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef, OtherProgram, PipelineModel
from amplify_delivery.components.documents.pipeline.source_models import PipelineSource
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks import collisions
from amplify_delivery.stacks.access import bootstrapped_environment, pipeline_names
from amplify_delivery.stacks.config import EnvironmentConfig, PipelineConfig, Project
from amplify_delivery.stacks.images import check_privileged


def pipeline_model(project: Project, app: str, name: str, pipeline: PipelineConfig) -> PipelineModel:
    """The model of the pipeline `name`, with the places that its environments' own files say.

    Raises `ConfigError` for an environment that has no file, that is not bootstrapped, or whose account lets another
    pipeline in, for production that nobody is asked about, for images that Build may not build, for names that another
    stack makes too, and for regions without CodePipeline. Artifact stores are not part of it: their keys are only known
    once they are made.
    """
    names = pipeline_names(app, name, pipeline)
    where = str(project.file(name))
    collisions.check(project, app, {name: names})
    check_region(pipeline.region, "codepipeline", where)
    _check_let_in(project, name, pipeline)
    environments = {e: bootstrapped_environment(project, e) for e in pipeline.environments}
    check_asked(pipeline, {e for e, environment in environments.items() if environment.production}, where)
    _check_chain(project, name, pipeline)
    first = project.first(name)
    for environment in environments.values():
        check_privileged(project, first, environment.container_images)
    return model_of(
        names,
        pipeline,
        tuple(_place(project, environment) for environment in environments.values()),
        followers=tuple(pipeline_names(app, stack, config) for stack, config in _followers(project, name)),
    )


def model_of(
    names: PipelineNames,
    pipeline: PipelineConfig,
    places: tuple[EnvironmentRef, ...],
    *,
    followers: tuple[PipelineNames, ...] = (),
    file: str | None = None,
    program: OtherProgram | None = None,
) -> PipelineModel:
    """The model of a pipeline whose environments lie at `places`, whoever describes it: stack files, or the arguments
    of a component. `file` and `program` are those of `PipelineModel`. Raises `BadValueError`."""
    return PipelineModel(
        names=names,
        source=pipeline.source,
        stages=pipeline.stages,
        places=places,
        triggers=pipeline.triggers,
        tags=dict(pipeline.tags),
        kept_regions=pipeline.artifact_regions,
        organization=pipeline.organization,
        topic_arn=names.arn("sns", names.topic) if pipeline.notifications else None,
        folder=pipeline.build.folder,
        followers=followers,
        file=file,
        program=program,
    )


def _followers(project: Project, name: str) -> list[tuple[str, PipelineConfig]]:
    """The pipelines that the files have follow the pipeline `name`, by name."""
    found = ((stack, project.pipeline(stack)) for stack in project.stacks("pipeline") if stack != name)
    return [(s, c) for s, c in found if isinstance(c.source, PipelineSource) and c.source.pipeline == name]


def _check_chain(project: Project, name: str, pipeline: PipelineConfig) -> None:
    """One that follows another is of its account and region, where the release lies; and none follows itself."""
    passed = [name]
    here, config = name, pipeline
    while isinstance(config.source, PipelineSource):
        before = config.source.pipeline
        where = str(project.file(here))
        if before in passed:
            raise ConfigError(
                f"pipelines that follow one another in a circle: {' after '.join([*passed, before])}",
                where=where,
                remedy="the first one has a `source` of another type: a connection, for instance",
            )
        next_config = project.pipeline(before)
        if (next_config.account, next_config.region) != (config.account, config.region):
            raise ConfigError(
                f"{here} follows {before}, which is in account {next_config.account}, {next_config.region}",
                where=where,
                remedy="pipelines that follow one another share account and region; environments may lie anywhere",
            )
        passed.append(before)
        here, config = before, next_config


def _check_let_in(project: Project, name: str, pipeline: PipelineConfig) -> None:
    """CodePipeline would refuse the pipeline: it tries every action role."""
    accounts = project.accounts()
    for environment in pipeline.environments:
        others = {account.pipeline for _, account in accounts.get(environment, ())}
        if others and name not in others:
            raise ConfigError(
                f"the account of {environment} lets in the pipeline {', '.join(sorted(others))}, and not {name}",
                where=str(project.file(name)),
                remedy=f"take {environment} out of the stages of {name}; or set `pipeline: {name}` in the account's "
                f"file, `amplify-delivery bootstrap {environment}`, and take it out of the other one",
            )


def check_asked(pipeline: PipelineConfig, production: Collection[str], where: str) -> None:
    """For environments in production somebody is always asked. Raises `ConfigError`."""
    for stage in pipeline.stages:
        in_production = [e for e in stage.environments if e in production]
        if in_production and (stage.approval is None or stage.approval.skip_unchanged):
            how = "asks nobody" if stage.approval is None else "does not always ask (`skipUnchanged`)"
            raise ConfigError(
                f"the stage {stage.name} deploys {', '.join(in_production)}, which is production, and {how}",
                where=where,
                remedy="give it `approval: true`, without `skipUnchanged`",
            )


def check_region(region: str, service: str, where: str) -> None:
    """Raise `ConfigError` if AWS does not offer `service`, one of `SERVICES`, in a region."""
    if not regions.offers(region, service):
        raise ConfigError(
            f"AWS has no {SERVICES[service]} in {region}", where=where, remedy=f"take another region; {regions.LATER}"
        )


SERVICES = {"codebuild": "CodeBuild", "codepipeline": "CodePipeline"}
"""What a region of an environment has to offer: "A cross-region action" needs both ("Add a cross-Region action in
CodePipeline")."""


def _place(project: Project, environment: EnvironmentConfig) -> EnvironmentRef:
    for service in SERVICES:
        check_region(environment.region, service, str(project.file(environment.environment)))
    return EnvironmentRef(environment.environment, environment.account, environment.region, environment.enrolled)
