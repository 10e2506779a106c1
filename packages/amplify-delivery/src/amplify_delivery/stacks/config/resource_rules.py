"""What an environment's stack file says of single resources and findings, with a reason each: data that may be lost,
tables that get another name, what a rollback leaves, drift that is known, findings that do not count.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from amplify_delivery.changes.impossible import ALWAYS
from amplify_delivery.components.documents.fields import BadValueError, Flag, List, Model, Text, pattern


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


def _running(value: Any) -> str:
    """A value as CloudFormation tells it, a text. `pulumi config set --path` writes `false` and `60` as a flag and a
    number, and the engine gives them to the program as such."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise BadValueError(f"{value!r} is not text", "write it as `plan` shows it, in quotes")
    if not value.strip():
        raise BadValueError("is empty")
    return value


Running = Annotated[str, BeforeValidator(_running), WithJsonSchema({"type": ["string", "boolean", "number"]})]


class AcknowledgedDrift(Model):
    """Drift that is known: one property of one resource, with the value that runs. Another value shows again."""

    path: Text = Field(description="the resource, as `plan` shows it: logical ids from the root stack on, joined by /")
    property: Annotated[str, pattern("/.+", "property as `plan --json` has it, such as /Timeout")] | None = Field(
        default=None, description="the property, as `plan --json` has it: /Timeout. Left out: the resource was deleted"
    )
    value: Running = Field(description="the value that runs, as `plan --json` has it under `running`")
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
