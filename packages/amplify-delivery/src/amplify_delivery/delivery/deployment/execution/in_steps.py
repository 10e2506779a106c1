"""Carrying out a release through the engine: in one run, or in several where it takes several updates of the root
stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from amplify_delivery.changes.guard import PLAN_VARIABLE, Guard
from amplify_delivery.changes.ordered.handed import COPIED_VARIABLE, handed_over
from amplify_delivery.changes.ordered.successors import is_made
from amplify_delivery.changes.ordered.updates import Update, changed_tables
from amplify_delivery.changes.steps import CopyTable, Path
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.deployment.execution import copied_tables, copy_checks, copying, tables
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.watch import Watch
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery.errors import RefusedError


@dataclass(frozen=True)
class Work:
    """A release, and what it takes before and after its own update: `updates`, `tables` that change, and `copies` of
    tables to their successors."""

    updates: Sequence[Update] = ()
    tables: Sequence[Path] = ()
    copies: Sequence[CopyTable] = ()

    @classmethod
    def of(cls, plan: Plan) -> Work:
        """What carries out a plan."""
        copies = [step for step in plan.steps if isinstance(step, CopyTable)]
        return cls([run.update for run in plan.runs if run.update], changed_tables(plan.steps), copies)


def carry_out(engine: Engine, work: Work, target: Wanted, variables: Mapping[str, str]) -> Iterator[Watch]:
    """Carry out the updates of `work`, and then the release itself; what the engine said of each. Before the release's
    own update the engine changes the root stack alone; right before it the items of tables are copied. `variables` are
    added to the program's environment. Raises `DeliveryError`s.

    Each waits until the tables are ready whose indexes the one before has changed; the first until those are that an
    earlier deployment has changed. Whatever ends it, the same command goes on from there: what is deployed then is the
    start of the rest.
    """
    updates, copies = work.updates, copied_tables.named(target, work.copies)
    making = next((u for u in updates if copies and any(is_made(u.stacks, path) for path in u.tables)), None)
    number = len(updates) + 1
    done: copying.Done | None = None
    tables.wait(target, work.tables, engine.say)
    for which, update in enumerate(updates, start=1):
        if making and (which == 1 or {*update.tables} & {*making.tables}):
            # Before the first one, before the table is closed, and when nobody writes to it any more.
            making_now = [copy for copy in copies if copy.path in making.tables]
            copy_checks.check(target, making_now, making, _guard(engine, target, variables))
        if update.released and copies and done is None:
            done = copying.carry_out(target, copies, _guard(engine, target, variables), engine.say)
        engine.say(f"{engine.stack}: update {which} of {number}: {'; '.join(update.why)}")
        only = None if update.released else [root_stack(engine)]
        with handed_over(update) as handed:
            yield engine.up({**variables, **_told(done), **handed}, only)
        tables.wait(target, update.tables, engine.say)
    if copies and done is None:
        done = copying.carry_out(target, copies, _guard(engine, target, variables), engine.say)
    if updates:
        engine.say(f"{engine.stack}: update {number} of {number}")
    yield engine.up({**variables, **_told(done)})
    tables.wait(target, work.tables, engine.say)
    if done:
        copying.check_still_closed(target, done)


def _guard(engine: Engine, target: Wanted, variables: Mapping[str, str]) -> Guard:
    """What may be lost today, by this plan."""
    return target.config.guard(engine.stack, datetime.now(UTC).date(), variables.get(PLAN_VARIABLE))


def _told(done: copying.Done | None) -> dict[str, str]:
    """What the program's guard has to know of items that were copied."""
    return {COPIED_VARIABLE: " ".join(done.told)} if done else {}


def root_stack(engine: Engine) -> str:
    """URN of the backend's root stack. Raises `RefusedError` unless there is just one."""
    found = [str(r["urn"]) for r in engine.resources() if r.get("type") == ROOT_STACK and BACKEND in str(r.get("urn"))]
    if len(found) != 1:
        raise RefusedError(
            f"the engine's state has {len(found)} root stacks of a backend, not one",
            where=engine.stack,
            remedy="nothing was changed; deliver what it takes several updates for one by one",
        )
    return found[0]
