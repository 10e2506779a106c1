"""A plan, for people."""

from __future__ import annotations

from amplify_delivery.delivery import output
from amplify_delivery.delivery.planning import (
    Plan,
    Step,
)


def show(plan: Plan) -> None:
    """The plan for people."""
    output.resources(("", "resource", "type", ""), [(s.mark, s.place, s.type, s.what) for s in plan.steps])
    if plan.losses:
        print("\nData would be lost:")
        output.resources(("", "resource", "type", "data"), [(s.mark, s.place, s.type, s.loss) for s in plan.losses])
    if plan.steps or plan.notes:
        print()
    for note in plan.notes:
        print(f"note: {note}")
    print(f"{plan.target.environment}: {output.counted(plan.changes, 'change')}" if plan.steps else "nothing to change")
    print(f"plan {plan.digest}")


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
