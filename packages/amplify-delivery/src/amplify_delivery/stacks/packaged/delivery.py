"""`DeliveryPipeline` for other languages: what the program of a pipeline declares, with its update of itself.

No `from __future__ import annotations` here: the SDK makes the schema of the types themselves.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pulumi
from pydantic import Field

from amplify_delivery.components import delivery_pipeline, lost_state
from amplify_delivery.components.delivery_pipeline import with_placeholders
from amplify_delivery.components.documents.fields import (
    Account,
    BadValueError,
    EnvironmentName,
    Flag,
    List,
    Model,
    Region,
    Text,
)
from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.definition import definition_digest, pipeline_properties
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef, OtherProgram, PipelineModel
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.components.providers import Access, aws_native_provider, aws_provider
from amplify_delivery.components.remembered import unchanged
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks import collisions
from amplify_delivery.stacks.config import PipelineConfig
from amplify_delivery.stacks.config.account import PipelineName
from amplify_delivery.stacks.config.pipeline import RepositoryFolder
from amplify_delivery.stacks.inputs import is_adopting
from amplify_delivery.stacks.model import SERVICES, check_asked, check_region, model_of
from amplify_delivery.stacks.packaged.arguments import DeliveryPipelineArgs
from amplify_delivery.stacks.packaged.declared import Declared
from amplify_delivery.stacks.packaged.inputs import PROGRAMS_FOLDER, chosen, validated
from amplify_delivery.stacks.pipeline import arguments, token

TYPE = "amplify-delivery:index:DeliveryPipeline"

OF_FILE = tuple(key for key in PipelineConfig.written_names() if key != "program")
"""The keys of a pipeline's stack file."""
_NOT_DELIVERED = ("profile", "roleArn")
"""Of these, what is only for whoever runs the program."""


class Place(Model):
    """Where an environment of the stages lies, as its own stack file has it."""

    environment: EnvironmentName = Field(description="its name")
    account: Account = Field(description="its AWS account, 12 digits, in quotes")
    region: Region = Field(description="its region")
    production: Flag = Field(
        default=False, description="it is in production (docs/production.md): its stage has to ask somebody, always"
    )


class Own(Model):
    """What the files of a project say by being there, and by their names."""

    app: Text
    pipeline: PipelineName = "pipeline"
    environments: Annotated[tuple[Place, ...], List]
    self_update: Flag = True
    program: RepositoryFolder = "pipeline"
    install: Annotated[tuple[Text, ...], List] = ()


@dataclass(frozen=True)
class Described:
    """A pipeline, as its component's arguments describe it."""

    config: PipelineConfig
    model: PipelineModel

    @property
    def declared(self) -> Declared:
        """What the component's inputs tell of it."""
        digest = definition_digest(pipeline_properties(with_placeholders(self.model)))
        return Declared(self.model.names.name, self.model.file or "", digest)


class DeliveryPipeline(pulumi.ComponentResource):
    """The pipeline in the tooling account: source, Build, UpdatePipeline, and for each stage publishing, plan, approval
    and deployment, with its roles, projects and artifact stores. A push changes it, unless `selfUpdate` is false."""

    pipeline_name: pulumi.Output[str]
    """Name of the pipeline in CodePipeline."""
    pipeline_arn: pulumi.Output[str]
    """ARN of the pipeline."""
    pipeline_role_arn: pulumi.Output[str]
    """ARN of the one role that the accounts' action roles let in."""
    artifact_buckets: pulumi.Output[dict[str, str]]
    """Name of the artifact bucket of each region."""
    topic_arn: pulumi.Output[str | None]
    """ARN of the topic of notifications, if there is one."""
    definition_digest: pulumi.Output[str]
    """SHA-256 of the pipeline's definition: it changes if and only if the pipeline does."""

    def __init__(self, name: str, args: DeliveryPipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        with as_run_error():
            given = described(args, name)
        # Inputs, not only outputs: a preview tells them, and UpdatePipeline decides by them.
        super().__init__(TYPE, name, given.declared.inputs, opts)
        with as_run_error():
            made = self._pipeline(name, given)
        self.pipeline_name, self.pipeline_arn = made.pipeline_name, made.pipeline_arn
        self.pipeline_role_arn = made.role_arn
        self.artifact_buckets = made.artifact_buckets.apply(dict)
        self.topic_arn, self.definition_digest = made.topic_arn, made.definition_digest
        self.register_outputs(
            {
                "pipelineName": self.pipeline_name,
                "pipelineArn": self.pipeline_arn,
                "pipelineRoleArn": self.pipeline_role_arn,
                "artifactBuckets": self.artifact_buckets,
                "topicArn": self.topic_arn,
                "definitionDigest": self.definition_digest,
            }
        )

    def _pipeline(self, name: str, given: Described) -> delivery_pipeline.DeliveryPipeline:
        """The component of ours."""
        config, model = given.config, given.model
        tags = {**config.tags, **model.names.tags}
        access = {r: Access(config.account, r, config.profile, config.role_arn, tags) for r in model.store_regions}
        first = lost_state.first_create(
            f"{name}-first-create",
            access[config.region],
            partial(lost_state.running, names=model.names),
            held=lost_state.held_by("DeliveryPipeline", name),
            adopting=is_adopting(),
            way_back=lost_state.OTHER_LANGUAGES,
        )
        place = unchanged(
            f"{name}-place",
            {"account": config.account, "region": config.region, "pipeline": model.names.name},
            "put it back; another place is another component, with another name",
            pulumi.ResourceOptions.merge(first, pulumi.ResourceOptions(parent=self)),
        )
        # Elsewhere, nothing at all is planned.
        only_here = pulumi.ResourceOptions(parent=self, depends_on=place.apply(lambda _: []))
        provider = aws_provider(f"{name}-aws", access[config.region], only_here)
        native = aws_native_provider(f"{name}-native", access[config.region], only_here)
        regional = {
            region: aws_provider(f"{name}-aws-{region}", access[region], only_here)
            for region in model.store_regions
            if region != config.region
        }
        return delivery_pipeline.DeliveryPipeline(
            name,
            arguments(config, model, regional=regional, token=token(config, provider)),
            pulumi.ResourceOptions(parent=self, providers=[provider, native]),
        )


def described(args: Mapping[str, Any], name: str, directory: Path = PROGRAMS_FOLDER) -> Described:
    """What the arguments of the component `name` describe, in a program in `directory`. Raises `ConfigError`, which
    names the component."""
    own = validated(Own, chosen(args, Own.written_names()), name)
    given = {key: value for key, value in chosen(args, OF_FILE).items() if value is not None}
    if given.get("source", {}).get("type") == "pipeline":
        raise ConfigError(
            "source: a pipeline that follows another one is declared by stack files only: what its steps run stands in "
            "what the first one delivers",
            where=name,
            remedy="make both in a project (docs/many-environments.md), or give this one a source of its own",
        )
    config = validated(PipelineConfig, {**given, "program": "pipeline"}, name)
    names = PipelineNames(own.app, config.account, config.region, own.pipeline)
    check_region(config.region, "codepipeline", name)
    check_asked(config, {place.environment for place in own.environments if place.production}, name)
    places = _places(own, config, name)
    for place in places:
        if place.account == config.account:
            collisions.check_two((own.pipeline, names), (place.name, place.names(own.app)), name)
    file = _file(own, {key: value for key, value in given.items() if key not in _NOT_DELIVERED})
    program = _program(own, given, directory, name)
    try:
        return Described(config, model_of(names, config, places, file=file, program=program))
    except BadValueError as error:
        raise ConfigError(str(error), where=name, remedy=error.remedy) from None


def _program(own: Own, given: Mapping[str, Any], directory: Path, name: str) -> OtherProgram | None:
    """The program that UpdatePipeline runs: this one, as the project that is delivered holds it."""
    if not own.self_update:
        return None
    here, there = directory.resolve().parts, Path(own.program).parts
    if here[-len(there) :] != there:
        raise ConfigError(
            f"UpdatePipeline would run this program in the folder {own.program!r} of the project that is delivered, "
            f"and here it is in {directory.resolve()}",
            where=name,
            remedy=f"move it into {own.program!r} there, or pass `program: FOLDER`, its folder in that project; or "
            "`selfUpdate: false`, then only `pulumi up` of this program changes the pipeline "
            "(docs/other-languages.md)",
        )
    key = next((key for key in _NOT_DELIVERED if given.get(key)), None)
    if key:
        raise ConfigError(
            f"`{key}` is for whoever runs this program, and UpdatePipeline runs it as well, with the role of its build",
            where=name,
            remedy="remove it, and have the AWS SDK find your credentials (`AWS_PROFILE`); or `selfUpdate: false`",
        )
    return OtherProgram(own.program, pulumi.get_project(), pulumi.get_stack(), own.install)


def _places(own: Own, config: PipelineConfig, name: str) -> tuple[EnvironmentRef, ...]:
    """In the order of the stages, as stack files have them."""
    found = {place.environment: place for place in own.environments}
    if len(found) < len(own.environments):
        raise ConfigError("`environments` has an environment twice", where=name, remedy="keep one of them")
    missing = [environment for environment in config.environments if environment not in found]
    if missing:
        raise ConfigError(
            f"a stage deploys {missing[0]}, and nobody says where it lies",
            where=name,
            remedy="add it to `environments`, with its account and region",
        )
    for environment in config.environments:
        for service in SERVICES:
            check_region(found[environment].region, service, f"{name}, environment {environment}")
    return tuple(EnvironmentRef(e, found[e].account, found[e].region) for e in config.environments)


def _file(own: Own, given: Mapping[str, Any]) -> str:
    """The stack file that says the same: what Build, steps and deployments read. JSON is YAML as well."""
    keys = {f"{own.app}:{key}": value for key, value in given.items()}
    # Sorted: mappings come from the engine in any order, and another text is another Build.
    return json.dumps(
        {"config": {f"{own.app}:program": "pipeline", **keys}}, indent=1, ensure_ascii=False, sort_keys=True
    )
