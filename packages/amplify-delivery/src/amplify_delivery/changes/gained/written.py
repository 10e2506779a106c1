"""Policies that stand anywhere in a resource: of types of which nobody has told where they have theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amplify_delivery.changes.gained.texts import ALWAYS, When, branches
from amplify_delivery.export.documents import parsed, several

_EFFECTS = ("Allow", "Deny")


def documents(value: Any) -> Iterator[tuple[Any, When]]:
    """The policy documents in a resolved value, as IAM has them: a `Statement` with an `Effect`. Texts are read, too.

    Each with the conditions of templates under which it stands there. Every property of most resources goes through
    here: what is asked of each is little.
    """
    stack: list[tuple[Any, When]] = [(value, ALWAYS)]
    while stack:
        found, when = stack.pop()
        if isinstance(found, str):
            if '"Statement"' in found and not isinstance(read := parsed(found), str):
                stack.append((read, when))
        elif isinstance(found, dict):
            if "Fn::If" in found:
                stack += [(branch, under) for branch, under in branches(found, when) if branch is not found]
            elif "Statement" in found and _is_document(found["Statement"]):
                yield found, when
            else:
                stack += [(inner, when) for inner in found.values()]
        elif isinstance(found, list):
            stack += [(inner, when) for inner in found]


def _is_document(statements: Any) -> bool:
    return any(
        isinstance(s, dict) and s.get("Effect") in _EFFECTS for one in several(statements) for s, _ in branches(one)
    )
