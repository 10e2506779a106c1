"""What an update of the engine has changed, in words."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "import": "imported"}
"""The engine's kinds of changes that are worth a word."""


_SAME = "same"


def summed(before: Mapping[str, int], then: Mapping[str, int]) -> dict[str, int]:
    """The engine's changes by kind of two updates of one stack; of what stayed as it was, the later one's."""
    kinds = [kind for kind in {**before, **then} if kind != _SAME or kind in then]
    return {kind: (0 if kind == _SAME else before.get(kind, 0)) + then.get(kind, 0) for kind in kinds}


def told(changes: Mapping[str, int], nothing: str = "nothing to change") -> str:
    """`2 created, 1 updated` of the engine's changes by kind; `nothing` if there is none that is worth a word."""
    return ", ".join(f"{changes[kind]} {word}" for kind, word in _WORDS.items() if kind in changes) or nothing
