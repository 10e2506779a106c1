"""What resolved values refer to, and which functions stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.steps import Path
from amplify_delivery.export.templates.resolve import ResolvedTree


def targets(value: Any) -> Iterator[Path]:
    """The resources that a resolved value refers to, by `Ref` or `Fn::GetAtt`."""
    if isinstance(value, Mapping):
        for name, argument in value.items():
            if name == "Ref" and isinstance(argument, list):
                yield tuple(argument)
            elif name == "Fn::GetAtt" and isinstance(argument, list) and argument and isinstance(argument[0], list):
                yield tuple(argument[0])
            else:
                yield from targets(argument)
    elif isinstance(value, list):
        for item in value:
            yield from targets(item)


def functions(value: Any, function: str) -> Iterator[Any]:
    """The arguments of an intrinsic function, wherever it stands in `value`."""
    if isinstance(value, Mapping):
        if function in value:
            yield value[function]
        for inner in value.values():
            yield from functions(inner, function)
    elif isinstance(value, list):
        for inner in value:
            yield from functions(inner, function)


def imports_of(tree: ResolvedTree) -> Iterator[tuple[Path, Any]]:
    """What a tree imports from other stacks (`Fn::ImportValue`): the path of the resource, or of the nested stack that
    is given it, and the export's name, a text or an expression for one."""
    for path, resource in tree.resources.items():
        yield from ((path, name) for name in functions(resource.properties, "Fn::ImportValue"))
    for path, stack in tree.stacks.items():
        yield from ((path, name) for name in functions(stack.parameters, "Fn::ImportValue"))
