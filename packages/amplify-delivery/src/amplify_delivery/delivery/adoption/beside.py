"""What a lost state held beside the root is taken in with it: the staging bucket of a personal stack, and secrets.

They are looked for as what a killed run was making (`amplify_delivery.delivery.killed`): by their names, which hold the
app's and the environment's, and as what they were to be. The preview tells their inputs and where they stand. What is
only set on them, or put into them, the next deployment does again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.killed import existing
from amplify_delivery.delivery.killed.pending import CREATING, Answer, Operation, There, written
from amplify_delivery.delivery.planning import ProgramStep

_TYPES = frozenset({"aws:s3/bucket:Bucket", "aws:secretsmanager/secret:Secret"})
"""Types whose create would fail on what is there. A bucket of the program's own says by its tags whose it is."""


@dataclass(frozen=True)
class Beside:
    """Names of what was taken in, and of what is there and is not ours by all that can be told."""

    taken: tuple[str, ...]
    left: tuple[str, ...]


def take_in(engine: Engine, account: Account) -> Beside:
    """Bring what is there into the state of `engine`. Raises `DeliveryError`s."""
    steps, state = engine.preview().steps, engine.state()
    known = frozenset(str(r["id"]) for r in state.get("resources") or () if r.get("id"))
    found = [(o, existing.ask(account, o, known)) for o in missing(steps)]
    there = [(o, a) for o, a in found if isinstance(a, There)]
    if there:
        engine.write(with_those(state, steps, there))
    names = [(_name(o), a) for o, a in found]
    return Beside(
        tuple(name for name, answer in names if isinstance(answer, There)),
        tuple(f"{name}: {answer.why}" for name, answer in names if hasattr(answer, "why")),
    )


def missing(steps: Sequence[ProgramStep]) -> tuple[Operation, ...]:
    """What the program would make of these types. Pure."""
    return tuple(
        Operation(
            CREATING,
            {
                "urn": step.urn,
                "custom": True,
                "type": step.type,
                "inputs": dict(step.inputs),
                "parent": step.parent,
                "provider": step.provider,
            },
        )
        for step in steps
        if step.operation == "create" and step.type in _TYPES
    )


def with_those(
    state: Mapping[str, Any], steps: Sequence[ProgramStep], there: Sequence[tuple[Operation, Answer]]
) -> dict[str, Any]:
    """The state with these resources, each below its components. Pure."""
    resources = list(state.get("resources") or ())
    held = {str(r.get("urn")) for r in resources}
    by_urn = {step.urn: step for step in steps}
    for operation, answer in there:
        above, urn = list[dict[str, Any]](), str(operation.resource["parent"])
        while urn in by_urn and urn not in held:
            step = by_urn[urn]
            above.append({"urn": urn, "custom": False, "type": step.type, "parent": step.parent})
            held.add(urn)
            urn = step.parent
        entry = written(operation, answer)
        resources += [*reversed(above), *([entry] if entry else [])]
    return {**state, "resources": resources}


def _name(operation: Operation) -> str:
    return str(operation.inputs.get("bucket") or operation.inputs.get("name"))
