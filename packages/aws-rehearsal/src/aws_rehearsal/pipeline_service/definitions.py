"""A pipeline's definition: what `CreatePipeline` declares, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DEFAULT_APPROVAL_MINUTES = 7 * 24 * 60


@dataclass(frozen=True)
class Store:
    """An artifact store: a bucket, and the key (ARN, id or alias) its objects are encrypted with."""

    bucket: str
    key: str | None = None


@dataclass(frozen=True)
class Rule:
    """A rule of a condition."""

    name: str
    provider: str
    configuration: dict[str, str] = field(default_factory=dict)
    role: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Condition:
    """Rules that are checked together; `result` is engaged when one of them fails."""

    result: str | None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Action:
    """An action of a stage."""

    name: str
    category: str
    owner: str
    provider: str
    run_order: int = 1
    configuration: dict[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    role: str | None = None
    region: str | None = None
    namespace: str | None = None
    timeout_minutes: int | None = None
    version: str = "1"

    @property
    def is_source(self) -> bool:
        return self.category == "Source"


@dataclass(frozen=True)
class Stage:
    """A stage: actions, and the conditions around them."""

    name: str
    actions: tuple[Action, ...]
    before_entry: Condition | None = None
    on_success: Condition | None = None
    on_failure: Condition | None = None
    on_failure_result: str | None = None
    retry_mode: str | None = None

    def action(self, name: str) -> Action | None:
        """The action of that name."""
        return next((action for action in self.actions if action.name == name), None)


@dataclass(frozen=True)
class Trigger:
    """A V2 trigger: filters of pushes for one source action (`push` as declared; see `triggers.matches`)."""

    source_action: str
    push: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Pipeline:
    """A pipeline's definition in one structure version."""

    name: str
    account: str
    region: str
    role: str
    version: int
    stages: tuple[Stage, ...]
    stores: dict[str, Store]
    mode: str = "SUPERSEDED"
    kind: str = "V1"
    variables: dict[str, str | None] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    declared: dict[str, Any] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{self.name}"

    def stage(self, name: str) -> Stage | None:
        """The stage of that name."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def region_of(self, action: Action) -> str:
        """Where an action runs: its own region, else the pipeline's."""
        return action.region or self.region

    def sources(self) -> tuple[Action, ...]:
        """The source actions: all of them stand in the first stage."""
        return tuple(action for action in self.stages[0].actions if action.is_source)


def read_pipeline(declared: dict[str, Any], account: str, region: str, version: int) -> Pipeline:
    """A definition from the `pipeline` structure of CreatePipeline or UpdatePipeline, already checked."""
    return Pipeline(
        name=declared["name"],
        account=account,
        region=region,
        role=declared["roleArn"],
        version=version,
        stages=tuple(_stage(stage) for stage in declared["stages"]),
        stores=_stores(declared, region),
        mode=declared.get("executionMode", "SUPERSEDED"),
        kind=declared.get("pipelineType", "V1"),
        variables={item["name"]: item.get("defaultValue") for item in declared.get("variables", ())},
        triggers=tuple(_trigger(item) for item in declared.get("triggers", ())),
        declared={**declared, "version": version},
    )


def _stores(declared: dict[str, Any], region: str) -> dict[str, Store]:
    stores = declared.get("artifactStores") or {region: declared["artifactStore"]}
    return {
        where: Store(store["location"], (store.get("encryptionKey") or {}).get("id")) for where, store in stores.items()
    }


def _stage(declared: dict[str, Any]) -> Stage:
    failure = declared.get("onFailure") or {}
    return Stage(
        name=declared["name"],
        actions=tuple(_action(action) for action in declared["actions"]),
        before_entry=_condition(declared.get("beforeEntry")),
        on_success=_condition(declared.get("onSuccess")),
        on_failure=_condition(failure),
        on_failure_result=failure.get("result"),
        retry_mode=(failure.get("retryConfiguration") or {}).get("retryMode"),
    )


def _condition(declared: dict[str, Any] | None) -> Condition | None:
    conditions = (declared or {}).get("conditions")
    if not conditions:
        return None
    first = conditions[0]
    rules = tuple(
        Rule(
            name=rule["name"],
            provider=rule["ruleTypeId"]["provider"],
            configuration=dict(rule.get("configuration") or {}),
            role=rule.get("roleArn"),
            region=rule.get("region"),
        )
        for rule in first.get("rules", ())
    )
    return Condition(first.get("result"), rules)


def _action(declared: dict[str, Any]) -> Action:
    kind = declared["actionTypeId"]
    return Action(
        name=declared["name"],
        category=kind["category"],
        owner=kind["owner"],
        provider=kind["provider"],
        version=kind["version"],
        run_order=declared.get("runOrder", 1),
        configuration=dict(declared.get("configuration") or {}),
        inputs=tuple(item["name"] for item in declared.get("inputArtifacts", ())),
        outputs=tuple(item["name"] for item in declared.get("outputArtifacts", ())),
        role=declared.get("roleArn"),
        region=declared.get("region"),
        namespace=declared.get("namespace"),
        timeout_minutes=declared.get("timeoutInMinutes"),
    )


def _trigger(declared: dict[str, Any]) -> Trigger:
    configuration = declared["gitConfiguration"]
    return Trigger(configuration["sourceActionName"], tuple(configuration.get("push", ())))
