"""The configuration of a pipeline's stack: the pipeline as a model, and what else its stack needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from amplify_delivery.components.documents.fields import (
    Account,
    BadValueError,
    Compute,
    Flag,
    List,
    Model,
    Region,
    RoleArn,
    Tags,
    Text,
    Texts,
    Variables,
    pattern,
    variable_names,
)
from amplify_delivery.components.documents.pipeline.source_models import (
    MAX_PUSH_FILTERS,
    PipelineSource,
    Source,
    Trigger,
    typed_source,
)
from amplify_delivery.components.documents.pipeline.stage_models import Stage, Step, fitting


class Engine(Model):
    """The Pulumi engine's archive, for images that do not hold it."""

    url: Annotated[str, pattern("https://.+[.]tar[.]gz", "address of a .tar.gz file")] = Field(
        description="address of the release's linux-x64 archive"
    )
    sha256: Annotated[str, pattern("[0-9a-f]{64}", "SHA-256 in hexadecimal")] = Field(
        description="its SHA-256; another archive is not unpacked"
    )


def _hidden(value: Any) -> str:
    """A path that the artifact would leave out: its last part is hidden, and no other."""
    path = PurePosixPath(str(value))
    *above, name = path.parts or ("",)
    if path.is_absolute() or not name.startswith(".") or ".." in path.parts or any(p.startswith(".") for p in above):
        raise BadValueError(
            f"{value!r} is not a hidden file or folder of the checkout",
            "name it from the checkout's top, as `.npmrc` or `web/.babelrc`; of a hidden folder's files, the folder",
        )
    if name in (".git", ".venv"):
        raise BadValueError(f"{value!r} is not for an artifact", "remove it")
    return str(path)


def _folder(value: Any) -> str:
    """A folder of the checkout that stands in commands as it is."""
    path = PurePosixPath(str(value))
    if path.is_absolute() or ".." in path.parts or not re.fullmatch(r"[A-Za-z0-9_][\w./-]*", str(path)):
        raise BadValueError(
            f"{value!r} is not a folder of the repository that Build can enter",
            "its path from the repository's root, of letters, digits, `_`, `-`, `.` and `/`: `backends/todo`",
        )
    return str(path)


RepositoryFolder = Annotated[Text, AfterValidator(_folder)]

_OURS = frozenset({"HOME", "PATH", "SHELL", "STACK"})
"""Variables that the build's own commands rely on, which the project's variables would reach."""
Secret = Annotated[
    str, pattern("[A-Za-z0-9/_+=.@-]{1,505}(:[^:]+)?", "name of a secret, or NAME:KEY for one key of a JSON secret")
]
HiddenPath = Annotated[Text, AfterValidator(_hidden)]


class Build(Compute):
    """The Build stage: installs what is locked by hash, runs your commands, checks and assembles the export.

    `commands`, `env` and `keep` are read from the commit that is built. The other keys belong to the projects of Build
    and UpdatePipeline: a change of them counts from the next execution on.
    """

    commands: Texts = Field(
        default=(),
        description="commands before the export is checked, such as tests, run in one `sh -eu` that stops at the first "
        "failure",
    )
    env: Variables = Field(
        default_factory=dict,
        description="environment variables of the commands, in plain text (docs/building.md says where secrets belong)",
    )
    secrets: Annotated[Mapping[str, Secret], BeforeValidator(variable_names)] = Field(
        default_factory=dict,
        description="environment variables of the commands from secrets of Secrets Manager in the tooling account, as "
        "`NPM_TOKEN: npm-token`, or `NPM_TOKEN: registries:npm` for one key of a JSON secret. Build's role may read "
        "them, and with it whoever can change what Build runs",
    )
    keep: Annotated[tuple[HiddenPath, ...], List] = Field(
        default=(),
        description="hidden files and folders, as `.npmrc`, that stay in the artifact for later steps: all others are "
        "left out",
    )
    folder: RepositoryFolder = Field(
        default="",
        description="folder of the Pulumi project in the repository, as `backends/todo`: Build works there, and the "
        "artifact holds it alone. Default: the repository's root",
    )
    privileged: Flag = Field(default=False, description="let Build use Docker")

    @model_validator(mode="after")
    def _one_value_each(self) -> Build:
        twice = sorted(self.env.keys() & self.secrets.keys())
        if twice:
            raise BadValueError(f"{twice[0]} is in both `env` and `secrets`", "remove one of them")
        ours = sorted(self.secrets.keys() & _OURS)
        if ours:
            raise BadValueError(f"the variable {ours[0]} is not yours to set", "take another name")
        return self


class Notifications(Model):
    """Who hears of each execution's end, and of approvals."""

    emails: Annotated[tuple[Annotated[str, pattern(r"[^@\s]+@[^@\s]+\.[^@\s]+", "e-mail address")], ...], List] = Field(
        default=(), description="addresses that are subscribed to the pipeline's own topic; each confirms once"
    )


_FIELD = r"[0-9A-Za-z*?,/#-]+"


def _schedule(value: str) -> str:
    """Refuses what has the shape of a schedule and is none to PutRule, which says no more than that it is not valid
    ("Setting a schedule pattern for scheduled rules" in the EventBridge user guide)."""
    name, _, inner = value.rstrip(")").partition("(")
    fields = inner.split(" ")
    if name == "cron" and (fields[2] == "?") == (fields[4] == "?"):
        raise BadValueError(
            f"{value!r} says both or neither of day of month and day of week",
            "write `?` for one of the two, as in cron(0 6 ? * MON-FRI *)",
        )
    if name == "rate":
        number, unit = int(fields[0]), fields[1].rstrip("s")
        wanted = f"rate({number} {unit if number == 1 else f'{unit}s'})"
        if not number:
            raise BadValueError(f"{value!r} is no time at all", f"rate(1 {unit}) is the shortest")
        if value != wanted:
            raise BadValueError(f"{value!r} is no schedule to EventBridge", f"write {wanted}")
    return value


class PipelineConfig(Model):
    """A stack that makes a pipeline in the tooling account: `Pulumi.pipeline.yaml`. Its name is the pipeline's.

    Environments are named here; account and region of each stand in its own stack file.
    """

    program: Literal["pipeline"] = Field(description="`pipeline`")
    account: Account = Field(description="the tooling account, 12 digits, in quotes")
    region: Region = Field(description="the pipeline's region, as in eu-west-1")
    profile: Text | None = Field(default=None, description="profile of the AWS configuration")
    role_arn: RoleArn | None = Field(default=None, description="role of the account to assume")
    source: Annotated[Source, BeforeValidator(typed_source)] = Field(description="where the commits come from")
    triggers: Annotated[tuple[Trigger, ...], List] = Field(
        default=(),
        max_length=MAX_PUSH_FILTERS,
        description="pushes that start the pipeline, for connections. Default: each to the branch",
    )
    stages: Annotated[tuple[Stage, ...], List] = Field(min_length=1, description="the stages, in their order")
    build: Build = Field(default_factory=Build, description="the Build stage, and where it and UpdatePipeline run")
    engine: Engine | None = Field(
        default=None, description="where all projects get Pulumi from. Default: it is in the image"
    )
    schedule: (
        Annotated[
            str,
            pattern(
                rf"rate\([0-9]+ (minutes?|hours?|days?)\)|cron\({_FIELD}( {_FIELD}){{5}}\)",
                "schedule, such as cron(0 6 ? * MON-FRI *) or rate(1 day)",
            ),
            AfterValidator(_schedule),
        ]
        | None
    ) = Field(default=None, description="start it also at these times, UTC, as in `cron(0 6 ? * MON-FRI *)`")
    notifications: Notifications | None = Field(default=None, description="who is told")
    tags: Tags = Field(default_factory=dict, description="tags of everything that this stack makes")
    artifact_regions: Annotated[tuple[Region, ...], List] = Field(
        default=(),
        description="regions whose artifact bucket and key stay although no environment lies there any more, until "
        "`amplify-delivery destroy` removes them",
    )
    organization: (
        Annotated[
            str, pattern("o-[a-z0-9]{10,32}", "organization, as `aws organizations describe-organization` has it")
        ]
        | None
    ) = Field(
        default=None,
        description="id of your organization in AWS Organizations, as o-a1b2c3d4e5: the artifacts' policies name it in "
        "the place of all accounts, which may be too many for them (docs/many-environments.md)",
    )
    protect: Flag = Field(default=True, description="refuse to destroy the artifact buckets and their keys")

    @model_validator(mode="after")
    def _together(self) -> PipelineConfig:
        fitting(self.source, self.triggers, self.stages)
        for asked in (approval for stage in self.stages for approval in (stage.approval_before_plan, stage.approval)):
            # "Add a manual approval action to a pipeline in CodePipeline": the topic is of the pipeline's region.
            if asked and asked.notification and asked.notification.split(":")[3] != self.region:
                raise BadValueError(
                    f"an approval is told to {asked.notification}, and the pipeline is in {self.region}",
                    f"CodePipeline tells a topic of its own region: name one in {self.region}",
                )
        if isinstance(self.source, PipelineSource):
            if self.schedule:
                raise BadValueError(
                    f"a pipeline that follows {self.source.pipeline} has no `schedule` of its own",
                    f"give it to {self.source.pipeline}",
                )
            for key in ("commands", "env", "keep", "secrets"):
                if getattr(self.build, key):
                    raise BadValueError(
                        f"a pipeline that follows {self.source.pipeline} builds nothing: `build.{key}` is for nobody",
                        f"give it to {self.source.pipeline}",
                    )
        return self

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments, in the order of their stages."""
        return tuple(name for stage in self.stages for name in stage.environments)

    def stage_of(self, environment: str) -> Stage | None:
        """The stage that deploys `environment`."""
        return next((stage for stage in self.stages if environment in stage.environments), None)

    def steps_of(self, environment: str) -> Iterator[Step]:
        """The steps of `environment`; their names differ."""
        stage = self.stage_of(environment)
        return iter(stage.steps if stage else ())
