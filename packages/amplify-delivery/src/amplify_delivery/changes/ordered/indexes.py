"""The global secondary indexes of one table, from those that are there to those that are wanted, one at a time. Pure.

DynamoDB makes or deletes one index in an update (API reference, UpdateTable), and changes nothing but the throughput of
one that stays. So an index with other keys is deleted and made again. `amplify push` did the same (amplify-cli,
"iterative deployment"), index after index, before it changed anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.replacement import index_form, types

INDEXES = "GlobalSecondaryIndexes"
LOCAL = "LocalSecondaryIndexes"
ATTRIBUTES = "AttributeDefinitions"
FIXED = ("KeySchema", "Projection")
"""What an index is made with, and never changes."""
MOST = 20
"""Global secondary indexes of a table (DynamoDB Developer Guide, "Quotas"): the default quota."""


class NotOrderableError(Exception):
    """Nobody can tell which updates would lead there; its text says why."""


@dataclass(frozen=True)
class Change:
    """One index, deleted or made."""

    name: str
    made: bool
    why: str


@dataclass(frozen=True)
class Way:
    """The changes of one table's indexes: `before` the release's own update, `within` it, `after` it.

    What is made comes before the release whose resolvers use it, what is deleted after it: until then the resolvers
    that are there use it.
    """

    before: tuple[Change, ...]
    within: Change | None
    after: tuple[Change, ...]


def way(old: Mapping[str, Any], new: Mapping[str, Any]) -> Way:
    """How the indexes of a table with the properties `old` become those of `new`, both as their templates have them.

    Whoever asks again from one of the states between gets what is left of the same way. Raises `NotOrderableError`.
    """
    before, after = by_name(old), by_name(new)
    added = sorted(after.keys() - before.keys())
    removed = sorted(before.keys() - after.keys())
    rebuilt = sorted(n for n in before.keys() & after.keys() if is_another(before[n], after[n], old, new))
    # Of too many at a time, some have to go first.
    early = removed[: max(0, len(before) + len(added) - MOST)]
    late = removed[len(early) :]
    changes = [
        *(Change(n, False, f"index {n} is deleted: with it the table would have more than {MOST}") for n in early),
        *(Change(n, True, _MADE.format(n)) for n in added),
        *(
            change
            for n in rebuilt
            for change in (Change(n, False, _REBUILT.format(n)), Change(n, True, _MADE.format(n)))
        ),
    ]
    rest = [Change(n, False, f"index {n} is deleted") for n in late]
    if changes:
        return Way(tuple(changes[:-1]), changes[-1], tuple(rest))
    return Way((), rest[0] if rest else None, tuple(rest[1:]))


def is_another(
    one: Mapping[str, Any], other: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]
) -> bool:
    """Whether an index of the table `old` has to be made again to be that of the table `new`: for other keys, another
    projection, or another type of an attribute of its keys."""
    was, becomes = index_form(one), index_form(other)
    if any(was.get(key) != becomes.get(key) for key in FIXED):
        return True
    schema = one.get("KeySchema")
    keys = [key for key in (schema if isinstance(schema, list) else ()) if isinstance(key, Mapping)]
    return any(
        types(old).get(key.get("AttributeName", "")) != types(new).get(key.get("AttributeName", "")) for key in keys
    )


_MADE = "index {} is made"
_REBUILT = "index {} is deleted, to be made again with other keys: queries that use it fail until then"


def by_name(properties: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """A table's indexes by their names. Raises `NotOrderableError` where a template computes them."""
    indexes = properties.get(INDEXES) or []
    if not isinstance(indexes, list):
        raise NotOrderableError("its indexes are computed by the template")
    named = {i["IndexName"]: i for i in indexes if isinstance(i, Mapping) and isinstance(i.get("IndexName"), str)}
    if len(named) != len(indexes):
        raise NotOrderableError("the name of an index is computed by the template")
    return named


def with_indexes(
    base: Mapping[str, Any], indexes: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> dict[str, Any]:
    """The properties `base` of a table with just these `indexes`, each with the properties of the table that it is
    taken from, and with the attributes that all its keys then use: CloudFormation takes no others.

    Raises `NotOrderableError` for an attribute that would need two types.
    """
    keyed = [(base, base), *((index, base) for index in base.get(LOCAL) or ()), *indexes.values()]
    found: dict[str, Any] = {}
    for schema, source in keyed:
        types = {_attribute(attribute): attribute for attribute in source.get(ATTRIBUTES) or ()}
        for name in map(_attribute, schema.get("KeySchema") or ()):
            if name not in types:
                raise NotOrderableError(f"the type of its attribute {name} is not known")
            if found.setdefault(name, types[name]) != types[name]:
                raise NotOrderableError(f"the type of its attribute {name} changes, which other keys of it use too")
    # In one order, however far it has come by then.
    kept = {**base, INDEXES: [i for i, _ in indexes.values()], ATTRIBUTES: [found[name] for name in sorted(found)]}
    if not indexes:
        del kept[INDEXES]
    return kept


def _attribute(definition: Any) -> str:
    name = definition.get("AttributeName") if isinstance(definition, Mapping) else None
    if not isinstance(name, str):
        raise NotOrderableError("the attributes of its keys are computed by the template")
    return name
