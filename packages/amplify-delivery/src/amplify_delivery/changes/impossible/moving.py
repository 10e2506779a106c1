"""Resources that stand elsewhere, and keep their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from amplify_delivery.changes.impossible.finding import Impossible, properties
from amplify_delivery.changes.impossible.rules import MOVED
from amplify_delivery.changes.replacement import fixed_name
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import AddResource, RemoveResource, Step
from amplify_delivery.export.assembly import canonical

_WITHIN = {"AWS::Events::Rule": "EventBusName", "AWS::Scheduler::Schedule": "GroupName"}
"""Where a name is one of a kind, if not in the account and region."""


def moved(steps: Sequence[Step], old: Stacks, new: Stacks) -> Iterator[Impossible]:
    """AD753: what goes is deleted when all stacks have been updated ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), and what
    is kept stays; until then its name is taken. What only perhaps was there, or is made, is no reason to refuse."""
    gone = {
        taken: step for step in steps if isinstance(step, RemoveResource) and (taken := _taken(step, old)) is not None
    }
    for step in steps:
        taken = _taken(step, new) if isinstance(step, AddResource) and gone else None
        was = gone.get(taken) if taken is not None else None
        if isinstance(step, AddResource) and was is not None:
            told = f"has the name ({fixed_name(step.type)}) of {was.place}, which goes in the same release"
            yield Impossible(MOVED.id, step.place, told, MOVED.remedy)


def _taken(step: AddResource | RemoveResource, stacks: Stacks) -> tuple[str, bytes] | None:
    """The name that a resource takes, with its type; None if it has none, or only perhaps."""
    if step.path in stacks.resolved.doubtful:
        return None
    property, given = fixed_name(step.type), properties(stacks, step.path)
    name = given.get(property) if property is not None else None
    known = canonical([name, given.get(_WITHIN.get(step.type, ""))])
    return None if name is None or b'"Fn::If"' in known else (step.type, known)
