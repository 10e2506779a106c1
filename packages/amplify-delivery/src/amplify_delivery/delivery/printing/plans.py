"""A plan, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from amplify_delivery.changes.gained import Gained
from amplify_delivery.changes.gained.grants import Kind
from amplify_delivery.delivery import output
from amplify_delivery.delivery.planning import (
    Plan,
    Step,
    updates_of,
)


def show(plan: Plan) -> None:
    """The plan for people."""
    steps([s for s in plan.steps if s.place not in plan.same_bytes], more=_moved(plan) if plan.same_bytes else "")
    rights(plan.gained, first=plan.start.root_template is None)
    if plan.drift:
        print("\nDrift: these do not run as they were delivered:")
        output.resources(("", "resource", "type", ""), [("!", d.place, d.type, d.what) for d in plan.drift])
    elif plan.drift is not None:
        print("\nno drift was found")
    if plan.steps or plan.notes:
        print()
    for note in plan.notes:
        print(f"note: {note}")
    print(f"{plan.target.environment}: {output.counted(plan.changes, 'change')}" if plan.steps else "nothing to change")
    print(f"plan {plan.digest}")


def steps(found: Sequence[Step], *, more: str = "") -> None:
    """Steps for people, those that lose data once more; `more` tells those that are not worth a line each."""
    count, runs = updates_of(found)
    for number, header, inside in runs:
        if header:
            print(f"Update {number} of {count}: {header.what}")
        output.resources(("", "resource", "type", ""), [(s.mark, s.place, s.type, s.what) for s in inside])
    if more:
        print(more)
    lost = [step for step in found if step.loss]
    if lost:
        print("\nData would be lost:")
        output.resources(("", "resource", "type", "data"), [(s.mark, s.place, s.type, s.loss) for s in lost])


_KINDS: Mapping[Kind, str] = {
    "action": "of what roles and users may do",
    "principal": "of who may use a resource",
    "trust": "of who may become a role",
    "open": "of what stands open",
    "denial": "of what was denied before",
    "boundary": "of what was bounded before",
    "network": "of ways in and out of a network",
}
"""How rights of a kind are counted."""


def rights(found: Sequence[Gained], *, first: bool) -> None:
    """Rights that are gained, for people. Of a first plan, of which everything is new, what stands open only, and how
    much there is of the rest."""
    if not found:
        return
    shown = [right for right in found if right.open] if first else found
    print("\nRights that are new:")
    for right in shown:
        print(f"* {right.place}: {right.what}")
    if rest := Counter(right.kind for right in found if right not in shown):
        counts = ", ".join(f"{number:,} {_KINDS[kind]}" for kind, number in sorted(rest.items()))
        print(f"* and, since all of it is new: {counts} (`--json` lists them: gainedRights)")


def _moved(plan: Plan) -> str:
    """In one line, what reads the same bytes at another place."""
    types = Counter(s.type.rpartition("::")[2] for s in plan.steps if s.place in plan.same_bytes)
    kinds = ", ".join(f"{number} {kind}" for kind, number in types.most_common())
    return f"~  {output.counted(types.total(), 'resource')} read the same bytes at another place ({kinds})"


_SHOWN = 20
"""Steps that a refusal lists; `amplify-delivery plan` lists all."""


def listed(steps: tuple[Step, ...]) -> str:
    """The steps that a refusal names."""
    lines = [
        f"  {s.mark} {s.place} ({s.type})"
        + (f": {', '.join(p for p in (s.what, s.loss) if p)}" if s.what or s.loss else "")
        for s in steps[:_SHOWN]
    ]
    return "\n".join([*lines, *([f"  ... and {len(steps) - _SHOWN} more"] if len(steps) > _SHOWN else [])])
