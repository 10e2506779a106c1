"""Resources that stand elsewhere, and keep their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from amplify_delivery.changes.impossible.finding import Impossible, properties
from amplify_delivery.changes.impossible.rules import MOVED
from amplify_delivery.changes.replacement import fixed_name
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import AddResource, RemoveResource, Step
from amplify_delivery.export.assembly import canonical


def moved(steps: Sequence[Step], old: Stacks, new: Stacks) -> Iterator[Impossible]:
    """AD753: what goes is deleted when all stacks have been updated ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), and what
    is kept stays; until then its name is taken."""
    gone = {
        (step.type, canonical(name)): step
        for step in steps
        if isinstance(step, RemoveResource)
        and (property := fixed_name(step.type)) is not None
        and (name := properties(old, step.path).get(property)) is not None
    }
    for step in steps:
        property = fixed_name(step.type) if isinstance(step, AddResource) and gone else None
        if not isinstance(step, AddResource) or property is None:
            continue
        name = properties(new, step.path).get(property)
        was = gone.get((step.type, canonical(name))) if name is not None else None
        if was is not None:
            told = f"has the name ({property}) of {was.place}, which goes in the same release"
            yield Impossible(MOVED.id, step.place, told, MOVED.remedy)
