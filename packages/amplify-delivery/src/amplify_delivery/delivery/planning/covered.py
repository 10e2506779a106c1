"""Which steps an approved plan covers, although it was made for an earlier state. Pure.

Executions stand in a queue: a plan is made while the release before it waits for its approval or is being deployed, so
what it starts from is no more when its own turn comes. What was approved is where it leads to, by these steps; what is
left of them then is a part of it: a resource that was to be made may have been made meanwhile, and is changed only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amplify_delivery.changes.steps import (
    ChangeOutput,
    ChangeProgram,
    ChangeResource,
    ProtectStack,
    RecoverStack,
    Step,
    UpdateStack,
    digest,
)
from amplify_delivery.publishing.stack_states import Way, meaning

_BACK = ("continue-update-rollback", "rollback-stack")
"""What brings a root stack back to where it was before the operation that failed."""


class Covered:
    """`approved` are the steps of a plan's document that leads to the same target as the steps that are asked about."""

    def __init__(self, approved: Sequence[Mapping[str, Any]]) -> None:
        self._exactly = {digest(step) for step in approved}
        self._by_place = {str(step.get("path", step.get("urn"))): step for step in approved if "after" in step}
        self._resources = any(step.get("step") != "change-output" for step in approved)
        self._paths = [str(step["path"]) for step in approved if "path" in step]

    def __contains__(self, step: Step) -> bool:
        """Whether the step was approved: as it is, or as a part of one that leads to the very same resource.

        Never a replacement or a removal that was not approved as such.
        """
        if digest(step.to_json()) in self._exactly:
            return True
        if isinstance(step, RecoverStack):
            return _leads_back(step)
        if isinstance(step, UpdateStack):
            # CloudFormation updates the stack for each of the steps in it as well.
            return any(not step.path or f"{path}/".startswith(f"{'/'.join(step.path)}/") for path in self._paths)
        if isinstance(step, ChangeOutput):
            # Outputs of resources are known when these have changed, and they were to.
            return self._resources
        if isinstance(step, ProtectStack):
            # A new stack gets it with its making, without a step; a run that was killed had not come to it.
            return step.on
        if isinstance(step, ChangeResource):
            return self._leads_there("/".join(step.path), step)
        if isinstance(step, ChangeProgram) and step.operation == "update":
            return self._leads_there(step.urn, step)
        if isinstance(step, ChangeProgram) and step.operation == "replace" and not step.after:
            # The successor is made: that its predecessor goes was approved with the replacement.
            approved = self._by_place.get(step.urn, {})
            return (approved.get("operation"), approved.get("type")) == ("replace", step.type)
        return False

    def _leads_there(self, place: str, step: ChangeResource | ChangeProgram) -> bool:
        approved = self._by_place.get(place, {})
        if approved.get("type") != step.type or approved.get("after") != step.after:
            return False
        made = approved["step"] == "add-resource" or approved.get("operation") == "create"
        return made or set(step.properties) <= set(approved.get("properties", ()))


def _leads_back(step: RecoverStack) -> bool:
    """Whether a recovery only ends what CloudFormation had begun to take back, so that what was approved can be done
    from there: with nothing left as it is, and nothing deleted that was ever made whole."""
    back = step.operation in _BACK and step.status.startswith("UPDATE_")
    nothing_in_it = step.operation == "delete-stack" and meaning(step.status).deliver is Way.CLEAR
    return (back and not step.skipped) or nothing_in_it
