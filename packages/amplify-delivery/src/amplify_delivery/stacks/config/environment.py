"""The configuration of an environment's stack: one validated model, read from `Pulumi.STACK.yaml` without Pulumi, for
tools and for other stacks.

Secrets are only known by name here: nobody but the program of that very stack decrypts them (`backend_program`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from amplify_delivery.changes.drift.effects import Acknowledged
from amplify_delivery.changes.guard import AllowedLoss, Guard
from amplify_delivery.components.documents.fields import (
    WRITTEN,
    Account,
    BadValueError,
    Flag,
    List,
    Model,
    PolicyArn,
    Region,
    RoleArn,
    Tags,
    Text,
    Texts,
    unknown,
)
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Successor
from amplify_delivery.export.values.environment import ROOT
from amplify_delivery.export.values.parameters import API_KEY_EXPIRES
from amplify_delivery.stacks.config.absent import empty
from amplify_delivery.stacks.config.images import ContainerImages, ImageFindings
from amplify_delivery.stacks.config.own_keys import own_keys_of
from amplify_delivery.stacks.config.parameters import SecretKey, split
from amplify_delivery.stacks.config.reader import (
    as_config_error,
    is_secure,
    own_keys_in,
    read_yaml,
    secret_refused,
    secure_paths,
    unset,
    written_keys_in,
)
from amplify_delivery.stacks.config.resource_rules import DataLoss, Day, Drift, Lint, ReplacedTable, RollbackSkip


class EnvironmentConfig(Model):
    """A stack that delivers one environment: `Pulumi.dev.yaml`, `Pulumi.prod.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    program: Literal["backend"] = Field(default="backend", description="`backend`, or left out")
    account: Account = Field(description="AWS account, 12 digits, in quotes")
    region: Region = Field(description="AWS region, as in eu-west-1")
    environment: Text = Field(
        description="Amplify environment: 2 to 10 lower-case letters and digits (the Amplify CLI takes no digits). "
        "Default: the Pulumi stack's name"
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
        description="refuse to destroy the backend while it holds data: in the engine's state, and by the termination "
        "protection of its root stack. `false` allows `pulumi destroy`; and plain "
        "`pulumi up` of a program that no longer declares the backend then deletes it, as its preview shows "
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
    permissions_boundary: PolicyArn | None = Field(
        default=None,
        description="policy that every role of the backend carries as its permissions boundary, where your "
        "organization asks for one. Not with `bootstrapped`, whose account has made one",
    )
    tags: Tags = Field(
        default_factory=dict,
        description="tags of the root stack beside those of the export (`amplify/backend/tags.json`), which "
        "CloudFormation gives to whatever in it takes tags",
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
        return model_of(own_keys_in(path, keys()), frozenset(), stack, path)

    @model_validator(mode="before")
    @classmethod
    def _only_known(cls, value: Any) -> Any:
        # Looked for in `validated`, which knows where the file is. Here Python's names are welcome too.
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
                "`disposable: true` does not go with an environment that is delivered", "remove one of them"
            )
        if self.image_findings.refuse and not (self.bootstrapped or self.enrolled):
            raise BadValueError(
                "`imageFindings.refuse` is for environments that are `bootstrapped`: a personal stack pushes while it "
                "is deployed, and scans nothing",
                "remove it",
            )
        for key, arn in (("roleArn", self.role_arn), ("executionRoleArn", self.execution_role_arn)):
            if arn and f"::{self.account}:" not in arn:
                raise BadValueError(f"`{key}` is a role of another account than {self.account}: {arn}")
        if self.permissions_boundary:
            self._own_boundary(self.permissions_boundary)
        if self.api_key_expires and API_KEY_EXPIRES in self.parameters.get(ROOT, {}):
            raise BadValueError(
                f"`apiKeyExpires` and `{API_KEY_EXPIRES}` below `parameters: root:`, which `adopt` writes, both say "
                "until when API keys hold: the day would do nothing",
                f"`pulumi config rm --path parameters.root.{API_KEY_EXPIRES}` leaves the day",
            )
        return self

    def _own_boundary(self, arn: str) -> None:
        """What does not go with a boundary that the organization has made."""
        if self.bootstrapped or self.enrolled:
            raise BadValueError(
                "`permissionsBoundary` does not go with `bootstrapped`: a role has one boundary, and the account has "
                "made that of the backend's roles",
                "remove it; `rolesBoundary` of the account's stack file is for the roles that its own stack makes",
            )
        if not self.boundary:
            raise BadValueError(
                "`boundary: false` would leave the `permissionsBoundary` out of the roles",
                "remove one of them: `boundary` is for what is `bootstrapped`",
            )
        if arn.split(":")[4] not in (self.account, "aws"):
            raise BadValueError(f"`permissionsBoundary` is a policy of another account than {self.account}: {arn}")

    def _stricter(self) -> None:
        """What does not go with `production: true`."""
        if not self.protect:
            raise BadValueError("`protect: false` does not go with `production: true`", "remove one of them")
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

    def termination_protection(self, holds_data: bool) -> bool | None:
        """Whether CloudFormation is to refuse to delete the root stack; None: as it is. `holds_data` tells whether its
        templates have something that a delete would lose. The engine's own protection, which refuses first, ends with
        one `pulumi state unprotect`, the command that its refusal prints. Where the engine protects nothing, neither
        may this: a plain `pulumi destroy` would forget a stack that stays (pulumi-aws 6422)."""
        by_engine = self.protect and holds_data
        if self.production or (by_engine and not self.disposable):
            return True
        return None if by_engine and self.production is None else False

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
        production = bool(self.production)
        return Guard(stack, allowed, today, plan, self.ignored, disposable=self.disposable, production=production)


def keys() -> tuple[str, ...]:
    """The names a stack file may use, as they are written there."""
    return EnvironmentConfig.written_names()


def _all_keys() -> tuple[str, ...]:
    """The names that stack files of any kind may use: Pulumi.yaml may give defaults for all of them."""
    from amplify_delivery.stacks.config.account import AccountConfig  # noqa: PLC0415 - only a key of a team's own asks
    from amplify_delivery.stacks.config.pipeline import PipelineConfig  # noqa: PLC0415

    return (*keys(), *AccountConfig.written_names(), *PipelineConfig.written_names())


def model_of(
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
        data["parameters"], named = split(data["parameters"], secrets, where)
        secrets |= named
    _former_flag(data, file, where)
    data["secret_names"] = secrets
    data.setdefault("environment", stack)
    if "account" not in data and file.is_file() and not read_yaml(file):
        raise empty(file, where)
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
