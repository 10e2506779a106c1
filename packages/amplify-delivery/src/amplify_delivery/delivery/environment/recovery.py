"""The root stack before anything is planned: whose it is, whether its state lets it be updated, and what gets it out of
one that doesn't. Which state means what: `amplify_delivery.publishing.stack_states`.

What recovers a stack is a step of the plan like any other: shown, held by the digest, carried out by the deployment
with the execution role, before the engine is called.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amplify_delivery.changes import deployed
from amplify_delivery.changes.steps import RecoverStack, Step
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery.delivery.teardown.held import Held, in_stack, name_of, nested_in
from amplify_delivery.delivery.teardown.same_place import of_stack
from amplify_delivery.errors import FailedError, RefusedError, midway
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.publishing.stack_owner import check as check_owner
from amplify_delivery.publishing.stack_owner import is_held
from amplify_delivery.publishing.stack_state import described
from amplify_delivery.publishing.stack_states import (
    RECOVERED_VARIABLE,
    RECOVERIES,
    Place,
    Way,
    aws,
    busy,
    check_root,
)
from amplify_delivery.publishing.stack_states import check_nested as check_nested_states
from amplify_delivery.publishing.target import cli_options

if TYPE_CHECKING:
    from amplify_delivery.delivery.account.aws_account import Account

_LONGEST = 4 * 3600.0
"""Seconds that a recovery may take."""
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between two looks at a stack that is being recovered; the last one for all that follow."""


@dataclass(frozen=True)
class Seen:
    """The root stack as it is. `way` is what a deployment does about it first; `steps` are that as steps of a plan."""

    place: Place
    status: str | None
    way: Way
    steps: tuple[RecoverStack, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def variables(self) -> Mapping[str, str]:
        """What the program has to be told for a preview, which would refuse the state."""
        return {RECOVERED_VARIABLE: str(self.status)} if self.steps else {}


def look(target: Wanted, environment: str, state: Mapping[str, Any]) -> Seen:
    """The root stack before anything is planned. `state` is the engine's. Raises `RefusedError` for one that is
    somebody else's, and for one that can neither be updated nor be brought to where it can."""
    account, name = target.account, target.root.stack_name
    place = place_of(target, environment)
    with account.asking(f"reading stack {name}"):
        cloudformation = account.client("cloudformation")
        found = described(cloudformation, name)
        if found is None:
            return Seen(place, None, Way.MAKE, notes=tuple(_gone(state, name, target)))
        if not _is_ours(found, state):
            template = deployed.template(cloudformation, found["StackId"]) if _has_template(found) else {}
            check_owner(place, str(found["StackStatus"]), template)
    status = str(found["StackStatus"])
    way = check_root(place, status)
    if way not in RECOVERIES:
        return Seen(place, status, way)
    with account.asking(f"listing what stack {name} holds"):
        failed = tuple(_failed(account, found["StackId"])) if way is Way.CONTINUE else ()
    if way in (Way.CLEAR, Way.DELETE):
        _check_empty(account, place, found)
    wanted = {s.path: s.reason for s in target.config.rollback_skips}
    skipped = tuple(sorted(f.path for f in failed if f.path in wanted))
    step = RecoverStack(name, status, OPERATIONS[way], skipped, target.execution_role_arn or "")
    return Seen(place, status, way, (step,), tuple(_notes(failed, wanted, environment)))


def check_still(target: Wanted, seen: Seen, found: deployed.Deployed) -> None:
    """Raise `RefusedError` if the root stack is in another state by now, or if a nested one keeps it from being
    updated."""
    if found.status != seen.status:
        raise RefusedError(
            f"its state was {seen.status or 'that of none'} a moment ago, and is {found.status or 'that of none'} now",
            where=seen.place.name,
            remedy="nothing was changed; run this again when nobody else changes it",
        )
    if seen.way is Way.GO:
        check_nested(target, seen.place, found)


def check_nested(target: Wanted, place: Place, found: deployed.Deployed) -> None:
    """Raise `RefusedError` if a nested stack of what is deployed keeps the root stack from being updated."""
    with target.account.asking(f"listing the stacks nested in {place.name}"):
        nested = deployed.nested_states(target.account.client("cloudformation"), found)
    check_nested_states(place, nested)


def first(seen: Seen, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps of a plan with what recovers the root stack in front. What a stack is that has to be rolled back first
    nobody can tell before: it tells the template that failed."""
    return seen.steps if seen.way is Way.ROLL_BACK else (*seen.steps, *steps)


def at_once(target: Wanted, environment: str, state: Mapping[str, Any]) -> bool:
    """What `up` does, without a plan: recover the root stack, if its state asks for that; whether it did. Raises
    `DeliveryError`s."""
    seen = look(target, environment, state)
    for note in seen.notes:
        output.progress(f"note: {note}")
    done: list[RecoverStack] = []
    with midway(lambda: bool(done)):
        for step in seen.steps:
            carry_out(target, environment, step)
            done.append(step)
    return bool(seen.steps)


def place_of(target: Wanted, environment: str) -> Place:
    """Where the root stack of an environment is, for messages."""
    options = cli_options(target.config.region, target.config.profile)
    return Place(target.root.stack_name, options, environment)


OPERATIONS: Mapping[Way, str] = {
    Way.CLEAR: "delete-stack",
    Way.DELETE: "delete-stack",
    Way.CONTINUE: "continue-update-rollback",
    Way.ROLL_BACK: "rollback-stack",
}
"""What each way does, as the AWS CLI calls it."""


def carry_out(target: Wanted, environment: str, step: RecoverStack) -> None:
    """Recover the root stack as a plan says, and wait until that has ended. Raises `FailedError`, `RefusedError` where
    nothing of that had begun."""
    account, place = target.account, place_of(target, environment)
    output.progress(f"{step.stack} is {step.status}: {step.operation}")
    with account.changing(f"{step.operation} of {step.stack}", begun=lambda: False):
        cloudformation = account.client("cloudformation")
        found = described(cloudformation, step.stack)
        if found is None or found["StackStatus"] != step.status:
            raise RefusedError(
                f"its state is {found['StackStatus'] if found else 'that of none'} by now, not {step.status}",
                where=step.stack,
                remedy=f"nothing was changed; `amplify-delivery plan {environment}`, and approve that",
            )
        names = {"/".join(path): name_of(stack) for path, stack in nested_in(cloudformation, found["StackId"])}
        _call(cloudformation, found["StackId"], step, names)
    status = _settled(account, found["StackId"])
    if status not in _AFTER[step.operation]:
        raise FailedError(
            f"{step.operation} has ended, and its state is {status}{_said(account, found['StackId'], status)}",
            where=step.stack,
            remedy=_REMEDIES[step.operation].format(
                environment=environment,
                stack=step.stack,
                options=place.options,
                skips=len(target.config.rollback_skips),
            ),
        )


_AFTER: Mapping[str, Sequence[str | None]] = {
    "delete-stack": (None, "DELETE_COMPLETE"),
    "continue-update-rollback": ("UPDATE_ROLLBACK_COMPLETE",),
    # What has no stable state behind it is deleted.
    "rollback-stack": ("UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_COMPLETE", None),
}
_REMEDIES: Mapping[str, str] = {
    "delete-stack": "put right what could not be deleted, then run this again. What may stay in the account: `aws "
    "cloudformation delete-stack --stack-name {stack} --retain-resources LOGICAL_ID ... {options}`",
    "continue-update-rollback": "put right what could not be rolled back, then `amplify-delivery plan {environment}` "
    "and approve that. What can't be put right is left as it is if its place stands in Pulumi.{environment}.yaml: "
    "`pulumi config set -s {environment} --path 'rollbackSkips[{skips}].path' PLACE`, and likewise `.reason`",
    "rollback-stack": "`amplify-delivery plan {environment}` shows what is to be done about that state",
}


def _call(cloudformation: Any, stack: str, step: RecoverStack, names: Mapping[str, str]) -> None:
    """The one call. With the execution role, which may have changed since the stack got one; without one,
    CloudFormation uses the stack's own, else the caller's rights."""
    role = {"RoleARN": step.role} if step.role else {}
    if step.operation == "delete-stack":
        cloudformation.delete_stack(StackName=stack, **role)
    elif step.operation == "rollback-stack":
        cloudformation.rollback_stack(StackName=stack, **role)
    else:
        skipped = {"ResourcesToSkip": [_skip(path, names) for path in step.skipped]} if step.skipped else {}
        cloudformation.continue_update_rollback(StackName=stack, **skipped, **role)


def _skip(path: str, names: Mapping[str, str]) -> str:
    """A resource as ContinueUpdateRollback wants it: `LOGICAL_ID`, in a nested stack `STACK_NAME.LOGICAL_ID`."""
    above, _, own = path.rpartition("/")
    return f"{names[above]}.{own}" if above else own


def _settled(account: Account, stack: str) -> str | None:
    """The state of the stack when no operation changes it any more."""
    deadline, looks = time.monotonic() + _LONGEST, 0
    while True:
        time.sleep(_PAUSES[min(looks, len(_PAUSES) - 1)])
        looks += 1
        with account.changing(f"waiting for {stack}"):
            found = described(account.client("cloudformation"), stack)
        status = str(found["StackStatus"]) if found else None
        if not busy(status):
            return status
        if time.monotonic() > deadline:
            raise FailedError(
                f"its state is still {status} after {_LONGEST / 3600:.0f} hours",
                where=stack,
                remedy=f"{aws('describe-stack-events', stack, account.options)} says what it waits for",
            )


def _gone(state: Mapping[str, Any], name: str, target: Wanted) -> Iterator[str]:
    """That a root stack is not there any more, which the engine has deployed; not of one that lies elsewhere than the
    stack file says by now: nobody has looked there, and the program refuses that."""
    here = (target.config.account, target.config.region)
    roots = [r for r in state.get("resources") or () if r.get("type") == ROOT_STACK and r.get("id")]
    if any(name in str(r["id"]) and of_stack(r) in (here, None) for r in roots):
        yield (
            f"{name} was deployed, and is gone: somebody has deleted it, with all that its templates do not retain. "
            "All is made again, empty: other user pools, other APIs, other ids. What was retained, or has a backup, "
            "keeps its name; look for it first"
        )


def _is_ours(found: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Whether the engine's state holds the stack, or was about to: a create whose answer it never got."""
    resources = state.get("resources") or ()
    pending = [p.get("resource") or {} for p in state.get("pending_operations") or ()]
    ids = {str(r["id"]) for r in resources if r.get("type") == ROOT_STACK and r.get("id")}
    being_made = any(str(p.get("type")) == ROOT_STACK and BACKEND in str(p.get("urn")) for p in pending)
    return being_made or is_held(found, ids)


def _has_template(found: Mapping[str, Any]) -> bool:
    return str(found["StackStatus"]) != "REVIEW_IN_PROGRESS"


def _check_empty(account: Account, place: Place, found: Mapping[str, Any]) -> None:
    """Raise `RefusedError` if a stack that is to be deleted first holds data."""
    with account.asking(f"listing what stack {place.name} holds"):
        held = [h for h in in_stack(account.client("cloudformation"), found["StackId"]) if not h.kept]
    if not held:
        return
    lines = "\n".join(f"  {h.path} ({h.type}, {h.data}): {h.physical_id}" for h in held)
    raise RefusedError(
        f"its state is {found['StackStatus']}: it can only be deleted, and it holds what can hold data:\n{lines}",
        where=place.name,
        remedy=f"nothing was changed. Look whether that is used. {_staying(place, str(found['StackStatus']), held)} "
        f"Only if it may go, with its data: `amplify-delivery destroy {place.environment} --delete-data`, then run "
        "this again",
    )


def _staying(place: Place, status: str, held: Sequence[Held]) -> str:
    """What to do about data that should stay. `RetainResources` is for stacks in DELETE_FAILED (DeleteStack, API
    reference), and takes the root's own resources: with a nested stack all that is in it stays."""
    if status == "DELETE_FAILED":
        own = " ".join(sorted({h.path.partition("/")[0] for h in held}))
        keeping = (
            f"`aws cloudformation delete-stack --stack-name {place.name} --retain-resources {own} {place.options}`"
        )
        return f"What should stay stays with {keeping}, which leaves it in the account, outside of any root stack."
    return (
        "What should stay has to be saved first (backups of its tables, copies of its buckets): it goes with the stack."
    )


@dataclass(frozen=True)
class _Failed:
    """A resource whose rollback has failed, by the place that a plan shows, and why."""

    path: str
    why: str


def _failed(account: Account, stack: str, path: tuple[str, ...] = ()) -> Iterator[_Failed]:
    """The resources that could not be rolled back, through all nested stacks."""
    cloudformation = account.client("cloudformation")
    for item in _resources(account, stack):
        if item["ResourceStatus"] != "UPDATE_FAILED":
            continue
        own = (*path, item["LogicalResourceId"])
        if item["ResourceType"] == STACK_TYPE and item.get("PhysicalResourceId"):
            below = described(cloudformation, item["PhysicalResourceId"])
            if below is not None and below["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
                yield from _failed(account, item["PhysicalResourceId"], own)
                continue
        yield _Failed("/".join(own), str(item.get("ResourceStatusReason") or ""))


def _resources(account: Account, stack: str) -> Iterator[Mapping[str, Any]]:
    pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        yield from page["StackResourceSummaries"]


def _said(account: Account, stack: str, status: str | None) -> str:
    """What could not be rolled back, as lines."""
    if status != "UPDATE_ROLLBACK_FAILED":
        return ""
    with account.changing(f"listing what stack {stack} holds"):
        return ":\n" + "\n".join(f"  {f.path}: {f.why}" for f in _failed(account, stack))


def _notes(failed: Sequence[_Failed], skips: Mapping[str, str], environment: str) -> Iterator[str]:
    """Of each resource that could not be rolled back, why, and what becomes of it."""
    for one in failed:
        if one.path in skips:
            yield (
                f"the rollback leaves {one.path} as it is, because: {skips[one.path]}. What runs is not what its "
                "template says then"
            )
        else:
            yield (
                f"{one.path} could not be rolled back: {one.why or 'CloudFormation gives no reason'}. Put that right, "
                f"or have it left as it is (`rollbackSkips` in Pulumi.{environment}.yaml)"
            )
    for path in sorted(skips.keys() - {f.path for f in failed}):
        yield f"`rollbackSkips` names {path}, whose rollback has not failed: it can be taken out"
