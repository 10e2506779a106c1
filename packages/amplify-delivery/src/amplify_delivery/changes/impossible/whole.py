"""What is refused of a release as a whole: its size, and exports in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from amplify_delivery.changes.impossible.finding import Impossible
from amplify_delivery.changes.impossible.rules import EXPORT, OPERATION
from amplify_delivery.changes.ordered.exports import in_use
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import (
    AddResource,
    ChangeResource,
    RemoveResource,
    ReplaceResource,
    Step,
    replaced_by,
)
from amplify_delivery.export.quotas import MAX_IN_OPERATION
from amplify_delivery.findings import listed


def operation(steps: Sequence[Step]) -> Iterator[Impossible]:
    """AD744: "Maximum number of CloudFormation resources a nested stack can create, update, or delete per operation"
    (User Guide, "Understand CloudFormation quotas"): nested stacks count as resources."""
    moved = [s.path for s in steps if isinstance(s, (AddResource, ChangeResource, ReplaceResource, RemoveResource))]
    stacks = {path[:depth] for path in moved for depth in range(1, len(path))}
    count = len(moved) + len(stacks)
    if count > MAX_IN_OPERATION:
        yield Impossible(
            OPERATION.id,
            "",
            f"{count:,} resources in one operation, CloudFormation takes {MAX_IN_OPERATION:,}",
            "deliver in parts: first an export with some of the models, then with all",
        )


def exports(steps: Sequence[Step], old: Stacks, new: Stacks) -> Iterator[Impossible]:
    """AD748: "You can't delete a stack or modify an exported output value if another stack imports it" (CloudFormation
    User Guide): who imports is updated later, or at the same time."""
    for stack, names in in_use(old, new, replaced_by(steps)).items():
        yield Impossible(
            EXPORT.id,
            "/".join(stack),
            f"no longer exports {listed(names)}, or with another value, while another stack still imports it",
            "deliver twice: first an export in which nothing imports it, then this one",
        )
