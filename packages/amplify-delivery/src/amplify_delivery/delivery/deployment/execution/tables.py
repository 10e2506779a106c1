"""DynamoDB tables while their indexes change: CloudFormation does not wait until an index is made.

"CloudFormation doesn't wait for the index to complete creation because the backfilling phase can take a long time [...]
You can't use the index or update the table until the index's status is ACTIVE" (CloudFormation template reference,
AWS::DynamoDB::Table, GlobalSecondaryIndexes). `amplify push` waits the same way between its deployments.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import FailedError

_SHORTEST_PAUSE, _LONGEST_PAUSE, _PART = 1.0, 20.0, 4
"""Seconds, and the part of what was waited already that lies between two looks: an index may take seconds or hours, and
what is waited in vain is a part of it."""
_TOLD_EVERY = 60.0
_LONGEST = 24 * 60 * 60.0
"""Seconds. Whoever deploys has a limit of its own, which is shorter; the same command goes on after it."""
_READY = frozenset({"ACTIVE", None})


def wait(target: Wanted, paths: Sequence[tuple[str, ...]], line: Line) -> None:
    """Wait until the tables at `paths` (logical ids from the root stack on) and all their indexes are ready for another
    change. Raises `DeliveryError`s."""
    if not paths:
        return
    account = target.account
    with account.asking("reading the state of tables"):
        names = physical_names(account.client("cloudformation"), target.root.stack_name, paths)
        dynamodb = account.client("dynamodb")
        for path, name in names.items():
            _until_ready(dynamodb, "/".join(path), name, line)


def _until_ready(dynamodb: Any, place: str, name: str, line: Line) -> None:
    begin, told = time.monotonic(), 0.0
    while busy := _busy(dynamodb.describe_table(TableName=name)["Table"]):
        now = time.monotonic() - begin
        if now > _LONGEST:
            raise FailedError(
                f"{busy} of table {name} for {now / 3600:.0f} hours",
                where=place,
                remedy="look at the table in DynamoDB's console; the same command goes on from here",
            )
        if not told or now - told >= _TOLD_EVERY:
            line(f"{place}: {busy}, waiting until DynamoDB is done with it ({now:.0f} s)")
            told = now or 0.001
        time.sleep(pause(now))


def pause(waited: float) -> float:
    """Seconds until the next look, after so many."""
    return min(max(waited / _PART, _SHORTEST_PAUSE), _LONGEST_PAUSE)


def _busy(table: Mapping[str, Any]) -> str:
    """What keeps a table from being changed; empty if nothing does."""
    if table.get("TableStatus") not in _READY:
        return f"the table is {table['TableStatus']}"
    for index in table.get("GlobalSecondaryIndexes") or ():
        if index.get("IndexStatus") not in _READY:
            return f"index {index['IndexName']} is {index['IndexStatus']}"
    return ""


def physical_names(cloudformation: Any, root: str, paths: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """The tables' names."""
    known: dict[tuple[str, ...], str] = {(): root}

    def name(path: tuple[str, ...]) -> str:
        if path not in known:
            answer = cloudformation.describe_stack_resource(StackName=name(path[:-1]), LogicalResourceId=path[-1])
            known[path] = str(answer["StackResourceDetail"]["PhysicalResourceId"])
        return known[path]

    return {path: name(path) for path in paths}
