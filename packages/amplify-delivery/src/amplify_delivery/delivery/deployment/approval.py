"""Whether a plan may be carried out: what was approved, and where its document lies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amplify_delivery.changes.drift import effects
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.delivery import output
from amplify_delivery.delivery.engine import state_bucket
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import (
    Plan,
    Step,
    document_digest,
)
from amplify_delivery.delivery.printing import plans
from amplify_delivery.errors import ConfigError, RefusedError

_DIGEST = re.compile("[0-9a-f]{64}")
WITH_ITS_DOCUMENT = "to carry on with a plan that was begun, add `--plan-file` with its document"
"""What else `deploy` takes."""


def check_digest(option: str, value: str, remedy: str) -> None:
    """Raise `ConfigError` unless what an option gives is a whole digest: part of one approves nothing, and where
    nothing is to be changed it would be told that what it names is carried out."""
    if not _DIGEST.fullmatch(value):
        raise ConfigError(
            f"{value!r} is not a digest, which has 64 digits and letters from a to f", where=option, remedy=remedy
        )


def keep(target: Wanted, plan: Plan) -> None:
    """Leave the plan's document in the account, if this role may: what remains of it can be deployed then."""
    body = json.dumps(plan.to_json(), ensure_ascii=False).encode()
    try:
        state_bucket.write(target.account, target.names, state_bucket.plan_key(plan.digest), body)
    except state_bucket.NotAllowedError as error:
        output.progress(f"the plan is not kept in the account: {error.message}")


def read_approved(file: Path, digest: str) -> dict[str, Any]:
    """The document of the approved plan. Raises `ConfigError` unless it is the one that `digest` names."""
    try:
        return _approved(file.read_bytes(), digest, str(file))
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(file), remedy="name the file that `plan --out FILE` wrote"
        ) from None


def kept(target: Wanted, digest: str) -> dict[str, Any] | None:
    """The document of the approved plan that `plan` has left in the account; None if there is none.

    Raises `ConfigError` if it is another one.
    """
    if not _DIGEST.fullmatch(digest):
        return None
    key = state_bucket.plan_key(digest)
    body = state_bucket.read(target.account, target.names, key)
    return None if body is None else _approved(body, digest, f"s3://{target.names.state_bucket}/{key}")


def _approved(body: bytes, digest: str, where: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(body)
        found = document_digest(document)
    except (ValueError, KeyError, TypeError):
        raise ConfigError("is not a plan", where=where, remedy="give the file that `plan --out FILE` wrote") from None
    if found != digest:
        raise ConfigError(
            f"is another plan: its digest is {found}, not {digest}",
            where=where,
            remedy="give the file of the plan that was approved",
        )
    return document


def check(plan: Plan, digest: str, approved: Mapping[str, Any] | None, guard: Guard, *, before: bool = False) -> None:
    """Raise `RefusedError` unless `plan` may be carried out.

    It may if it is the approved one, if it is what remains of it (`approved`, its document: the same target, no step
    that was not in it), if the approved one led to the same target `before` (a rollback: the way back was not planned,
    but where it leads to was), or if there is nothing to do. Data is lost only where `guard` allows it.
    """
    if plan.steps and plan.digest != digest and not before:
        if approved is None:
            raise _changed(
                plan,
                plan.steps,
                f"what would change is not what was approved: the plan is {plan.digest} now, {digest} was approved",
                WITH_ITS_DOCUMENT,
            )
        if not plan.leads_where(approved):
            raise _changed(plan, plan.steps, "the approved plan was one for another export or configuration")
        beyond = plan.beyond(approved)
        if beyond:
            raise _changed(plan, beyond, "this was not in the approved plan")
        overwritten = plan.overwritten(approved)
        if overwritten:
            raise RefusedError(
                "somebody has changed this by hand since the plan was approved, and the deployment would set it back:\n"
                f"{effects.listed(overwritten)}",
                where=plan.target.environment,
                remedy=f"nothing was changed; `amplify-delivery plan {plan.target.environment}`, and approve that",
            )
    refuse(plan.impossible, plan.target.environment)
    guard.check(plan.losses)


def _changed(plan: Plan, steps: tuple[Step, ...], why: str, more: str = "") -> RefusedError:
    environment = plan.target.environment
    return RefusedError(
        f"{why}:\n{plans.listed(steps)}",
        where=environment,
        remedy="; ".join(
            part
            for part in (
                "nothing was changed",
                f"`amplify-delivery plan {environment}`, and approve that",
                more,
            )
            if part
        ),
    )
