"""Plans against a commit, for people on a terminal."""

from __future__ import annotations

from amplify_delivery.delivery import output
from amplify_delivery.delivery.planning.offline.against import Against, OfflinePlan
from amplify_delivery.delivery.printing import plans


def show(found: Against) -> None:
    """All plans, one after the other."""
    for plan in found.plans:
        _show(plan)
        print()
    for note in found.notes:
        print(f"note: {note}")
    print(f"against {found.revision}: no AWS account was asked, what is really deployed may differ")


def _show(plan: OfflinePlan) -> None:
    plans.steps(plan.steps)
    plans.rights(plan.gained, first=not plan.deployed)
    if plan.impossible:
        print("\nAWS cannot do this:")
        for found in plan.impossible:
            print(f"  {found}\n    -> {found.remedy_in(plan.name)}")
    if plan.steps or plan.notes:
        print()
    for note in plan.notes:
        print(f"note: {note}")
    print(f"{plan.name}: " + (output.counted(plan.changes, "change") if plan.steps else "nothing to change"))
