"""Condition blocks, patterns and their operators, as IAM evaluates them.

"IAM JSON policy elements: Condition operators" and "Single-valued vs. multivalued context keys" in the IAM user guide.
Unknown operators are an error, never a silent "no match".
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Context = Mapping[str, str | tuple[str, ...]]
"""Keys of a request; a tuple is a multivalued key, and a missing key is missing."""


@cache
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def like(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """`*` for any characters, `?` for one."""
    return _compiled(pattern, ignore_case).fullmatch(value) is not None


def arn_like(value: str, pattern: str) -> bool:
    """ARNs part by part: a `*` in one of the first five parts stays within it."""
    values, patterns = value.split(":", 5), pattern.split(":", 5)
    if len(values) < 6 or len(patterns) < 6:
        return False
    return all(like(v, p) for v, p in zip(values, patterns, strict=True))


_POSITIVE: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, expected: value == expected,
    "StringEqualsIgnoreCase": lambda value, expected: value.lower() == expected.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda value, expected: value.lower() == expected.lower(),
}
_NEGATED: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def conditions_hold(block: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """All operators and all keys of a `Condition` element."""
    if not block:
        return True
    folded = {key.lower(): value for key, value in context.items()}
    return all(
        _holds(operator, folded.get(key.lower()), [str(value) for value in several(expected)])
        for operator, keys in block.items()
        for key, expected in keys.items()
    )


def several(value: Any) -> list[Any]:
    """What an element of a statement holds, one or a list, as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _holds(operator: str, actual: str | tuple[str, ...] | None, expected: list[str]) -> bool:
    if operator == "Null":
        return (actual is None) == (expected[0].lower() == "true")
    qualifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    matches = _POSITIVE.get(_NEGATED.get(name, name))
    if matches is None or qualifier not in {"", "ForAnyValue", "ForAllValues"}:
        raise NotImplementedError(f"condition operator {operator}")
    if actual is None:
        # A missing key: a set operator over nothing; a negated operator is true; IfExists always is.
        if qualifier == "ForAnyValue":
            return if_exists
        return if_exists or negated or qualifier == "ForAllValues"

    def one(value: str) -> bool:
        return any(matches(value, e) for e in expected) != negated

    values = (actual,) if isinstance(actual, str) else actual
    if qualifier == "ForAllValues":
        return all(one(value) for value in values)
    if qualifier == "ForAnyValue" or len(values) == 1:
        return any(one(value) for value in values)
    raise ValueError(f"{operator} with a multivalued key needs ForAnyValue or ForAllValues")
