"""The items of a table, copied to its successor, and compared (`amplify_delivery.changes.ordered.successors`).

Meanwhile nobody writes to either: the old table is closed, the new one is named by nobody. So a copy that was ended in
the middle goes on: what is there already, and the same, stays. What is there and is not the same was written by
somebody, by the app too where the release was rolled back after it had used the successor: that is written over by
nobody.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.ordered import handed
from amplify_delivery.changes.ordered.successors import closing, is_closed_by, next_prefix
from amplify_delivery.changes.ordered.updates import Update
from amplify_delivery.changes.steps import CopyTable, Path, RemoveResource
from amplify_delivery.delivery import output
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.execution.table_items import (
    Contents,
    Difference,
    Item,
    compared,
    digest,
    expiry_of,
    items_of,
)
from amplify_delivery.delivery.execution.tables import physical_names
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, AWS_ERRORS, code, said
from amplify_delivery.publishing.stack_state import described, parameters_of

ACTIONS = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:GetResourcePolicy",
    "dynamodb:Scan",
)
"""What whoever copies needs on both tables."""
_BATCH = 25
"""Items that BatchWriteItem takes (DynamoDB API reference)."""
_PAUSES = (0.1, 0.5, 2.0, 5.0, 10.0)
_CLOSED_WITHIN = 120.0
"""Seconds. "Resource-based policies are eventually consistent" (DynamoDB Developer Guide)."""
_TOLD_EVERY = 30.0
_NAMED = 5
_PROBE = {"DeleteRequest": {"Key": {"probe": {"S": "rights"}}}}
"""Deletes nothing: no table of ours has such a key."""


@dataclass(frozen=True)
class Copy:
    """The tables of one copy, by their names in DynamoDB. With `keep` the successor stays as it is. `standing` is the
    table that stands in the stack before."""

    path: Path
    source: str
    successor: str
    keep: bool = False
    standing: str = ""

    @property
    def place(self) -> str:
        return "/".join(self.path)

    @property
    def given_up(self) -> str:
        """The successor that is given up for this one before anybody used it; empty if there is none."""
        return "" if self.standing in {self.source, self.successor} else self.standing


@dataclass(frozen=True)
class Done:
    """What was copied and compared: what the program is `told` of it, and digests of the items of each old table."""

    told: tuple[str, ...]
    items: Mapping[Copy, frozenset[bytes]] = field(repr=False)


def named(target: Wanted, steps: Sequence[CopyTable]) -> list[Copy]:
    """The tables of `steps`, as long as what is deployed is what these were planned from. Raises `RefusedError`."""
    if not steps:
        return []
    with target.account.asking("reading the names of tables"):
        paths = [step.path for step in steps]
        names = physical_names(target.account.client("cloudformation"), target.root.stack_name, paths)
    return [_named(step, names[step.path]) for step in steps]


def _named(step: CopyTable, name: str) -> Copy:
    if not name.startswith(step.standing):
        raise RefusedError(
            f"the table there is {name}, which does not begin with {step.standing}",
            where=step.place,
            remedy="nothing was changed; look who has changed the stack",
        )
    base = name.removeprefix(step.standing)
    return Copy(step.path, f"{step.of}{base}", f"{step.prefix}{base}", step.keep, name)


def check(target: Wanted, copies: Sequence[Copy], update: Update, guard: Guard) -> None:
    """Look whether what is to be copied can be, before anything is changed: the rights, the names, and whether each
    item has the keys that the successors have after `update`, and no two of them the same. Raises `RefusedError`, also
    for a successor with items of its own that would be given up, unless `guard` allows that."""
    for copy in copies:
        _check_rights(target, copy)
        _check_free(target, copy)
        _check_keys(target, copy, _keys(update, copy.path))
        if copy.given_up:
            _check_given_up(target, copy, guard)


def _keys(update: Update, path: Path) -> dict[str, str]:
    """The types of a table's keys by their names."""
    table = update.stacks.resolved.resources[path].properties
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    return {key["AttributeName"]: types[key["AttributeName"]] for key in table["KeySchema"]}


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
        _check_rights(target, copy)
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
            if not _closed(target, copy.source):
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
            remedy="the app uses the old table still, and nothing is lost. Somebody writes to one of the two past the "
            "old one's policy: find out who, then run the same command again, which copies what lacks",
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


def _check_given_up(target: Wanted, copy: Copy, guard: Guard) -> None:
    """A successor that another one takes the place of stays in the account; what only that one has, nobody would use
    any more."""
    dynamodb = target.account.client("dynamodb")
    with target.account.asking(f"comparing {copy.given_up} with {copy.source}"):
        found = compared(
            dynamodb, copy.source, Contents.of(dynamodb, copy.given_up, expiry_of(dynamodb, copy.source))
        ).difference
    if found.more or found.other:
        loss = f"the items of {copy.given_up}, for which {copy.successor} is made: {found}"
        guard.check([RemoveResource(copy.path, CopyTable.type, True, loss)])


def _entry(target: Wanted, copy: Copy) -> str:
    """The beginning of the command that sets something of the table's entry in the stack file."""
    paths = [table.path for table in target.config.replaced_tables]
    return f"pulumi config set -s {target.config.environment} --path 'replacedTables[{paths.index(copy.place)}]"


def _wait_until_closed(target: Wanted, copy: Copy) -> None:
    """A policy may take a while to hold. Raises `RefusedError` for one that does not, and for a table that is gone."""
    begin, tries = time.monotonic(), 0
    while not _closed(target, copy.source):
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


def _closed(target: Wanted, table: str) -> bool:
    """Whether nobody may write to a table: its own policy says so, and is in force by now. How a denial is worded tells
    nothing: whoever lacks the right is denied an open table too."""
    dynamodb = target.account.client("dynamodb")
    try:
        return _is_to_be_closed(target, table) and _is_denied(dynamodb, table)
    except AWS_ERRORS as error:
        if code(error) != "ResourceNotFoundException":
            raise
        raise RefusedError(
            "the table with the items is gone",
            where=table,
            remedy="nothing was changed. Restore it under this name: `aws dynamodb list-backups --table-name "
            f"{table} --region {dynamodb.meta.region_name}`, or point-in-time recovery; if its items are lost, an "
            "empty table of that name lets the release come",
        ) from None


def _is_to_be_closed(target: Wanted, table: str) -> bool:
    """Whether a table's policy has the statement by which it is closed. Raises botocore's errors."""
    arn = target.names.arn("dynamodb", f"table/{table}")
    try:
        policy = target.account.client("dynamodb").get_resource_policy(ResourceArn=arn)["Policy"]
    except AWS_ERRORS as error:
        if code(error) == "PolicyNotFoundException":
            return False
        raise
    return is_closed_by(json.loads(policy), arn)


def _is_denied(dynamodb: Any, table: str) -> bool:
    """Whether a write is denied. A deletion without the table's keys is refused in any case; for other reasons where
    the table is open. Raises botocore's errors."""
    try:
        dynamodb.batch_write_item(RequestItems={table: [_PROBE]})
    except AWS_ERRORS as error:
        if code(error) in ACCESS_DENIED:
            return True
        if code(error) != "ValidationException":
            raise
    return False


def _check_free(target: Wanted, copy: Copy) -> None:
    """That nobody has the successor's name, and that nobody writes to the table from elsewhere."""
    dynamodb = target.account.client("dynamodb")
    with target.account.asking(f"asking whether the items of {copy.source} can be copied"):
        replicas = dynamodb.describe_table(TableName=copy.source)["Table"].get("Replicas") or ()
        if replicas:
            regions = ", ".join(sorted(str(r.get("RegionName")) for r in replicas))
            raise RefusedError(
                f"{copy.source} has replicas in other regions ({regions}), where the table's policy keeps nobody from "
                "writing",
                where=copy.place,
                remedy="nothing was changed; remove the replicas first, or move the items by yourself",
            )
        if _is_there(target, copy, lambda: dynamodb.describe_table(TableName=copy.successor)):
            raise RefusedError(
                f"there is a table {copy.successor} already",
                where=copy.place,
                remedy="nothing was changed; choose another `prefix` in `replacedTables`, or look what that table is",
            )


def _check_rights(target: Wanted, copy: Copy) -> None:
    """That these credentials may copy, and compare. Writing is asked with what deletes nothing, of the old table too,
    unless that is closed already: of who may write there a denial tells that the policy is in force."""
    dynamodb = target.account.client("dynamodb")
    with target.account.asking(f"asking whether the items of {copy.source} can be copied"):
        for table in filter(None, (copy.source, copy.successor, copy.given_up)):
            _is_there(target, copy, partial(dynamodb.describe_table, TableName=table))
            _is_there(target, copy, partial(dynamodb.scan, TableName=table, Limit=1))
        _is_there(target, copy, lambda: dynamodb.describe_time_to_live(TableName=copy.source))
        _is_there(target, copy, lambda: dynamodb.batch_write_item(RequestItems={copy.successor: [_PROBE]}))
        closed: list[bool] = []
        _is_there(target, copy, lambda: closed.append(_is_to_be_closed(target, copy.source)))
        if not any(closed):
            _is_there(target, copy, lambda: dynamodb.batch_write_item(RequestItems={copy.source: [_PROBE]}))


def _is_there(target: Wanted, copy: Copy, call: Callable[[], Any]) -> bool:
    """Whether the table of a call is there: who may not make it is told that before. Raises `RefusedError` with what is
    to be allowed."""
    try:
        call()
    except AWS_ERRORS as error:
        if code(error) == "ResourceNotFoundException":
            return False
        if code(error) in ACCESS_DENIED:
            raise _denied(target, copy, error) from None
        if code(error) != "ValidationException":
            raise
    return True


def _denied(target: Wanted, copy: Copy, error: Exception) -> RefusedError:
    names = filter(None, (copy.source, copy.successor, copy.given_up))
    resources = [target.names.arn("dynamodb", f"table/{name}") for name in names]
    statement = json.dumps({"actions": list(ACTIONS), "resources": resources})
    bootstrapped = target.config.bootstrapped
    who = "the account's stack file, under `deployRights`" if bootstrapped else "the rights of whoever deploys"
    return RefusedError(
        f"these credentials may not copy the items of {copy.source}: {said(error)}",
        where=copy.place,
        remedy=f"nothing was changed. For as long as it takes, this belongs in {who}: {statement}",
    )


def _check_keys(target: Wanted, copy: Copy, keys: Mapping[str, str]) -> None:
    """That each item of the old table is one of the new table, and no two are the same one there."""
    names = {f"#k{i}": name for i, name in enumerate(keys)}
    seen: set[bytes] = set()
    wrong: list[str] = []
    number = 0
    with target.account.asking(f"reading the keys of {copy.source}"):
        pages = (
            target.account.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=copy.source,
                ConsistentRead=True,
                ProjectionExpression=", ".join(names),
                ExpressionAttributeNames=names,
            )
        )
        for item in (item for page in pages for item in page["Items"]):
            number += 1
            fault = _fault(item, keys, seen)
            if fault and len(wrong) < _NAMED:
                wrong.append(f"  {json.dumps(item, sort_keys=True, default=str)}: {fault}")
    if wrong:
        raise RefusedError(
            f"items of {copy.source} cannot be items of a table with the keys {', '.join(keys)}:\n" + "\n".join(wrong),
            where=copy.place,
            remedy="nothing was changed; give each item these attributes, each time other ones, and plan again",
        )


def _fault(item: Item, keys: Mapping[str, str], seen: set[bytes]) -> str:
    for name, kind in keys.items():
        value = item.get(name, {})
        if kind not in value:
            return f"it has no {name} of the type {kind}"
        if value[kind] in ("", b""):
            return f"its {name} is empty"
    own = digest(item)
    if own in seen:
        return "another item has the same keys"
    seen.add(own)
    return ""


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
