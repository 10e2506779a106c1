"""Parse the documents of an export: strict JSON, and YAML templates with CloudFormation's short forms."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from typing import Any

MAX_YAML_NODES = 2_000_000
"""A YAML document that grows beyond this many nodes by its aliases is refused."""


class Malformed(ValueError):  # noqa: N818 - it says what the document is
    """A document that cannot be parsed; the message says where and why."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise Malformed(f"key {twice!r} is set twice in one object")
    return result


def _no_constant(name: str) -> Any:
    raise Malformed(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Malformed(f"{digits[:20]} is larger than any number")
    return number


def parse_json(data: bytes) -> Any:
    """The value of a JSON document. Raises `Malformed` for anything but UTF-8 JSON with unique keys."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at byte {error.start}") from None
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except Malformed:
        raise
    except ValueError as error:  # an integer of more digits than Python converts
        raise Malformed(str(error)) from None
    if "\\ud" in text or "\\uD" in text:
        # A lone surrogate parses, but no UTF-8 file, so no S3 object, can hold it.
        _plain(value)
    return value


def parsed(value: Any) -> Any:
    """What a text holds as JSON, as IAM's documents stand in texts too; what is none, as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def several(value: Any) -> list[Any]:
    """What templates and policies hold as one or as a list (`DependsOn`, `Statement`, `Action`), as a list; of None an
    empty one. "IAM JSON policy elements: Action"; "DependsOn attribute" of CloudFormation."""
    return value if isinstance(value, list) else [] if value is None else [value]


def parse_yaml(data: bytes) -> Any:
    """The value of a YAML template, short forms (`!Ref`, `!GetAtt a.b`) in their long JSON form.

    Follows the CloudFormation user guide, "Intrinsic function reference". Raises `Malformed`.
    """
    import yaml  # noqa: PLC0415 - only exports with YAML templates pay for it

    class Loader(yaml.SafeLoader):
        """SafeLoader without dates (`Version: 2012-10-17` is a string), with unique keys and short forms."""

    # PyYAML copies this table per class only when a resolver is added: take dates out of a copy.
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def mapping(loader: Any, node: Any) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            key = key if isinstance(key, str) else str(key) if isinstance(key, Hashable) else repr(key)
            if key in result:
                raise Malformed(f"key {key!r} is set twice (line {key_node.start_mark.line + 1})")
            result[key] = loader.construct_object(value_node, deep=True)
        return result

    def short_form(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
        name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
        if isinstance(node, yaml.ScalarNode):
            value: Any = node.value
            if suffix == "GetAtt":
                value = value.split(".", 1)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = mapping(loader, node)
        return {name: value}

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    Loader.add_multi_constructor("!", short_form)
    try:
        value = yaml.load(data.decode("utf-8-sig"), Loader=Loader)  # noqa: S506 - a SafeLoader, see above
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at byte {error.start}") from None
    except yaml.YAMLError as error:
        raise Malformed(f"not YAML: {' '.join(str(error).split())}") from None
    except Malformed:
        raise
    except (RecursionError, ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        # PyYAML's constructors of scalars raise what Python raises: `!!int ""` an IndexError.
        raise Malformed(f"not a YAML template: {error}") from None
    _bounded(value)
    return _plain(value)


def _plain(value: Any) -> Any:
    """A copy of `value` made of nothing but JSON, that UTF-8 can hold."""
    try:
        return json.loads(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        raise Malformed("a string holds half of a surrogate pair") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise Malformed(f"holds a value that JSON does not know: {error}") from None


def _bounded(value: Any) -> None:
    left, stack = MAX_YAML_NODES - 1, [value]
    while stack:
        item = stack.pop()
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        left -= len(inner)
        if left < 0:
            raise Malformed("its aliases expand to more than two million nodes")
        stack.extend(i for i in inner if isinstance(i, dict | list))
