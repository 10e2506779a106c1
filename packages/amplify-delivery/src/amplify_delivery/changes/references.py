"""What resolved values refer to, and which functions stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.steps import Path
from amplify_delivery.export.templates.resolve import ResolvedTree


def targets(value: Any) -> list[Path]:
    """The resources that a resolved value refers to, by `Ref` or `Fn::GetAtt`."""
    found: list[Path] = []
    _add_targets(value, found)
    return found


def _add_targets(value: Any, found: list[Path]) -> None:
    # Most of what stands in a value is text, and `dict` is asked for before `Mapping`: a plan looks at all values.
    if isinstance(value, (dict, Mapping)):
        for name, argument in value.items():
            if isinstance(argument, str):
                continue
            if name == "Ref" and isinstance(argument, list):
                found.append(tuple(argument))
            elif name == "Fn::GetAtt" and isinstance(argument, list) and argument and isinstance(argument[0], list):
                found.append(tuple(argument[0]))
            else:
                _add_targets(argument, found)
    elif isinstance(value, list):
        for item in value:
            if not isinstance(item, str):
                _add_targets(item, found)


def functions(value: Any, function: str) -> list[Any]:
    """The arguments of an intrinsic function, wherever it stands in `value`."""
    found: list[Any] = []
    _add_functions(value, function, found)
    return found


def _add_functions(value: Any, function: str, found: list[Any]) -> None:
    if isinstance(value, (dict, Mapping)):
        if function in value:
            found.append(value[function])
        for inner in value.values():
            if not isinstance(inner, str):
                _add_functions(inner, function, found)
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, str):
                _add_functions(inner, function, found)


def imports_of(tree: ResolvedTree) -> Iterator[tuple[Path, Any]]:
    """What a tree imports from other stacks (`Fn::ImportValue`): the path of the resource, of the nested stack that is
    given it, or of the output that tells it, and the export's name, a text or an expression for one."""
    for path, resource in tree.resources.items():
        yield from ((path, name) for name in functions(resource.properties, "Fn::ImportValue"))
    for path, stack in tree.stacks.items():
        yield from ((path, name) for name in functions(stack.parameters, "Fn::ImportValue"))
    for (path, output), value in tree.outputs.items():
        yield from (((*path, f"Outputs.{output}"), name) for name in functions(value, "Fn::ImportValue"))
