"""`delivery deploy ENV --plan DIGEST`: deploy an environment, if what would change is still what was approved."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amplify_delivery.changes.guard import PLAN_VARIABLE, Guard
from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.commands import plan as planning
from amplify_delivery.commands.outputs import shown, table
from amplify_delivery.commands.up import WORDS, with_reasons
from amplify_delivery.components.documents.naming import DEPLOY
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.audit_log import AuditLog
from amplify_delivery.delivery.engine import stack_outputs, state_bucket, waiting
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.planning import Plan, Step, document_digest
from amplify_delivery.delivery.planning.audit import Audit
from amplify_delivery.errors import ConfigError, DeployError, LockedError

_SHOWN = 20
"""Steps that a refusal lists; `delivery plan` lists all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--plan", metavar="DIGEST", help="digest of the approved plan, as `plan` prints it")
    parser.add_argument(
        "--plan-file",
        type=Path,
        metavar="FILE",
        help="the approved plan's document (`plan --out`): allows what remains of a plan that was begun",
    )
    parser.add_argument("--audit", type=Path, metavar="FILE", help="append a JSON line about this deployment to FILE")
    waiting.add_argument(parser, "the environment")
    parser.add_argument("--show-secrets", action="store_true", help="show secret outputs in clear")


def run(args: argparse.Namespace) -> int:
    environment = args.environment
    if not args.plan:
        raise ConfigError(
            "which plan was approved is not said",
            where=f"deploy {environment}",
            remedy=f"`amplify-delivery plan {environment}`, look at it, then "
            f"`amplify-delivery deploy {environment} --plan DIGEST` with the digest that it prints",
        )
    approved = read_approved(args.plan_file, args.plan) if args.plan_file else None
    patience = waiting.Patience(args.wait)
    with Audit("deploy", environment, file=args.audit, approved=args.plan) as audit:
        target = planning.wanted(environment)
        log = AuditLog(target.account_anew, target.names, DEPLOY) if target.config.enrolled else None
        if log:
            audit.log_to(log)
        engine = Engine(environment, Path.cwd(), output.progress if args.json else print)
        while True:
            if planning.settle(target, patience.left):
                target = planning.wanted(environment)  # credentials of an assumed role last an hour
            try:
                plan, changes = _attempt(target, engine, args.plan, approved, audit, log)
                break
            except LockedError as error:
                audit.held_back()
                if not patience.wait(error):
                    raise
                target = planning.wanted(environment)
        found = engine.outputs()
        if log:
            stack_outputs.keep(target.account_anew(), target.names, found)
        audit.end("deployed" if plan.steps else "nothing to change")
    outputs = shown(found, secrets=args.show_secrets)
    if args.json:
        document = {"environment": environment, "plan": plan.digest, "changes": changes, "outputs": outputs}
        output.document(document)
        return 0
    table(outputs)
    done = ", ".join(f"{changes[kind]} {word}" for kind, word in WORDS.items() if kind in changes)
    if plan.digest != args.plan and not plan.steps:
        done = f"nothing to change: {args.plan[:12]} is carried out, or something newer is"
    print(f"{environment}: {done or 'nothing to change'}")
    return 0


def _attempt(  # noqa: PLR0917 - what one run of the command has
    target: planning.Wanted,
    engine: Engine,
    digest: str,
    approved: Mapping[str, Any] | None,
    audit: Audit,
    log: AuditLog | None,
) -> tuple[Plan, dict[str, int]]:
    """Plan, check and carry out; gives the plan, and the engine's changes by kind."""
    plan = planning.make(target, engine)
    audit.planned(plan)
    before = False
    if log and plan.steps and plan.digest != digest:
        approved = approved or kept(target, digest)
        before = log.deployed(digest, plan.target.digest)
    guard = target.config.guard(engine.stack, datetime.now(UTC).date(), digest)
    check(plan, digest, approved, guard, before=before)
    audit.begin()
    return plan, carry_out(engine, plan, digest)


def read_approved(file: Path, digest: str) -> dict[str, Any]:
    """The document of the approved plan. Raises `ConfigError` unless it is the one that `digest` names."""
    try:
        return _approved(file.read_bytes(), digest, str(file))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file)) from None


def kept(target: planning.Wanted, digest: str) -> dict[str, Any] | None:
    """The document of the approved plan that `plan` has left in the account; None if there is none.

    Raises `ConfigError` if it is another one.
    """
    if not re.fullmatch("[0-9a-f]{64}", digest):
        return None
    key = state_bucket.plan_key(digest)
    body = state_bucket.read(target.account, target.names, key)
    return None if body is None else _approved(body, digest, f"s3://{target.names.state_bucket}/{key}")


def _approved(body: bytes, digest: str, where: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(body)
        found = document_digest(document)
    except (ValueError, KeyError, TypeError):
        raise ConfigError("is no plan", where=where, remedy="give the file that `plan --out FILE` wrote") from None
    if found != digest:
        raise ConfigError(
            f"is another plan: its digest is {found}, not {digest}",
            where=where,
            remedy="give the file of the very plan that was approved",
        )
    return document


def check(plan: Plan, digest: str, approved: Mapping[str, Any] | None, guard: Guard, *, before: bool = False) -> None:
    """Raise `DeployError` unless `plan` may be carried out.

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
                "to carry on with a plan that was begun, add `--plan-file` with its document",
            )
        if not plan.leads_where(approved):
            raise _changed(plan, plan.steps, "the approved plan was one for another export or configuration")
        beyond = plan.beyond(approved)
        if beyond:
            raise _changed(plan, beyond, "this was not in the approved plan")
    refuse(plan.impossible, plan.target.environment)
    guard.check(plan.losses)


def _changed(plan: Plan, steps: tuple[Step, ...], why: str, more: str = "") -> DeployError:
    environment = plan.target.environment
    return DeployError(
        f"{why}:\n{_listed(steps)}",
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


def _listed(steps: tuple[Step, ...]) -> str:
    lines = [
        f"  {s.mark} {s.place} ({s.type})"
        + (f": {', '.join(p for p in (s.what, s.loss) if p)}" if s.what or s.loss else "")
        for s in steps[:_SHOWN]
    ]
    return "\n".join([*lines, *([f"  ... and {len(steps) - _SHOWN} more"] if len(steps) > _SHOWN else [])])


def carry_out(engine: Engine, plan: Plan, approved: str) -> dict[str, int]:
    """Carry the plan out; the engine's changes by kind. Nothing at all is run for an empty plan.

    The program's own guard is told the digest that was `approved`."""
    if not plan.steps:
        return {}
    environment = plan.target.environment
    try:
        changes = engine.up({PLAN_VARIABLE: approved}).changes
    except DeployError as error:
        raise with_reasons(error, environment) from None
    left = planning.backend(planning.wanted(environment)).steps
    if left:
        raise DeployError(
            f"the engine has ended well, but {output.counted(len(left), 'change')} of the backend did not take place:\n"
            f"{_listed(left)}",
            where=environment,
            remedy=f"`pulumi refresh -s {environment}`, then plan again",
        )
    return changes
