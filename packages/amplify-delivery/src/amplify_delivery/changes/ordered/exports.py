"""Exports that a release takes away, or changes, while another stack of the same backend imports them. Pure.

CloudFormation does neither with an export that is in use, and it updates the stack that exports before the one that
imports (which has a parameter of it), or both at once. So the export stays as it is for one update more, in which the
import goes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from amplify_delivery.changes.ordered.indexes import NotOrderableError
from amplify_delivery.changes.references import imports_of, targets
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.templates.expressions import names_in

Outputs = Mapping[Path, Mapping[str, Any]]
"""Outputs by their names, by the path of their stack."""


def in_use(old: Stacks, new: Stacks, replaced: Collection[Path] = ()) -> dict[Path, tuple[str, ...]]:
    """Of each stack that stays, the outputs whose exports go from `old` to `new`, or change, though another stack of
    `old` imports them. A nested stack that goes as a whole is no matter: CloudFormation deletes it last. `replaced` are
    resources that get another physical id."""
    left = {canonical(name): place for place, name in new.resolved.exports.items()}
    changed = {
        canonical(name): place
        for place, name in old.resolved.exports.items()
        if place[0] in new.templates and _differs(old, place, new, left.get(canonical(name)), replaced)
    }
    if not changed:
        return {}
    imported = _imported(old)
    found: dict[Path, tuple[str, ...]] = {}
    for name, (stack, output) in sorted(changed.items(), key=lambda item: item[1]):
        if name in imported:
            found[stack] = (*found.get(stack, ()), output)
    return found


_Place = tuple[Path, str]
"""A stack, and one of its outputs."""


def _differs(old: Stacks, was: _Place, new: Stacks, now: _Place | None, replaced: Collection[Path]) -> bool:
    """Whether the export at `was` is another one then: by its stack, or by its value."""
    if now is None or now[0] != was[0]:
        return True
    before, after = old.resolved.outputs[was], new.resolved.outputs[now]
    return before != after or bool(replaced_in(after, replaced))


def replaced_in(value: Any, replaced: Collection[Path]) -> set[Path]:
    """Of the resources that a resolved value refers to those that are `replaced`."""
    return {*targets(value)} & {*replaced}


def _imported(stacks: Stacks) -> set[bytes]:
    return {canonical(name) for _, name in imports_of(stacks.resolved)}


def kept(old: Stacks, new: Stacks, replaced: Collection[Path] = ()) -> Outputs:
    """The outputs that `new` has to have, as they are in `old`, for one update more. Raises `NotOrderableError` for one
    that cannot stay as it is."""
    found: dict[Path, Mapping[str, Any]] = {}
    for stack, names in in_use(old, new, replaced).items():
        outputs = {name: old.templates[stack]["Outputs"][name] for name in names}
        for name, output in outputs.items():
            _check_imported_no_more(old, (stack, name), new)
            _check_stays(old, (stack, name), output, new, replaced)
        found[stack] = outputs
    return found


def _check_imported_no_more(old: Stacks, place: _Place, new: Stacks) -> None:
    name = canonical(old.resolved.exports[place])
    if name in _imported(new):
        raise NotOrderableError(
            f"the output {place[1]} is imported in this release too: export the new one under another name, and have "
            "that imported"
        )
    if any(canonical(n) == name and stack != place[0] for (stack, _), n in new.resolved.exports.items()):
        raise NotOrderableError(f"another stack exports the name of the output {place[1]} in the same release")


def _check_stays(
    old: Stacks, place: _Place, output: Mapping[str, Any], new: Stacks, replaced: Collection[Path]
) -> None:
    stack, name = place
    template = new.templates[stack]
    there = {*(template.get("Resources") or {}), *(template.get("Parameters") or {})}
    lost = [what for what in sorted(names_in(output)) if what not in there and not what.startswith("AWS::")]
    if output.get("Condition") not in {None, *(template.get("Conditions") or {})}:
        lost.append(output["Condition"])
    if lost:
        raise NotOrderableError(f"the output {name} tells of {lost[0]}, which goes in the same release")
    if anew := sorted(replaced_in(old.resolved.outputs[place], replaced)):
        raise NotOrderableError(f"the output {name} tells of {anew[0][-1]}, which is replaced in the same release")
