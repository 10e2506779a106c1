"""What a template's expressions can become, as far as it is known before CloudFormation runs.

An expression has one or more possible texts (`Fn::If` gives two). What only CloudFormation knows (a `Ref`
to a resource, a pseudo parameter, an attribute) stands in them as `UNKNOWN`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from amplify_delivery.export.templates.expressions import Ref, Segment, flatten

UNKNOWN = "\0"
"""Stands for text that only CloudFormation knows."""
_MOST = 16
"""An expression with more possible texts than this counts as unknown."""

Values = Mapping[str, str]
"""Parameter values of one stack; `UNKNOWN` for those that only CloudFormation knows."""


def scalar(value: Any) -> str:
    """A template's literal as CloudFormation passes it: `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def texts(expression: Any, values: Values) -> list[str]:
    """All texts that `expression` can become; `[UNKNOWN]` when nothing is known."""
    if isinstance(expression, (bool, int, float)):
        return [scalar(expression)]
    choices = [_choices(segment, values) for segment in flatten(expression)]
    if math.prod(map(len, choices)) > _MOST:
        return [UNKNOWN]
    return list(dict.fromkeys("".join(parts) for parts in itertools.product(*choices)))


def text(expression: Any, values: Values) -> str:
    """The text that `expression` becomes, `UNKNOWN` when that depends on a condition."""
    found = texts(expression, values)
    return found[0] if len(found) == 1 else UNKNOWN


def _choices(segment: Segment, values: Values) -> list[str]:
    if isinstance(segment, str):
        return [segment]
    if isinstance(segment, Ref):
        return [values.get(segment.name, UNKNOWN)]
    branches = segment.value.get("Fn::If") if isinstance(segment.value, Mapping) else None
    if isinstance(branches, list) and len(branches) == 3:
        return texts(branches[1], values) + texts(branches[2], values)
    return [UNKNOWN]
