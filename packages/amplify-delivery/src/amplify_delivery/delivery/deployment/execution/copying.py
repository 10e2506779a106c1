"""The items of a table, copied to its successor, and compared (`amplify_delivery.changes.ordered.successors`).

Meanwhile nobody writes to either: the old table is closed, the new one is named by nobody. So a copy that was ended in
the middle goes on: what is there already, and the same, stays. What is there and is not the same was written by
somebody, by the app too where the release was rolled back after it had used the successor: that is written over by
nobody.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.ordered import handed
from amplify_delivery.changes.ordered.successors import closing, next_prefix
from amplify_delivery.changes.steps import CopyTable, RemoveResource
from amplify_delivery.delivery import output
from amplify_delivery.delivery.deployment.execution.copied_tables import Copy, closed
from amplify_delivery.delivery.deployment.execution.copy_checks import check_rights
from amplify_delivery.delivery.deployment.execution.table_items import (
    Contents,
    Difference,
    compared,
    digest,
    expiry_of,
    items_of,
)
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.publishing.stack_state import described, parameters_of

_BATCH = 25
"""Items that BatchWriteItem takes (DynamoDB API reference)."""
_PAUSES = (0.1, 0.5, 2.0, 5.0, 10.0)
_CLOSED_WITHIN = 120.0
"""Seconds. "Resource-based policies are eventually consistent" (DynamoDB Developer Guide)."""
_TOLD_EVERY = 30.0


@dataclass(frozen=True)
class Done:
    """What was copied and compared: what the program is `told` of it, and digests of the items of each old table."""

    told: tuple[str, ...]
    items: Mapping[Copy, frozenset[bytes]] = field(repr=False)


def carry_out(target: Wanted, copies: Sequence[Copy], guard: Guard, line: Line) -> Done:
    """Compare, copy what lacks, and compare again. Raises `DeliveryError`s: `RefusedError` where something of a
    successor would be written over, before anything is, and where one that is kept lacks items, unless `guard` allows
    that."""
    account = target.account
    with account.asking("reading the state of the root stack"):
        stack = described(account.client("cloudformation"), target.root.stack_name) or {}
    # What was rolled back may have been the release, after the app had used the successor.
    used = str(stack.get("StackStatus", "")).startswith("UPDATE_ROLLBACK")
    items = {}
    for copy in copies:
        check_rights(target, copy)
        with account.changing(f"copying the items of {copy.source} to {copy.successor}"):
            _wait_until_closed(target, copy)
            items[copy] = _filled(target, copy, guard, line, used=used)
    root = parameters_of(stack).get(TEMPLATE_KEY, "")
    return Done(tuple(handed.copied(str(stack.get("StackId")), root, copy.place) for copy in copies), items)


def check_still_closed(target: Wanted, done: Done) -> None:
    """Raise `FailedError` for an old table that got items after it was compared: its policy was taken away."""
    for copy, items in done.items.items():
        with target.account.changing(f"looking whether {copy.source} is closed"):
            dynamodb = target.account.client("dynamodb")
            late = 0
            if not closed(target, copy.source):
                late = sum(digest(item) not in items for item in items_of(dynamodb, copy.source))
        if late:
            raise FailedError(
                f"{output.counted(late, 'item')} of {copy.source} were written after the tables were compared: "
                "somebody has taken its policy away",
                where=copy.place,
                remedy=f"the release is delivered, and the app uses {copy.successor}, which lacks them: look at "
                f"`aws dynamodb scan --table-name {copy.source} {target.account.options}`, and write there what counts",
            )


def _filled(target: Wanted, copy: Copy, guard: Guard, line: Line, *, used: bool) -> frozenset[bytes]:
    """Have the items of `copy` in its successor; digests of the old table's. `used`: the app may have used it."""
    dynamodb = target.account.client("dynamodb")
    there = Contents.of(dynamodb, copy.successor, expiry_of(dynamodb, copy.source))
    if there.items or used or copy.keep:
        found = compared(dynamodb, copy.source, there)
        _check_nothing_lost(target, copy, guard, found.difference, used=used)
        if copy.keep:
            line(f"{copy.place}: {copy.successor} is used as it is; against {copy.source}: {found.difference}")
            return found.items
    _copied(dynamodb, copy, there, line)
    found = compared(dynamodb, copy.source, Contents.of(dynamodb, copy.successor, there.expiry))
    if found.difference.any:
        raise FailedError(
            f"{copy.successor} does not have the items of {copy.source} as they are: {found.difference}",
            where=copy.place,
            remedy="the app still uses the old table, and nothing is lost. Somebody writes to one of the two past the "
            "old one's policy: find out who, then run the same command again, which copies what is missing",
        )
    line(
        f"{copy.place}: {output.counted(len(found.items), 'item')} of {copy.source} copied to {copy.successor}, and "
        "compared"
    )
    return found.items


def _check_nothing_lost(target: Wanted, copy: Copy, guard: Guard, found: Difference, *, used: bool) -> None:
    """Raise `RefusedError` for a successor with more than a part of the old table's items, unless it is to be kept; and
    for one that is to be kept, and has a part of them only: whether the app has deleted the others there, or the copy
    was ended before them, nobody can tell."""
    entry = _entry(target, copy)
    then = f"then `amplify-delivery plan {target.config.environment}`, and deploy that"
    if copy.keep:
        if found.missing and not used:
            raise RefusedError(
                f"{copy.successor} was never in use, and lacks items of {copy.source}: {found}",
                where=copy.place,
                remedy=f"nothing was changed. To have them copied: `{entry}.data' copy`, {then}",
            )
        if found.missing:
            loss = f"{output.counted(found.missing, 'item')} of {copy.source} that {copy.successor} lacks: {found}"
            guard.check([RemoveResource(copy.path, CopyTable.type, True, loss)])
        return
    if not (found.more or found.other or (found.missing and used)):
        return
    why = " (an update was rolled back, and the app may have used it before that)" if used else ""
    what = "has items of its own" if found.more or found.other else "lacks items that the app may have deleted there"
    raise RefusedError(
        f"{copy.successor} {what}{why}, over which nothing of {copy.source} is written: {found}",
        where=copy.place,
        remedy=f"nothing was changed, and both tables stay. If what {copy.successor} has should count: `{entry}.data' "
        f"keep`. If what {copy.source} has should count, another one is made, and filled from it: `{entry}.prefix' "
        f"{next_prefix(copy.successor)}`. {then[0].upper()}{then[1:]}",
    )


def _entry(target: Wanted, copy: Copy) -> str:
    """The beginning of the command that sets something of the table's entry in the stack file."""
    paths = [table.path for table in target.config.replaced_tables]
    return f"pulumi config set -s {target.config.environment} --path 'replacedTables[{paths.index(copy.place)}]"


def _wait_until_closed(target: Wanted, copy: Copy) -> None:
    """A policy may take a while to hold. Raises `RefusedError` for one that does not, and for a table that is gone."""
    begin, tries = time.monotonic(), 0
    while not closed(target, copy.source):
        if time.monotonic() - begin > _CLOSED_WITHIN:
            arn = target.names.arn("dynamodb", f"table/{copy.source}")
            raise RefusedError(
                f"{copy.source} is not closed: somebody has taken its policy away, and what is written there meanwhile "
                "would be lost to the app",
                where=copy.place,
                remedy="nothing was changed. Close it, then the same command again: `aws dynamodb put-resource-policy "
                f"--resource-arn {arn} --policy '{json.dumps(closing(arn))}' {target.account.options}`",
            )
        time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
        tries += 1


def _copied(dynamodb: Any, copy: Copy, there: Contents, line: Line) -> None:
    """Write what is not there."""
    number, told = 0, time.monotonic()
    batch: list[dict[str, Any]] = []
    for item in items_of(dynamodb, copy.source):
        if there.key(item) in there.items:
            continue
        batch.append({"PutRequest": {"Item": item}})
        number += 1
        if len(batch) == _BATCH:
            _written(dynamodb, copy.successor, batch)
            batch = []
        if time.monotonic() - told > _TOLD_EVERY:
            line(f"{copy.place}: {number:,} items copied")
            told = time.monotonic()
    if batch:
        _written(dynamodb, copy.successor, batch)


def _written(dynamodb: Any, table: str, batch: Sequence[Mapping[str, Any]]) -> None:
    """All of `batch`: what DynamoDB had no capacity for is sent again."""
    left: Sequence[Mapping[str, Any]] = batch
    tries = 0
    while left:
        left = dynamodb.batch_write_item(RequestItems={table: left})["UnprocessedItems"].get(table, ())
        if left:
            time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1
