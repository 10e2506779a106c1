"""Waiting for a CloudFormation stack, and why it failed.

Plays the waiters of internal/service/cloudformation/stack.go: the same pending and target states, so that a stack in
another state (REVIEW_IN_PROGRESS, say) is an "unexpected state", and the same choice of events for the reasons. Two
differences: it looks ten times a second instead of after ten seconds, and it writes the logical id before each reason,
which upstream leaves out (`stackEventsError` joins the reasons alone).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_rehearsal.providers.errors import error_code, error_message

POLL_SECONDS = 0.1
_CREATE_PENDING = {"CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}
_CREATE_TARGETS = {
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "DELETE_COMPLETE",
    "DELETE_FAILED",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
}
_UPDATE_PENDING = {
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
}
_UPDATE_TARGETS = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"}
_DELETE_PENDING = {"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}
_DELETE_TARGETS = {"DELETE_COMPLETE", "DELETE_FAILED"}

Event = dict[str, Any]


class StackFailed(Exception):
    """The stack did not get where it should; the message holds status and reasons."""


@dataclass(frozen=True)
class StackOperation:
    """One create, update or delete: the stack's ARN, the request's token, and when to give up (`time.monotonic`)."""

    client: Any
    stack_id: str
    token: str
    deadline: float

    def wait_created(self) -> None:
        """Raises StackFailed unless the stack reaches CREATE_COMPLETE."""
        stack = self._wait(_CREATE_PENDING, _CREATE_TARGETS, "CREATE_COMPLETE")
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
            raise self._failed(status, stack, _failed_or_rollback)
        if status in ("DELETE_COMPLETE", "DELETE_FAILED"):  # what on_failure=DELETE leaves
            raise self._failed(status, stack, _failed_or_deletion)
        if status == "CREATE_FAILED":
            raise self._failed(status, stack, _is_failed)

    def wait_updated(self) -> None:
        """Raises StackFailed when the update was rolled back."""
        stack = self._wait(_UPDATE_PENDING, _UPDATE_TARGETS, "UPDATE_COMPLETE")
        if stack is None:
            raise StackFailed("couldn't find resource")
        if stack["StackStatus"] in ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"):
            raise self._failed(stack["StackStatus"], stack, _failed_or_rollback)

    def wait_deleted(self) -> None:
        """Raises StackFailed when resources could not be deleted."""
        stack = self._wait(_DELETE_PENDING, _DELETE_TARGETS, "DELETE_COMPLETE")
        if stack and stack["StackStatus"] == "DELETE_FAILED":
            raise self._failed("DELETE_FAILED", stack, _is_failed)

    def _wait(self, pending: set[str], targets: set[str], wanted: str) -> dict[str, Any] | None:
        """The stack in a target state, or None when it is gone."""
        while True:
            try:
                stack: dict[str, Any] = self.client.describe_stacks(StackName=self.stack_id)["Stacks"][0]
            except self.client.exceptions.ClientError as error:
                if error_code(error) == "ValidationError" and "does not exist" in error_message(error):
                    return None
                raise
            status = stack["StackStatus"]
            if status in targets:
                return stack
            if status not in pending:
                expected = ", ".join(sorted(targets))
                raise StackFailed(
                    f"unexpected state '{status}', wanted target '{expected}'. last error: {_reason(stack)}"
                )
            if time.monotonic() >= self.deadline:
                raise StackFailed(f"timeout while waiting for state to become '{wanted}' (last state: '{status}')")
            time.sleep(POLL_SECONDS)

    def _failed(self, status: str, stack: dict[str, Any] | None, wanted: Callable[[Event], bool]) -> StackFailed:
        events = [event for event in self._events() if wanted(event)]
        reasons = "\n".join(f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}" for event in events)
        return StackFailed(f"stack status ({status}): {reasons or _reason(stack or {})}")

    def _events(self) -> list[Event]:
        """The events of this operation, newest first; none when they cannot be read."""
        try:
            pages = self.client.get_paginator("describe_stack_events").paginate(StackName=self.stack_id)
            return [event for page in pages for event in page["StackEvents"] if _token(event) == self.token]
        except self.client.exceptions.ClientError:
            return []


def _token(event: Event) -> str:
    return str(event.get("ClientRequestToken") or "")


def _reason(thing: dict[str, Any]) -> str:
    return str(thing.get("StackStatusReason") or thing.get("ResourceStatusReason") or "")


def _is_failed(event: Event) -> bool:
    return event["ResourceStatus"].endswith("_FAILED") and bool(_reason(event))


def _failed_or_rollback(event: Event) -> bool:
    return _is_failed(event) or (event["ResourceStatus"].startswith("ROLLBACK_") and bool(_reason(event)))


def _failed_or_deletion(event: Event) -> bool:
    deletion = event["ResourceStatus"] == "DELETE_IN_PROGRESS" and event["ResourceType"] == "AWS::CloudFormation::Stack"
    return _is_failed(event) or (deletion and bool(_reason(event)))
