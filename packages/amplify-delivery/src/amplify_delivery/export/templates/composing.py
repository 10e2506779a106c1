"""Resolved texts, put together: of all spellings of one value comes the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amplify_delivery.export.templates.expressions import is_join
from amplify_delivery.export.templates.literals import text


def append_parts(flat: list[Any], value: Any) -> None:
    """Append a resolved value; what was composed already is taken apart, so that spellings do not differ."""
    if isinstance(value, str):
        append(flat, value)
        return
    composed = value.get("Fn::Join") if isinstance(value, (dict, Mapping)) and len(value) == 1 else None
    if composed is not None and is_join(composed) and composed[0] == "":
        for part in composed[1]:
            append(flat, part)
    else:
        append(flat, text(value) if isinstance(value, (bool, int, float)) else value)


def append(flat: list[Any], part: Any) -> None:
    """Append a part; texts beside each other become one."""
    if isinstance(part, str) and flat and isinstance(flat[-1], str):
        flat[-1] += part
    elif part != "":
        flat.append(part)


def composed(flat: list[Any]) -> Any:
    """What parts make: a text where all of it is known, else one `Fn::Join` of texts and what is not."""
    if not flat:
        return ""
    return flat[0] if len(flat) == 1 and isinstance(flat[0], str) else {"Fn::Join": ["", flat]}
