"""Stacks that somebody has updated by hand: what is deployed is not the template that they were delivered with. Pure.

A template's key is made from its content. A nested stack's stands in its parent's `TemplateURL`, the root's among its
parameters; an update of the stack itself leaves both as they were. So nothing else tells of it, CloudFormation and the
engine included: for both the parent is unchanged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.model import STACK_TYPE

_KEY = re.compile(r"templates/([0-9a-f]{64})\.json")
"""Where a template lies in the staging bucket."""
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


def delivered_key(deployed: Stacks, path: Path) -> str | None:
    """The key of the template that a stack was delivered with; None if another tool has delivered it."""
    key = _key(deployed, path)
    return key[0] if key else None


def _is_another(deployed: Stacks, path: Path) -> bool:
    key = _key(deployed, path)
    return key is not None and hashlib.sha256(canonical(deployed.templates[path])).hexdigest() != key[1]


def _key(deployed: Stacks, path: Path) -> re.Match[str] | None:
    named = deployed.parameters.get(TEMPLATE_KEY) if not path else _address(deployed, path)
    return _KEY.search(canonical(named).decode())


def _address(deployed: Stacks, path: Path) -> Any:
    resource = deployed.resource(path)
    return (resource.get("Properties") or {}).get("TemplateURL") if resource.get("Type") == STACK_TYPE else None
