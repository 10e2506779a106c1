"""String expressions of CloudFormation templates, taken apart.

`Fn::Join`, `Fn::Sub`, `Ref` and literals become a flat list of literal strings, `Ref`s and anything else,
so that `s3://${Bucket}/${Root}/x.vtl` is recognised in whichever of its spellings it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
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


_ref = lru_cache(maxsize=4096)(Ref)
"""Thousands of references are to the same few names."""


def flatten(value: Any) -> list[Segment]:
    """The segments of a string expression; adjacent literals are merged."""
    merged: list[Segment] = []
    _append(merged, value)
    return merged


def _append(merged: list[Segment], value: Any) -> None:
    # Not a generator, and `dict` asked for before `Mapping`: a large export has a hundred thousand expressions.
    if isinstance(value, str):
        if merged and isinstance(merged[-1], str):
            merged[-1] += value
        elif value:
            merged.append(value)
        return
    if isinstance(value, (dict, Mapping)) and len(value) == 1:
        (name, argument), *_ = value.items()
        if name == "Ref" and isinstance(argument, str):
            merged.append(_ref(argument))
            return
        if name == "Fn::Join" and is_join(argument):
            separator, parts = argument
            for index, part in enumerate(parts):
                if index and separator:
                    _append(merged, separator)
                _append(merged, part)
            return
        if name == "Fn::Sub" and (sub := sub_parts(argument)):
            _append_substituted(merged, *sub)
            return
    merged.append(Other(value))


def is_join(argument: Any) -> bool:
    """Whether this is the argument of a well-formed `Fn::Join` over a literal list."""
    return (
        isinstance(argument, (list, Sequence))
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


def _append_substituted(merged: list[Segment], text: str, variables: Mapping[str, Any]) -> None:
    position = 0
    for match in VARIABLE.finditer(text):
        _append(merged, text[position : match.start()])
        position = match.end()
        name = match[1].strip()
        if name.startswith("!"):
            _append(merged, "${" + name[1:] + "}")
        elif name in variables:
            _append(merged, variables[name])
        elif "." in name:
            resource, _, attribute = name.partition(".")
            merged.append(Other({"Fn::GetAtt": [resource, attribute]}))
        else:
            merged.append(_ref(name))
    _append(merged, text[position:])


def names_in(value: Any) -> frozenset[str]:
    """What an expression of a template refers to, wherever in it, by `Ref`, `Fn::GetAtt` or `Fn::Sub`: logical ids,
    parameters and pseudo parameters."""
    found: set[str] = set()
    _add_names(value, found)
    return frozenset(found)


def _add_names(value: Any, found: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _add_names(item, found)
    elif isinstance(value, (dict, Mapping)):
        for name, argument in value.items():
            if name == "Ref" and isinstance(argument, str):
                found.add(argument)
            elif name == "Fn::GetAtt" and argument:
                found.add(str(argument[0] if isinstance(argument, list) else argument).partition(".")[0])
            elif name == "Fn::Sub" and (sub := sub_parts(argument)):
                names = {match[1].strip() for match in VARIABLE.finditer(sub[0])} - sub[1].keys()
                found |= {name.partition(".")[0] for name in names if not name.startswith("!")}
            if not isinstance(argument, str):
                _add_names(argument, found)


def spelt(value: Any, known: Mapping[str, str]) -> str | None:
    """The text that a string expression becomes with `known`, by name (an attribute as `NAME.ATTRIBUTE`); None if it
    refers to anything else."""
    found = ""
    for segment in flatten(value):
        text = segment if isinstance(segment, str) else known.get(_name_of(segment))
        if text is None:
            return None
        found += text
    return found


def _name_of(segment: Ref | Other) -> str:
    if isinstance(segment, Ref):
        return segment.name
    attribute = segment.value.get("Fn::GetAtt") if isinstance(segment.value, (dict, Mapping)) else None
    return ".".join(map(str, attribute)) if isinstance(attribute, list) else str(attribute or "")


def compose(segments: Sequence[Segment]) -> Any:
    """The JSON of segments: a string, a `Ref`, or one `Fn::Join`."""
    parts = [s if isinstance(s, str) else {"Ref": s.name} if isinstance(s, Ref) else s.value for s in segments]
    return parts[0] if len(parts) == 1 else {"Fn::Join": ["", parts]}


def replace_strings(value: Any, rewrite: Callable[[list[Segment]], Any]) -> Any:
    """`value` with every composed string (`Fn::Join`, `Fn::Sub`) handed to `rewrite`, which returns its new JSON or
    None.

    Parts that nothing rewrites are returned as they are, not copied.
    """
    if isinstance(value, dict):
        if len(value) == 1 and ("Fn::Join" in value or "Fn::Sub" in value):
            new = rewrite(flatten(value))
            if new is not None:
                return new
        changed: dict[Any, Any] | None = None
        for key, item in value.items():
            if isinstance(item, (dict, list)) and (new := replace_strings(item, rewrite)) is not item:
                changed = {**value} if changed is None else changed
                changed[key] = new
        return value if changed is None else changed
    if isinstance(value, list):
        items: list[Any] | None = None
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)) and (new := replace_strings(item, rewrite)) is not item:
                items = [*value] if items is None else items
                items[index] = new
        return value if items is None else items
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
