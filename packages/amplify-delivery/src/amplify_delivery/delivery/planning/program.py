"""Plan what the program does beside the backend, from the engine's preview. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.changes.stateful import data_beside
from amplify_delivery.changes.steps import ChangeProgram, digest
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK

BACKEND = "amplify-delivery:index:AmplifyBackend$"
"""In the URN of what the component of the backend makes."""
_STAGING = "amplify-delivery:index:StagingArea$"
"""In the URN of what a staging area holds: published copies, which can be published again."""

_BY_TEMPLATE = frozenset({"capabilities", "templateUrl", "templateBody", "parameters", "outputs"})
"""Properties of the root stack that the backend's own plan tells in full."""

_REMEMBERED = frozenset({"templateUrl", "templateBody", "outputs"})
"""Properties of the root stack that follow from which template it runs."""

OPERATIONS: Mapping[str, str] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "import": "import",
    "import-replacement": "replace",
}
"""What counts as a change, by the engine's operations; a replacement is several of them."""
AT_REST = frozenset({"same", "read", "read-replacement", "refresh"})
"""Operations on a resource that does not change."""

_GOES = ("delete", "delete-replaced")
"""What happens to what was there before. With nothing beside it, of a replacement whose run was killed, the successor
is made already."""
_ORDER = ("update", "create", "import", "delete", "replace")


@dataclass(frozen=True)
class ProgramStep:
    """A step of the engine's preview."""

    urn: str
    type: str
    operation: str
    """As the engine calls it: create, update, same, replace ..."""
    properties: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What the resource is wanted to be; secrets are masked by the engine."""
    custom: bool = True
    """Whether a provider makes it; components and the stack itself are the engine's own."""
    kept: bool = False
    """Whether it stays when it leaves the program (`retain_on_delete`)."""
    protected: bool = False
    """Whether the engine refuses to delete it."""
    provider: str = ""
    """Its provider, as `URN::ID`."""
    parent: str = ""
    """URN of what it stands below."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """What it was wanted to be until now; empty for what is not there yet."""


def plan_program(
    steps: Iterable[ProgramStep], *, backend_changes: bool, deployed: bool, settled: bool = False
) -> tuple[ChangeProgram, ...]:
    """The changes among the steps of a preview, by URN.

    The backend's root stack is left out where its own plan tells what happens: it is made for the first time (not
    `deployed`), or the changed properties are its template and parameters and there are `backend_changes`. And where it
    runs the very template that is wanted already (`settled`): the engine remembers the address of one that
    CloudFormation has rolled back.
    """
    merged: dict[str, list[ProgramStep]] = {}
    for step in steps:
        if step.operation in OPERATIONS and step.custom and not step.type.startswith("pulumi:"):
            merged.setdefault(step.urn, []).append(step)
    found = []
    for urn, same in sorted(merged.items()):
        operation = max((OPERATIONS[s.operation] for s in same), key=_ORDER.index)
        properties = tuple(sorted({p for s in same for p in s.properties}))
        first = same[0]
        made = [s for s in same if s.operation not in _GOES]
        gone = [s for s in same if s.operation == "delete"]
        if gone and not made:
            # With a predecessor that a killed run has left, too: nothing takes the place of either.
            operation, first = "delete", next((s for s in gone if not s.kept), gone[0])
        if first.type == ROOT_STACK and BACKEND in urn:
            if operation == "create" and not deployed:
                continue
            if operation == "update" and backend_changes and set(properties) <= _BY_TEMPLATE:
                continue
            if operation == "update" and settled and not backend_changes and set(properties) <= _REMEMBERED:
                continue
        wanted = digest(made[-1].inputs) if made else ""
        kept = operation == "delete" and first.kept
        found.append(ChangeProgram(urn, first.type, operation, properties, _loss(first, operation), wanted, kept))
    return tuple(found)


def changes_something(changes: Mapping[str, int]) -> bool:
    """Whether the engine's changes by kind hold more than what stayed as it was."""
    return any(number for kind, number in changes.items() if kind not in AT_REST)


def _loss(step: ProgramStep, operation: str) -> str:
    if operation not in ("delete", "replace") or step.kept or _STAGING in step.urn:
        return ""
    if step.type == ROOT_STACK:
        return "everything in the stack"
    return data_beside(step.type, step.before)
