"""What is in a DynamoDB table, and how that differs from what is in another one. Reads only.

Items are held as digests: about 200 bytes for each item of both tables.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.delivery import output

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """How the items of a successor differ from those of the old table: so many are `missing`, are `other` ones under
    the same keys, or are `more` than there are in the old one. `keys` are names of attributes."""

    missing: int
    other: int
    more: int
    keys: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Whether the two tables hold anything that differs."""
        return bool(self.missing or self.other or self.more)

    def __str__(self) -> str:
        parts = (
            (self.more, "only there"),
            (self.other, "there with other values under the same keys"),
            (self.missing, "not there"),
        )
        words = [f"{output.counted(number, 'item')} {what}" for number, what in parts if number]
        return f"{', '.join(words) or 'the same items'} (keys: {', '.join(self.keys)})"


@dataclass(frozen=True)
class Contents:
    """The items of a table, as digests by the digests of their keys (`keys` are these attributes' names). `expiry` is
    the attribute by which they expire, `expired` are those that have, and may go at any time."""

    keys: tuple[str, ...]
    expiry: str
    items: Mapping[bytes, bytes] = field(repr=False)
    expired: frozenset[bytes] = field(repr=False)

    @classmethod
    def of(cls, dynamodb: Any, table: str, expiry: str) -> Contents:
        """Of the table as it is: it is read in full. Raises botocore's errors."""
        schema = dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
        keys = tuple(sorted(key["AttributeName"] for key in schema))
        items, expired = {}, set()
        for item in items_of(dynamodb, table):
            key = _key(item, keys)
            items[key] = digest(item)
            if _expired(item, expiry):
                expired.add(key)
        return cls(keys, expiry, items, frozenset(expired))

    def key(self, item: Item) -> bytes:
        """The digest of an item's keys."""
        return _key(item, self.keys)


@dataclass(frozen=True)
class Compared:
    """What came of a comparison."""

    difference: Difference
    items: frozenset[bytes] = field(repr=False)
    """Digests of the old table's."""


def compared(dynamodb: Any, source: str, there: Contents) -> Compared:
    """The items of the old table (`source`) against those of the successor. What has expired may be in one of them
    only."""
    missing = other = 0
    items, seen = set(), set()
    for item in items_of(dynamodb, source):
        key, own = there.key(item), digest(item)
        items.add(own)
        seen.add(key)
        if key not in there.items:
            missing += not _expired(item, there.expiry)
        elif there.items[key] != own:
            other += 1
    more = len(there.items.keys() - seen - there.expired)
    return Compared(Difference(missing, other, more, there.keys), frozenset(items))


def expiry_of(dynamodb: Any, table: str) -> str:
    """The attribute with the time (seconds since 1970) after which DynamoDB deletes an item; empty if there is none."""
    told = dynamodb.describe_time_to_live(TableName=table).get("TimeToLiveDescription") or {}
    return str(told.get("AttributeName", ""))


def _expired(item: Item, expiry: str) -> bool:
    try:
        return bool(expiry) and float(item[expiry]["N"]) < time.time()
    except (KeyError, ValueError):
        return False


def items_of(dynamodb: Any, table: str) -> Iterator[dict[str, Any]]:
    """All items of a table, as they are when each page is read."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def digest(item: Item) -> bytes:
    """What an item is, in 16 bytes, whatever order its sets come in."""
    return hashlib.blake2b(repr(_plain(item)).encode(), digest_size=16).digest()


def _key(item: Item, keys: Sequence[str]) -> bytes:
    return digest({key: item.get(key) for key in keys})


def _plain(value: Any, kind: str = "") -> Any:
    if isinstance(value, Mapping):
        return [(key, _plain(inner, key)) for key, inner in sorted(value.items())]
    if isinstance(value, (list, tuple)):
        return sorted(map(repr, value)) if kind in ("SS", "NS", "BS") else [_plain(inner) for inner in value]
    return bytes(value) if isinstance(value, (bytes, bytearray)) else value
