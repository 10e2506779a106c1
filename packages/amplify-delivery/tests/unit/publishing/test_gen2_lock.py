"""Which stack policies are the lock of Amplify's migration to Gen 2."""

from __future__ import annotations

import json
import shlex
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.gen2_lock import check, locks

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


@pytest.mark.parametrize(
    ("statements", "left"),
    [
        ([ALLOW, OWN, LOCK], [ALLOW, OWN]),
        ([LOCK], [ALLOW]),
        (LOCK, [ALLOW]),
    ],
)
def test_the_printed_command_takes_the_lock_back_and_nothing_else(statements: Any, left: Any) -> None:
    """SetStackPolicy writes over the whole policy: what denies a table's replacement would be gone with the lock."""
    cloudformation = SimpleNamespace(
        get_stack_policy=lambda **_: {"StackPolicyBody": json.dumps({"Statement": statements})},
        meta=SimpleNamespace(region_name="eu-west-1"),
    )
    with pytest.raises(RefusedError, match="denies every update") as caught:
        check(cloudformation, "amplify-app-prod-1")
    # The migration's last step deletes the stack, which termination protection keeps.
    off = "--no-enable-termination-protection --stack-name amplify-app-prod-1 --region eu-west-1`"
    assert f"`aws cloudformation update-termination-protection {off}" in caught.value.remedy
    command = shlex.split(caught.value.remedy.rsplit("`", 2)[1])
    assert command[:7] == [
        *("aws", "cloudformation", "set-stack-policy", "--stack-name", "amplify-app-prod-1", "--region", "eu-west-1")
    ]
    assert json.loads(command[8]) == {"Statement": left}
