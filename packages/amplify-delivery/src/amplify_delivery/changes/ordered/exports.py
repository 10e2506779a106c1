"""Exports that a release takes away while another stack of the same backend still imports them. Pure.

CloudFormation takes no export away that is in use, and it updates the stack that exports before the one that imports
(which has a parameter of it), or both at once. So the export stays for one update more, in which the import goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.ordered.indexes import NotOrderableError
from amplify_delivery.changes.references import imports_of
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembly import canonical

Outputs = Mapping[Path, Mapping[str, Any]]
"""Outputs by their names, by the path of their stack."""


def in_use(old: Stacks, new: Stacks) -> dict[Path, tuple[str, ...]]:
    """Of each stack that stays, the outputs whose exports go from `old` to `new` though another stack of `old` imports
    them. A nested stack that goes as a whole is no matter: CloudFormation deletes it last."""
    left = {canonical(name) for name in new.resolved.exports.values()}
    gone = {
        canonical(name): place
        for place, name in old.resolved.exports.items()
        if place[0] in new.templates and canonical(name) not in left
    }
    if not gone:
        return {}
    imported = {canonical(name) for _, name in imports_of(old.resolved)}
    found: dict[Path, tuple[str, ...]] = {}
    for name, (stack, output) in sorted(gone.items(), key=lambda item: item[1]):
        if name in imported:
            found[stack] = (*found.get(stack, ()), output)
    return found


def kept(old: Stacks, new: Stacks) -> Outputs:
    """The outputs that `new` has to have for one update more. Raises `NotOrderableError` for one that tells of
    something that goes as well."""
    found: dict[Path, Mapping[str, Any]] = {}
    for stack, names in in_use(old, new).items():
        outputs = {name: old.templates[stack]["Outputs"][name] for name in names}
        template = new.templates[stack]
        there = {*(template.get("Resources") or {}), *(template.get("Parameters") or {})}
        for name, output in outputs.items():
            lost = [what for what in _names(output) if what not in there and not what.startswith("AWS::")]
            if output.get("Condition") not in {None, *(template.get("Conditions") or {})}:
                lost.append(output["Condition"])
            if lost:
                raise NotOrderableError(f"the output {name} tells of {lost[0]}, which goes in the same release")
        found[stack] = outputs
    return found


def _names(value: Any) -> Iterator[str]:
    """The logical ids that an expression of a template refers to, as far as they stand there plainly."""
    if isinstance(value, Mapping):
        for function, argument in value.items():
            if function == "Ref" and isinstance(argument, str):
                yield argument
            elif function == "Fn::GetAtt":
                yield str(argument[0] if isinstance(argument, list) else argument).split(".")[0]
            else:
                yield from _names(argument)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)
