"""`$util`: AppSync Developer Guide, "Utility helpers in $util" and the pages below it.

What is not played is refused by name: a template never goes on with nothing.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote_plus

from . import attributes, values
from .errors import ResolverError, TemplateError, UnsupportedError
from .expressions import expression


@dataclass(frozen=True)
class Surroundings:
    """What the utilities need to know of the request: who asks what, when, and what a new id is."""

    type_name: str
    field_name: str
    auth_type: str
    now: Callable[[], float]
    """Seconds since 1970."""
    new_id: Callable[[], str]
    appended: list[ResolverError] = field(default_factory=list)
    """Errors that do not end the field (`$util.appendError`)."""


class Namespace:
    """Functions by name; others are told as not played."""

    def __init__(self, name: str, functions: dict[str, Any]) -> None:
        self._name = name
        self._functions = functions

    def properties(self, name: str) -> Any:
        """A namespace below this one."""
        found = self._functions.get(name)
        if not isinstance(found, Namespace):
            raise UnsupportedError(f"{self._name}.{name}")
        return found

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Call a function; a wrong number of arguments is the template's mistake."""
        function = self._functions.get(name)
        if function is None or isinstance(function, Namespace):
            raise UnsupportedError(f"{self._name}.{name}()")
        try:
            return function(*arguments)
        except (TypeError, ValueError, AttributeError) as error:
            raise TemplateError(f"{self._name}.{name}: {error}") from error


def utilities(around: Surroundings) -> Namespace:
    """`$util` of one field."""
    return Namespace(
        "$util",
        {
            **_plain_functions(),
            **_errors(around),
            "authType": lambda: around.auth_type,
            "autoId": around.new_id,
            "time": _time(around.now),
            "dynamodb": _dynamodb(),
            "transform": Namespace(
                "$util.transform",
                {
                    "toDynamoDBConditionExpression": lambda given: values.as_json(expression(given)),
                    "toDynamoDBFilterExpression": lambda given: values.as_json(expression(given)),
                    "toSubscriptionFilter": lambda given, *_: values.as_json(given),
                },
            ),
            "list": Namespace(
                "$util.list",
                {
                    "copyAndRemoveAll": lambda some, gone: [one for one in some if one not in gone],
                    "copyAndRetainAll": lambda some, kept: [one for one in some if one in kept],
                },
            ),
            "map": Namespace(
                "$util.map",
                {
                    "copyAndRemoveAllKeys": lambda of, gone: {k: v for k, v in of.items() if k not in gone},
                    "copyAndRetainAllKeys": lambda of, kept: {k: v for k, v in of.items() if k in kept},
                },
            ),
            "str": Namespace(
                "$util.str",
                {
                    "toLower": lambda text: text.lower(),
                    "toUpper": lambda text: text.upper(),
                    "toReplace": lambda text, old, new: text.replace(old, new),
                },
            ),
            "math": Namespace("$util.math", {"roundNum": round, "minVal": min, "maxVal": max}),
            "log": Namespace("$util.log", {"info": lambda *_: "", "error": lambda *_: "", "debug": lambda *_: ""}),
        },
    )


def _plain_functions() -> dict[str, Callable[..., Any]]:
    def or_else(missing: Callable[[Any], bool]) -> Callable[[Any, Any], Any]:
        return lambda value, default: default if missing(value) else value

    return {
        "qr": lambda *_: "",
        "quiet": lambda *_: "",
        "escapeJavaScript": _escaped,
        "urlEncode": lambda text: quote(text, safe="-._*").replace("%20", "+"),
        "urlDecode": unquote_plus,
        "base64Encode": lambda data: base64.b64encode(data.encode()).decode(),
        "base64Decode": lambda text: base64.b64decode(text).decode(),
        "parseJson": _parse_json,
        "toJson": values.as_json,
        "isNull": lambda value: value is None,
        "isNullOrEmpty": _is_empty,
        "isNullOrBlank": _is_blank,
        "defaultIfNull": or_else(lambda value: value is None),
        "defaultIfNullOrEmpty": or_else(_is_empty),
        "defaultIfNullOrBlank": or_else(_is_blank),
        "isString": lambda value: isinstance(value, str),
        "isNumber": values.is_number,
        "isBoolean": lambda value: isinstance(value, bool),
        "isList": lambda value: isinstance(value, list),
        "isMap": lambda value: isinstance(value, dict),
        "typeOf": _type_of,
        "matches": lambda pattern, text: re.search(pattern, text) is not None,
    }


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _type_of(value: Any) -> str:
    if value is None:
        return "Null"
    if values.is_number(value):
        return "Number"
    named = {bool: "Boolean", str: "String", list: "List", dict: "Map"}
    return named.get(type(value), "Object")


def _escaped(text: str) -> str:
    """As a JSON string's content, with single quotes and slashes escaped too."""
    return json.dumps(text)[1:-1].replace("'", "\\'").replace("/", "\\/")


def _parse_json(text: Any) -> Any:
    """Null for what is no JSON document ("simply returns null when the input cannot be parsed", amplify-cli pull
    request 10739): Amplify asks so whether a claim holds a list, and most claims are plain text."""
    if text is None:
        return None
    try:
        return json.loads(text if isinstance(text, str) else values.written(text))
    except ValueError:
        return None


def _errors(around: Surroundings) -> dict[str, Callable[..., Any]]:
    def error(message: Any, *more: Any) -> Any:
        raise _made(message, more)

    def append(message: Any, *more: Any) -> str:
        around.appended.append(_made(message, more))
        return ""

    def validate(condition: Any, message: Any, *more: Any) -> str:
        if not values.is_true(condition):
            raise _made(message, more or ("CustomTemplateException",))
        return ""

    def unauthorized() -> Any:
        raise ResolverError(f"Not Authorized to access {around.field_name} on type {around.type_name}", "Unauthorized")

    return {"error": error, "appendError": append, "validate": validate, "unauthorized": unauthorized}


def _made(message: Any, more: tuple[Any, ...]) -> ResolverError:
    kind, data, info = (*more, None, None, None)[:3]
    text = "Null" if message is None else values.written(message)
    return ResolverError(text, None if kind is None else values.written(kind), data, info)


def _time(now: Callable[[], float]) -> Namespace:
    from datetime import UTC, datetime  # noqa: PLC0415 - one function's

    def iso(milliseconds: float) -> str:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return Namespace(
        "$util.time",
        {
            "nowISO8601": lambda: iso(int(now() * 1000)),
            "nowEpochSeconds": lambda: int(now()),
            "nowEpochMilliSeconds": lambda: int(now() * 1000),
            "epochMilliSecondsToSeconds": lambda milliseconds: int(milliseconds) // 1000,
            "epochMilliSecondsToISO8601": iso,
            "parseISO8601ToEpochMilliSeconds": lambda text: int(datetime.fromisoformat(text).timestamp() * 1000),
        },
    )


def _dynamodb() -> Namespace:
    made: dict[str, Callable[..., Any]] = {
        "toDynamoDB": attributes.of,
        "toString": lambda value: {"S": value},
        "toStringSet": lambda some: {"SS": list(some)},
        "toNumber": lambda value: {"N": attributes.number(value)},
        "toNumberSet": lambda some: {"NS": [attributes.number(one) for one in some]},
        "toBinary": lambda value: {"B": value},
        "toBinarySet": lambda some: {"BS": list(some)},
        "toBoolean": lambda value: {"BOOL": value},
        "toNull": lambda: {"NULL": True},
        "toList": lambda some: {"L": [attributes.of(one) for one in some]},
        "toMap": lambda of: {"M": attributes.map_of(of)},
        "toMapValues": attributes.map_of,
    }
    texts = {f"{name}Json": _json_of(function) for name, function in made.items()}
    return Namespace("$util.dynamodb", made | texts)


def _json_of(function: Callable[..., Any]) -> Callable[..., str]:
    return lambda *arguments: values.as_json(function(*arguments))
