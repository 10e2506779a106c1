"""Stacks that are stuck get out of it as on AWS: each test fails without the patch `stack_recovery`."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.stuck_stacks import child_of, update_rollback_failed


def status(developer: LocalAccount, stack: str = "stack") -> str:
    return str(developer.stack(stack)["StackStatus"])


def statuses(developer: LocalAccount, stack: str) -> dict[str, str]:
    found = developer.client("cloudformation").list_stack_resources(StackName=stack)["StackResourceSummaries"]
    return {r["LogicalResourceId"]: r["ResourceStatus"] for r in found}


def go_on(developer: LocalAccount, *skipped: str, stack: str = "stack") -> str:
    more = {"ResourcesToSkip": list(skipped)} if skipped else {}
    developer.client("cloudformation").continue_update_rollback(StackName=stack, **more)
    return str(developer.wait(developer.stack(stack)["StackId"])["StackStatus"])


def test_what_a_child_cannot_roll_back_its_root_has_not_rolled_back(developer: LocalAccount) -> None:
    mended = update_rollback_failed(developer)
    child = child_of(developer, "stack")
    assert (status(developer), status(developer, child)) == ("UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED")
    assert statuses(developer, "stack") == {"Child": "UPDATE_FAILED"}
    assert statuses(developer, child)["Queue"] == "UPDATE_FAILED"

    assert go_on(developer) == "UPDATE_ROLLBACK_FAILED", "nothing was mended"
    with pytest.raises(ClientError, match="nested"):
        go_on(developer, stack=child)
    for wrong in ("Queue", "Child", f"{developer.stack(child)['StackName']}.Other"):
        with pytest.raises(ClientError, match="cannot be skipped"):
            go_on(developer, wrong)

    mended()
    assert go_on(developer) == "UPDATE_ROLLBACK_COMPLETE"
    assert status(developer, child) == "UPDATE_ROLLBACK_COMPLETE"
    assert statuses(developer, child)["Queue"] == "UPDATE_COMPLETE"


def test_a_resource_of_a_child_is_skipped_by_the_childs_name(developer: LocalAccount) -> None:
    update_rollback_failed(developer)
    child = child_of(developer, "stack")
    assert go_on(developer, f"{developer.stack(child)['StackName']}.Queue") == "UPDATE_ROLLBACK_COMPLETE"
    assert status(developer, child) == "UPDATE_ROLLBACK_COMPLETE"
    assert statuses(developer, "stack") == {"Child": "UPDATE_COMPLETE"}
