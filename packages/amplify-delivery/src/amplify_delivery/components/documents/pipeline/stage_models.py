"""The stages of a pipeline: environments, steps, approvals, bake time.

These classes are what stands in `Pulumi.pipeline.yaml`; each checks its own ranges, wherever it is made. Lengths of
time are minutes. "Quotas in AWS CodePipeline", "Manage approval actions in CodePipeline", "Quotas for AWS CodeBuild".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from amplify_delivery.components.documents.fields import (
    FLAG_SCHEMAS,
    BadValueError,
    EnvironmentName,
    Flag,
    List,
    Minutes,
    Model,
    Right,
    Text,
    Texts,
    TopicArn,
    Variables,
    boolean,
    pattern,
)
from amplify_delivery.components.documents.pipeline.source_models import (
    ConnectionSource,
    Source,
    Trigger,
)

MAX_STEP_MINUTES = 2160
"""CodeBuild's longest build: 36 hours."""
MAX_BAKE_MINUTES = 420
"""The wait is one build of the account's project."""
_RESERVED = ("source", "build", "updatepipeline", "publishassets", "startnext")
"""Stages that every pipeline has, in lower case."""


def _or_a_platform(schema: dict[str, Any]) -> None:
    platforms = ClientConfig.model_json_schema()["properties"]["platform"]["enum"]
    schema["anyOf"].append({"type": "string", "enum": platforms})


class ClientConfig(Model):
    """What a front end is configured with, of the environment's backend: files for the step's commands. The name of the
    platform alone will do (docs/front-end.md)."""

    platform: Literal["javascript", "android", "ios", "flutter", "outputs", "outputs-dart"] = Field(
        description="the front end; `outputs` is amplify_outputs.json, `outputs-dart` amplify_outputs.dart"
    )
    folder: Text = Field(default=".", description="where the files are written: a folder of the checkout")

    @model_validator(mode="before")
    @classmethod
    def _platform_alone(cls, value: Any) -> Any:
        return {"platform": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _inside(self) -> ClientConfig:
        parts = self.folder.split("/")
        if self.folder.startswith("/") or ".." in parts or "\\" in self.folder:
            raise BadValueError(
                f"the folder {self.folder!r} is not one of the checkout", "name it from there, as in `web/src`"
            )
        return self


class Step(Model):
    """Commands that run in the environment's account, before the plan or after the deployment."""

    name: Annotated[str, pattern("[A-Za-z][A-Za-z0-9_-]{0,39}", "name: up to 40 letters, digits, - and _")] = Field(
        description="its name in the pipeline"
    )
    commands: Texts = Field(min_length=1, description="commands, run in one `sh -eu` that stops at the first failure")
    env: Variables = Field(default_factory=dict, description="environment variables")
    env_from_outputs: Variables = Field(
        default_factory=dict,
        description="environment variable -> output of the environment's stack, as in `ENDPOINT_URL: helloUrl`; "
        "for an output of a nested stack `outputs.apimyapp.GraphQLAPIIdOutput`",
    )
    client_config: ClientConfig | None = Field(
        default=None,
        description="files that configure a front end with the environment's backend, written before the commands run",
        json_schema_extra=_or_a_platform,
    )
    timeout: Minutes = Field(default=30, description="then it is ended, and has failed")
    after: Texts = Field(
        default=(), description="steps of the same list that it waits for. Default: all run side by side"
    )
    rights: Annotated[tuple[Right, ...], List] = Field(
        default=(),
        description="what its commands may do in the account; given by the account's stack, so deploy that again",
    )

    @model_validator(mode="after")
    def _sensible(self) -> Step:
        if self.name.lower() in ("plan", "deploy", "bake"):
            raise BadValueError(f"a step cannot be called {self.name}: the pipeline has an action of that name")
        if not 1 <= self.timeout <= MAX_STEP_MINUTES - 15:
            raise BadValueError(f"a timeout of {self.timeout} minutes", "a step takes 1m to 35h")
        both = sorted(set(self.env) & set(self.env_from_outputs))
        if both:
            raise BadValueError(f"{both[0]} is in both `env` and `envFromOutputs`", "remove one of them")
        return self


class Approval(Model):
    """Somebody agrees to what Plan found before anything of the stage is deployed. `true` takes the defaults."""

    comment: Annotated[str, pattern("(?s).{1,400}", "comment: up to 400 characters")] | None = Field(
        default=None, description="what the approver reads, before the numbers of changes"
    )
    timeout: Minutes = Field(default=24 * 60, description="then it counts as rejected. Until then nothing else passes")
    notification: TopicArn | None = Field(
        default=None, description="SNS topic that gets the question. Default: that of `notifications`, if there is one"
    )
    review_url: Annotated[str, pattern("https?://.+", "address, such as https://example.com/releases")] | None = Field(
        default=None, description="address that is shown with it"
    )
    skip_unchanged: Flag = Field(
        default=False,
        description="do not ask where Plan counts no changes. Its cost: the number comes from the program that is to "
        "be approved, so whoever can change that program decides whether anybody is asked",
    )

    @model_validator(mode="after")
    def _in_range(self) -> Approval:
        if not 5 <= self.timeout <= 86_400:
            raise BadValueError(f"a timeout of {self.timeout} minutes", "CodePipeline takes 5m to 60d")
        return self


def in_order(steps: Sequence[Step]) -> tuple[tuple[Step, ...], ...]:
    """Steps that run side by side, one group after the other, as their `after` says.

    Raises `BadValueError` for a step that waits for one that is not among them, or for itself.
    """
    names = {step.name for step in steps}
    for step in steps:
        unknown = [name for name in step.after if name not in names]
        if unknown:
            raise BadValueError(
                f"step {step.name} is after {unknown[0]}, which is not a step of the same list",
                f"its steps are {', '.join(sorted(names - {step.name})) or 'none else'}",
            )
    left, groups = list(steps), list[tuple[Step, ...]]()
    while left:
        waiting = {step.name for step in left}
        ready = tuple(step for step in left if not waiting.intersection(step.after))
        if not ready:
            circle = ", ".join(step.name for step in left)
            raise BadValueError(f"steps that wait for one another: {circle}", "remove one of their `after`")
        groups.append(ready)
        left = [step for step in left if waiting.intersection(step.after)]
    return tuple(groups)


def _approval(value: Any) -> Any:
    if isinstance(value, (bool, str)):
        return {} if boolean(value) else None
    return value


def _or_a_flag(schema: dict[str, Any]) -> None:
    schema["anyOf"] += FLAG_SCHEMAS


class Bake(Model):
    """Time after the last step in which something may still go wrong."""

    time: Minutes = Field(description="how long; at most 7h")
    alarm: Text | None = Field(
        default=None, description="CloudWatch alarm in the environment's account; if it goes off, the stage has failed"
    )

    @model_validator(mode="after")
    def _in_range(self) -> Bake:
        if not 1 <= self.time <= MAX_BAKE_MINUTES:
            raise BadValueError(f"a bake time of {self.time} minutes", "it is 1m to 7h")
        return self


class Stage(Model):
    """Environments that are planned together, approved together and deployed in parallel: a wave."""

    name: Annotated[str, pattern("[A-Za-z][A-Za-z0-9_]{0,79}", "name: letters, digits and _")] = Field(
        description="its name in the pipeline"
    )
    environments: Annotated[tuple[EnvironmentName, ...], List] = Field(
        min_length=1, description="environments, by their stack files. Default: the stage's name in lower case"
    )
    pre: Annotated[tuple[Step, ...], List] = Field(default=(), description="steps before the plan")
    post: Annotated[tuple[Step, ...], List] = Field(default=(), description="steps after the deployment")
    approval: Annotated[Approval | None, BeforeValidator(_approval)] = Field(
        default=None,
        description="somebody has to agree; `true`, or its settings",
        json_schema_extra=_or_a_flag,
    )
    approval_before_plan: Annotated[Approval | None, BeforeValidator(_approval)] = Field(
        default=None,
        description="somebody has to agree, too, before anything of the artifact runs for this stage: plan and `pre` "
        "steps run its code in the environment's account, the plan with the key of the engine's state "
        "(docs/trust.md); `true`, or its settings",
        json_schema_extra=_or_a_flag,
    )
    bake: Bake | None = Field(default=None, description="time to wait after the last step")
    on_failure: Literal["none", "rollback", "retry"] = Field(
        default="none",
        description="what CodePipeline does by itself when deployment, a step or the bake time fails: go back to the "
        "last good execution, or try the failed actions once more",
    )

    @model_validator(mode="before")
    @classmethod
    def _default_environment(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and isinstance(value.get("name"), str) and "environments" not in value:
            return {**value, "environments": [value["name"].lower()]}
        return value

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them, in the order in which they run."""
        return (*self.pre, *self.post)

    @model_validator(mode="after")
    def _a_name_of_its_own(self) -> Stage:
        if self.name.lower() in _RESERVED:
            raise BadValueError(f"every pipeline has a stage {self.name}", "give this one another name")
        return self

    @model_validator(mode="after")
    def _skips_what_can_be(self) -> Stage:
        if self.approval and self.approval.skip_unchanged and len(self.environments) > 1:
            raise BadValueError(
                "the approval of several environments cannot be skipped: CodePipeline's rule looks at one number",
                "remove `skipUnchanged`, or make a stage of each environment",
            )
        if self.approval_before_plan and self.approval_before_plan.skip_unchanged:
            raise BadValueError(
                "`approvalBeforePlan` cannot be skipped: nothing is counted yet", "remove its `skipUnchanged`"
            )
        return self

    @model_validator(mode="after")
    def _steps_differ(self) -> Stage:
        names = [step.name.lower() for step in self.steps]
        for name in names:
            if names.count(name) > 1:
                raise BadValueError(f"two steps are called {name}", "a step is called by its name: rename one")
        for steps in (self.pre, self.post):
            in_order(steps)
        return self


def fitting(source: Source, triggers: Sequence[Trigger], stages: Sequence[Stage]) -> None:
    """Refuse source, triggers and stages that do not fit together. Raises `BadValueError`, with the first problem."""
    if triggers and not isinstance(source, ConnectionSource):
        raise BadValueError("triggers exist for connections only", "remove them, or use a connection")
    names = [stage.name for stage in stages]
    for stage in stages:
        if names.count(stage.name) > 1:
            raise BadValueError(f"two stages are called {stage.name}", "rename one")
    seen: set[str] = set()
    for environment in (name for stage in stages for name in stage.environments):
        if environment in seen:
            raise BadValueError(f"environment {environment} is in two places", "it belongs to one stage")
        seen.add(environment)
