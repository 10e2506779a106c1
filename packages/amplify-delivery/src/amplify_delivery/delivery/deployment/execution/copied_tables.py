"""The tables of a copy (`copying`): which they are in DynamoDB, and whether the old one is closed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.ordered.successors import is_closed_by
from amplify_delivery.changes.steps import CopyTable, Path
from amplify_delivery.delivery.deployment.execution.tables import physical_names
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing

ACTIONS = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:GetResourcePolicy",
    "dynamodb:Scan",
)
"""What whoever copies needs on both tables."""
PROBE = {"DeleteRequest": {"Key": {"probe": {"S": "rights"}}}}
"""Deletes nothing: no table of ours has such a key."""


@dataclass(frozen=True)
class Copy:
    """The tables of one copy, by their names in DynamoDB. With `keep` the successor stays as it is. `current` is the
    table that stands in the stack before."""

    path: Path
    source: str
    successor: str
    keep: bool = False
    current: str = ""

    @property
    def place(self) -> str:
        return "/".join(self.path)

    @property
    def given_up(self) -> str:
        """The successor that is given up for this one before anybody used it; empty if there is none."""
        return "" if self.current in {self.source, self.successor} else self.current


def named(target: Wanted, steps: Sequence[CopyTable]) -> list[Copy]:
    """The tables of `steps`, as long as what is deployed is what these were planned from. Raises `RefusedError`."""
    if not steps:
        return []
    with target.account.asking("reading the names of tables"):
        paths = [step.path for step in steps]
        names = physical_names(target.account.client("cloudformation"), target.root.stack_name, paths)
    return [_named(step, names[step.path]) for step in steps]


def _named(step: CopyTable, name: str) -> Copy:
    if not name.startswith(step.current):
        raise RefusedError(
            f"the table there is {name}, which does not begin with {step.current}",
            where=step.place,
            remedy="nothing was changed; look who has changed the stack",
        )
    base = name.removeprefix(step.current)
    return Copy(step.path, f"{step.of}{base}", f"{step.prefix}{base}", step.keep, name)


def closed(target: Wanted, table: str) -> bool:
    """Whether nobody may write to a table: its own policy says so, and is in force by now. How a denial is worded tells
    nothing: whoever lacks the right is denied an open table too."""
    dynamodb = target.account.client("dynamodb")
    with suppressing("ResourceNotFoundException"):
        return is_to_be_closed(target, table) and _is_denied(dynamodb, table)
    raise RefusedError(
        "the table with the items is gone",
        where=table,
        remedy="nothing was changed. Restore it under this name: `aws dynamodb list-backups --table-name "
        f"{table} --region {dynamodb.meta.region_name}`, or point-in-time recovery; if its items are lost, an "
        "empty table of that name lets the release come",
    )


def is_to_be_closed(target: Wanted, table: str) -> bool:
    """Whether a table's policy has the statement by which it is closed. Raises botocore's errors."""
    arn = target.names.arn("dynamodb", f"table/{table}")
    with suppressing("PolicyNotFoundException"):
        policy = target.account.client("dynamodb").get_resource_policy(ResourceArn=arn)["Policy"]
        return is_closed_by(json.loads(policy), arn)
    return False


def _is_denied(dynamodb: Any, table: str) -> bool:
    """Whether a write is denied. A deletion without the table's keys is refused in any case; for other reasons where
    the table is open. Raises botocore's errors."""
    with suppressing("ValidationException", *ACCESS_DENIED) as refusal:
        dynamodb.batch_write_item(RequestItems={table: [PROBE]})
    return refusal.denied
