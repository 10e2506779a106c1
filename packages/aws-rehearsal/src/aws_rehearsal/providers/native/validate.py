"""Checks properties against a CloudFormation resource schema before anything is sent.

JSON schema draft 7 as far as those schemas use it, with cfn-lint's own words (`requiredXor`, `requiredOr`,
`dependentExcluded`, `enumCaseInsensitive`). What holds an unknown is not judged. The real provider checks required and
unknown properties and types here (`ValidateResource`); patterns and enumerations come back from Cloud Control a moment
later.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Iterator
from typing import Any

from aws_rehearsal.providers.native.conversion import fields_of
from aws_rehearsal.providers.native.names import sdk_name
from aws_rehearsal.providers.native.schemas import Schema, TypeSchema
from aws_rehearsal.providers.schema import Failure
from aws_rehearsal.providers.wire import UNKNOWN, Properties, has_unknown

DYNAMIC_REFERENCE = "{{resolve:"
_JSON_TYPES: dict[str, Any] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}


def validate(kind: TypeSchema, inputs: Properties, properties: Properties) -> list[Failure]:
    """What is wrong with a program's inputs; `properties` are the same under CloudFormation's names, without marks."""
    known = kind.inputs
    failures = []
    for key in inputs:
        if key not in known:
            close = difflib.get_close_matches(key, list(known), n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            made_up = key in {sdk_name(name) for name in kind.read_only}
            reason = "is set by AWS only" if made_up else f"unknown property {key!r} of {kind.name}{hint}"
            failures.append(Failure(key, reason))
    judged = {name: value for name, value in properties.items() if name in kind.properties}
    for path, reason in _errors(kind, judged, kind.schema, ()):
        failures.append(Failure(_dotted(path), reason))
    for path in dynamic_references(judged):
        reason = f"holds a dynamic reference ({DYNAMIC_REFERENCE}...}}}}): Cloud Control does not resolve it"
        failures.append(Failure(_dotted(path), reason))
    return failures


def _dotted(path: tuple[Any, ...]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{sdk_name(step)}" if text else sdk_name(step)
    return text


def dynamic_references(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str) and DYNAMIC_REFERENCE in value:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from dynamic_references(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from dynamic_references(item, (*path, index))


def _errors(kind: TypeSchema, value: Any, schema: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    schema = kind.resolve(schema)
    if value is UNKNOWN or not schema:
        return
    problem = _wrong_type(value, schema)
    if problem:
        yield path, problem
        return
    if isinstance(value, str):
        yield from ((path, reason) for reason in _text_errors(value, schema))
    elif isinstance(value, dict):
        yield from _object_errors(kind, value, schema, path)
    elif isinstance(value, list):
        yield from _list_errors(kind, value, schema, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from ((path, reason) for reason in _number_errors(value, schema))
    yield from ((path, reason) for reason in _choice_errors(value, schema))
    if not has_unknown(value):
        yield from _alternative_errors(kind, value, schema, path)


def _wrong_type(value: Any, schema: Schema) -> str:
    wanted = schema.get("type")
    if not wanted:
        return ""
    for name in [wanted] if isinstance(wanted, str) else wanted:
        expected = _JSON_TYPES[name]
        if isinstance(value, bool):
            if name == "boolean":
                return ""
        elif isinstance(value, expected) or (name == "number" and isinstance(value, int)):
            return ""
        # CloudFormation reads "true" and "3" where it wants a boolean or a number, and 3 where it wants a string.
        if name in ("boolean", "integer", "number") and isinstance(value, str) and _reads_as(value, name):
            return ""
        if name == "string" and isinstance(value, bool | int | float):
            return ""
        if name == "object" and isinstance(value, str) and not schema.get("properties"):
            return ""  # a JSON document as text
    return f"{value!r} is not of type {wanted!r}"


def _reads_as(text: str, name: str) -> bool:
    if name == "boolean":
        return text.lower() in ("true", "false")
    return re.fullmatch(r"-?\d+" if name == "integer" else r"-?\d+(\.\d+)?", text) is not None


def _text_errors(value: str, schema: Schema) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{value!r} is shorter than {schema['minLength']}"
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield f"{value[:40]!r} is longer than {schema['maxLength']}"
    if "pattern" in schema:
        pattern = _pattern(schema["pattern"])
        if pattern and not pattern.search(value):
            yield f"{value!r} does not match {schema['pattern']!r}"


@functools.cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """None for a pattern in a dialect that Python does not read (`\\p{L}`)."""
    try:
        return re.compile(text)
    except re.error:
        return None


def _number_errors(value: float, schema: Schema) -> Iterator[str]:
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{value} is less than the minimum of {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{value} is greater than the maximum of {schema['maximum']}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        yield f"{value} is not less than {schema['exclusiveMaximum']}"


def _choice_errors(value: Any, schema: Schema) -> Iterator[str]:
    choices = schema.get("enum")
    if choices and value not in choices and str(value) not in map(str, choices):
        yield f"{value!r} is not one of {choices}"
    choices = schema.get("enumCaseInsensitive")
    if choices and str(value).lower() not in (str(choice).lower() for choice in choices):
        yield f"{value!r} is not one of {choices}"
    if "const" in schema and value != schema["const"]:
        yield f"{value!r} is not {schema['const']!r}"


def _object_errors(
    kind: TypeSchema, value: Properties, schema: Schema, path: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    for name in schema.get("required") or ():
        if name not in value:
            yield (*path, name), f"{sdk_name(name)!r} is a required property"
    for names in _groups(schema.get("requiredXor")):
        if sum(name in value for name in names) != 1:
            yield path, f"exactly one of {', '.join(map(sdk_name, names))} is required"
    for names in _groups(schema.get("requiredOr")):
        if not any(name in value for name in names):
            yield path, f"one of {', '.join(map(sdk_name, names))} is required"
    for word, wrong in (("dependentExcluded", True), ("dependentRequired", False)):
        for name, others in (schema.get(word) or {}).items():
            for other in others if name in value else ():
                if (other in value) is wrong:
                    verb = "excludes" if wrong else "requires"
                    yield (*path, name), f"{sdk_name(name)} {verb} {sdk_name(other)}"
    fields = schema.get("properties") or {}
    patterns = [(_pattern(text), inner) for text, inner in (schema.get("patternProperties") or {}).items()]
    for name, item in value.items():
        if name in fields:
            yield from _errors(kind, item, fields[name], (*path, name))
            continue
        matching = [inner for pattern, inner in patterns if pattern is None or pattern.search(name)]
        for inner in matching:
            yield from _errors(kind, item, inner, (*path, name))
        if matching or schema.get("additionalProperties", True) is not False or name in fields_of(kind, schema):
            continue
        close = difflib.get_close_matches(name, [sdk_name(field) for field in fields], n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        yield (*path, name), f"unknown property {name!r}{hint}"


def _groups(value: Any) -> list[list[str]]:
    if not value:
        return []
    return value if isinstance(value[0], list) else [value]


def _list_errors(
    kind: TypeSchema, value: list[Any], schema: Schema, path: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    if len(value) < schema.get("minItems", 0):
        yield path, f"has {len(value)} items, at least {schema['minItems']} are needed"
    if "maxItems" in schema and len(value) > schema["maxItems"]:
        yield path, f"has {len(value)} items, at most {schema['maxItems']} are allowed"
    if schema.get("uniqueItems") and not has_unknown(value):
        seen = [json.dumps(item, sort_keys=True, default=str) for item in value]
        if len(set(seen)) < len(seen):
            yield path, "has items that occur twice"
    for index, item in enumerate(value):
        yield from _errors(kind, item, schema.get("items"), (*path, index))


def _alternative_errors(
    kind: TypeSchema, value: Any, schema: Schema, path: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    for part in schema.get("allOf") or ():
        yield from _errors(kind, value, part, path)
    for word in ("anyOf", "oneOf"):
        parts = schema.get(word) or ()
        if parts and all(any(True for _ in _errors(kind, value, part, path)) for part in parts):
            first = next(iter(_errors(kind, value, parts[0], path)))
            yield path, f"fits none of {len(parts)} alternatives; the first: {first[1]}"
    if "not" in schema and not any(True for _ in _errors(kind, value, schema["not"], path)):
        yield path, f"{value!r} is not allowed"
