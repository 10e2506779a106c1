"""Properties of CloudFormation and of Pulumi programs, one into the other.

Back again names are looked up in the schema. Free-form documents (policies, templates) and the keys of maps keep their
names.
"""

from __future__ import annotations

from typing import Any

from aws_rehearsal.providers.native.names import field_name, sdk_name
from aws_rehearsal.providers.native.schemas import Schema, TypeSchema
from aws_rehearsal.providers.wire import Properties, Secret


def to_cfn(kind: TypeSchema, inputs: Properties) -> Properties:
    """Inputs of a program as CloudFormation properties; secret marks and unknowns stay where they are."""
    named = {kind.inputs.get(key, key): value for key, value in inputs.items()}
    return {name: _cfn(kind, value, kind.properties.get(name)) for name, value in named.items()}


def _cfn(kind: TypeSchema, value: Any, schema: Any) -> Any:
    return _converted(kind, value, kind.resolve(schema), lambda fields: {field_name(name): name for name in fields})


def to_sdk(kind: TypeSchema, properties: Properties) -> Properties:
    """CloudFormation properties under the names that programs read them by."""
    return {sdk_name(name): _sdk(kind, value, kind.properties.get(name)) for name, value in properties.items()}


def _sdk(kind: TypeSchema, value: Any, schema: Any) -> Any:
    return _converted(kind, value, kind.resolve(schema), lambda fields: {name: field_name(name) for name in fields})


def _converted(kind: TypeSchema, value: Any, schema: Schema, naming: Any) -> Any:
    if isinstance(value, Secret):
        return Secret(_converted(kind, value.value, schema, naming))
    if isinstance(value, list):
        items = _items(kind, schema)
        return [_converted(kind, item, items, naming) for item in value]
    if not isinstance(value, dict):
        return value
    fields = fields_of(kind, schema)
    if fields:
        names = naming(fields)
        back = {other: name for name, other in names.items()}
        result = {}
        for key, item in value.items():
            name = names.get(key, key)
            field = fields.get(name) or fields.get(back.get(name, name))
            result[name] = _converted(kind, item, kind.resolve(field), naming)
        return result
    inner = _map_values(kind, schema)
    return {key: _converted(kind, item, inner, naming) for key, item in value.items()}


def fields_of(kind: TypeSchema, schema: Schema) -> Schema:
    """All properties an object of this schema may have, through its alternatives."""
    fields = dict(schema.get("properties") or {})
    for alternatives in ("allOf", "anyOf", "oneOf"):
        for alternative in schema.get(alternatives) or ():
            for name, field in fields_of(kind, kind.resolve(alternative)).items():
                fields.setdefault(name, field)
    return fields


def _items(kind: TypeSchema, schema: Schema) -> Schema:
    alternatives = [part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key) or ()]
    for place in (schema, *map(kind.resolve, alternatives)):
        if "items" in place:
            return kind.resolve(place["items"])
    return {}


def _map_values(kind: TypeSchema, schema: Schema) -> Schema:
    patterns = schema.get("patternProperties") or {}
    for inner in patterns.values():
        return kind.resolve(inner)
    additional = schema.get("additionalProperties")
    return kind.resolve(additional) if isinstance(additional, dict) else {}
