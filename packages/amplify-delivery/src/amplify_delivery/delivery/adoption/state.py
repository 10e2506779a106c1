"""The engine's state of an adopted environment: made by the engine itself, from the team's own program.

The program declares the running root with its ARN to import (`ADOPT_VARIABLE`), and of all that it declares only the
root is targeted, with what the engine has to remember beside it: so URNs, providers and secrets are the engine's own,
and nothing is created in AWS. An import reads no parameters, since the provider reads those only that it knows of; they
are completed afterwards, as the provider writes them when it deploys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from amplify_delivery.components.documents.rights.pulumi_types import PULUMI_STACK, ROOT_STACK
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.planning.program import AT_REST, BACKEND
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.stack_owner import is_delivered

STASH = "pulumi:index:Stash"
PLACE = "place"
"""What the program remembers of where a stack lies; of an account's, with the environment behind it."""
_DEFAULTS = "__defaults"
"""The provider's mark of inputs that it has chosen itself: none."""
_COMPUTED = ("disableRollback", "region", "templateBody")
"""What a read tells and our programs do not set."""
_SHOWN = "templateBody"
"""The running template, in which secrets may stand in plain text until the first delivery: no state has to keep it,
and each refresh reads it."""


def root_of(resources: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The backend's root stack in a state; None if it holds none."""
    return next((r for r in resources if r["type"] == ROOT_STACK and BACKEND in r["urn"] and not r.get("delete")), None)


def is_complete(root: Mapping[str, Any], parameters: Mapping[str, str]) -> bool:
    """Whether a root in the state has the parameters that it runs with."""
    return not parameters or bool((root.get("inputs") or {}).get("parameters"))


def was_delivered(root: Mapping[str, Any] | None) -> bool:
    """Whether a root in the state has been deployed from here, whatever runs by now."""
    return root is not None and is_delivered((root.get("inputs") or {}).get("parameters") or {})


def take_in(engine: Engine, arn: str, parameters: Mapping[str, str]) -> None:
    """Bring the running root stack into the state of `engine`, whose program has been told to adopt it.

    Raises `RefusedError` if the program declares no backend, `DeliveryError`s of the engine.
    """
    root = root_of(engine.resources())
    if root is None:
        engine.up(only=targets(engine.preview().steps, arn))
    state = engine.state()
    changed = completed(state, parameters)
    if changed != state:
        engine.write(changed)


def targets(steps: Sequence[ProgramStep], arn: str) -> list[str]:
    """URNs of the root, of what the engine remembers of it, and of what these stand below."""
    wanted = [s for s in steps if (s.type == ROOT_STACK and BACKEND in s.urn) or _remembers(s)]
    if not any(step.type == ROOT_STACK for step in wanted):
        raise RefusedError(
            "the program declares no root stack to adopt",
            where=arn,
            remedy="`backend` of the stage has to be an `AmplifyBackend` with `environment.backend_args`",
        )
    return with_above(steps, [urn for step in wanted for urn in (step.urn, step.provider.rpartition("::")[0])])


def with_above(steps: Iterable[ProgramStep], urns: Iterable[str]) -> list[str]:
    """`urns`, and those of the components that they stand below: without these the engine takes them for no targets.

    Without what the state holds as it is wanted: of a target that is there already the engine would delete all that
    depends on it and that the program does not declare now (the staging area, secrets), and fails because those are no
    targets.
    """
    by_urn = {step.urn: step for step in steps if step.type != PULUMI_STACK}
    found: dict[str, None] = {}
    for urn in filter(None, urns):
        found[urn] = None
        above = by_urn[urn].parent if urn in by_urn else ""
        while above in by_urn:
            found[above] = None
            above = by_urn[above].parent
    return [urn for urn in found if urn not in by_urn or by_urn[urn].operation not in AT_REST]


def _remembers(step: ProgramStep) -> bool:
    return step.type == STASH and (BACKEND in step.urn or step.urn.endswith(f"::{PLACE}"))


def completed(state: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """A state whose root has the `parameters` that it runs with, as the provider writes them. Pure."""
    resources = [
        _completed(r, parameters) if r["type"] == ROOT_STACK and BACKEND in r["urn"] else r
        for r in state.get("resources") or ()
    ]
    return {**state, "resources": resources}


def _completed(root: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    inputs = {k: v for k, v in (root.get("inputs") or {}).items() if k not in _COMPUTED}
    outputs = {k: v for k, v in (root.get("outputs") or {}).items() if k != _SHOWN}
    return {
        **root,
        "protect": True,
        "inputs": {_DEFAULTS: [], **inputs, "parameters": {**parameters, **(inputs.get("parameters") or {})}},
        "outputs": {**outputs, "parameters": {**parameters, **(outputs.get("parameters") or {})}},
    }
