"""Plan the stack's outputs, from the engine's preview. Pure.

An output is no resource: the engine changes it whenever it runs, and runs for it alone if nothing else changes. What
follows from a resource that changes is not known in a preview, and no step of its own: the resource's is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from amplify_delivery.changes.steps import ChangeOutput, digest
from amplify_delivery.delivery.planning.program import ProgramStep
from amplify_delivery.stacks.output_names import STANDARD, STASH, STASH_PREFIX

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a value that only the update will know (`plugin.UnknownStringValue` of Pulumi's SDK)."""


def plan_outputs(
    old: Mapping[str, Any], new: Mapping[str, Any], steps: Iterable[ProgramStep], *, others: bool
) -> tuple[ChangeOutput, ...]:
    """The changes from the outputs `old`, which the engine's state has, to `new`, which the program declares, by name;
    both as the engine's events tell them, with secrets masked. `steps` are the preview's.

    With `others`, steps of another kind, those count that the stage exports itself: the rest follows. So does all of a
    first deployment.
    """
    if others and not old:
        return ()
    names = sorted({*old, *new} - (STANDARD if others else frozenset()))
    changed = set(_secrets(steps))
    found = (_change(name, old, new, secret=name in changed) for name in names)
    return tuple(step for step in found if step)


def _change(name: str, old: Mapping[str, Any], new: Mapping[str, Any], *, secret: bool) -> ChangeOutput | None:
    if name not in new:
        return ChangeOutput(name, "remove", "")
    after = "" if secret or _unknown(new[name]) else digest(new[name])
    if name not in old:
        return ChangeOutput(name, "add", after)
    if secret or (after and new[name] != old[name]):
        return ChangeOutput(name, "change", after)
    return None


def _secrets(steps: Iterable[ProgramStep]) -> Iterator[str]:
    """Names of secret outputs whose value changes: events mask it, but the engine compares what the program stashes of
    it (`amplify_delivery.stacks.secret_outputs`)."""
    for step in steps:
        name = step.urn.rpartition("::")[2]
        if step.type == STASH and name.startswith(STASH_PREFIX) and step.operation in ("create", "update"):
            yield name.removeprefix(STASH_PREFIX)


def _unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_unknown(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_unknown(inner) for inner in value)
    return isinstance(value, str) and UNKNOWN in value
