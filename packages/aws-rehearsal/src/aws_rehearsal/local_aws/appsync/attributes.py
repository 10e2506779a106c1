"""DynamoDB's attribute values: `{"S": "text"}` and the like, and back."""

from __future__ import annotations

from typing import Any

from .errors import ResolverError, UnsupportedError
from .values import is_number

Attribute = dict[str, Any]


def of(value: Any) -> Attribute:
    """`$util.dynamodb.toDynamoDB`: a value as an attribute; lists stay lists, sets are made on purpose only."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if is_number(value):
        return {"N": number(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, list):
        return {"L": [of(one) for one in value]}
    if isinstance(value, dict):
        return {"M": map_of(value)}
    raise UnsupportedError(f"a DynamoDB attribute of a {type(value).__name__}")


def map_of(values: dict[str, Any]) -> dict[str, Attribute]:
    """`$util.dynamodb.toMapValues`."""
    return {key: of(value) for key, value in values.items()}


def number(value: Any) -> str:
    """A number as DynamoDB keeps it: without a decimal point if it is whole."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def plain(attribute: Attribute) -> Any:
    """The value of an attribute; sets become lists, binary data stays base64."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "B" | "BOOL":
            return value
        case "N":
            return _number(value)
        case "NULL":
            return None
        case "L":
            return [plain(one) for one in value]
        case "M":
            return plain_map(value)
        case "SS" | "BS":
            return list(value)
        case "NS":
            return [_number(one) for one in value]
        case _:
            raise ResolverError(f"Unknown attribute type {kind}", "DynamoDB:DynamoDbException")


def plain_map(item: dict[str, Attribute]) -> dict[str, Any]:
    """An item as a map of plain values."""
    return {name: plain(attribute) for name, attribute in item.items()}


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
