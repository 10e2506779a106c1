"""`$util.transform`: a filter of GraphQL's shape as a DynamoDB expression.

AppSync Developer Guide, "Transformation helpers in $util.transform". A filter is a map of fields, each with its
comparisons, and of `and`, `or` (lists of filters, or one) and `not`.
"""

from __future__ import annotations

from typing import Any

from . import attributes
from .errors import ResolverError

_COMPARED = {"eq": "=", "ne": "<>", "le": "<=", "lt": "<", "ge": ">=", "gt": ">"}
_CALLED = {"beginsWith": "begins_with", "contains": "contains"}


class _Names:
    """What an expression calls names and values."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, field: str) -> str:
        alias = f"#{field}"
        self.names[alias] = field
        return alias

    def value(self, called: str, value: Any) -> str:
        self.values[f":{called}"] = attributes.of(value)
        return f":{called}"


def expression(given: Any) -> dict[str, Any]:
    """`expression`, `expressionNames` and `expressionValues`, as a resolver's `filter` or `condition` holds them."""
    names = _Names()
    return {
        "expression": _all(given, names, ""),
        "expressionNames": names.names,
        "expressionValues": names.values,
    }


def _all(given: Any, names: _Names, path: str) -> str:
    """Everything that one map says, all of which has to be so."""
    if not isinstance(given, dict):
        raise ResolverError("A filter has to be a map of fields", "MappingTemplate")
    parts = [part for field, value in given.items() if value is not None and (part := _part(field, value, names, path))]
    return parts[0] if len(parts) == 1 else " AND ".join(f"({part})" for part in parts)


def _part(field: str, value: Any, names: _Names, path: str) -> str:
    if field in {"and", "or"}:
        some = value if isinstance(value, list) else [value]
        parts = [_all(one, names, f"{path}{field}_{number}_") for number, one in enumerate(some)]
        said = [part for part in parts if part]
        return said[0] if len(said) == 1 else f" {field.upper()} ".join(f"({part})" for part in said)
    if field == "not":
        return f"NOT ({_all(value, names, f'{path}not_')})"
    if not isinstance(value, dict):
        raise ResolverError(f"The filter of {field} has to be a map of comparisons", "MappingTemplate")
    parts = [_comparison(field, operator, one, names, path) for operator, one in value.items()]
    return parts[0] if len(parts) == 1 else " AND ".join(f"({part})" for part in parts)


def _comparison(field: str, operator: str, value: Any, names: _Names, path: str) -> str:
    name, called = names.name(field), f"{path}{field}_{operator}"
    if operator in _COMPARED:
        return f"{name} {_COMPARED[operator]} {names.value(called, value)}"
    if operator in _CALLED:
        return f"{_CALLED[operator]}({name}, {names.value(called, value)})"
    match operator:
        case "notContains":
            return f"NOT contains({name}, {names.value(called, value)})"
        case "between":
            first, last = value
            return f"{name} BETWEEN {names.value(f'{called}_0', first)} AND {names.value(f'{called}_1', last)}"
        case "in":
            some = ", ".join(names.value(f"{called}_{number}", one) for number, one in enumerate(value))
            return f"{name} IN ({some})"
        case "attributeExists":
            return f"attribute_exists({name})" if value else f"attribute_not_exists({name})"
        case "attributeType":
            return f"attribute_type({name}, {names.value(called, _ATTRIBUTE_TYPES.get(value, value))})"
        case "size":
            parts = [_size(name, one, limit, names, called) for one, limit in value.items()]
            return parts[0] if len(parts) == 1 else " AND ".join(f"({part})" for part in parts)
        case _:
            raise ResolverError(f"Unknown comparison {operator} of {field}", "MappingTemplate")


def _size(name: str, operator: str, value: Any, names: _Names, called: str) -> str:
    if operator == "between":
        first, last = value
        limits = names.value(f"{called}_between_0", first), names.value(f"{called}_between_1", last)
        return f"size({name}) BETWEEN {limits[0]} AND {limits[1]}"
    if operator not in _COMPARED:
        raise ResolverError(f"Unknown comparison {operator} of a size", "MappingTemplate")
    return f"size({name}) {_COMPARED[operator]} {names.value(f'{called}_{operator}', value)}"


_ATTRIBUTE_TYPES = {
    "binary": "B",
    "binarySet": "BS",
    "bool": "BOOL",
    "list": "L",
    "map": "M",
    "number": "N",
    "numberSet": "NS",
    "string": "S",
    "stringSet": "SS",
    "_null": "NULL",
}
