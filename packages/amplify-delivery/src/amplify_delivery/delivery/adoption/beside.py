"""What a lost state held beside the root is taken in with it: staging bucket and image repository of a personal stack,
and secrets.

They are looked for as what a killed run was making (`amplify_delivery.delivery.engine.killed`): by their names, which
hold the app's and the environment's, where their providers make them, and as what they were to be. The preview tells
their inputs and where they stand. What is only set on them, or put into them, the next deployment does again.

What else holds data, and what has no name of its own, nobody can look for: that is told. Deployed, the program would
get an empty one, and the other would be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.stateful import PULUMI_TYPES
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption.state import PLACE, STASH, with_above
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import existing
from amplify_delivery.delivery.engine.killed.pending import (
    Answer,
    Foreign,
    Gone,
    Operation,
    There,
    Unknown,
    creating,
    written,
)
from amplify_delivery.delivery.planning import ProgramStep

_NAMES: Mapping[str, str] = {
    "aws:ecr/repository:Repository": "name",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:secretsmanager/secret:Secret": "name",
}
"""Types whose create would fail on what is there, and which input names it. A bucket of the program's own says by its
tags whose it is."""
_DEFAULTS = "__defaults"
"""Inputs that the provider has chosen itself: a name with random digits."""


@dataclass(frozen=True)
class Beside:
    """Names of what was taken in, of what is there and is not ours by all that can be told, and what holds data and
    cannot be looked for: the plan makes it anew."""

    taken: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()


@dataclass(frozen=True)
class LookedFor:
    """What AWS says of what a state lacks, with the preview and the state that tell so."""

    steps: Sequence[ProgramStep]
    state: Mapping[str, Any]
    answers: Sequence[tuple[Operation, Answer]]

    def taken(self, name: Callable[[Operation], str]) -> tuple[str, ...]:
        """Names of what is taken in."""
        return tuple(name(o) for o, answer in self.answers if isinstance(answer, There))

    def left(self, name: Callable[[Operation], str]) -> tuple[str, ...]:
        """Names of what is there and is not ours by all that can be told, with why."""
        return tuple(f"{name(o)}: {answer.why}" for o, answer in self.answers if isinstance(answer, Foreign | Unknown))


def take_in(engine: Engine, account: Account) -> Beside:
    """Bring what is there into the state of `engine`. Raises `DeliveryError`s."""
    it = found(engine, account, missing)
    write(engine, it)
    return Beside(it.taken(_name), it.left(_name), anew(it.steps, it.answers))


def found(
    engine: Engine,
    account: Account,
    lacking: Callable[[Sequence[ProgramStep]], Sequence[Operation]],
    asked: Callable[[Operation], Operation] = lambda operation: operation,
) -> LookedFor:
    """Look for what the state is `lacking` of the program, by its preview, each as it is to be `asked` for. Raises
    `DeliveryError`s."""
    steps, state = engine.preview().steps, engine.state()
    resources = state.get("resources") or ()
    known = frozenset(str(r["id"]) for r in resources if r.get("id"))
    providers = [{"urn": s.urn, "inputs": s.inputs} for s in steps if s.type.startswith("pulumi:providers:")]
    there = [*resources, *providers]
    return LookedFor(steps, state, [(o, existing.ask_there(account, asked(o), there, known)) for o in lacking(steps)])


def write(engine: Engine, it: LookedFor) -> None:
    """Bring it into the state. Raises `DeliveryError`s."""
    there = [(o, a) for o, a in it.answers if isinstance(a, There)]
    if there:
        made = _with_providers(engine, it.state, it.steps, [o for o, _ in there])
        engine.write(with_those(made, it.steps, there))


def missing(steps: Sequence[ProgramStep]) -> tuple[Operation, ...]:
    """What the program would make of these types. Pure."""
    return tuple(
        # Protected, as of what `pulumi import` takes in: the next deployment does as the program says.
        creating(step, protect=True)
        for step in steps
        if step.operation == "create" and step.type in _NAMES
    )


def anew(steps: Sequence[ProgramStep], found: Sequence[tuple[Operation, Answer]]) -> tuple[str, ...]:
    """`NAME (TYPE, DATA)` of what the program would make anew though there may be one with data: of a type that is not
    looked for, or without a name by which it could be. Pure."""
    gone = {o.urn for o, answer in found if isinstance(answer, Gone) and not _is_named(o)}
    return tuple(
        f"{step.urn.rpartition('::')[2]} ({step.type}, {PULUMI_TYPES[step.type]})"
        for step in steps
        if step.operation == "create" and step.type in PULUMI_TYPES and (step.type not in _NAMES or step.urn in gone)
    )


def _is_named(operation: Operation) -> bool:
    inputs, name = operation.inputs, _NAMES[operation.type]
    return bool(inputs.get(name)) and name not in (inputs.get(_DEFAULTS) or ())


def _with_providers(
    engine: Engine, state: Mapping[str, Any], steps: Sequence[ProgramStep], operations: Sequence[Operation]
) -> Mapping[str, Any]:
    """The state with the providers of these, which the engine makes, and the places that these depend on: nothing else
    of it, and nothing in AWS. It writes no state that names a provider which is not in it."""
    held = {str(r.get("urn")) for r in state.get("resources") or ()}
    urns = (str(o.resource["provider"]).rpartition("::")[0] for o in operations)
    lacking = list(dict.fromkeys(urn for urn in urns if urn and urn not in held))
    if not lacking:
        return state
    places = [s.urn for s in steps if s.operation == "create" and f"::{STASH}::{PLACE}" in s.urn]
    engine.up(only=with_above(steps, [*places, *lacking]))
    return engine.state()


def with_those(
    state: Mapping[str, Any], steps: Sequence[ProgramStep], there: Sequence[tuple[Operation, Answer]]
) -> dict[str, Any]:
    """The state with these resources, each below its components, with its provider as that is in the state. Pure."""
    resources = list(state.get("resources") or ())
    held = {str(r.get("urn")): str(r.get("id") or "") for r in resources}
    by_urn = {step.urn: step for step in steps}
    for operation, answer in there:
        above, urn = list[dict[str, Any]](), str(operation.resource["parent"])
        while urn in by_urn and urn not in held:
            step = by_urn[urn]
            above.append({"urn": urn, "custom": False, "type": step.type, "parent": step.parent})
            held[urn] = ""
            urn = step.parent
        entry = written(operation, answer)
        if entry:
            # A provider that is only previewed has no id yet.
            provider = str(entry["provider"]).rpartition("::")[0]
            entry["provider"] = f"{provider}::{held[provider]}" if held.get(provider) else entry["provider"]
        resources += [*reversed(above), *([entry] if entry else [])]
    return {**state, "resources": resources}


def _name(operation: Operation) -> str:
    return str(operation.inputs.get(_NAMES[operation.type]) or operation.urn.rpartition("::")[2])
