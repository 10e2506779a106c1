"""What the rest of the engine knows, in the form in which a report shows it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from amplify_delivery.changes.gained import Gained
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import ChangeOutput, ChangeProgram, UpdateRoot
from amplify_delivery.delivery.account.role_rights import Needs
from amplify_delivery.delivery.planning import Plan, Step, updates_of
from amplify_delivery.delivery.reporting.page import report_model as model
from amplify_delivery.errors import DeliveryError
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.findings import Finding

Path = tuple[str, ...]


def lines(wanted: Stacks, steps: Sequence[Step]) -> tuple[model.Line, ...]:
    """Every resource of the backend as it should be, with what is done to it; and all other steps. Nested stacks are
    listed only where a step is about one itself."""
    told = [_told(step, number) for number, _, inside in updates_of(steps)[1] for step in inside]
    touched = {(line.stack, line.name) for line in told if line.part == "backend"}
    return (*told, *(line for line in _resources(wanted) if (line.stack, line.name) not in touched))


def _resources(wanted: Stacks) -> Iterator[model.Line]:
    for path, template in wanted.templates.items():
        for name, item in (template.get("Resources") or {}).items():
            if item.get("Type") != STACK_TYPE:
                yield model.Line(path, name, str(item.get("Type", "")))


def _told(step: Step, run: int) -> model.Line:
    if isinstance(step, ChangeProgram | ChangeOutput):
        part: Literal["program", "outputs"] = "program" if isinstance(step, ChangeProgram) else "outputs"
        return model.Line((), step.place, step.type, step.mark, step.what, step.loss, part, run)
    path: Path = getattr(step, "path", ())
    stack, name = (path[:-1], path[-1]) if path else ((), step.place)
    return model.Line(stack, name, step.type, step.mark, step.what, step.loss, "backend", run)


def stacks(wanted: Stacks, root: str, states: Mapping[Path, str]) -> tuple[model.Stack, ...]:
    """The backend's stacks as they should be; `states` of those that are there, by path. `root` is the root's name."""
    return tuple(
        model.Stack(path, path[-1] if path else root, _own(template), states.get(path, ""))
        for path, template in sorted(wanted.templates.items())
    )


def _own(template: Mapping[str, Any]) -> int:
    return sum(item.get("Type") != STACK_TYPE for item in (template.get("Resources") or {}).values())


def plan(found: Plan, refused: Iterable[DeliveryError] = ()) -> model.Plan:
    """A whole plan, without its steps: `lines` has these. `refused` is why it may not be carried out."""
    return model.Plan(
        whole=True,
        changes=found.changes,
        digest=found.digest,
        updates=tuple(step.what for step in found.steps if isinstance(step, UpdateRoot)),
        rights=rights(found.gained),
        notes=found.notes,
        impossible=tuple(model.Trouble(str(item), item.remedy) for item in found.impossible),
        refused=tuple(model.Trouble(error.message, error.remedy) for error in refused),
        drift=None if found.drift is None else tuple(model.Drifted(d.place, d.type, d.what) for d in found.drift),
    )


def rights(found: Iterable[Gained]) -> tuple[model.Right, ...]:
    """Rights that are gained, those that stand open first."""
    ordered = sorted(found, key=lambda right: not right.open)
    return tuple(model.Right(right.place, right.what, right.open) for right in ordered)


def findings(found: Iterable[Finding]) -> tuple[model.Found, ...]:
    """Findings, the gravest first."""
    order = ("refused", "warning", "repaired")
    ordered = sorted(found, key=lambda f: (order.index(f.severity), f.id, f.file, f.message))
    return tuple(model.Found(f.id, f.severity, f.file, f.message, f.remedy) for f in ordered)


def role(name: str, purpose: str, needs: Needs, missing: Collection[str] | None) -> model.Role:
    """A role and what it needs; `missing` are actions of that, None if nobody could say."""
    return model.Role(
        name,
        purpose,
        tuple(
            model.Need(action, tuple(types), None if missing is None else action in missing)
            for action, types in needs.items()
        ),
    )


def unread(what: str, error: DeliveryError) -> model.Unread:
    """What an error has kept from being read."""
    text = f"{error.where}: {error.message}" if error.where else error.message
    return model.Unread(what, text, error.remedy)
