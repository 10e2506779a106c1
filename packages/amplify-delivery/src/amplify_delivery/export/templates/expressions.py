"""String expressions of CloudFormation templates, taken apart.

`Fn::Join`, `Fn::Sub`, `Ref` and literals become a flat list of literal strings, `Ref`s and anything else,
so that `s3://${Bucket}/${Root}/x.vtl` is recognised in whichever of its spellings it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ref:
    """A reference to a parameter, a resource or a pseudo parameter."""

    name: str


@dataclass(frozen=True)
class Other:
    """An expression that is no string composition; `value` is its JSON."""

    value: Any


Segment = str | Ref | Other

VARIABLE = re.compile(r"\$\{([^}]*)\}")
"""A variable in the text of a `Fn::Sub`."""


def flatten(value: Any) -> list[Segment]:
    """The segments of a string expression; adjacent literals are merged."""
    merged: list[Segment] = []
    for segment in _segments(value):
        if isinstance(segment, str) and merged and isinstance(merged[-1], str):
            merged[-1] += segment
        elif segment != "":
            merged.append(segment)
    return merged


def _segments(value: Any) -> Iterator[Segment]:
    if isinstance(value, str):
        yield value
        return
    if isinstance(value, Mapping) and len(value) == 1:
        (name, argument), *_ = value.items()
        if name == "Ref" and isinstance(argument, str):
            yield Ref(argument)
            return
        if name == "Fn::Join" and is_join(argument):
            separator, parts = argument
            for index, part in enumerate(parts):
                if index and separator:
                    yield separator
                yield from _segments(part)
            return
        if name == "Fn::Sub" and (sub := sub_parts(argument)):
            yield from _substituted(*sub)
            return
    yield Other(value)


def is_join(argument: Any) -> bool:
    """Whether this is the argument of a well-formed `Fn::Join` over a literal list."""
    return (
        isinstance(argument, Sequence)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], list)
    )


def sub_parts(argument: Any) -> tuple[str, Mapping[str, Any]] | None:
    """Text and variables of a `Fn::Sub`'s argument, or None when it is malformed."""
    if isinstance(argument, str):
        return argument, {}
    if (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    ):
        return argument[0], argument[1]
    return None


def _substituted(text: str, variables: Mapping[str, Any]) -> Iterator[Segment]:
    position = 0
    for match in VARIABLE.finditer(text):
        yield text[position : match.start()]
        position = match.end()
        name = match[1].strip()
        if name.startswith("!"):
            yield "${" + name[1:] + "}"
        elif name in variables:
            yield from _segments(variables[name])
        elif "." in name:
            resource, _, attribute = name.partition(".")
            yield Other({"Fn::GetAtt": [resource, attribute]})
        else:
            yield Ref(name)
    yield text[position:]


def compose(segments: Sequence[Segment]) -> Any:
    """The JSON of segments: a string, a `Ref`, or one `Fn::Join`."""
    parts = [s if isinstance(s, str) else {"Ref": s.name} if isinstance(s, Ref) else s.value for s in segments]
    return parts[0] if len(parts) == 1 else {"Fn::Join": ["", parts]}


def replace_strings(value: Any, rewrite: Callable[[list[Segment]], Any]) -> Any:
    """`value` with every string expression handed to `rewrite`, which returns its new JSON or None.

    Parts that nothing rewrites are returned as they are, not copied.
    """
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in ("Fn::Join", "Fn::Sub", "Ref"):
            new = rewrite(flatten(value))
            if new is not None:
                return new
        changed = {k: n for k, v in value.items() if (n := replace_strings(v, rewrite)) is not v}
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [replace_strings(v, rewrite) for v in value]
        return items if any(n is not v for n, v in zip(items, value, strict=True)) else value
    return value


def rename(value: Any, names: Mapping[str, str]) -> Any:
    """`value` with references to logical ids (`Ref`, `Fn::GetAtt`, `Fn::Sub`, `DependsOn`) renamed."""
    if isinstance(value, list):
        return [rename(v, names) for v in value]
    if not isinstance(value, dict):
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        if key == "Ref" and isinstance(item, str):
            result[key] = names.get(item, item)
        elif key == "Fn::GetAtt" and isinstance(item, list) and item and isinstance(item[0], str):
            result[key] = [names.get(item[0], item[0]), *item[1:]]
        elif key == "Fn::GetAtt" and isinstance(item, str):
            head, dot, rest = item.partition(".")
            result[key] = names.get(head, head) + dot + rest
        elif key == "DependsOn" and isinstance(item, str):
            result[key] = names.get(item, item)
        elif key == "DependsOn" and isinstance(item, list):
            result[key] = [names.get(i, i) if isinstance(i, str) else rename(i, names) for i in item]
        elif key == "Fn::Sub" and (sub := sub_parts(item)):
            text = _renamed_text(*sub, names)
            result[key] = [text, rename(item[1], names)] if isinstance(item, list) else text
        else:
            result[key] = rename(item, names)
    return result


def _renamed_text(text: str, variables: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The text of a `Fn::Sub` with renamed references; its own variables stay."""

    def renamed(match: re.Match[str]) -> str:
        head, dot, rest = match[1].partition(".")
        return match[0] if match[1] in variables else f"${{{names.get(head, head)}{dot}{rest}}}"

    return VARIABLE.sub(renamed, text)
