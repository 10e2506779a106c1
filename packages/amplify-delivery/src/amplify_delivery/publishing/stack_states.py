"""What can be done with a stack in each of CloudFormation's states. Pure.

One table that every command asks: `plan`, `deploy`, `up`, `rollback` and `destroy`, the check inside the program, and
what waits. The states and what AWS accepts in them: CloudFormation User Guide, "Stack status codes"; API Reference,
ContinueUpdateRollback, RollbackStack, DeleteStack, UpdateStack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from amplify_delivery.errors import RefusedError

RECOVERED_VARIABLE = "AMPLIFY_DELIVERY_RECOVERS"
"""Environment variable with the state that a command is going to bring the root stack out of before it updates it:
`plan` sets it for the program's preview, which would refuse that state."""

Path = tuple[str, ...]
"""Logical ids of nested stacks, from the root on; empty for the root itself."""


class Way(Enum):
    """What a command does about a stack in some state."""

    GO = "nothing stands in the way"
    MAKE = "there is none"
    WAIT = "an operation is changing it"
    CLEAR = "it holds nothing: it is deleted, then made"
    DELETE = "it was never made whole: it is deleted, then made, unless data would go"
    CONTINUE = "its rollback is continued"
    ROLL_BACK = "it is rolled back"
    REFUSE = "a person has to act"


RECOVERIES = (Way.CLEAR, Way.DELETE, Way.CONTINUE, Way.ROLL_BACK)
"""What a deployment does to the root stack before it updates it."""


@dataclass(frozen=True)
class State:
    """What one state means for a root stack that is to be deployed, for one that is to be destroyed, and for a nested
    stack whose root could be updated."""

    deliver: Way
    destroy: Way
    nested: Way


_HEALTHY = State(Way.GO, Way.GO, Way.GO)
_BUSY = State(Way.WAIT, Way.WAIT, Way.WAIT)

STATES: Mapping[str, State] = {
    "CREATE_COMPLETE": _HEALTHY,
    "CREATE_IN_PROGRESS": _BUSY,
    "CREATE_FAILED": State(Way.DELETE, Way.GO, Way.REFUSE),
    "DELETE_COMPLETE": State(Way.MAKE, Way.MAKE, Way.REFUSE),
    "DELETE_FAILED": State(Way.DELETE, Way.GO, Way.REFUSE),
    "DELETE_IN_PROGRESS": _BUSY,
    "IMPORT_COMPLETE": _HEALTHY,
    "IMPORT_IN_PROGRESS": _BUSY,
    "IMPORT_ROLLBACK_COMPLETE": _HEALTHY,
    "IMPORT_ROLLBACK_FAILED": State(Way.REFUSE, Way.GO, Way.REFUSE),
    "IMPORT_ROLLBACK_IN_PROGRESS": _BUSY,
    # A change set of its own is all that such a stack is, and of a nested one too.
    "REVIEW_IN_PROGRESS": State(Way.CLEAR, Way.GO, Way.REFUSE),
    "ROLLBACK_COMPLETE": State(Way.CLEAR, Way.GO, Way.REFUSE),
    "ROLLBACK_FAILED": State(Way.DELETE, Way.GO, Way.REFUSE),
    "ROLLBACK_IN_PROGRESS": _BUSY,
    "UPDATE_COMPLETE": _HEALTHY,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": _BUSY,
    # The provider updates without DisableRollback, and only with it would AWS go on from there.
    "UPDATE_FAILED": State(Way.ROLL_BACK, Way.GO, Way.REFUSE),
    "UPDATE_IN_PROGRESS": _BUSY,
    "UPDATE_ROLLBACK_COMPLETE": _HEALTHY,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": _BUSY,
    "UPDATE_ROLLBACK_FAILED": State(Way.CONTINUE, Way.GO, Way.REFUSE),
    "UPDATE_ROLLBACK_IN_PROGRESS": _BUSY,
}
"""All 23 of them."""

_UNKNOWN = State(Way.REFUSE, Way.REFUSE, Way.REFUSE)
"""A state that AWS has added since."""


def meaning(status: str | None) -> State:
    """What a state means; None is that of a stack that is not there."""
    return STATES["DELETE_COMPLETE"] if status is None else STATES.get(status, _UNKNOWN)


def busy(status: str | None) -> bool:
    """Whether an operation is changing the stack."""
    return meaning(status).deliver is Way.WAIT


def begins_anew(status: str | None) -> bool:
    """Whether a deployment makes the stack, rather than updates it: what it may hold by now is not updated."""
    return meaning(status).deliver in (Way.MAKE, Way.CLEAR, Way.DELETE)


@dataclass(frozen=True)
class Place:
    """The root stack by name, and what an `aws` command takes to ask the same account."""

    name: str
    options: str
    environment: str = ""
    """The Pulumi stack; empty where only CloudFormation is known."""


def aws(operation: str, stack: str, options: str) -> str:
    """The command of the AWS CLI that does one thing to a stack."""
    return f"`aws cloudformation {operation} --stack-name {stack} {options}`"


def check_root(place: Place, status: str | None, *, destroying: bool = False) -> Way:
    """What is done about the root stack; never `WAIT` or `REFUSE`, for which it raises `RefusedError`."""
    state = meaning(status)
    way = state.destroy if destroying else state.deliver
    if way is Way.WAIT:
        wait = ", or with `--wait MINUTES`" if place.environment else ""
        raise RefusedError(
            f"its state is {status}: what it will be is not known yet",
            where=place.name,
            remedy=f"nothing was changed; wait until that has ended, then run this again{wait}",
        )
    if way is Way.REFUSE:
        raise RefusedError(
            f"its state is {status}, from which AWS knows no way back: {_REASONS.get(str(status), _NEW)}",
            where=place.name,
            remedy=f"nothing was changed. {aws('describe-stack-events', place.name, place.options)} says what failed. "
            "Import again what could not be taken out (a change set of type IMPORT), or ask AWS Support to set the "
            "state right; then run this again",
        )
    return way


_NEW = "this version of Amplify Delivery does not know it"
_REASONS = {"IMPORT_ROLLBACK_FAILED": "resources that were imported into it could not be taken out again"}


def check_nested(place: Place, nested: Mapping[Path, tuple[str, str]], *, destroying: bool = False) -> None:
    """Raise `RefusedError` if a nested stack keeps its root from being updated, or from being destroyed: then it is
    waited for only. `nested` are id (or name) and state of each.

    Only of a root that could be updated: what a root does that is recovered first it does to all below it."""
    for path, stack, status in _standing_in_the_way(nested, destroying):
        where = f"{'/'.join(path)} ({stack}, nested in {place.name})"
        if meaning(status).nested is Way.WAIT:
            raise RefusedError(
                f"its state is {status}: somebody is changing it by itself",
                where=where,
                remedy="nothing was changed; wait until that has ended, then run this again",
            )
        why, what = _NESTED.get(status, (f"its state is {status}, which this program does not know", _LOOK))
        raise RefusedError(
            f"its state is {status}: {why}",
            where=where,
            remedy="nothing was changed. " + what.format(stack=stack, options=place.options),
        )


def _standing_in_the_way(nested: Mapping[Path, tuple[str, str]], destroying: bool) -> Iterator[tuple[Path, str, str]]:
    """Those first for which waiting is enough: another one may have been left by the same operation."""
    found = [(path, *named) for path, named in sorted(nested.items()) if meaning(named[1]).nested is not Way.GO]
    if destroying:
        found = [f for f in found if meaning(f[2]).nested is Way.WAIT]
    yield from sorted(found, key=lambda f: meaning(f[2]).nested is not Way.WAIT)


_LOOK = "`aws cloudformation describe-stack-events --stack-name {stack} {options}` says what failed"
_WITHOUT = (
    "Deliver an export without that category, which removes the stack, then this one again; data that it holds has to "
    "be saved before. " + _LOOK
)
_NESTED: Mapping[str, tuple[str, str]] = {
    "CREATE_FAILED": ("it was made by an operation that was not rolled back", _WITHOUT),
    "DELETE_COMPLETE": (
        "it was deleted by itself, past its root, which still counts on it",
        "Deliver an export without that category, then this one again: it is made again, and empty",
    ),
    "DELETE_FAILED": (
        "somebody has begun to delete it by itself, past its root",
        _LOOK + ". What is left of it goes with `aws cloudformation delete-stack --stack-name {stack} "
        "--retain-resources LOGICAL_ID ... {options}`, but for what is named there, which stays in the account: all "
        "that holds data (`aws cloudformation list-stack-resources --stack-name {stack} {options}`). Then deliver an "
        "export without that category, and this one again",
    ),
    "IMPORT_ROLLBACK_FAILED": ("resources that were imported into it could not be taken out again", _LOOK),
    "REVIEW_IN_PROGRESS": (
        "it is a change set that was never executed",
        "Delete or execute the root's change set (`aws cloudformation list-change-sets`), then run this again",
    ),
    "ROLLBACK_COMPLETE": ("its create failed, and it holds nothing", _WITHOUT),
    "ROLLBACK_FAILED": ("its create failed, and so did what should have taken it back", _WITHOUT),
    "UPDATE_FAILED": (
        "somebody has updated it by itself, without rollback",
        "`aws cloudformation rollback-stack --stack-name {stack} {options}`, then run this again",
    ),
    "UPDATE_ROLLBACK_FAILED": (
        "somebody has updated it by itself, past its root, and what failed could not be rolled back",
        _LOOK + ": put that right, then `aws cloudformation continue-update-rollback --stack-name {stack} {options}`. "
        "AWS documents that for root stacks; should it refuse, AWS Support has to help",
    ),
}
"""Why a nested stack stands in the way although its root does not, and what helps."""


_DONE = "`amplify-delivery up {environment}`, or `plan` and `deploy`, {does}"
_BY_HAND: Mapping[Way, tuple[str, str]] = {
    Way.CLEAR: ("deletes it first: it holds nothing", "delete-stack"),
    # By hand it would go with its data, and nobody here has looked for any.
    Way.DELETE: ("deletes it first, unless data would go", "list-stack-resources"),
    Way.CONTINUE: ("continues its rollback first", "continue-update-rollback"),
    Way.ROLL_BACK: ("rolls it back first", "rollback-stack"),
}


def by_hand(place: Place, way: Way) -> str:
    """How a person gets the root stack out of a state that a deployment of ours gets it out of."""
    does, operation = _BY_HAND[way]
    command = aws(operation, place.name, place.options)
    if way is Way.DELETE:
        command = f"{command} shows what it holds: where nothing of that has data it can be deleted"
    if not place.environment:
        return f"{command}, then run this again"
    return f"{_DONE.format(environment=place.environment, does=does)}; by hand {command}"
