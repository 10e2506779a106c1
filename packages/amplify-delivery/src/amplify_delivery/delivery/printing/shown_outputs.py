"""The outputs of a stack; secrets only when they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.engine.stack_outputs import Output
from amplify_delivery.delivery.engine.watch import HIDDEN


def shown(outputs: Mapping[str, Output], *, secrets: bool) -> dict[str, Any]:
    """The outputs as they are printed."""
    return {name: HIDDEN if o.secret and not secrets else o.value for name, o in outputs.items()}


def table(outputs: Mapping[str, Any]) -> None:
    """The outputs for people: one line per value, nested ones by their path."""
    output.table(("output", "value"), _flat(outputs))


def _flat(outputs: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for name, value in outputs.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*path, name))
        else:
            yield ".".join((*path, name)), value if isinstance(value, str) else json.dumps(value)
