"""Whether the items of a table can be copied: looked at before anything is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.ordered.updates import Update
from amplify_delivery.changes.steps import CopyTable, Path, RemoveResource
from amplify_delivery.delivery.deployment.execution.copied_tables import ACTIONS, PROBE, Copy, is_to_be_closed
from amplify_delivery.delivery.deployment.execution.table_items import Contents, Item, compared, digest, expiry_of
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, Refusal, suppressing

_NAMED = 5
_NO_TABLE = "ResourceNotFoundException"


def check(target: Wanted, copies: Sequence[Copy], update: Update, guard: Guard) -> None:
    """Look whether what is to be copied can be, before anything is changed: the rights, the names, and whether each
    item has the keys that the successors have after `update`, and no two of them the same. Raises `RefusedError`, also
    for a successor with items of its own that would be given up, unless `guard` allows that."""
    for copy in copies:
        check_rights(target, copy)
        _check_free(target, copy)
        _check_keys(target, copy, _keys(update, copy.path))
        if copy.given_up:
            _check_given_up(target, copy, guard)


def _keys(update: Update, path: Path) -> dict[str, str]:
    """The types of a table's keys by their names."""
    table = update.stacks.resolved.resources[path].properties
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    return {key["AttributeName"]: types[key["AttributeName"]] for key in table["KeySchema"]}


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


def check_rights(target: Wanted, copy: Copy) -> None:
    """That these credentials may copy, and compare. Writing is asked with what deletes nothing, of the old table too,
    unless that is closed already: of who may write there a denial tells that the policy is in force."""
    dynamodb = target.account.client("dynamodb")
    with target.account.asking(f"asking whether the items of {copy.source} can be copied"):
        for table in filter(None, (copy.source, copy.successor, copy.given_up)):
            _is_there(target, copy, partial(dynamodb.describe_table, TableName=table))
            _is_there(target, copy, partial(dynamodb.scan, TableName=table, Limit=1))
        _is_there(target, copy, lambda: dynamodb.describe_time_to_live(TableName=copy.source))
        _is_there(target, copy, lambda: dynamodb.batch_write_item(RequestItems={copy.successor: [PROBE]}))
        shut: list[bool] = []
        _is_there(target, copy, lambda: shut.append(is_to_be_closed(target, copy.source)))
        if not any(shut):
            _is_there(target, copy, lambda: dynamodb.batch_write_item(RequestItems={copy.source: [PROBE]}))


def _is_there(target: Wanted, copy: Copy, call: Callable[[], Any]) -> bool:
    """Whether the table of a call is there: who may not make it is told that before. Raises `RefusedError` with what is
    to be allowed."""
    with suppressing(_NO_TABLE, "ValidationException", *ACCESS_DENIED) as refusal:
        call()
    if refusal.denied:
        raise _denied(target, copy, refusal)
    return refusal.code != _NO_TABLE


def _denied(target: Wanted, copy: Copy, refusal: Refusal) -> RefusedError:
    names = filter(None, (copy.source, copy.successor, copy.given_up))
    resources = [target.names.arn("dynamodb", f"table/{name}") for name in names]
    statement = json.dumps({"actions": list(ACTIONS), "resources": resources})
    bootstrapped = target.config.bootstrapped
    who = "the account's stack file, under `deployRights`" if bootstrapped else "the rights of whoever deploys"
    return RefusedError(
        f"these credentials may not copy the items of {copy.source}: {refusal.said}",
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
