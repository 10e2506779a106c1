"""Which changed properties replace a resource: the public resource schemas' facts, as cfn-lint bundles them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.export.assembly import canonical
from amplify_delivery.publishing.examination.schemas import schema as _schema

_ALSO: Mapping[str, frozenset[str]] = {
    # "Conditional" in the schema, because of import; "Update requires: Replacement" in the user guide.
    # Local indexes are made with their table, and no API of DynamoDB changes them afterwards.
    "AWS::DynamoDB::Table": frozenset({"KeySchema", "LocalSecondaryIndexes"}),
    "AWS::DynamoDB::GlobalTable": frozenset({"KeySchema", "LocalSecondaryIndexes"}),
    # The transform makes a table of it, with these (AWS SAM, "AWS::Serverless::SimpleTable"); its schema says nothing.
    "AWS::Serverless::SimpleTable": frozenset({"PrimaryKey", "TableName"}),
    # "Setting it to GLOBAL in an update will result in an API replacement and new DNS values."
    "AWS::AppSync::GraphQLApi": frozenset({"ApiType", "Visibility"}),
    # Amplify's own: it deletes the table and makes another (amplify-category-api, amplify-table-manager-handler).
    "Custom::AmplifyDynamoDBTable": frozenset({"keySchema", "KeySchema", "tableName", "TableName"}),
}
"""Top-level properties that replace although no schema says so without reserve."""

_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "AWS::AppSync::GraphQLApi": {"ApiType": "GRAPHQL", "Visibility": "GLOBAL"},
}
"""What a property is that a template does not name: to write it down is no change (AppSync API, CreateGraphqlApi)."""

_PERHAPS: Mapping[str, frozenset[tuple[str, ...]]] = {
    # Its schema says of none; the user guide of these, of a version without `EnableVersionUpgrade`.
    "AWS::Elasticsearch::Domain": frozenset(
        {
            ("ElasticsearchVersion",),
            ("EncryptionAtRestOptions", "Enabled"),
            ("EncryptionAtRestOptions", "KmsKeyId"),
            ("NodeToNodeEncryptionOptions", "Enabled"),
        }
    ),
    "AWS::OpenSearchService::Domain": frozenset({("EngineVersion",)}),
}
"""Paths of properties that may replace although no schema says so."""
_LOCAL = "LocalSecondaryIndexes"
_TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")

_NAMES: Mapping[str, str] = {
    "AWS::Cognito::UserPoolDomain": "Domain",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Serverless::SimpleTable": "TableName",
}
"""Names that nobody else may have, of types whose identifier in the schema is another one (User Guide, "Name type")."""


def fixed_name(kind: str) -> str | None:
    """The property by which a resource of type `kind` gets a name of its own, that no other one can have; None if it
    cannot have such a name."""
    if kind in _NAMES:
        return _NAMES[kind]
    known = _schema(kind)
    identifier: Sequence[str] = known.get("primaryIdentifier") or ()
    given: Sequence[str] = known.get("readOnlyProperties") or ()
    if len(identifier) != 1 or identifier[0] in given:
        return None
    path = _path(identifier[0])
    return path[0] if len(path) == 1 else None


@dataclass(frozen=True)
class Causes:
    """Changed properties that replace a resource. Not `certain`: it depends on their values."""

    properties: tuple[str, ...]
    certain: bool


def causes(kind: str, old: Mapping[str, Any], new: Mapping[str, Any], touched: frozenset[str] = frozenset()) -> Causes:
    """What in the change from `old` to `new` replaces a resource of type `kind`; no properties if nothing does.

    `touched` are top-level properties that change although their text does not: they refer to what is replaced.
    """
    sure, perhaps = _paths(kind)
    old, new = _told(kind, old), _told(kind, new)
    found = {path[0] for path in sure if _differs(path, old, new) or path[0] in touched}
    if kind in _TABLES and _edits_an_attribute(old, new):
        found.add("AttributeDefinitions")
    if found:
        return Causes(tuple(sorted(found)), certain=True)
    return Causes(tuple(sorted({path[0] for path in perhaps if _differs(path, old, new)})), certain=False)


def _told(kind: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Properties with defaults, and with a table's local indexes in one order: none has a place among the others."""
    told = {**_DEFAULTS.get(kind, {}), **properties}
    local = told.get(_LOCAL)
    if kind in _TABLES and isinstance(local, list):
        del told[_LOCAL]
        if local:
            told[_LOCAL] = sorted(map(index_form, local), key=canonical)
    return told


def index_form(index: Any) -> Any:
    """An index with its key's attributes in one order, the partition's first, and so with those that it projects."""
    if not isinstance(index, Mapping):
        return index
    form = dict(index)
    schema, projection = index.get("KeySchema"), index.get("Projection")
    if isinstance(schema, list):
        form["KeySchema"] = sorted(schema, key=lambda key: isinstance(key, Mapping) and key.get("KeyType") == "RANGE")
    more = projection.get("NonKeyAttributes") if isinstance(projection, Mapping) else None
    if isinstance(projection, Mapping) and isinstance(more, list):
        form["Projection"] = {**projection, "NonKeyAttributes": sorted(more, key=canonical)}
    return form


def _edits_an_attribute(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether an attribute of a table's own keys gets another type ("Replacement if you edit an existing
    AttributeDefinition": User Guide). One of global indexes only is edited by making these again, one after the other
    (`amplify_delivery.changes.ordered.indexes`)."""
    return any(types(old).get(name) != types(new).get(name) for name in _own_keys(old) & _own_keys(new))


def _own_keys(table: Mapping[str, Any]) -> set[str]:
    local = table.get("LocalSecondaryIndexes")
    keyed = [table, *(local if isinstance(local, list) else ())]
    schemas = [k.get("KeySchema") for k in keyed if isinstance(k, Mapping)]
    keys = [k for schema in schemas if isinstance(schema, list) for k in schema if isinstance(k, Mapping)]
    return {name for k in keys if isinstance(name := k.get("AttributeName"), str)}


def types(table: Mapping[str, Any]) -> dict[str, Any]:
    """The types of a table's attributes, by their names."""
    listed = table.get("AttributeDefinitions")
    entries = [entry for entry in (listed if isinstance(listed, list) else ()) if isinstance(entry, Mapping)]
    return {name: e.get("AttributeType") for e in entries if isinstance(name := e.get("AttributeName"), str)}


def _differs(path: tuple[str, ...], old: Any, new: Any) -> bool:
    return list(_values(path, old)) != list(_values(path, new))


def _values(path: tuple[str, ...], value: Any) -> Iterator[Any]:
    """What stands at `path`; `*` is every item of a list or object. An open expression on the way counts whole."""
    if not path:
        yield value
    elif path[0] == "*":
        items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        for item in items:
            yield from _values(path[1:], item)
    elif isinstance(value, Mapping):
        if path[0] in value:
            yield from _values(path[1:], value[path[0]])
        elif len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            yield value


@functools.cache
def _paths(kind: str) -> tuple[frozenset[tuple[str, ...]], frozenset[tuple[str, ...]]]:
    """Paths of the properties of `kind` that replace for sure, and of those that may."""
    known = _schema(kind)
    also = {(name,) for name in _ALSO.get(kind, ())}
    sure = {_path(p) for p in known.get("createOnlyProperties") or ()} | also
    perhaps = {_path(p) for p in known.get("conditionalCreateOnlyProperties") or ()} | _PERHAPS.get(kind, frozenset())
    return frozenset(sure), frozenset(perhaps - sure)


def _path(pointer: str) -> tuple[str, ...]:
    """`/properties/A/*/B` as (A, *, B)."""
    return tuple(pointer.removeprefix("/properties/").split("/"))
