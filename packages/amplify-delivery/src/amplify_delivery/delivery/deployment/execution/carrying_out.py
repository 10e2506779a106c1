"""Carrying a plan out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager

from amplify_delivery.changes.guard import PLAN_VARIABLE, Guard
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.deployment.execution import auth_trust, in_steps, protecting, restoring
from amplify_delivery.delivery.deployment.execution.in_steps import Work
from amplify_delivery.delivery.deployment.live import following
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.environment import planned
from amplify_delivery.delivery.environment.planned import Backend
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.delivery.planning.program import changes_something
from amplify_delivery.delivery.printing import plans
from amplify_delivery.errors import DeployError, FailedError, midway, reworded
from amplify_delivery.publishing.aws_errors import suppressing_all
from amplify_delivery.publishing.failures import failed_resources


def carry_out(engine: Engine, plan: Plan, approved: str, target: Wanted) -> dict[str, int]:
    """Carry the plan out; the engine's changes by kind. Nothing at all is run for an empty plan, only the auth roles'
    trust is looked at.

    The program's own guard is told the digest that was `approved`."""
    if not plan.steps:
        auth_trust.tell(target.account, target.root)
        return {}
    told = {PLAN_VARIABLE: approved}
    with auth_trust.kept(target.account, target.root):
        changes = run(engine, Work.of(plan), target, told)
        with midway(lambda: changes_something(changes)):
            here = planned.backend(target)
            if restoring.needed(here):
                changes = _restored(engine, target, here, changes, told)
                here = planned.backend(target)
            protecting.carry_out(target, here.protection)
            left = here.steps
    if left:
        raise FailedError(
            f"the engine succeeded, but {output.counted(len(left), 'change')} of the backend did not take place:\n"
            f"{plans.listed(left)}",
            where=plan.target.environment,
            remedy=f"`pulumi refresh -s {plan.target.environment}`, then plan again",
        )
    return changes


def update(engine: Engine, target: Wanted, guard: Guard, work: Work) -> dict[str, int]:
    """Carry out what nobody has planned: `work`, then what somebody has updated by hand and the engine does not see,
    and the termination protection; the changes by kind.

    Raises `DeliveryError`s: also for data that would be lost with what is brought back, which `guard` does not
    allow."""
    with auth_trust.kept(target.account, target.root):
        changes = run(engine, work, target)
        with midway(lambda: changes_something(changes)):
            here = planned.backend(target)
            if protecting.carry_out(target, here.protection):
                changes = _one_more(changes)
            if restoring.needed(here):
                restoring.check(here, guard)
                changes = _restored(engine, target, here, changes, {})
    return changes


def _restored(
    engine: Engine, target: Wanted, here: Backend, changes: Mapping[str, int], variables: Mapping[str, str]
) -> dict[str, int]:
    restoring.restore(target, here)
    engine.up(variables)  # what the program exports of the root has been brought back too
    return _one_more(changes)


def _one_more(changes: Mapping[str, int]) -> dict[str, int]:
    return {**changes, "update": changes.get("update", 0) + 1}


def run(engine: Engine, work: Work, target: Wanted, variables: Mapping[str, str] | None = None) -> dict[str, int]:
    """Carry out `work`; the engine's changes by kind. Raises
    `DeliveryError`s that tell what failed in which stack."""
    changes: Counter[str] = Counter()
    with midway(lambda: changes_something(changes)):
        try:
            with _shown(engine, target):
                for watch in in_steps.carry_out(engine, work, target, variables or {}):
                    changes.update(watch.changes)
        except DeployError as error:
            raise with_reasons(error, target.account) from None
    return dict(changes)


def _shown(engine: Engine, target: Wanted) -> AbstractContextManager[None]:
    """What CloudFormation does is shown where the engine's own output goes."""
    client = target.account.client("cloudformation")
    return following.followed(client, target.root.stack_name, engine.root, engine.line, target.context.variables)


def with_reasons(error: DeployError, account: Account) -> DeployError:
    """`error` with what failed in the nested stacks: the provider tells of the root stack only."""
    with suppressing_all() as refusal:
        found = failed_resources(account.client("cloudformation"), error.message)
    if refusal:
        return error  # without credentials the engine's own words have to do
    news = [line for line in found if line not in error.message]
    return reworded(error, "\n".join([error.message, *news]), where=error.where, remedy=error.remedy)
