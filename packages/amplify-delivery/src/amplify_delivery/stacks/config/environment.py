"""The configuration of an environment's stack: one validated model, and its two readers.

`from_pulumi` reads it inside a running program; `EnvironmentConfig.from_file` reads `Pulumi.STACK.yaml` without Pulumi,
for tools and for other stacks. Secrets are only known by name here: nobody but the program of that very stack decrypts
them. Pulumi is not imported until `from_pulumi` is called.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from amplify_delivery.changes.drift.effects import Acknowledged
from amplify_delivery.changes.guard import AllowedLoss, Guard
from amplify_delivery.changes.impossible import ALWAYS
from amplify_delivery.components.documents.fields import (
    WRITTEN,
    Account,
    BadValueError,
    Flag,
    List,
    Model,
    Region,
    RoleArn,
    Text,
    Texts,
    pattern,
    unknown,
)
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Successor
from amplify_delivery.stacks.config.images import ContainerImages, ImageFindings
from amplify_delivery.stacks.config.own_keys import own_keys_of
from amplify_delivery.stacks.config.reader import (
    as_config_error,
    is_secure,
    own_keys_in,
    parsed,
    refuse_other_prefix,
    secret_refused,
    secure_paths,
    unset,
    written_keys_in,
)

if TYPE_CHECKING:
    import pulumi

SecretKey = tuple[str, str]
"""A secret parameter: (logical id of the nested stack, parameter)."""


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    try:
        return datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise BadValueError(f"{value!r} is not a date such as 2027-05-01") from None


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


class DataLoss(Model):
    """Data that may be lost: one resource, with a reason, in one plan or until a day."""

    path: Text = Field(description="the resource, as `plan` shows it: logical ids from the root stack on, joined by /")
    reason: Text = Field(description="why it may go")
    plan: Annotated[str, pattern("[0-9a-f]{64}", "digest of a plan, as `plan` prints it")] | None = Field(
        default=None, description="digest of the one plan that may lose it"
    )
    until: Day | None = Field(default=None, description="last day, UTC, on which it may be lost, as in 2027-05-01")

    @model_validator(mode="after")
    def _bounded(self) -> DataLoss:
        if (self.plan is None) == (self.until is None):
            raise BadValueError(f"the loss of {self.path} has to be bounded", "set either `plan` or `until`")
        return self


class RollbackSkip(Model):
    """A resource that CloudFormation could not roll back, and that a continued rollback leaves as it is."""

    path: Text = Field(description="the resource, as `plan` shows it: logical ids from the root stack on, joined by /")
    reason: Text = Field(description="why it may stay as it is; plans show it")


class ReplacedTable(Model):
    """A table with a name of its own that is replaced: by one under another name."""

    path: Text = Field(description="the table, as `plan` shows it: logical ids from the root stack on, joined by /")
    prefix: Annotated[str, pattern("[A-Za-z0-9][A-Za-z0-9_.-]{0,30}[-_.]", "prefix such as v2-")] = Field(
        description="what is put before the table's name, as in v2-. It stays here as long as the table does"
    )
    data: Literal["copy", "keep", "leave"] = Field(
        description="`copy`: its items are copied, and nobody writes to it meanwhile; `leave`: the new one is empty, "
        "which `dataLoss` has to allow; `keep`: the new one is used as it is, once the app has written to it before an "
        "update was rolled back"
    )


class Ignored(Model):
    """A finding that does not count in this environment, with a reason: CloudFormation has the last word."""

    id: Annotated[str, pattern("E[0-9]{4}|AD7[0-9]{2}", "id of cfn-lint's errors (E2015) or of a finding (AD731)")] = (
        Field(description="rule of cfn-lint, as in E2015, or what publishing refuses, as in AD731 (docs/checks.md)")
    )
    reason: Text = Field(description="why it does not count here; plans show it")


class Lint(Model):
    """What is found out about templates before they are published (docs/linting.md)."""

    ignore: Annotated[tuple[Ignored, ...], List] = Field(default=(), description="what does not count")

    @model_validator(mode="after")
    def _once(self) -> Lint:
        ids = [i.id for i in self.ignore]
        for id in ids:
            if ids.count(id) > 1:
                raise BadValueError(f"{id} is ignored twice", "keep one of them, with its reason")
        for id in sorted(ALWAYS & {*ids}):
            raise BadValueError(
                f"{id} cannot be ignored: it keeps the app from an empty table, and no service would refuse it",
                f"take it out; `amplify-delivery check --explain {id}` says what leads on",
            )
        return self


class AcknowledgedDrift(Model):
    """Drift that is known: one property of one resource, with the value that runs. Another value shows again."""

    path: Text = Field(description="the resource, as `plan` shows it: logical ids from the root stack on, joined by /")
    property: Annotated[str, pattern("/.+", "property as `plan --json` has it, such as /Timeout")] | None = Field(
        default=None, description="the property, as `plan --json` has it: /Timeout. Left out: the resource was deleted"
    )
    value: Text = Field(description="the value that runs, as `plan --json` has it under `running`")
    reason: Text = Field(description="why it is so; plans show it")


class Drift(Model):
    """What runs otherwise than it was delivered, because somebody changed it by hand (docs/operations.md)."""

    detect: Flag = Field(
        default=False,
        description="`plan` and `deploy` look for drift, as with `--drift`: minutes more, and part of what is approved",
    )
    refuse: Flag = Field(
        default=False,
        description="look for drift, and refuse to deploy where there is some that is not acknowledged; `production` "
        "does so anyway",
    )
    acknowledged: Annotated[tuple[AcknowledgedDrift, ...], List] = Field(
        default=(), description="drift that is known, by place and value: it is shown with its reason, and not refused"
    )

    @model_validator(mode="after")
    def _once(self) -> Drift:
        places = [(a.path, a.property) for a in self.acknowledged]
        for place in places:
            if places.count(place) > 1:
                where = " ".join(filter(None, place))
                raise BadValueError(f"{where} is acknowledged twice", "keep the value that runs")
        return self


class EnvironmentConfig(Model):
    """A stack that delivers one environment: `Pulumi.dev.yaml`, `Pulumi.prod.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    program: Literal["backend"] = Field(default="backend", description="`backend`, or left out")
    account: Account = Field(description="AWS account, 12 digits, in quotes")
    region: Region = Field(description="AWS region, as in eu-west-1")
    environment: Text = Field(
        description="Amplify environment: 2 to 10 lower-case letters and digits. Default: the Pulumi stack's name"
    )
    profile: Text | None = Field(
        default=None, description="profile of the AWS configuration. Default: what the AWS SDK finds"
    )
    role_arn: RoleArn | None = Field(default=None, description="role of the account to assume. Default: none")
    export: Text | None = Field(
        default=None,
        description="folder that `amplify export` wrote, relative to Pulumi.yaml. Default: the only amplify-export-* "
        "folder",
    )
    assembly: Text | None = Field(
        default=None, description="folder that `amplify-delivery assemble` wrote, instead of an export"
    )
    values_from: Text | None = Field(
        default=None, description="a second export, made of this very environment, whose parameter values are used"
    )
    suffix: Text | None = Field(
        default=None,
        description="last part of the root stack's name, amplify-PROJECT-ENV-SUFFIX, and of its deployment bucket's. "
        "Default: the export's. It makes no second copy: functions, roles, tables, buckets and sign-in domains hold "
        "the environment's name only",
    )
    parameters: Mapping[str, Mapping[str, str]] = Field(
        default_factory=dict,
        description="nested stack -> parameter -> value, over those of the exports; `root` is the root stack. "
        "Values may be secrets",
    )
    kept_literals: Texts = Field(
        default=(),
        description="literals of the exported environment (an id, an endpoint, a name: AD212, AD214) that are right "
        "here too",
    )
    container_images: ContainerImages = Field(
        default_factory=dict,
        description="container images by name (docs/containers.md). All environments of a pipeline have the same: "
        "Pulumi.yaml can hold them for all, as the `default` of this key",
    )
    image_findings: ImageFindings = Field(
        default=ImageFindings(),
        description="what Amazon ECR's scan may find in a container image that is deployed (docs/containers.md)",
    )
    secret_names: frozenset[SecretKey] = Field(default=frozenset(), exclude=True)
    api_key_expires: Day | None = Field(
        default=None,
        description="day on which AppSync API keys expire, UTC, as in 2027-05-01. Default: chosen once, 364 days "
        "after the first deployment",
    )
    protect: Flag = Field(
        default=True,
        description="refuse to destroy the backend while it holds data. `false` allows `pulumi destroy`; and plain "
        "`pulumi up` of a program that declares the backend no more then deletes it, as its preview shows "
        "(`amplify-delivery up` refuses)",
    )
    production: Flag | None = Field(
        default=None,
        description="what holds data is protected against deletion, can be restored to a point in time and is retained "
        "when its stack lets it go; the root stack is protected against termination; and refusals are stricter "
        "(docs/production.md). `false` takes it back, which `destroy` wants first. Default: as exported",
    )
    disposable: Flag = Field(
        default=False,
        description="its data is nobody's: every deployment may delete it unasked, and previews made after this file "
        "go with all they hold (docs/previews.md). Not with `production` or `bootstrapped`",
    )
    data_loss: Annotated[tuple[DataLoss, ...], List] = Field(
        default=(), description="what a deployment may delete although it holds data; everything else is refused"
    )
    replaced_tables: Annotated[tuple[ReplacedTable, ...], List] = Field(
        default=(),
        description="tables with names of their own that get successors under other names, since CloudFormation "
        'replaces none under the same one (docs/planning.md, "A table with other keys")',
    )
    rollback_skips: Annotated[tuple[RollbackSkip, ...], List] = Field(
        default=(),
        description="what a deployment that continues a failed rollback leaves as it is (docs/operations.md). What "
        "runs is then not what its template says",
    )
    lint: Lint = Field(default=Lint(), description="which findings about templates do not count")
    drift: Drift = Field(default=Drift(), description="what is done about drift. Default: nobody looks for it")
    execution_role_arn: RoleArn | None = Field(
        default=None,
        description="role that CloudFormation uses. Default: the account's one if `bootstrapped`, else the deploying "
        "credentials",
    )
    bootstrapped: Flag = Field(
        default=False,
        description="the account's own stack has made staging area, execution role and permissions boundary: use "
        "them. A personal stack makes its own staging area",
    )
    boundary: Flag = Field(
        default=True,
        description="whether roles of the backend carry the account's permissions boundary, if `bootstrapped`. `false` "
        "only between an adoption and the step that brings it (docs/adopting.md)",
    )
    enrolled: Flag = Field(
        default=False,
        description="the name of `bootstrapped` before version 3 of accounts, understood for one version: the pipeline "
        "still comes in under the account's former names (docs/upgrading.md). Not beside `bootstrapped`",
        json_schema_extra={"deprecated": True},
    )

    @classmethod
    def written_names(cls) -> tuple[str, ...]:
        return tuple(key for key in super().written_names() if key != "secretNames")

    @classmethod
    def from_file(cls, path: Path, stack: str) -> EnvironmentConfig:
        """The configuration in the stack file `path` (`Pulumi.STACK.yaml`, beside `Pulumi.yaml`) of the stack `stack`.

        Values are read as they are written: no YAML type turns an account into a number. Raises `ConfigError`.
        """
        return _validated(own_keys_in(path, keys()), frozenset(), stack, path)

    @model_validator(mode="before")
    @classmethod
    def _only_known(cls, value: Any) -> Any:
        # Looked for in `_validated`, which knows where the file is. Here Python's names are welcome too.
        return value

    @model_validator(mode="after")
    def _together(self) -> EnvironmentConfig:
        if self.export and self.assembly:
            raise BadValueError("`export` and `assembly` exclude each other: name one of them")
        replaced = [table.path for table in self.replaced_tables]
        for path in replaced:
            if replaced.count(path) > 1:
                raise BadValueError(f"`replacedTables` has {path} twice", "keep one of them")
        if self.production:
            self._stricter()
        if self.disposable and (self.production or self.bootstrapped or self.enrolled):
            raise BadValueError(
                "`disposable: true` does not go with an environment that is delivered", "take one of them away"
            )
        if self.image_findings.refuse and not (self.bootstrapped or self.enrolled):
            raise BadValueError(
                "`imageFindings.refuse` is for environments that are `bootstrapped`: a personal stack pushes while it "
                "is deployed, and scans nothing",
                "take it away",
            )
        for key, arn in (("roleArn", self.role_arn), ("executionRoleArn", self.execution_role_arn)):
            if arn and f"::{self.account}:" not in arn:
                raise BadValueError(f"`{key}` is a role of another account than {self.account}: {arn}")
        return self

    def _stricter(self) -> None:
        """What does not go with `production: true`."""
        if not self.protect:
            raise BadValueError("`protect: false` does not go with `production: true`", "take one of them away")
        bounded = [loss.path for loss in self.data_loss if loss.until is not None]
        if bounded:
            raise BadValueError(
                f"in production data goes with one plan only: {bounded[0]} may go until a day",
                "set `plan` to the digest that `amplify-delivery plan` prints, instead of `until`",
            )

    @property
    def ignored(self) -> tuple[str, ...]:
        """The ids of findings that do not count."""
        return tuple(i.id for i in self.lint.ignore)

    @property
    def detects_drift(self) -> bool:
        """Whether every plan looks for drift."""
        return self.drift.detect or self.refuses_drift

    @property
    def refuses_drift(self) -> bool:
        """Whether drift that nobody has acknowledged keeps the environment from being deployed."""
        return self.drift.refuse or bool(self.production)

    @property
    def acknowledged_drift(self) -> tuple[Acknowledged, ...]:
        """Drift that the stack file knows of."""
        return tuple(Acknowledged(a.path, a.property or "", a.value, a.reason) for a in self.drift.acknowledged)

    @property
    def successors(self) -> tuple[Successor, ...]:
        """Tables under other names."""
        return tuple(Successor(tuple(t.path.split("/")), t.prefix, t.data) for t in self.replaced_tables)

    def guard(self, stack: str, today: date, plan: str | None = None) -> Guard:
        """The guard over this environment's data, on the day `today` (UTC), in carrying out the plan of that digest."""
        allowed = tuple(AllowedLoss(a.path, a.reason, a.plan, a.until) for a in self.data_loss)
        return Guard(stack, allowed, today, plan, self.ignored, disposable=self.disposable)


def keys() -> tuple[str, ...]:
    """The names a stack file may use, as they are written there."""
    return EnvironmentConfig.written_names()


def _all_keys() -> tuple[str, ...]:
    """The names that stack files of any kind may use: Pulumi.yaml may give defaults for all of them."""
    from amplify_delivery.stacks.config.account import AccountConfig  # noqa: PLC0415 - only a key of a team's own asks
    from amplify_delivery.stacks.config.pipeline import PipelineConfig  # noqa: PLC0415

    return (*keys(), *AccountConfig.written_names(), *PipelineConfig.written_names())


@dataclass(frozen=True)
class Configuration:
    """A program's configuration, and the values of its secrets, which Pulumi keeps secret."""

    environment: EnvironmentConfig
    secrets: Mapping[SecretKey, pulumi.Output[str]]
    directory: Path
    """The project's folder: paths of the configuration are relative to it."""
    where: str
    """The stack file, for messages."""


def from_pulumi() -> Configuration:
    """The configuration of the running program. Raises `ConfigError`."""
    import pulumi  # noqa: PLC0415 - tools read stack files without Pulumi
    from pulumi.runtime.config import get_config, is_config_secret  # noqa: PLC0415 - Config.get warns of secrets

    project, stack = pulumi.get_project(), pulumi.get_stack()
    directory = Path(pulumi.get_root_directory() or ".").resolve()  # inline programs have none
    file = directory / f"Pulumi.{stack}.yaml"
    given: dict[str, Any] = {}
    secret_keys: set[str] = set()
    for key in own_keys(project):
        text = get_config(f"{project}:{key}") or ""
        # A list where the file has to have a text arrives as JSON, which is a text too.
        given[key] = text if key == "parameters" else parsed(text)
        if is_config_secret(f"{project}:{key}"):
            secret_keys.add(key)
    for key in sorted((secret_keys & set(keys())) - {"parameters"}):
        raise secret_refused(key, file.name)
    if file.is_file() and any(_called_as_ours(names) for names in _of_others(project)):
        refuse_other_prefix(file, file.name)
    values: dict[SecretKey, pulumi.Output[str]] = {}
    if "parameters" in given:
        parameters = _parse_object(given["parameters"], file.name)
        if "parameters" in secret_keys:
            # Pulumi says that something in there is secret, but not what. Only what stands in plain in the stack file,
            # with the same value, is taken as plain.
            written = _written(own_keys_in(file).get("parameters")) if file.is_file() else {}
            for nested, leaves in parameters.items():
                for parameter, leaf in list(leaves.items()):
                    value = _text(leaf, f"parameters.{nested}.{parameter}", file.name)
                    if written.get((nested, parameter)) != value:
                        del leaves[parameter]
                        values[nested, parameter] = pulumi.Output.secret(value)
        given["parameters"] = parameters
    model = _validated(given, frozenset(values), stack, file, file.name)
    return Configuration(model, values, directory, file.name)


def _of_others(project: str) -> Iterable[set[str]]:
    """The keys of each other namespace."""
    from pulumi.runtime.config import CONFIG, get_config_env  # noqa: PLC0415

    found: dict[str, set[str]] = {}
    for key in (*CONFIG.get(), *get_config_env()):
        prefix, _, name = key.rpartition(":")
        found.setdefault(prefix, set()).add(name)
    found.pop(project, None)
    return found.values()


def _called_as_ours(names: set[str]) -> bool:
    return names <= set(keys()) or bool(names & {"account", "program"})


def own_keys(project: str) -> list[str]:
    """All keys of the project that are set, known or not."""
    from pulumi.runtime.config import CONFIG, get_config_env  # noqa: PLC0415

    prefix = f"{project}:"
    return sorted({k.removeprefix(prefix) for k in (*CONFIG.get(), *get_config_env()) if k.startswith(prefix)})


def _validated(
    given: Mapping[str, Any], secrets: frozenset[SecretKey], stack: str, file: Path, called: str = ""
) -> EnvironmentConfig:
    """The model of what was given, in the stack file `file`; `secrets` are those that are known already. Messages name
    the file as `called`."""
    where = called or str(file)
    own = own_keys_of(file.parent, _all_keys()) if set(given) - set(keys()) else ()
    # A team's own keys may be secrets too: nobody but its program reads them.
    data = {key: value for key, value in given.items() if not unset(value) and key not in own}
    for key, value in data.items():
        if key not in keys():
            wrong = unknown(key, (*keys(), *own))
            remedy = f"{wrong.remedy}; a key of your own is declared in Pulumi.yaml, with its `type`"
            raise ConfigError(str(wrong), where=where, remedy=remedy)
        if key == "parameters" and not is_secure(value):
            continue  # single values of it may be secrets
        for path in secure_paths(value, key):
            raise secret_refused(path, where)
    if "parameters" in data:
        data["parameters"], named = _split(data["parameters"], secrets, where)
        secrets |= named
    _former_flag(data, file, where)
    data["secret_names"] = secrets
    data.setdefault("environment", stack)
    try:
        return EnvironmentConfig.model_validate(data, context=WRITTEN)
    except ValidationError as error:
        raise as_config_error(error, where) from None


def _former_flag(data: dict[str, Any], file: Path, where: str) -> None:
    """Let `enrolled: true` count as `bootstrapped`. Raises `ConfigError` if the file names both.

    Pulumi.yaml may give `false` to either, for all stacks: that is not what a file says.
    """
    written = written_keys_in(file) if file.is_file() else {}
    both_true = all(data.get(key) in (True, "true") for key in ("bootstrapped", "enrolled"))
    if both_true or {"bootstrapped", "enrolled"} <= set(written):
        raise ConfigError(
            "`enrolled` and `bootstrapped` exclude each other: `enrolled` is the former name",
            where=where,
            remedy="leave `bootstrapped` if the account was bootstrapped with this version, else `enrolled` until "
            "it is (docs/upgrading.md)",
        )
    if data.get("enrolled") in (True, "true"):
        data["bootstrapped"] = "true"


def _parse_object(text: str, where: str) -> dict[str, dict[str, Any]]:
    """Pulumi hands an object over as JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    _check_parameters(value, where)
    return {nested: dict(parameters) for nested, parameters in value.items()}


def _check_parameters(value: Any, where: str) -> None:
    shape = "nested stack -> parameter -> value"
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in value.values()):
        raise ConfigError(
            f"parameters is not of the form {shape}",
            where=where,
            remedy="`pulumi config set --path 'parameters.NESTED_STACK.PARAMETER' VALUE`",
        )


def _split(
    value: Any, known: frozenset[SecretKey], where: str
) -> tuple[dict[str, dict[str, str]], frozenset[SecretKey]]:
    """The plain values as strings, and the names of the secret ones. A stack that is left without plain values goes, if
    it has secrets; else it stays, so that its name is checked."""
    _check_parameters(value, where)
    plain: dict[str, dict[str, str]] = {}
    secrets: set[SecretKey] = set()
    for nested, parameters in value.items():
        if is_secure(parameters):
            raise ConfigError(f"parameters.{nested} is one secret", where=where, remedy="make each value a secret")
        leaves = {}
        for parameter, leaf in parameters.items():
            if is_secure(leaf):
                secrets.add((nested, parameter))
            else:
                leaves[parameter] = _text(leaf, f"parameters.{nested}.{parameter}", where)
        if leaves or not any(stack == nested for stack, _ in (*secrets, *known)):
            plain[nested] = leaves
    return plain, frozenset(secrets)


def _text(leaf: Any, key: str, where: str) -> str:
    """A value as CloudFormation takes it: booleans in lower case, lists joined with commas."""
    if isinstance(leaf, bool):
        return "true" if leaf else "false"
    if isinstance(leaf, list):
        return ",".join(_text(item, key, where) for item in leaf)
    if isinstance(leaf, (str, int, float)):
        return str(leaf)
    raise ConfigError(f"{key} is not text", where=where, remedy="CloudFormation parameters are strings")


def _written(parameters: Any) -> dict[SecretKey, str]:
    """The values that stand in plain in a stack file."""
    if not isinstance(parameters, Mapping):
        return {}
    return {
        (nested, parameter): _text(leaf, parameter, "")
        for nested, leaves in parameters.items()
        if isinstance(leaves, Mapping)
        for parameter, leaf in leaves.items()
        if isinstance(leaf, str) or (isinstance(leaf, list) and all(isinstance(item, str) for item in leaf))
    }
