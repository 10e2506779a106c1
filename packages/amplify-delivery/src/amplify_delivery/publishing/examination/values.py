"""The texts that a resolved value can become.

`amplify_delivery.export.templates.resolve` has worked out what can be known. What is left has one text or more
(an `Fn::If` whose condition is not known gives two), and in them `UNKNOWN` for what only CloudFormation knows: a `Ref`
to a resource, an attribute.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from amplify_delivery.export.templates.expressions import Segment, flatten
from amplify_delivery.export.templates.literals import text as literal

UNKNOWN = "\0"
"""Stands for text that only CloudFormation knows."""
_MOST = 16
"""A value with more possible texts than this counts as unknown."""


def texts(value: Any) -> list[str]:
    """All texts that a resolved value can become; `[UNKNOWN]` when nothing is known."""
    if isinstance(value, (bool, int, float)):
        return [literal(value)]
    choices = [_choices(segment) for segment in flatten(value)]
    if math.prod(map(len, choices)) > _MOST:
        return [UNKNOWN]
    return list(dict.fromkeys("".join(parts) for parts in itertools.product(*choices)))


def text(value: Any) -> str:
    """The text that a resolved value becomes, `UNKNOWN` when that depends on a condition."""
    found = texts(value)
    return found[0] if len(found) == 1 else UNKNOWN


def _choices(segment: Segment) -> list[str]:
    if isinstance(segment, str):
        return [segment]
    value = getattr(segment, "value", None)
    branches = value.get("Fn::If") if isinstance(value, Mapping) else None
    if isinstance(branches, list) and len(branches) == 3:
        return texts(branches[1]) + texts(branches[2])
    return [UNKNOWN]
