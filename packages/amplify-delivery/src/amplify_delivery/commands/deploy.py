"""`delivery deploy ENV --plan DIGEST`: deploy an environment, if what would change is still what was approved."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amplify_delivery.components.documents.naming import DEPLOY
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.audit_log import AuditLog
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval, execution, planned, wanted
from amplify_delivery.delivery.deployment.audit import Audit, log_of
from amplify_delivery.delivery.engine import stack_outputs, waiting
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.delivery.reports import shown_outputs
from amplify_delivery.delivery.reports.changes import told
from amplify_delivery.errors import ConfigError, LockedError, midway


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


def run(args: argparse.Namespace, context: Context) -> int:
    environment = args.environment
    if not args.plan:
        raise ConfigError(
            "which plan was approved is not said",
            where=f"deploy {environment}",
            remedy=f"`amplify-delivery plan {environment}`, look at it, then "
            f"`amplify-delivery deploy {environment} --plan DIGEST` with the digest that it prints",
        )
    approved = approval.read_approved(args.plan_file, args.plan) if args.plan_file else None
    patience = waiting.Patience(args.wait, context.variables)
    with Audit("deploy", environment, context.variables, file=args.audit, approved=args.plan) as audit:
        target = wanted.wanted(environment, context)
        log = log_of(target, DEPLOY) if target.config.bootstrapped else None
        if log:
            audit.log_to(log)
        engine = Engine(environment, context.folder.resolve(), output.progress if args.json else print)
        while True:
            if wanted.settle(target, patience.left):
                target = wanted.wanted(environment, context)  # credentials of an assumed role last an hour
            try:
                plan, changes = _attempt(target, engine, args.plan, approved, audit, log)
                break
            except LockedError as error:
                audit.held_back()
                if not patience.wait(error):
                    raise
                target = wanted.wanted(environment, context)
        with midway(lambda: bool(changes)):
            found = engine.outputs()
            if log:
                stack_outputs.keep(target.account_anew(), target.names, found)
        audit.end("deployed" if plan.steps else "nothing to change")
    values = shown_outputs.shown(found, secrets=args.show_secrets)
    if args.json:
        document = {"environment": environment, "plan": plan.digest, "changes": changes, "outputs": values}
        output.document(document)
        return 0
    shown_outputs.table(values)
    done = told(changes)
    if plan.digest != args.plan and not plan.steps:
        done = f"nothing to change: {args.plan[:12]} is carried out, or something newer is"
    print(f"{environment}: {done}")
    return 0


def _attempt(  # noqa: PLR0917 - what one run of the command has
    target: wanted.Wanted,
    engine: Engine,
    digest: str,
    approved: Mapping[str, Any] | None,
    audit: Audit,
    log: AuditLog | None,
) -> tuple[Plan, dict[str, int]]:
    """Plan, check and carry out; gives the plan, and the engine's changes by kind."""
    plan = planned.make(target, engine)
    audit.planned(plan)
    before = False
    if log and plan.steps and plan.digest != digest:
        approved = approved or approval.kept(target, digest)
        before = log.deployed(digest, plan.target.digest)
    guard = target.config.guard(engine.stack, datetime.now(UTC).date(), digest)
    approval.check(plan, digest, approved, guard, before=before)
    audit.begin()
    return plan, execution.carry_out(engine, plan, digest, target.context)
