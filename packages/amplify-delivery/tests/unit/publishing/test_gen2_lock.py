"""Which stack policies are the lock of Amplify's migration to Gen 2."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_delivery.publishing.gen2_lock import locks

LOCK = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}
ALLOW = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
OWN = {"Effect": "Deny", "Action": "Update:Replace", "Principal": "*", "Resource": "LogicalResourceId/Table"}


@pytest.mark.parametrize(
    ("statements", "locked"),
    [
        ([LOCK], True),
        (LOCK, True),
        ([OWN, LOCK], True),
        ([ALLOW, LOCK], True),
        ([{**LOCK, "Action": ["Update:*"], "Resource": ["*"]}], True),
        ([{**LOCK, "Action": "*"}], True),
        ([ALLOW], False),
        ([ALLOW, OWN], False),
        ([{**LOCK, "Condition": {"StringEquals": {"ResourceType": ["AWS::DynamoDB::Table"]}}}], False),
        ([], False),
        (["text"], False),
    ],
)
def test_the_lock_is_known_among_other_statements(statements: Any, locked: bool) -> None:
    assert locks(json.dumps({"Statement": statements})) is locked


@pytest.mark.parametrize("policy", [None, "", "{", "{}", "[]", '"text"'])
def test_what_is_no_policy_locks_nothing(policy: str | None) -> None:
    assert not locks(policy)
