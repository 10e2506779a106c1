"""Property paths as `ignoreChanges` writes them, and what ignoring does.

Follows `resource.PropertyPath` of pulumi/sdk: `a.b`, `a[0]`, `a["b.c"]`, `a[*]`, `*`.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from typing import Any

from aws_rehearsal.providers.wire import Properties, Secret

_STEP = re.compile(r'\[("(?:[^"\\]|\\.)*"|\d+|\*)\]|\.?([^.\[]+)')


def parse(path: str) -> list[str]:
    """The steps of a path; an index is its digits, a wildcard is `*`."""
    steps = []
    for bracket, name in _STEP.findall(path):
        if bracket.startswith('"'):
            steps.append(str(json.loads(bracket)))
        else:
            steps.append(bracket or name)
    return steps


def ignoring(olds: Properties, news: Properties, paths: Iterable[str]) -> Properties:
    """`news` with the old value wherever a path points: "should be treated as unchanged" (provider.proto)."""
    result = copy.copy(news)
    for path in paths:
        _restore(olds, result, parse(path))
    return result


def _restore(old: Any, new: Any, steps: list[str]) -> None:
    if not isinstance(new, dict) or not isinstance(old, dict):
        return
    names = sorted({*old, *new}) if steps[0] == "*" else [steps[0]]
    for name in names:
        if len(steps) == 1:
            if name in old:
                new[name] = old[name]
            else:
                new.pop(name, None)
        elif name in new and name in old:
            new[name] = _inside(old[name], new[name], steps[1:])


def _inside(old: Any, new: Any, steps: list[str]) -> Any:
    old = old.value if isinstance(old, Secret) else old
    if isinstance(new, Secret):
        return Secret(_inside(old, new.value, steps))
    if isinstance(new, list) and isinstance(old, list):
        shaped = {str(index): item for index, item in enumerate(new)}
        _restore({str(index): item for index, item in enumerate(old)}, shaped, steps)
        return [shaped[key] for key in sorted(shaped, key=int)]
    inner = copy.copy(new)
    _restore(old, inner, steps)
    return inner
