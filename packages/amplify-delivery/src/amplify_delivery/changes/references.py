"""What resolved values refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.steps import Path


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
