"""Check of tables: what DynamoDB refuses of their indexes and streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.findings import Finding, Rule, listed
from amplify_delivery.publishing.examination.services.resolved import Path, certain, declared, is_choice
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

TABLE = Rule(
    "AD736",
    "refused",
    "A table that DynamoDB refuses: more than 20 global or 5 local secondary indexes, an index that projects all "
    "attributes and names some, that has the name of another one or no capacity where the table has one, or a local "
    "one with another hash key than the table; whose stream is read though it has none; or a global one without a "
    "replica in the region of the stack.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html",
    "`Number of global secondary indexes exceeds per-table limit of 20`, `ProjectionType is ALL, but NonKeyAttributes "
    "is specified`, `Duplicate index name: x`, `ReadCapacityUnits and WriteCapacityUnits must both be specified for "
    "index: x`, `Index KeySchema does not have the same leading hash key as table KeySchema`, `Unable to retrieve "
    "StreamArn attribute`, `Replicas must contain the stack region`",
    remedy="remove indexes or attributes, give the table a StreamSpecification; where AWS has raised the quota of "
    "indexes for the account, `lint.ignore` takes AD736",
)
_TYPES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
_MOST = {"GlobalSecondaryIndexes": (20, "global"), "LocalSecondaryIndexes": (5, "local")}


def impossible_tables(tree: Tree) -> Iterator[Finding]:
    """AD736, of every table."""
    for path, resource in tree.resolved.resources.items():
        if resource.type in _TYPES:
            for problem in dict.fromkeys(_problems(tree, path, as_mapping(resource.properties))):
                yield TABLE.at(tree.file(path[:-1]), f"{path[-1]} {problem}", TABLE.remedy)


def _problems(tree: Tree, path: Path, properties: Mapping[str, Any]) -> Iterator[str]:
    for name, (most, kind) in _MOST.items():
        indexes = properties.get(name)
        several = [index for index in (indexes if isinstance(indexes, list) else ()) if not is_choice(index)]
        if len(several) > most:
            yield f"has {len(several)} {kind} secondary indexes, DynamoDB takes {most}"
        for index in map(as_mapping, several):
            projection = as_mapping(index.get("Projection"))
            named = certain(projection, "NonKeyAttributes") and projection["NonKeyAttributes"]
            if named and projection.get("ProjectionType") in ("ALL", "KEYS_ONLY"):
                yield (
                    f"has the index {index.get('IndexName')}, which names NonKeyAttributes and projects "
                    f"{projection['ProjectionType']}"
                )
    yield from _of_names_and_keys(properties)
    replicas = properties.get("Replicas")
    regions = [as_mapping(r).get("Region") for r in (replicas if isinstance(replicas, list) else ())]
    if regions and all(isinstance(region, str) for region in regions) and tree.region not in regions:
        yield f"has replicas in {listed(list(map(str, regions)))}, and none in {tree.region}, where its stack is"
    if "StreamSpecification" not in as_mapping(declared(tree, path).get("Properties")):
        reader = next(_readers_of_stream(tree, path), None)
        if reader is not None:
            yield f"has no stream (StreamSpecification), and {reader} reads its StreamArn"


def _of_names_and_keys(properties: Mapping[str, Any]) -> Iterator[str]:
    seen, (hash_key, _) = set[str](), _keys(properties)
    by_capacity = properties.get("BillingMode", "PROVISIONED") == "PROVISIONED"
    provisioned = by_capacity and certain(properties, "ProvisionedThroughput")
    for kind in _MOST:
        indexes = properties.get(kind)
        for index in map(as_mapping, indexes if isinstance(indexes, list) else ()):
            name = index.get("IndexName")
            if not isinstance(name, str):
                continue
            if name in seen:
                yield f"has the index {name} twice"
            seen.add(name)
            if kind == "GlobalSecondaryIndexes" and provisioned and "ProvisionedThroughput" not in index:
                yield f"has the index {name} without ProvisionedThroughput, which the table has"
            own, _ = _keys(index)
            if kind == "LocalSecondaryIndexes" and own and hash_key and own != hash_key:
                yield f"has the local index {name} by {own}: its hash key is the table's, {hash_key}"


def _keys(holder: Mapping[str, Any]) -> tuple[str, str]:
    """Names of the hash key and the range key, as far as they are known."""
    schema = holder.get("KeySchema")
    found = {
        str(key.get("KeyType")): str(key.get("AttributeName"))
        for key in map(as_mapping, schema if isinstance(schema, list) else ())
        if isinstance(key.get("AttributeName"), str)
    }
    return found.get("HASH", ""), found.get("RANGE", "")


def _readers_of_stream(tree: Tree, path: Path) -> Iterator[str]:
    """Resources and outputs of the table's own template that read its StreamArn, whatever the conditions."""
    template = next(view.template for view in tree.stacks if view.path == path[:-1])
    for section, called in (("Resources", ""), ("Outputs", "output ")):
        for name, item in as_mapping(template.get(section)).items():
            if "Condition" not in as_mapping(item) and _reads(item, path[-1]):
                yield f"{called}{name}"


def _reads(value: Any, table: str) -> bool:
    if isinstance(value, list):
        return any(_reads(item, table) for item in value)
    if not isinstance(value, Mapping):
        return False
    if "Fn::If" in value:
        return False  # perhaps it is not read
    attribute = value.get("Fn::GetAtt")
    if attribute in ([table, "StreamArn"], f"{table}.StreamArn"):
        return True
    return any(_reads(item, table) for item in value.values())
