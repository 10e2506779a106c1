"""Indexes of a table, and the attribute by which its items expire: what DynamoDB changes one at a time, or never."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.impossible.finding import Impossible
from amplify_delivery.changes.impossible.rules import EXPIRY, INDEXES
from amplify_delivery.changes.ordered.indexes import is_another
from amplify_delivery.changes.steps import ChangeResource
from amplify_delivery.export.templates.literals import text
from amplify_delivery.findings import listed


def indexes(step: ChangeResource, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Impossible]:
    """AD741: of a table's global secondary indexes one is made or deleted per update (DynamoDB API reference,
    UpdateTable), and of one that stays nothing but its throughput changes."""
    before, after = _by_name(old, "GlobalSecondaryIndexes"), _by_name(new, "GlobalSecondaryIndexes")
    if before is None or after is None:
        return
    moved = sorted([*(f"+{n}" for n in after.keys() - before.keys()), *(f"-{n}" for n in before.keys() - after.keys())])
    if len(moved) > 1:
        yield Impossible(
            INDEXES.id,
            step.place,
            f"{len(moved)} global secondary indexes are made or deleted ({', '.join(moved)}): DynamoDB takes one in an "
            "update",
            "export and deliver with one of them after the other: the first one's @index, then the next",
        )
    changed = sorted(n for n in before.keys() & after.keys() if is_another(before[n], after[n], old, new))
    if changed:
        yield Impossible(
            INDEXES.id,
            step.place,
            f"keys or projection of the index {listed(changed)} change, and DynamoDB does not change an existing index",
            "give the new index another name (`@index(name: ...)`), and take the old one away in a later delivery",
        )


def expiry(step: ChangeResource, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Impossible]:
    """AD750: the attribute changes only while nothing expires, and DynamoDB takes an hour to stop."""
    was, becomes = (_expires_by(properties) for properties in (old, new))
    if isinstance(was, str) and isinstance(becomes, str) and was != becomes:
        told = f"items expire by {was}, and should by {becomes}: DynamoDB replaces no attribute that is in use"
        yield Impossible(EXPIRY.id, step.place, told, EXPIRY.remedy)


def _expires_by(properties: Mapping[str, Any]) -> Any:
    """The attribute by which items expire; None if by none, or by one that is not known."""
    found = properties.get("TimeToLiveSpecification")
    if not isinstance(found, Mapping) or text(found.get("Enabled", "")).lower() != "true":
        return None
    return found.get("AttributeName")


def _by_name(properties: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]] | None:
    """Indexes by their names; None when they are not known."""
    indexes = properties.get(name) or []
    if not isinstance(indexes, list):
        return None
    named = {str(i.get("IndexName")): i for i in indexes if isinstance(i, Mapping) and "IndexName" in i}
    return named if len(named) == len(indexes) else None
