"""What Amplify's migration to Gen 2 has taken over is never made again here. Pure.

`amplify gen2-migration refactor` moves resources out of the nested stacks into those of Gen 2 (CreateStackRefactor),
and leaves a placeholder in a stack that would be empty; before, `lock` or `retain` sets `DeletionPolicy` and
`UpdateReplacePolicy` of everything to `Retain` (amplify-cli, gen2-migration). For CloudFormation what was moved is not
in the stack any more: an update with the old template makes it again, empty, beside the one with the data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amplify_delivery.changes.by_hand import by_hand
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.stateful import CLOUDFORMATION_TYPES
from amplify_delivery.changes.steps import AddResource, Path, Step
from amplify_delivery.errors import RefusedError
from amplify_delivery.export.model import STACK_TYPE

PLACEHOLDER = "MigrationPlaceholder"
"""What a stack is left with that everything was moved out of."""
_KEPT = ("DeletionPolicy", "UpdateReplacePolicy")
_SHOWN = 20
"""Resources that an error names."""


def moved_out(deployed: Stacks | None, steps: Sequence[Step], published: Callable[[str], bytes | None]) -> list[str]:
    """`PLACE (TYPE)` of what the steps would make again, although it was moved out, or taken out by hand, data and all.

    `published` gives the content of a template by its key: what a nested stack was delivered with.
    """
    if deployed is None:
        return []
    changed, prepared = set(by_hand(deployed)), is_prepared(deployed)
    found = []
    for step in steps:
        stack = step.path[:-1] if isinstance(step, AddResource) else None
        if stack is None or stack not in deployed.templates or not isinstance(step, AddResource):
            continue
        if (
            prepared
            or _is_emptied(deployed.templates[stack])
            or (stack in changed and step.type in CLOUDFORMATION_TYPES and _was_there(deployed, step.path, published))
        ):
            found.append(f"{step.place} ({step.type})")
    return found


def is_prepared(deployed: Stacks | None) -> bool:
    """Whether the migration has set everything to be kept: no template of Amplify's, and none of ours, does that to
    resources without data."""
    resources = [
        item
        for template in (deployed.templates.values() if deployed else ())
        for item in (template.get("Resources") or {}).values()
        if item.get("Type") not in (STACK_TYPE, None)
    ]
    return len(resources) > 1 and all(item.get(name) == "Retain" for item in resources for name in _KEPT)


def _is_emptied(template: Mapping[str, Any]) -> bool:
    return PLACEHOLDER in (template.get("Resources") or {})


def _was_there(deployed: Stacks, path: Path, published: Callable[[str], bytes | None]) -> bool:
    """Whether the template that the stack was delivered with had the resource."""
    key = deployed.delivered_key(path[:-1])
    body = published(key) if key else None
    return body is not None and path[-1] in (json.loads(body).get("Resources") or {})


def check(deployed: Stacks | None, steps: Sequence[Step], published: Callable[[str], bytes | None], where: str) -> None:
    """Raise `RefusedError` for a backend whose resources the migration has taken."""
    found = moved_out(deployed, steps, published)
    if found:
        lines = "\n  ".join([*found[:_SHOWN], *([f"and {len(found) - _SHOWN} more"] if found[_SHOWN:] else [])])
        raise RefusedError(
            "these are no longer in its stacks, as after Amplify's migration to Gen 2, which moves them into stacks of "
            f"its own with their data; here they would be made again, empty:\n  {lines}",
            where=where,
            remedy="nothing was changed. Deliver them with Gen 2 from now on, or move them back (`amplify "
            "gen2-migration refactor --rollback`). If they were removed by hand and should go: `amplify remove` them, "
            "and export again. If they are new, and the migration was rolled back: deliver once without them before",
        )


def notes(deployed: Stacks | None, steps: Sequence[Step]) -> tuple[str, ...]:
    """That a deployment takes back what the migration has prepared. If that was rolled back, it should."""
    if not steps or not is_prepared(deployed):
        return ()
    return (
        "every resource has DeletionPolicy and UpdateReplacePolicy Retain, as Amplify's migration to Gen 2 sets them "
        "before it moves resources out: this deployment takes that back. If the migration goes on, don't deploy",
    )
