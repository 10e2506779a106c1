"""What Pulumi's SDK works out of its own code in each run of a program, and would in the next one: worked out ahead.

A run of the example's programs asks a hundred classes for the types of their properties, and each resource for the
address of each file that its constructor was called from: an eighth of the program's processor time.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, get_args


def work_out(resources: Iterable[str]) -> None:
    """The types of these classes (`pulumi_aws.s3:Bucket`), of their arguments and of what they consist of. The SDK
    keeps what it has found by the class: a program that has classes of another version asks anew."""
    with contextlib.suppress(ImportError):
        _types: Any = import_module("pulumi._types")
        waiting = list(_classes(resources))
        known = set(waiting)
        while waiting:
            found = _types_of(_types, waiting.pop())
            new = {part for each in found for part in _parts(each) if part not in known and _is_typed(_types, part)}
            known |= new
            waiting += new
    _remember_addresses()


def _classes(resources: Iterable[str]) -> Iterator[type]:
    for name in resources:
        module, _, resource = name.partition(":")
        with contextlib.suppress(ImportError, AttributeError):
            declared: type = getattr(import_module(module), resource)
            yield declared
            # Its arguments are beside it, and not always named after it.
            beside = vars(sys.modules[declared.__module__])
            yield from (one for one in beside.values() if isinstance(one, type) and one.__name__.endswith("Args"))


def _types_of(_types: Any, declared: type) -> Iterable[Any]:
    if _types.is_input_type(declared):
        return list(_types.input_type_types(declared).values())
    if _types.is_output_type(declared):
        return list(_types.output_type_types(declared).values())
    return list(_types.resource_types(declared).values()) if hasattr(declared, "urn") else ()


def _is_typed(_types: Any, declared: Any) -> bool:
    return isinstance(declared, type) and bool(_types.is_input_type(declared) or _types.is_output_type(declared))


def _parts(declared: Any) -> Iterator[Any]:
    yield declared
    for part in get_args(declared):
        yield from _parts(part)


def _remember_addresses() -> None:
    with contextlib.suppress(ImportError, AttributeError):
        resource: Any = import_module("pulumi.runtime.resource")
        resource._get_source_position_for_frame = remembering(resource._get_source_position_for_frame)


def remembering(address: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same function of a frame's file and line, asked once for each."""
    known: dict[tuple[str, int | None], Any] = {}

    @functools.wraps(address)
    def remembered(frame: Any) -> Any:
        place = frame.filename, frame.lineno
        if place not in known:
            known[place] = address(frame)
        return known[place]

    return remembered
