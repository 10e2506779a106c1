"""The pipeline as its users think of it, which `definition` makes a CodePipeline of. Where its commits come from stands
in `source_models`, what it does with them in `stage_models`; what AWS limits in the whole, `limits` checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from amplify_delivery.components.documents.fields import (
    BadValueError,
)
from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.pipeline.source_models import (
    ConnectionSource,
    PipelineSource,
    Source,
    Trigger,
)
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Stage, fitting


@dataclass(frozen=True)
class EnvironmentRef:
    """An environment that the pipeline deploys to, as its own stack file says it."""

    name: str
    account: str
    region: str
    former: bool = False
    """Whether the pipeline comes in under the account's former name (`EnvironmentNames.former`)."""

    def names(self, app: str) -> EnvironmentNames:
        return EnvironmentNames(
            app=app, account=self.account, region=self.region, former=self.former, environment=self.name
        )


@dataclass(frozen=True)
class ArtifactStore:
    """Where a region's actions find their artifacts."""

    region: str
    bucket: str
    key_arn: str


@dataclass(frozen=True)
class OtherProgram:
    """A Pulumi program in another language that declares the pipeline, with its own Pulumi.yaml."""

    folder: str
    """That of the program, in the project that is delivered."""
    project: str
    """Name of its Pulumi project."""
    stack: str
    install: tuple[str, ...] = ()
    """Commands, in its folder, that install the packages it runs with."""


@dataclass(frozen=True)
class PipelineModel:
    """A whole pipeline."""

    names: PipelineNames
    source: Source
    stages: tuple[Stage, ...]
    places: tuple[EnvironmentRef, ...]
    """Where the environments of the stages lie, each once, in any order."""
    stores: tuple[ArtifactStore, ...] = ()
    """One for the pipeline's region and one for each region of an environment: `regions` names them."""
    triggers: tuple[Trigger, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    kept_regions: tuple[str, ...] = ()
    """Regions whose artifact stores stay although no action runs there."""
    token: str = ""
    """That of a `GitHubTokenSource`. It stands in the pipeline's definition, which gives it back masked."""
    topic_arn: str | None = None
    """SNS topic that is told of approvals that name none."""
    organization: str | None = None
    """Id of the organization whose accounts read the artifacts; None: the environments' accounts are listed."""
    followers: tuple[PipelineNames, ...] = ()
    """Pipelines that this one starts at its end, with the same release."""
    folder: str = ""
    """That of the Pulumi project in the repository; empty: its root."""
    file: str | None = None
    """The text of its stack file, if no repository holds it: then another program declares the pipeline, and Build puts
    the file into what is delivered."""
    program: OtherProgram | None = None
    """That program, if it is delivered with the rest: UpdatePipeline runs it. Without one such a pipeline is updated by
    whoever runs the program, and has no UpdatePipeline."""

    def __post_init__(self) -> None:
        """Raises `BadValueError` where the parts do not fit, or an environment of a stage has no place."""
        fitting(self.source, self.triggers, self.stages)
        placed = {place.name for place in self.places}
        for name in (name for stage in self.stages for name in stage.environments):
            if name not in placed:
                raise BadValueError(f"no account and region are known for environment {name}", "add it to `places`")

    @property
    def app(self) -> str:
        return self.names.app

    @property
    def releases_every_push(self) -> bool:
        """Whether each push to the source's branch starts it: then what is newest there is to be released anyway.

        With triggers other branches, tags, or some of the pushes do ("the pipeline won't use the default `BranchName`",
        "Add trigger with code push or pull request event types"), without change detection a person or a schedule does.
        """
        if self.before:
            return False
        detects = not isinstance(self.source, ConnectionSource) or self.source.detect_changes
        return detects and not self.triggers

    @property
    def updates_itself(self) -> bool:
        """Whether it has a stage that brings it to what the delivered commit says of it."""
        return self.file is None or self.program is not None

    @property
    def projects(self) -> tuple[str, ...]:
        """Those of its projects in the tooling account that it has: of `build` and `update`."""
        return (*(() if self.before else ("build",)), *(("update",) if self.updates_itself else ()))

    @property
    def before(self) -> PipelineNames | None:
        """The pipeline that this one follows, if it does: then it builds nothing itself."""
        if not isinstance(self.source, PipelineSource):
            return None
        return replace(self.names, name=self.source.pipeline)

    def place(self, environment: str) -> EnvironmentRef:
        """Where an environment lies. Raises `KeyError`."""
        return {place.name: place for place in self.places}[environment]

    def topic_of(self, approval: Approval) -> str | None:
        """The SNS topic that is told of an approval."""
        return approval.notification or self.topic_arn

    @property
    def environments(self) -> tuple[EnvironmentNames, ...]:
        """Every environment, in the order of its stage."""
        return tuple(self.place(name).names(self.app) for stage in self.stages for name in stage.environments)

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region with an action: the pipeline's own first, then sorted."""
        others = {names.region for names in self.environments} - {self.names.region}
        return (self.names.region, *sorted(others))

    @property
    def store_regions(self) -> tuple[str, ...]:
        """Every region with a bucket and a key: those with an action, then those that are kept."""
        return (*self.regions, *sorted(set(self.kept_regions) - set(self.regions)))
