"""The items of a table, copied to its successor, and compared (`amplify_delivery.changes.ordered.successors`).

Meanwhile nobody writes to either: the old table is closed, the new one is named by nobody. So a copy that was ended in
the middle is simply done again: what is there already is written over with the same.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.ordered.updates import Update
from amplify_delivery.changes.steps import CopyTable, Path
from amplify_delivery.delivery import output
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.execution.tables import physical_names
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, AWS_ERRORS, code, said

ACTIONS = ("dynamodb:BatchWriteItem", "dynamodb:DescribeTable", "dynamodb:Scan")
"""What whoever copies needs on both tables."""
_BATCH = 25
"""Items that BatchWriteItem takes (DynamoDB API reference)."""
_PAUSES = (0.1, 0.5, 2.0, 5.0, 10.0)
_TOLD_EVERY = 30.0
_NAMED = 5

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Copy:
    """The tables of one copy, by their names in DynamoDB."""

    place: str
    source: str
    successor: str


def check(target: Wanted, steps: Sequence[CopyTable], update: Update) -> None:
    """Look whether what `steps` copy can be copied, before anything is changed: the rights, the names, and whether each
    item has the keys that the successors have after `update`, and no two of them the same. Raises `RefusedError`."""
    for step, name in _named(target, steps):
        copy = Copy(step.place, name, f"{step.prefix}{name}")
        _check_free(target, copy)
        _check_keys(target, copy, _keys(update, step.path))


def _keys(update: Update, path: Path) -> dict[str, str]:
    """The types of a table's keys by their names."""
    table = update.stacks.resolved.resources[path].properties
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    return {key["AttributeName"]: types[key["AttributeName"]] for key in table["KeySchema"]}


def carry_out(target: Wanted, steps: Sequence[CopyTable], line: Line) -> None:
    """Copy and compare. Raises `DeliveryError`s."""
    for step, name in _named(target, steps):
        copy = Copy(step.place, name.removeprefix(step.prefix), name)
        with target.account.changing(f"copying the items of {copy.source} to {copy.successor}"):
            number = _copied(target.account.client("dynamodb"), copy, line)
            _compare(target, copy)
        line(
            f"{copy.place}: {output.counted(number, 'item')} of {copy.source} copied to {copy.successor}, and compared"
        )


def _named(target: Wanted, steps: Sequence[CopyTable]) -> list[tuple[CopyTable, str]]:
    """Each with the name of the table that stands at its place now."""
    if not steps:
        return []
    with target.account.asking("reading the names of tables"):
        paths = [step.path for step in steps]
        names = physical_names(target.account.client("cloudformation"), target.root.stack_name, paths)
    return [(step, names[step.path]) for step in steps]


def _check_free(target: Wanted, copy: Copy) -> None:
    """That nobody has the successor's name, and that these credentials may copy. A table that is not there answers
    whoever may write to it that it is not."""
    dynamodb = target.account.client("dynamodb")
    deletion = {"DeleteRequest": {"Key": {"probe": {"S": "rights"}}}}
    with target.account.asking(f"asking whether the items of {copy.source} can be copied"):
        if _is_there(target, copy, lambda: dynamodb.describe_table(TableName=copy.successor)):
            raise RefusedError(
                f"there is a table {copy.successor} already",
                where=copy.place,
                remedy="nothing was changed; choose another `prefix` in `replacedTables`, or look what that table is",
            )
        _is_there(target, copy, lambda: dynamodb.scan(TableName=copy.source, Limit=1))
        _is_there(target, copy, lambda: dynamodb.batch_write_item(RequestItems={copy.successor: [deletion]}))


def _is_there(target: Wanted, copy: Copy, call: Callable[[], Any]) -> bool:
    """Whether the table of a call is there. Raises `RefusedError` with what is to be allowed."""
    try:
        call()
    except AWS_ERRORS as error:
        if code(error) == "ResourceNotFoundException":
            return False
        if code(error) in ACCESS_DENIED:
            raise _denied(target, copy, error) from None
        raise
    return True


def _denied(target: Wanted, copy: Copy, error: Exception) -> RefusedError:
    resources = [target.names.arn("dynamodb", f"table/{name}") for name in (copy.source, copy.successor)]
    statement = json.dumps({"actions": list(ACTIONS), "resources": resources})
    bootstrapped = target.config.bootstrapped
    who = "the account's stack file, under `deployRights`" if bootstrapped else "the rights of whoever deploys"
    return RefusedError(
        f"these credentials may not copy the items of {copy.source}: {said(error)}",
        where=copy.place,
        remedy=f"nothing was changed. For as long as it takes, this belongs into {who}: {statement}",
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
    own = _digest(item)
    if own in seen:
        return "another item has the same keys"
    seen.add(own)
    return ""


def _copied(dynamodb: Any, copy: Copy, line: Line) -> int:
    number, told = 0, time.monotonic()
    batch: list[dict[str, Any]] = []
    for item in _items(dynamodb, copy.source):
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
    return number


def _written(dynamodb: Any, table: str, batch: Sequence[Mapping[str, Any]]) -> None:
    """All of `batch`: what DynamoDB had no capacity for is sent again."""
    left: Sequence[Mapping[str, Any]] = batch
    tries = 0
    while left:
        left = dynamodb.batch_write_item(RequestItems={table: left})["UnprocessedItems"].get(table, ())
        if left:
            time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1


def _compare(target: Wanted, copy: Copy) -> None:
    """Each item of the old table, as it is, is one of the new table. More may be there: what has expired in the old one
    meanwhile (time to live) expires in the new one too."""
    dynamodb = target.account.client("dynamodb")
    there = {_digest(item) for item in _items(dynamodb, copy.successor)}
    lost = sum(_digest(item) not in there for item in _items(dynamodb, copy.source))
    if lost:
        raise FailedError(
            f"{output.counted(lost, 'item')} of {copy.source} are not in {copy.successor} as they are there",
            where=copy.place,
            remedy="the app uses the old table still, and nothing is lost. Somebody writes to one of the two past the "
            "old one's policy: find out who, then run the same command again, which copies all once more",
        )


def _items(dynamodb: Any, table: str) -> Iterator[dict[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _digest(item: Item) -> bytes:
    """What an item is, in 16 bytes, whatever order its sets come in."""
    return hashlib.blake2b(repr(_plain(item)).encode(), digest_size=16).digest()


def _plain(value: Any, kind: str = "") -> Any:
    if isinstance(value, Mapping):
        return [(key, _plain(inner, key)) for key, inner in sorted(value.items())]
    if isinstance(value, (list, tuple)):
        return sorted(map(repr, value)) if kind in ("SS", "NS", "BS") else [_plain(inner) for inner in value]
    return bytes(value) if isinstance(value, (bytes, bytearray)) else value
