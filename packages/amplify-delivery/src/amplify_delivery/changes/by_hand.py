"""Stacks that somebody has updated by hand: what is deployed is not the template that they were delivered with. Pure.

A template's key is made from its content. A nested stack's stands in its parent's `TemplateURL`, the root's among its
parameters; an update of the stack itself leaves both as they were. So nothing else tells of it, CloudFormation and the
engine included: for both the parent is unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembly import AssemblyObject, canonical

_NAMED = 5
"""Stacks that a message names."""


def by_hand(deployed: Stacks) -> tuple[Path, ...]:
    """The paths of these stacks, the root's is (). What another tool has delivered has no such keys, and is not told.

    `deployed` with the characters that GetTemplate does not tell, as `deployed.read` gives it.
    """
    return tuple(path for path in sorted(deployed.templates) if _is_another(deployed, path))


def named(paths: Sequence[Path]) -> str:
    """These stacks in words, the first few of them."""
    words = ["/".join(path) or "(root stack)" for path in paths[:_NAMED]]
    return ", ".join([*words, *([f"and {len(paths) - _NAMED} more"] if len(paths) > _NAMED else [])])


def _is_another(deployed: Stacks, path: Path) -> bool:
    key = deployed.delivered_key(path)
    return key is not None and key != AssemblyObject.of_template(canonical(deployed.templates[path])).key
