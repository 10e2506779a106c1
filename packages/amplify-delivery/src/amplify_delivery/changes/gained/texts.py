"""Resolved values as texts and lists, as policies need them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.templates.literals import text

When = frozenset[str]
"""Conditions of templates under which something stands there, written out; empty: always."""

ALWAYS: When = frozenset()


def shown(value: Any) -> str:
    """A resolved value as one text: what only the deployment knows stands in it as `${STACK/RESOURCE.ATTRIBUTE}`."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return text(value)
    if isinstance(value, Mapping):
        reference = referred(value)
        if reference is not None:
            return "${" + reference + "}"
        joined = value.get("Fn::Join") if len(value) == 1 else None
        if isinstance(joined, list) and len(joined) == 2 and joined[0] == "" and isinstance(joined[1], list):
            return "".join(map(shown, joined[1]))
    return canonical(value).decode()


def referred(value: Any) -> str | None:
    """What a `Ref` or `Fn::GetAtt` names; None for any other value."""
    if not isinstance(value, Mapping) or not value:
        return None
    name = value.get("Ref")
    if isinstance(name, str):
        return "/".join([*map(str, value.get("of") or ()), name])
    if isinstance(name, list) and len(value) == 1:
        return "/".join(map(str, name))
    attribute = value.get("Fn::GetAtt")
    if len(value) == 1 and isinstance(attribute, list) and len(attribute) == 2 and isinstance(attribute[0], list):
        return f"{'/'.join(map(str, attribute[0]))}.{shown(attribute[1])}"
    return None


def path_of(value: Any) -> Path | None:
    """The resource that a `Ref` or `Fn::GetAtt` is about."""
    if isinstance(value, Mapping) and len(value) == 1:
        (name, argument), *_ = value.items()
        if name == "Ref" and isinstance(argument, list):
            return tuple(argument)
        if name == "Fn::GetAtt" and isinstance(argument, list) and argument and isinstance(argument[0], list):
            return tuple(argument[0])
    return None


def branches(value: Any, when: When = ALWAYS) -> Iterator[tuple[Any, When]]:
    """What a value may become, each with the conditions for it: both branches of an `Fn::If` that is not known."""
    branching = value.get("Fn::If") if isinstance(value, Mapping) and len(value) == 1 else None
    if isinstance(branching, list) and len(branching) == 3:
        rule = canonical(branching[0]).decode()
        yield from branches(branching[1], when | {rule})
        yield from branches(branching[2], when | {f"not {rule}"})
    elif not (isinstance(value, Mapping) and value == {"Ref": "AWS::NoValue"}):
        yield value, when


def each(value: Any, when: When = ALWAYS) -> Iterator[tuple[Any, When]]:
    """The elements of a list, or the value itself if it is none, each with its conditions."""
    for one, under in branches(value, when):
        if isinstance(one, list):
            for item in one:
                yield from each(item, under)
        elif one is not None:
            yield one, under


def at(value: Any, *names: str) -> Any:
    """What stands at these keys of nested mappings; None if there is nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def is_true(value: Any) -> bool:
    """Whether a flag is on: as JSON's true or as a text."""
    return isinstance(value, (bool, str)) and text(value).lower() == "true"
