"""The backend's steps in the order in which they are carried out, in as many updates as AWS needs for them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.impossible import EXPORT, INDEXES, Impossible, impossible, reasoned
from amplify_delivery.changes.ordered.updates import Update, ordered
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import CopyTable, Path, Step, UpdateRoot
from amplify_delivery.export.assembling.root import TEMPLATE_KEY

_RELEASE = "everything else of the release"


@dataclass(frozen=True)
class InOrder:
    """The backend's part of a plan.

    `first` are the steps up to those of the release's own update, with these; `then` what comes after it, when the
    program has made its other changes. `updates` are all but the last, which is called with what is wanted.
    """

    first: tuple[Step, ...]
    then: tuple[Step, ...]
    impossible: tuple[Impossible, ...]
    updates: tuple[Update, ...]
    copies: tuple[CopyTable, ...] = ()


def in_order(
    old: Stacks | None, new: Stacks, steps: Sequence[Step], today: date, ignored: Collection[str] = ()
) -> InOrder:
    """`steps`, which lead from what is deployed (`old`) to what is wanted (`new`), in order; what is impossible of each
    update on the day `today` (UTC), but for what is `ignored`."""
    # Who ignores that AWS takes one at a time wants to see it tried.
    way = ordered(old, new, steps, singly=not {INDEXES.id, EXPORT.id} & {*ignored})
    if not way.updates and not way.copies:
        refused = impossible(steps, old, new, today, ignored)
        return InOrder(tuple(steps), (), tuple(reasoned(i, way.reasons) for i in refused), ())
    first: list[Step] = []
    then: list[Step] = []
    never: list[Impossible] = []
    before, released = old, False
    copied = [copy.path for copy in way.copies]
    for update in (*way.updates, None):
        after = update.stacks if update else new
        why = update.why if update else way.last
        own = not released and (update is None or update.released)
        found = plan_backend(before, after)
        if copied and update and not update.released:
            found = _of_these(found, {*copied, *update.tables})
        refused = impossible(found, before, after, today, ignored, copied)
        never += [i for i in (reasoned(i, way.reasons) for i in refused) if i not in never]
        into = then if released else first
        into += way.copies if own else ()
        into += [UpdateRoot(after.parameters[TEMPLATE_KEY], (*why, *([_RELEASE] if own else []))), *found]
        released = released or own
        before = after
    return InOrder(tuple(first), tuple(then), tuple(never), way.updates, way.copies)


def _of_these(steps: Sequence[Step], tables: Collection[Path]) -> tuple[Step, ...]:
    """The steps of an update that changes nothing but `tables`: what names them by their names instead of by references
    is the same to CloudFormation."""
    return tuple(step for step in steps if getattr(step, "path", ()) in tables)
