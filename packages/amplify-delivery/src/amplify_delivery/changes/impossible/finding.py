"""Something that AWS refuses: what is found, and how it is told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from amplify_delivery.changes.impossible.rules import ALWAYS, IN_SEVERAL
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.errors import RefusedError


@dataclass(frozen=True)
class Impossible:
    """Something that AWS refuses. `place` is that of the step, or empty for the plan as a whole."""

    id: str
    place: str
    message: str
    remedy: str
    """What to do; an environment's commands say ENV in the place of its name."""

    def __str__(self) -> str:
        return f"{self.id} {self.place}: {self.message}" if self.place else f"{self.id} {self.message}"

    def remedy_in(self, environment: str) -> str:
        """What to do in this environment: its commands work as they stand."""
        return re.sub(r"\bENV\b", environment, self.remedy)


def check(found: Iterable[Impossible], environment: str) -> None:
    """Raise `RefusedError` with all that is impossible in an environment."""
    several = list(found)
    if not several:
        return
    remedies = list(dict.fromkeys(i.remedy_in(environment) for i in several))
    ids = ", ".join(dict.fromkeys(i.id for i in several if i.id not in ALWAYS))
    what = "AWS cannot do this" if ids else "this would put an empty table in the place of a full one"
    raise RefusedError(
        f"{what}:\n" + "\n".join(f"  {i}" for i in several),
        where=environment,
        remedy=f"nothing was changed. {'; '.join(remedies)} (docs/checks.md"
        + (f"; if AWS can, `lint.ignore` takes {ids})" if ids else ")"),
    )


def reasoned(found: Impossible, reasons: Mapping[str, str]) -> Impossible:
    """`found` with why it is not delivered in several updates, if that is among `reasons`, by place."""
    reason = reasons.get(found.place) if found.id in IN_SEVERAL else None
    return replace(found, message=f"{found.message}; not one after the other either: {reason}") if reason else found


def properties(stacks: Stacks, path: Path) -> Mapping[str, Any]:
    """Those of a resource; none if there is no such resource, or only the deployment knows them."""
    resource = stacks.resolved.resources.get(path)
    return resource.properties if resource is not None and isinstance(resource.properties, Mapping) else {}
