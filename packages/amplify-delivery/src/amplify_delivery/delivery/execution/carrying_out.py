"""Carrying a plan out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from amplify_delivery.changes.guard import PLAN_VARIABLE, Guard
from amplify_delivery.changes.ordered.updates import Update, changed_tables
from amplify_delivery.changes.steps import Path as Place
from amplify_delivery.delivery import output
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.environment import planned, wanted
from amplify_delivery.delivery.execution import auth_trust, in_steps, protecting, restoring
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.delivery.planning.program import changes_something
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.reports import plans
from amplify_delivery.errors import ConfigError, DeployError, FailedError, midway, of
from amplify_delivery.publishing import gen2_lock
from amplify_delivery.publishing.aws_errors import AWS_ERRORS
from amplify_delivery.publishing.credentials import client_config, provider_session
from amplify_delivery.publishing.failures import failed_resources


def carry_out(engine: Engine, plan: Plan, approved: str, target: wanted.Wanted) -> dict[str, int]:
    """Carry the plan out; the engine's changes by kind. Nothing at all is run for an empty plan.

    The program's own guard is told the digest that was `approved`."""
    if not plan.steps:
        return {}
    environment, context = plan.target.environment, target.context
    with auth_trust.kept(target.account, target.root):
        updates = [r.update for r in plan.runs if r.update]
        changes = run(engine, updates, changed_tables(plan.steps), context, {PLAN_VARIABLE: approved})
        with midway(lambda: changes_something(changes)):
            target = wanted.wanted(environment, context)
            here = planned.backend(target)
            if restoring.needed(here):
                restoring.restore(target, here)
                engine.up({PLAN_VARIABLE: approved})  # what the program exports of the root has been brought back too
                changes = {**changes, "update": changes.get("update", 0) + 1}
                here = planned.backend(target.anew())
            protecting.carry_out(target, here.protection)
            left = here.steps
    if left:
        raise FailedError(
            f"the engine succeeded, but {output.counted(len(left), 'change')} of the backend did not take place:\n"
            f"{plans.listed(left)}",
            where=environment,
            remedy=f"`pulumi refresh -s {environment}`, then plan again",
        )
    return changes


def restore(engine: Engine, context: Context, guard: Guard) -> bool:
    """Bring back what somebody has updated by hand and the engine does not see, and the termination protection;
    whether there was something.

    Raises `DeliveryError`s: also for data that would be lost with it, which `guard` does not allow."""
    target = wanted.wanted(engine.stack, context)
    here = planned.backend(target)
    protected = protecting.carry_out(target, here.protection)
    if not restoring.needed(here):
        return protected
    restoring.check(here, guard)
    restoring.restore(target, here)
    engine.up()  # what the program exports of the root has been brought back too
    return True


def run(
    engine: Engine,
    updates: Sequence[Update],
    tables: Sequence[Place],
    context: Context,
    variables: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Carry out `updates` and the release, in which `tables` change; the engine's changes by kind. Raises
    `DeliveryError`s that tell what failed in which stack."""
    changes: Counter[str] = Counter()
    with midway(lambda: changes_something(changes)):
        try:
            for watch in in_steps.carry_out(engine, updates, tables, context, variables or {}):
                changes.update(watch.changes)
        except DeployError as error:
            raise with_reasons(error, engine.stack, context.folder) from None
    return dict(changes)


def trust_kept(environment: str, context: Context) -> AbstractContextManager[None]:
    """`auth_trust.kept` for what a stack file describes. Raises `RefusedError` for a backend that a migration to Gen 2
    has locked."""
    target = wanted.wanted(environment, context)
    gen2_lock.check(target.account.client("cloudformation"), target.root.stack_name)
    return auth_trust.kept(target.account, target.root)


def with_reasons(error: DeployError, environment: str, folder: Path) -> DeployError:
    """`error` with what failed in the nested stacks: the provider tells of the root stack only."""
    try:
        config = stack_files.load(folder, environment)
        session = provider_session(config.region, config.profile, config.role_arn)
        found = failed_resources(session.client("cloudformation", config=client_config()), error.message)
    except (ConfigError, *AWS_ERRORS):
        return error  # without credentials the engine's own words have to do
    news = [line for line in found if line not in error.message]
    return of(error, "\n".join([error.message, *news]), where=error.where, remedy=error.remedy)
