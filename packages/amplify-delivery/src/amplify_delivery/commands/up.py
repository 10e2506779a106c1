"""`amplify-delivery up ENV`: deploy an environment, as `pulumi up -s ENV --yes` does, from a preview on."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.ordered.updates import Update
from amplify_delivery.changes.steps import Path
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import secrets_provider, waiting
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.session import holding
from amplify_delivery.delivery.environment import planned, recovery, wanted
from amplify_delivery.delivery.execution import carrying_out
from amplify_delivery.delivery.killed import resolving
from amplify_delivery.delivery.killed.existing import LONGEST
from amplify_delivery.delivery.planning import plan_program
from amplify_delivery.delivery.planning.program import BACKEND, ProgramStep, changes_something
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.reports import shown_outputs
from amplify_delivery.delivery.reports.changes import told
from amplify_delivery.errors import RefusedError, midway


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--create", action="store_true", help="make the stack first, if there is none")
    waiting.add_argument(parser, "the environment")
    parser.add_argument("--show-secrets", action="store_true", help="show secret outputs in clear")


def run(args: argparse.Namespace, context: Context) -> int:
    backend = stack_files.program(context.folder, args.environment) == "backend"
    if backend:
        config = stack_files.load(context.folder, args.environment)
        if config.production:
            raise RefusedError(
                "this is production (`production: true`): what is deployed there was planned and approved before",
                where=args.environment,
                remedy=f"nothing was changed. `amplify-delivery plan {args.environment}`, look at it, then "
                f"`amplify-delivery deploy {args.environment} --plan DIGEST` with the digest that it prints",
            )
    patience = waiting.Patience(args.wait, context.variables)
    target = wanted.wanted(args.environment, context) if backend else None
    if target and wanted.settle(target, patience.left):
        target = wanted.wanted(args.environment, context)  # credentials of an assumed role last an hour
    engine = Engine(args.environment, context.folder.resolve(), output.progress if args.json else print)
    with holding(engine, "up", context, patience) as held:
        if target and held.over:
            # What that run has begun in CloudFormation goes on without it.
            wanted.settle(target, LONGEST)
            target = wanted.wanted(args.environment, context)
        changes, values = _update(args, context, engine, target)
    if args.json:
        output.document({"environment": args.environment, "changes": changes, "outputs": values})
        return 0
    shown_outputs.table(values)
    print(f"{args.environment}: {told(changes)}")
    return 0


def _update(
    args: argparse.Namespace, context: Context, engine: Engine, target: wanted.Wanted | None
) -> tuple[dict[str, int], dict[str, Any]]:
    """Preview and update; the changes by kind, and the outputs as they are shown. `target` is an environment's."""
    guard: Guard | None = None
    backend = target is not None
    if args.create:
        engine.create()
    state = _resolved(args.environment, engine, context)
    recovered = recovery.at_once(target, args.environment, state) if target else False
    with midway(lambda: recovered):
        previewed = engine.preview().steps
        if target:
            recovery.check_update(target, args.environment, previewed)
            # What the backend itself would lose, the program asks before CloudFormation is called.
            guard = stack_files.load(context.folder, args.environment).guard(args.environment, datetime.now(UTC).date())
            guard.check(plan_program(previewed, backend_changes=True, deployed=True))
    with carrying_out.trust_kept(args.environment, context) if backend else nullcontext():
        updates, tables = _updates(engine.stack, previewed, context) if backend else ((), ())
        changes = carrying_out.run(engine, updates, tables, context)
        with midway(lambda: changes_something(changes)):
            if guard and carrying_out.restore(engine, context, guard):
                changes = {**changes, "update": changes.get("update", 0) + 1}
    with midway(lambda: changes_something(changes)):
        return changes, shown_outputs.shown(engine.outputs(), secrets=args.show_secrets)


def _resolved(stack: str, engine: Engine, context: Context) -> Mapping[str, Any]:
    """The state, once what a run that was killed has left in it is put right, before anything looks at it. Not of an
    account's stack: it may be of several accounts."""
    program = stack_files.program(context.folder, stack)

    def check(state: Mapping[str, Any]) -> None:
        secrets_provider.check(stack, state, context)

    def account() -> Account:
        pipeline = program == "pipeline"
        return Account.of(context.project.pipeline(stack) if pipeline else stack_files.load(context.folder, stack))

    state = engine.state() if program == "account" else resolving.resolve(engine, account, check)
    check(state)
    return state


def _updates(
    environment: str, previewed: Sequence[ProgramStep], context: Context
) -> tuple[Sequence[Update], Sequence[Path]]:
    """The updates that AWS needs before the one that the engine has previewed, and the tables that change."""
    if not any(s.type == ROOT_STACK and s.operation == "update" and BACKEND in s.urn for s in previewed):
        return (), ()
    return planned.updates(wanted.wanted(environment, context))
