"""A plan as a command makes it: recorded, refused where it cannot be carried out, kept for whoever deploys it."""

from __future__ import annotations

from collections.abc import Callable

from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.delivery import output
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval
from amplify_delivery.delivery.deployment.audit import Audit, log_if_allowed
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.session import wait_until_free
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.environment import drifting, planned, wanted
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.errors import RefusedError


def propose(
    command: str,
    environment: str,
    context: Context,
    patience: Patience,
    *,
    refused: Callable[[Plan], None] | None = None,
    drift: bool = False,
) -> Plan:
    """Plan an environment for a run of `command`, and leave the plan in a bootstrapped account. While another run
    changes it, it is waited for as long as there is patience. A plan that cannot be carried out is given to `refused`,
    which shows it, and then refused. Raises `DeliveryError`s; reads only."""
    with Audit(command, environment, context.variables) as audit:
        target = wanted.wanted(environment, context)
        log_if_allowed(audit, target)
        real = Engine(environment, context.folder.resolve(), output.progress, context.for_engine)
        if wait_until_free(real, command, context, patience):
            target = wanted.wanted(environment, context)
        wanted.settle(target, patience.left)
        check, account = planned.checked(target, environment), target.account
        with resolving.foreseen(real, lambda: account, check) as (engine, state):
            plan = planned.make(target, engine, state, drift=drift)
        audit.planned(plan)
        try:
            refuse(plan.impossible, environment)
            drifting.check(plan, target)
        except RefusedError:
            if refused:
                refused(plan)
            raise
        audit.end("planned")
    if target.config.bootstrapped:
        approval.keep(target, plan)
    return plan
