"""Functions that Lambda does not make any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from amplify_delivery.changes.impossible.finding import Impossible, properties
from amplify_delivery.changes.impossible.rules import RUNTIME
from amplify_delivery.changes.runtimes import may_not_be_created
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import AddResource, ReplaceResource


def old_runtime(step: AddResource | ReplaceResource, new: Stacks, today: date) -> Iterator[Impossible]:
    """AD745: a runtime in which Lambda makes no functions any more. Those that are there stay deliverable."""
    runtime = properties(new, step.path).get("Runtime")
    since = may_not_be_created(runtime, today) if isinstance(runtime, str) else None
    if since:
        yield Impossible(
            RUNTIME.id,
            step.place,
            f"is new here, and Lambda makes no functions with {runtime} since {since}",
            "raise the function's runtime in the Amplify project (`amplify update function`, or override), and export "
            "again",
        )
