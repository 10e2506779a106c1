"""Every state of CloudFormation's times every command, of the root stack and of nested ones."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest

from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.stack_states import (
    RECOVERIES,
    STATES,
    Place,
    Way,
    begins_anew,
    busy,
    by_hand,
    check_nested,
    check_root,
)
from unit.rows import each

PLACE = Place("amplify-app-dev-12345", "--region eu-west-1", "dev")
GO, WAIT, MAKE = "goes on", "waits", "makes it"
CLEAR, DELETE, CONTINUE, ROLL_BACK = "clears it", "deletes it unless there is data", "continues it", "rolls it back"

# Root: what plan, deploy, up and rollback do; what destroy does. Nested: what is said, "" for nothing.
EXPECTED = {
    "CREATE_IN_PROGRESS": (WAIT, WAIT, "wait until that has ended"),
    "CREATE_FAILED": (DELETE, GO, "Deliver an export without that category"),
    "CREATE_COMPLETE": (GO, GO, ""),
    "ROLLBACK_IN_PROGRESS": (WAIT, WAIT, "wait until that has ended"),
    "ROLLBACK_FAILED": (DELETE, GO, "Deliver an export without that category"),
    "ROLLBACK_COMPLETE": (CLEAR, GO, "Deliver an export without that category"),
    "DELETE_IN_PROGRESS": (WAIT, WAIT, "wait until that has ended"),
    "DELETE_FAILED": (DELETE, GO, "`aws cloudformation delete-stack --stack-name child --retain-resources "),
    "DELETE_COMPLETE": (MAKE, MAKE, "it is made again, and empty"),
    "UPDATE_IN_PROGRESS": (WAIT, WAIT, "wait until that has ended"),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": (WAIT, WAIT, "wait until that has ended"),
    "UPDATE_COMPLETE": (GO, GO, ""),
    "UPDATE_FAILED": (ROLL_BACK, GO, "`aws cloudformation rollback-stack --stack-name child --region eu-west-1`"),
    "UPDATE_ROLLBACK_IN_PROGRESS": (WAIT, WAIT, "wait until that has ended"),
    "UPDATE_ROLLBACK_FAILED": (CONTINUE, GO, "`aws cloudformation continue-update-rollback --stack-name child"),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": (WAIT, WAIT, "wait until that has ended"),
    "UPDATE_ROLLBACK_COMPLETE": (GO, GO, ""),
    "REVIEW_IN_PROGRESS": (CLEAR, GO, "list-change-sets"),
    "IMPORT_IN_PROGRESS": (WAIT, WAIT, "wait until that has ended"),
    "IMPORT_COMPLETE": (GO, GO, ""),
    "IMPORT_ROLLBACK_IN_PROGRESS": (WAIT, WAIT, "wait until that has ended"),
    "IMPORT_ROLLBACK_FAILED": ("`aws cloudformation describe-stack-events", GO, "describe-stack-events"),
    "IMPORT_ROLLBACK_COMPLETE": (GO, GO, ""),
}
WAYS = {
    Way.GO: GO,
    Way.MAKE: MAKE,
    Way.CLEAR: CLEAR,
    Way.DELETE: DELETE,
    Way.CONTINUE: CONTINUE,
    Way.ROLL_BACK: ROLL_BACK,
}

COMMANDS = ("plan", "deploy", "up", "rollback", "destroy")


@pytest.fixture(scope="module")
def model() -> Any:
    return boto3.client("cloudformation", region_name="eu-west-1").meta.service_model


def done(status: str, command: str) -> str:
    """What a command does about a root stack in that state."""
    try:
        return WAYS[check_root(PLACE, status, destroying=command == "destroy")]
    except RefusedError as error:
        assert error.where == PLACE.name
        assert status in error.message
        assert error.remedy.startswith("nothing was changed")
        return WAIT if "wait until that has ended" in error.remedy else error.remedy


def test_the_states_are_all_that_cloudformation_has(model: Any) -> None:
    assert STATES.keys() == set(model.shape_for("StackStatus").enum) == EXPECTED.keys()


@each([(status, command) for status in EXPECTED for command in COMMANDS])
def test_what_each_command_does_in_each_state_of_the_root(status: str, command: str) -> None:
    deliver, destroy, _ = EXPECTED[status]
    wanted = destroy if command == "destroy" else deliver
    found = done(status, command)
    assert found == wanted or (wanted.startswith("`") and wanted in found)
    assert busy(status) == (deliver == WAIT)
    assert begins_anew(status) == (deliver in (MAKE, CLEAR, DELETE))


def nested(status: str, **more: Any) -> RefusedError | None:
    try:
        check_nested(PLACE, {("Api",): ("whole", "UPDATE_COMPLETE"), ("Api", "Todo"): ("child", status)}, **more)
    except RefusedError as error:
        return error
    return None


@each([(status, command) for status in EXPECTED for command in COMMANDS])
def test_what_each_state_of_a_nested_stack_keeps_a_command_from(status: str, command: str) -> None:
    error, said = nested(status, destroying=command == "destroy"), EXPECTED[status][2]
    if not said or (command == "destroy" and not busy(status)):
        assert error is None
        return
    assert error is not None
    assert (error.where, status in error.message) == (f"Api/Todo (child, nested in {PLACE.name})", True)
    assert said in error.remedy


def test_what_only_has_to_be_waited_for_comes_first() -> None:
    states: dict[tuple[str, ...], tuple[str, str]] = {
        ("A",): ("a", "UPDATE_ROLLBACK_FAILED"),
        ("B",): ("b", "UPDATE_IN_PROGRESS"),
    }
    with pytest.raises(RefusedError, match="UPDATE_IN_PROGRESS"):
        check_nested(PLACE, states)


def test_a_state_that_aws_adds_is_refused_by_name() -> None:
    for destroying in (False, True):
        with pytest.raises(RefusedError, match=r"THINKING.*does not know it"):
            check_root(PLACE, "THINKING", destroying=destroying)
    error = nested("THINKING")
    assert error is not None
    assert "describe-stack-events --stack-name child" in error.remedy


def test_no_stack_is_made() -> None:
    assert check_root(PLACE, None) is Way.MAKE
    assert begins_anew(None)
    assert not busy(None)


def test_every_command_that_is_named_is_one_of_the_aws_cli(model: Any) -> None:
    known = {re.sub("(?<!^)(?=[A-Z])", "-", name).lower() for name in model.operation_names}
    said = [e.remedy for e in map(nested, EXPECTED) if e is not None]
    said += [done(status, "plan") for status in EXPECTED]
    said += [by_hand(Place("app", "-", env), way) for way in RECOVERIES for env in ("", "dev")]
    named = {command for text in said for command in re.findall("aws cloudformation ([a-z-]+)", text)}
    assert named <= known
    assert {"continue-update-rollback", "rollback-stack", "delete-stack", "describe-stack-events"} <= named
    assert "{" not in "".join(said)


@pytest.mark.parametrize("environment", ["", "dev"])
def test_no_command_deletes_what_may_hold_data(environment: str) -> None:
    assert "delete-stack" in by_hand(Place("app", "-", environment), Way.CLEAR)  # it holds nothing
    assert "delete-stack" not in by_hand(Place("app", "-", environment), Way.DELETE)
    for status in EXPECTED:
        error = nested(status)
        for text in re.findall("`aws cloudformation delete-stack [^`]*`", error.remedy if error else ""):
            assert "--retain-resources" in text


def test_by_hand_is_what_our_command_does_or_else_one_of_the_aws_cli() -> None:
    ours = by_hand(Place("app", "--region r", "dev"), Way.ROLL_BACK)
    assert ours == (
        "`amplify-delivery up dev`, or `plan` and `deploy`, rolls it back first; "
        "by hand `aws cloudformation rollback-stack --stack-name app --region r`"
    )
    assert by_hand(Place("app", "--region r"), Way.CONTINUE) == (
        "`aws cloudformation continue-update-rollback --stack-name app --region r`, then run this again"
    )
    assert "where nothing of that has data it can be deleted" in by_hand(Place("app", "-"), Way.DELETE)
    assert "where nothing of that has data" not in by_hand(Place("app", "-"), Way.CLEAR)


def test_only_a_command_that_can_wait_is_told_to() -> None:
    for environment in ("", "dev"):
        with pytest.raises(RefusedError) as caught:
            check_root(Place("app", "-", environment), "UPDATE_IN_PROGRESS")
        assert ("--wait MINUTES" in caught.value.remedy) == bool(environment)
