"""Java's values as templates see them: what is true, what is equal, how a value is written, and its methods.

Maps, lists and strings are Python's own; a set is a list without repetitions. Methods are those of java.util.Map, List
and java.lang.String, Number and Boolean that AppSync lets templates call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ResolverError, UnsupportedError


@dataclass
class Entry:
    """java.util.Map.Entry."""

    of: dict[str, Any]
    key: str

    @property
    def value(self) -> Any:
        """What the map has now."""
        return self.of.get(self.key)


def is_number(value: Any) -> bool:
    """An integer or a decimal number; no boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_true(value: Any) -> bool:
    """Velocity 1.7: everything but null and false, the empty string and the empty list too."""
    return value is not None and value is not False


def equal(left: Any, right: Any) -> bool:
    """`==`: numbers by value, values of one kind as they are, others by what they are written as."""
    if left is None or right is None:
        return left is right
    if is_number(left) and is_number(right):
        return bool(left == right)
    if type(left) is type(right):
        return bool(left == right)
    return written(left) == written(right)


def written(value: Any) -> str:
    """Java's toString."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(one) for one in value) + "]"
    if isinstance(value, Entry):
        return f"{value.key}={written(value.value)}"
    return str(value)


def as_json(value: Any) -> str:
    """`$util.toJson`: a value as a JSON document."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Entry):
        return {value.key: value.value}
    raise UnsupportedError(f"a JSON document with a {type(value).__name__}")


def property_of(value: Any, name: str) -> Any:
    """`.name`: an entry of a map, or what a getter would give; null where there is none."""
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, Entry) and name in {"key", "value"}:
        return getattr(value, name)
    if name == "empty" and isinstance(value, str | list):
        return not value
    named = getattr(value, "properties", None)
    return named(name) if callable(named) else None


def item_of(value: Any, key: Any) -> Any:
    """`[key]` of a map or a list."""
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list) and is_number(key):
        return value[int(key)] if 0 <= int(key) < len(value) else None
    return None


def call(value: Any, name: str, arguments: list[Any]) -> Any:
    """`.name(arguments)`; raises `UnsupportedError` for a method that is not played."""
    own = getattr(value, "call", None)
    if callable(own):
        return own(name, arguments)
    for kind, methods in _METHODS:
        if isinstance(value, kind) and (method := methods.get(name)):
            try:
                return method(value, *arguments)
            except (TypeError, IndexError, ValueError) as error:
                raise ResolverError(f"{name} of {type(value).__name__}: {error}", "MappingTemplate") from error
    if name == "toString" and not arguments:
        return written(value)
    if name == "equals" and len(arguments) == 1:
        return type(value) is type(arguments[0]) and value == arguments[0]
    raise UnsupportedError(f"the method {name} of a {type(value).__name__}")


# Maps


def _put(of: dict[str, Any], key: Any, value: Any) -> Any:
    before = of.get(key)
    of[key] = value
    return before


def _put_all(of: dict[str, Any], more: Mapping[str, Any]) -> str:
    of.update(more)
    return ""


def _put_if_absent(of: dict[str, Any], key: Any, value: Any) -> Any:
    return of.get(key) if of.get(key) is not None else _put(of, key, value)


def _clear(of: Any) -> str:
    of.clear()
    return ""


_MAP: dict[str, Callable[..., Any]] = {
    "get": lambda of, key: of.get(key),
    "getOrDefault": lambda of, key, default: of.get(key, default),
    "put": _put,
    "putAll": _put_all,
    "putIfAbsent": _put_if_absent,
    "remove": lambda of, key: of.pop(key, None),
    "clear": _clear,
    "containsKey": lambda of, key: key in of,
    "containsValue": lambda of, value: value in of.values(),
    "keySet": list,
    "values": lambda of: list(of.values()),
    "entrySet": lambda of: [Entry(of, key) for key in of],
    "isEmpty": lambda of: not of,
    "size": len,
}

# Lists


def _add(of: list[Any], *given: Any) -> Any:
    if len(given) == 2:
        of.insert(given[0], given[1])
        return ""
    of.append(given[0])
    return True


def _add_all(of: list[Any], more: list[Any]) -> bool:
    of.extend(more)
    return bool(more)


def _remove(of: list[Any], which: Any) -> Any:
    if is_number(which):
        return of.pop(int(which))
    if which in of:
        of.remove(which)
        return True
    return False


def _keep(of: list[Any], kept: Callable[[Any], bool]) -> bool:
    before = len(of)
    of[:] = [one for one in of if kept(one)]
    return len(of) != before


def _put_at(of: list[Any], index: int, value: Any) -> Any:
    before = of[index]
    of[index] = value
    return before


_LIST: dict[str, Callable[..., Any]] = {
    "add": _add,
    "addAll": _add_all,
    "clear": _clear,
    "contains": lambda of, one: one in of,
    "containsAll": lambda of, some: all(one in of for one in some),
    "get": lambda of, index: of[int(index)],
    "indexOf": lambda of, one: of.index(one) if one in of else -1,
    "isEmpty": lambda of: not of,
    "remove": _remove,
    "removeAll": lambda of, some: _keep(of, lambda one: one not in some),
    "retainAll": lambda of, some: _keep(of, lambda one: one in some),
    "set": _put_at,
    "size": len,
    "subList": lambda of, first, end: of[int(first) : int(end)],
}

# Strings: regular expressions are Java's, whose common part is Python's.


def _split(of: str, pattern: str, limit: int = 0) -> list[str]:
    """As Java's: without empty strings at the end, unless a limit is given."""
    parts = re.split(_pattern(pattern), of, maxsplit=max(limit - 1, 0) if limit > 0 else 0)
    while limit == 0 and len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise UnsupportedError(f"the regular expression {pattern!r}") from error
    return pattern


def _replaced(of: str, pattern: str, by: str, count: int = 0) -> str:
    return re.sub(_pattern(pattern), re.sub(r"\$(\d)", r"\\\1", by), of, count=count)


_STRING: dict[str, Callable[..., Any]] = {
    "charAt": lambda of, index: of[int(index)],
    "compareTo": lambda of, other: (of > other) - (of < other),
    "concat": lambda of, other: of + other,
    "contains": lambda of, other: other in of,
    "endsWith": lambda of, other: of.endswith(other),
    "equalsIgnoreCase": lambda of, other: isinstance(other, str) and of.lower() == other.lower(),
    "indexOf": lambda of, other, start=0: of.find(other, int(start)),
    "isEmpty": lambda of: not of,
    "lastIndexOf": lambda of, other: of.rfind(other),
    "length": len,
    "matches": lambda of, pattern: re.fullmatch(_pattern(pattern), of) is not None,
    "replace": lambda of, old, new: of.replace(old, new),
    "replaceAll": _replaced,
    "replaceFirst": lambda of, pattern, by: _replaced(of, pattern, by, 1),
    "split": _split,
    "startsWith": lambda of, other: of.startswith(other),
    "substring": lambda of, first, end=None: of[int(first) : None if end is None else int(end)],
    "toLowerCase": lambda of: of.lower(),
    "toUpperCase": lambda of: of.upper(),
    "trim": lambda of: of.strip(),
}

_NUMBERS: dict[str, Callable[..., Any]] = {
    "intValue": int,
    "longValue": int,
    "doubleValue": float,
    "floatValue": float,
    "compareTo": lambda of, other: (of > other) - (of < other),
}
_ENTRIES: dict[str, Callable[..., Any]] = {"getKey": lambda of: of.key, "getValue": lambda of: of.value}
_METHODS: tuple[tuple[type, dict[str, Callable[..., Any]]], ...] = (
    (dict, _MAP),
    (list, _LIST),
    (str, _STRING),
    (Entry, _ENTRIES),
    (bool, {}),
    (int, _NUMBERS),
    (float, _NUMBERS),
)
