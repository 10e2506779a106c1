"""Tables that a table of an environment has succeeded: kept when they were replaced, in no stack any more, with their
items.

A template remembers the first of a chain and the last. Those between, and successors that were given up before anybody
used them, are found by their names: the first one's with another prefix. Where that is none that we propose, it has to
be closed as we close a table; another app's may be called so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from amplify_delivery.changes.ordered.successors import has_proposed_prefix, is_closed_by, may_be_former
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.teardown.held import Held
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing, suppressing_all


def before(account: Account, held: Sequence[Held]) -> Iterator[Held]:
    """The tables before those of `held` that are successors. Without the right to list tables (dynamodb:ListTables)
    the first ones alone. Raises `DeliveryError`s."""
    last = sorted((h for h in held if h.succeeds), key=lambda h: len(h.succeeds), reverse=True)
    if not last:
        return
    dynamodb, told = account.client("dynamodb"), {h.physical_id for h in held}
    with account.asking("listing tables"):
        names = _names(dynamodb) or [h.succeeds for h in last]
    for one in last:
        for name in names:
            if name not in told and may_be_former(name, one.succeeds) and _is_ours(dynamodb, name, one.succeeds):
                told.add(name)
                yield Held(f"{one.path} (before it was replaced)", one.type, name, one.data, kept=True)


def _names(dynamodb: Any) -> list[str]:
    """All tables of the account and region; none without the right to list them. Raises botocore's other errors."""
    with suppressing(*ACCESS_DENIED):
        return [name for page in dynamodb.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    return []


def _is_ours(dynamodb: Any, name: str, first: str) -> bool:
    if name == first or has_proposed_prefix(name):
        return True
    with suppressing_all():
        arn = str(dynamodb.describe_table(TableName=name)["Table"]["TableArn"])
        return is_closed_by(json.loads(dynamodb.get_resource_policy(ResourceArn=arn)["Policy"]), arn)
    return False
