"""What becomes of drift: three values of each property, what a deployment does to it, who has acknowledged it. Pure.

CloudFormation compares templates with templates. A resource whose template stays the same is not touched, however it
runs: its drift stays. What is set again is a property that changes in the template; whether an update resets others of
that resource differs from type to type, and AWS does not say ("Update behaviors of stack resources", user guide).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from amplify_delivery.changes.drift.model import DELETED, Detected, Difference, Drifted, shown
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import (
    AddResource,
    ChangeResource,
    Path,
    RemoveResource,
    ReplaceResource,
    Step,
    digest,
)
from amplify_delivery.errors import RefusedError
from amplify_delivery.export.model import STACK_TYPE

Effect = Literal["left", "brought-back", "perhaps-brought-back", "taken-over", "removed", "fails"]

_WORDS: Mapping[Effect, str] = {
    "left": "left as it runs",
    "brought-back": "brought back by this deployment",
    "perhaps-brought-back": "perhaps brought back: this deployment changes the resource, not this property",
    "taken-over": "taken over: this release says the same",
    "removed": "goes with its resource",
    "fails": "this deployment would change what is no longer there, and fail",
}
_LONGEST = 60
"""Characters of a value in a line for people; the JSON has all of it."""


@dataclass(frozen=True)
class Acknowledged:
    """Drift that somebody knows of, as the stack file has it: of this place, with this running value only."""

    path: str
    pointer: str
    value: str
    reason: str

    def covers(self, drift: Drift) -> bool:
        """Whether it is this very one."""
        return (self.path, self.pointer, self.value) == (drift.place, drift.pointer, drift.running)


@dataclass(frozen=True)
class Drift:
    """One property that runs with another value than it was delivered with. Values as they may be shown."""

    path: Path
    type: str
    pointer: str
    """JSON pointer of the property; empty when the whole resource is gone."""
    deployed: str
    running: str
    wanted: str | None
    """What this release says; None where only the deployment knows, or where the resource is to go."""
    effect: Effect
    acknowledged: str | None = None
    """The reason that the stack file gives."""

    @property
    def place(self) -> str:
        return "/".join(self.path)

    @property
    def what(self) -> str:
        """The line for people."""
        if self.running == DELETED:
            values = DELETED
        else:
            wanted = "" if self.wanted in (None, self.deployed) else f", this release {_cut(str(self.wanted))}"
            values = f"{self.pointer}: delivered {_cut(self.deployed)}, runs {_cut(self.running)}{wanted}"
        known = f" (acknowledged: {self.acknowledged})" if self.acknowledged else ""
        return f"{values}; {_WORDS[self.effect]}{known}"

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.place,
            "type": self.type,
            "property": self.pointer,
            "deployed": self.deployed,
            "running": self.running,
            "wanted": self.wanted,
            "effect": self.effect,
            "acknowledged": self.acknowledged,
        }


def drift(
    found: Detected, steps: Sequence[Step], wanted: Stacks, acknowledged: Iterable[Acknowledged] = ()
) -> tuple[Drift, ...]:
    """All that differs, by place, with what carrying out `steps`, which lead to `wanted`, does to it."""
    by_path = {step.path: step for step in steps if isinstance(step, _OF_RESOURCES)}
    known = tuple(acknowledged)
    return tuple(
        _with_reason(_drift(resource, difference, by_path.get(resource.path), steps, wanted), known)
        for resource in sorted(found.drifted, key=lambda r: r.path)
        for difference in sorted(resource.differences, key=lambda d: d.pointer)
    )


_OF_RESOURCES = (AddResource, ChangeResource, RemoveResource, ReplaceResource)
_OfResource = AddResource | ChangeResource | RemoveResource | ReplaceResource


def _drift(
    resource: Drifted, difference: Difference, step: _OfResource | None, steps: Sequence[Step], wanted: Stacks
) -> Drift:
    path, pointer = resource.path, difference.pointer
    value = None if resource.deleted or isinstance(step, RemoveResource) else _wanted(wanted, path, pointer)
    if resource.type == STACK_TYPE:
        # A nested stack's parameters: any update of the root sets them.
        below = any(getattr(s, "path", None) is not None for s in steps)
        effect: Effect = "brought-back" if below else "left"
    else:
        effect = _effect(resource, difference, step, value)
    return Drift(
        path,
        resource.type,
        pointer,
        shown(path, pointer, difference.deployed),
        shown(path, pointer, difference.running),
        None if value is None else shown(path, pointer, value),
        effect,
    )


def _effect(resource: Drifted, difference: Difference, step: _OfResource | None, wanted: str | None) -> Effect:
    if isinstance(step, RemoveResource):
        return "removed"
    if isinstance(step, ReplaceResource) and step.certain:
        return "brought-back"
    if resource.deleted:
        return "fails" if step else "left"
    if step is None:
        return "left"
    changed = () if isinstance(step, AddResource) else step.properties
    if difference.pointer.split("/")[1] not in changed:
        return "perhaps-brought-back"
    return "taken-over" if wanted == difference.running else "brought-back"


def _wanted(wanted: Stacks, path: Path, pointer: str) -> str | None:
    """The value that `wanted` gives a property, as CloudFormation writes it; None where that cannot be known."""
    resource = wanted.resolved.resources.get(path)
    if resource is None:
        return None
    found: Any = resource.properties
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal():
            found = found[int(name)] if int(name) < len(found) else None
        elif isinstance(found, Mapping) and not _unknown(found):
            found = found.get(name)
        else:
            return None
    return None if _unknown(found) else _text(found)


def _unknown(value: Any) -> bool:
    """Whether it holds a function that only the deployment works out."""
    if isinstance(value, Mapping):
        return any(k == "Ref" or k.startswith("Fn::") for k in value) or any(map(_unknown, value.values()))
    return isinstance(value, list) and any(map(_unknown, value))


def _text(value: Any) -> str:
    """As a `PropertyDifference` has it."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


def _with_reason(found: Drift, acknowledged: Sequence[Acknowledged]) -> Drift:
    reason = next((a.reason for a in acknowledged if a.covers(found)), None)
    if reason is None:
        return found
    return replace(found, acknowledged=reason)


def stale(found: Iterable[Drift], acknowledged: Iterable[Acknowledged]) -> tuple[Acknowledged, ...]:
    """Acknowledgements that meet nothing any more: what they were about is gone, or runs with another value."""
    have = tuple(found)
    return tuple(a for a in acknowledged if not any(a.covers(drift) for drift in have))


def state_digest(found: Sequence[Drift]) -> str:
    """The digest of how it runs: whatever else is acknowledged or done about it is no part of the state."""
    return digest([[d.place, d.pointer, d.running] for d in found])


def check(found: Sequence[Drift], environment: str, *, refuse: bool, known: int = 0) -> None:
    """Raise `RefusedError` for drift on which the deployment would fail; with `refuse` for any that nobody has
    acknowledged. `known` is how many acknowledgements the stack file has already."""
    fatal = [d for d in found if d.effect == "fails"]
    if fatal:
        raise RefusedError(
            f"this deployment would fail on what somebody has deleted:\n{listed(fatal)}",
            where=environment,
            remedy="nothing was changed. Bring it back first (docs/operations.md, Drift), or take it out of the export",
        )
    open_ = [d for d in found if refuse and d.acknowledged is None]
    if open_:
        raise RefusedError(
            f"what runs is not what was delivered:\n{listed(open_)}",
            where=environment,
            remedy="nothing was changed. Put it into the export, set it back, or acknowledge it with a reason: "
            f"{how_to_acknowledge(open_[0], environment, known)} (docs/operations.md, Drift)",
        )


def how_to_acknowledge(drift: Drift, environment: str, known: int) -> str:
    """The commands, of the first of several values; the reason is a person's."""
    said = {"path": drift.place, "property": drift.pointer, "value": drift.running, "reason": "WHY"}
    if not drift.pointer:
        del said["property"]  # the resource is gone
    commands = (
        # A number below zero would be an option.
        f"pulumi config set -s {environment} --path {'-- ' if value.startswith('-') else ''}"
        f"'drift.acknowledged[{known}].{key}' {shlex.quote(value)}"
        for key, value in said.items()
    )
    return f"`{' && '.join(commands)}`"


def listed(found: Sequence[Drift]) -> str:
    """A line each."""
    return "\n".join(f"  {d.place} ({d.type}): {d.what}" for d in found)


def _cut(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 3]}..."
