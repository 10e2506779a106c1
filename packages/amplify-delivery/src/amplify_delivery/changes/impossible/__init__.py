"""What a plan asks for, and AWS cannot do: known before anything is sent, instead of half-way through an update. Pure.

What stands here is refused by CloudFormation or by the service in every case that is found; what depends on more than
the templates tell is not found. A finding can be overruled by its id (`lint.ignore`), because AWS changes its mind too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from amplify_delivery.changes.impossible.callouts import callout, cleared
from amplify_delivery.changes.impossible.filling import unfilled
from amplify_delivery.changes.impossible.finding import Impossible, check, properties, reasoned
from amplify_delivery.changes.impossible.functions import old_runtime
from amplify_delivery.changes.impossible.moving import moved
from amplify_delivery.changes.impossible.pools import pool
from amplify_delivery.changes.impossible.replacing import becomes_another, replacement
from amplify_delivery.changes.impossible.rules import ALWAYS, EXPORT, IN_SEVERAL, INDEXES, UNFILLED
from amplify_delivery.changes.impossible.tables import expiry, indexes
from amplify_delivery.changes.impossible.whole import exports, operation
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import AddResource, ChangeResource, Path, ReplaceResource, Step

__all__ = ["ALWAYS", "EXPORT", "INDEXES", "IN_SEVERAL", "UNFILLED", "Impossible", "check", "impossible", "reasoned"]

_TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_POOL, _CLIENT = "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"


def impossible(  # noqa: PLR0917 - each is another thing
    steps: Sequence[Step],
    old: Stacks | None,
    new: Stacks,
    today: date,
    ignored: Collection[str] = (),
    copied: Collection[Path] = (),
) -> tuple[Impossible, ...]:
    """What of `steps`, from what is deployed (`old`; None: nothing) to `new`, AWS refuses on the day `today` (UTC), and
    what would use a successor that is none of those whose items have been `copied`.

    `ignored` are ids that do not count.
    """
    found = [*operation(steps), *(i for step in steps for i in _of(step, steps, old, new, today))]
    found += (*exports(steps, old, new), *moved(steps, old, new), *becomes_another(old, new)) if old else ()
    always = unfilled(old, new, copied) if old else ()
    return (*(i for i in found if i.id not in ignored), *always)


def _of(step: Step, steps: Sequence[Step], old: Stacks | None, new: Stacks, today: date) -> Iterator[Impossible]:
    if isinstance(step, (AddResource, ReplaceResource)) and step.type in _FUNCTIONS:
        yield from old_runtime(step, new, today)
    if isinstance(step, (AddResource, ChangeResource, ReplaceResource)):
        yield from callout(step, old, new, today)
    if old is None:
        return
    if isinstance(step, ReplaceResource):
        yield from replacement(step, steps, old, new)
    if isinstance(step, ChangeResource):
        before, after = properties(old, step.path), properties(new, step.path)
        if step.type in _TABLES:
            yield from indexes(step, before, after)
            yield from expiry(step, before, after)
        if step.type == _POOL:
            yield from pool(step, before, after)
        if step.type == _CLIENT:
            yield from cleared(step, steps, old, new)
