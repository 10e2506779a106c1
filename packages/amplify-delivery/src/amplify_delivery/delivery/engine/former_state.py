"""The state of what was moved into another backend, or is on its way there: nothing is done with it any more.

What the program remembers of where it lies says so (`components.remembered`); the program itself stops at it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from amplify_delivery.components.remembered import MOVED, THEN
from amplify_delivery.errors import RefusedError

_STASH = "pulumi:index:Stash"


def check(stack: str, resources: Iterable[Mapping[str, Any]]) -> None:
    """Raise `RefusedError` for such a state."""
    for resource in resources:
        facts = (resource.get("outputs") or {}).get("output") if resource.get("type") == _STASH else None
        if isinstance(facts, Mapping) and MOVED in facts:
            raise RefusedError(
                f"it {facts[MOVED]}: this is its former state, and nothing is done with that any more",
                where=stack,
                remedy=f"nothing was changed. {facts.get(THEN) or ''}",
            )
