"""A JSON document held against a JSON schema: the keywords that `outputs-schema-1.4.json` has, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

OUTPUTS: Mapping[str, Any] = json.loads((Path(__file__).parent / "outputs-schema-1.4.json").read_text())
"""The schema of amplify_outputs.json."""
_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
_KNOWN = {
    *("$comment", "$defs", "$ref", "type", "const", "enum", "default", "required", "properties", "propertyNames"),
    *("patternProperties", "additionalProperties", "items", "minItems", "uniqueItems", "minimum", "maximum"),
}


def problems(value: Any, schema: Mapping[str, Any] = OUTPUTS, place: str = "") -> Iterator[str]:
    """What a document has that the schema does not allow, each with its place."""
    assert set(schema) <= _KNOWN, f"this knows no {set(schema) - _KNOWN}"
    if "$ref" in schema:
        yield from problems(value, OUTPUTS["$defs"][schema["$ref"].removeprefix("#/$defs/")], place)
    wanted = _TYPES.get(schema.get("type", ""))
    if wanted and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
        yield f"{place}: {value!r} is no {schema['type']}"
        return
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{place}: {value!r} is not allowed"
    if isinstance(value, dict):
        yield from _object(value, schema, place)
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0) or (schema.get("uniqueItems") and len({*value}) < len(value)):
            yield f"{place}: {value!r} has too few items, or one twice"
        for index, item in enumerate(value):
            yield from problems(item, schema.get("items", {}), f"{place}/{index}")
    elif isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{place}: {value!r} is out of range"


def _object(value: Mapping[str, Any], schema: Mapping[str, Any], place: str) -> Iterator[str]:
    yield from (f"{place}: {name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, item in value.items():
        patterns = [s for pattern, s in schema.get("patternProperties", {}).items() if re.search(pattern, name)]
        rules = [*patterns, *([schema["properties"][name]] if name in schema.get("properties", {}) else [])]
        if not rules and schema.get("additionalProperties") is False:
            yield f"{place}: {name} is not known"
        for rule in rules:
            yield from problems(item, rule, f"{place}/{name}")
