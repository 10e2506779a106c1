"""The plan: the steps, the state they start from, what they lead to, and the digest that names all three."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from amplify_delivery.changes.drift.effects import Drift
from amplify_delivery.changes.gained import Gained
from amplify_delivery.changes.impossible import Impossible
from amplify_delivery.changes.ordered.updates import Update
from amplify_delivery.changes.steps import RecoverStack, Step, UpdateRoot, digest
from amplify_delivery.delivery.planning.covered import Covered

FORMAT = 1
"""Version of a plan's JSON form."""


@dataclass(frozen=True)
class Start:
    """The state a plan starts from. Every `digest` is a sha256 in hex; None where there is nothing yet."""

    stack: str
    """Name of the root stack."""
    status: str | None
    """Its status; None when there is no such stack."""
    root_template: str | None
    """Digest of the deployed root template."""
    templates: str | None
    """Digest of all deployed templates, those of nested stacks included."""
    parameters: str | None
    """Digest of the root stack's parameters."""
    program: str
    """Digest of the names and ids of all resources in the engine's state."""
    drift: str | None = None
    """Digest of what runs otherwise than it was delivered; None where nobody has looked for it."""


@dataclass(frozen=True)
class Target:
    """What a plan leads to."""

    environment: str
    account: str
    region: str
    assembly: str
    """Digest of the assembly."""
    root_template: str
    """Key of the root template: made from its content."""
    parameters: str
    """Digest of the root stack's parameters."""
    configuration: str
    """Digest of the stack file's parameters, secrets in their encrypted form: another secret is another plan."""

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal: by it a retry knows that it leads to what was approved."""
        return digest(asdict(self))


@dataclass(frozen=True)
class Run:
    """What one run of the engine carries out: an update of the root stack on the way (`update`), or, without one, the
    release itself."""

    update: Update | None
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Plan:
    """What would change: see `steps`. An approval of its `digest` is one of exactly this.

    The steps stand in the order in which they are carried out; the text, the JSON, the digest and the deployment
    (`runs`) walk this one list.
    """

    start: Start
    target: Target
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    """What whoever approves it should know beside; no part of its digest."""
    impossible: tuple[Impossible, ...] = ()
    """What AWS cannot do of it: such a plan is not carried out."""
    gained: tuple[Gained, ...] = ()
    """Rights that are new. They follow from start and steps, so they are no part of the digest either."""
    same_bytes: frozenset[str] = frozenset()
    """Places of the steps that only change where equal bytes lie. No part of its digest: it depends on whether whoever
    plans may read them."""
    updates: tuple[Update, ...] = ()
    """The content of its `UpdateRoot`s but for the last one, which is the release's: they name it by its key."""
    drift: tuple[Drift, ...] | None = None
    """What runs otherwise than it was delivered, and what becomes of it; None where nobody has looked for it. How it
    runs is part of the digest (`start.drift`), the rest follows from start and steps."""

    @property
    def changes(self) -> int:
        """Their number, which an approver reads: the variable CHANGES of the pipeline."""
        return number_of(self.steps)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs of the engine, in order; none for an empty plan."""
        content = {update.root: update for update in self.updates}
        return tuple(Run(content.get(head.root) if head else None, tuple(steps)) for head, steps in runs_of(self.steps))

    @property
    def recovery(self) -> RecoverStack | None:
        """What brings the root stack to where it can be updated; None if it is there."""
        return next((step for step in self.steps if isinstance(step, RecoverStack)), None)

    @property
    def losses(self) -> tuple[Step, ...]:
        """The steps that lose data."""
        return tuple(step for step in self.steps if step.loss)

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hexadecimal of start, target and steps: the variable PLAN_DIGEST, which `deploy` compares."""
        return document_digest(self._content())

    def _content(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "start": asdict(self.start),
            "target": asdict(self.target),
            "steps": [step.to_json() for step in self.steps],
        }

    def to_json(self) -> dict[str, Any]:
        """The plan's document: what `plan --json` prints and the state bucket keeps."""
        content = self._content()
        return {
            "environment": self.target.environment,
            "changes": self.changes,
            "digest": self.digest,
            "dataLoss": [step.to_json() for step in self.losses],
            "gainedRights": [right.to_json() for right in self.gained],
            "notes": list(self.notes),
            "sameBytes": sorted(self.same_bytes),
            "drift": None if self.drift is None else [d.to_json() for d in self.drift],
            **content,
        }

    def leads_where(self, approved: Mapping[str, Any]) -> bool:
        """Whether it leads to what `approved`, a plan's document, led to."""
        return self.target.digest == digest(approved["target"])

    def beyond(self, approved: Mapping[str, Any]) -> tuple[Step, ...]:
        """The steps that `approved`, a plan's document that leads to the same target, does not cover."""
        covered = Covered(approved["steps"])
        return tuple(step for step in self.steps if step not in covered)

    def overwritten(self, approved: Mapping[str, Any]) -> tuple[Drift, ...]:
        """What somebody has changed by hand since `approved`, a plan's document, and this deployment overwrites: who
        approved that plan did not know of it. Nothing where one of the two has not looked."""
        if self.drift is None or approved.get("drift") is None:
            return ()
        known = {(d["path"], d["property"], d["running"]) for d in approved["drift"]}
        effects = ("brought-back", "perhaps-brought-back")
        new = (d for d in self.drift if (d.place, d.pointer, d.running) not in known)
        return tuple(d for d in new if d.effect in effects)


def number_of(steps: Iterable[Step]) -> int:
    """How many changes they are."""
    return sum(not isinstance(step, UpdateRoot) for step in steps)


def runs_of(steps: Iterable[Step]) -> list[tuple[UpdateRoot | None, list[Step]]]:
    """The steps of each run of the engine, with the one that tells of it in a plan of several."""
    runs: list[tuple[UpdateRoot | None, list[Step]]] = []
    for step in steps:
        if isinstance(step, UpdateRoot):
            runs.append((step, []))
        elif runs:
            runs[-1][1].append(step)
        else:
            runs.append((None, [step]))
    return runs


def updates_of(steps: Iterable[Step]) -> tuple[int, list[tuple[int, UpdateRoot | None, list[Step]]]]:
    """How many updates of the root stack there are in a plan of several, and the steps of each run with its number
    among them; 0 where no `UpdateRoot` stands in front, as of a plan of one, and of what recovers the stack first."""
    runs, number = [], 0
    for header, inside in runs_of(steps):
        number += header is not None
        runs.append((number if header else 0, header, inside))
    return number, runs


def document_digest(document: Mapping[str, Any]) -> str:
    """The digest of a plan's document. Raises `KeyError` when it is none."""
    return digest({key: document[key] for key in ("format", "start", "target", "steps")})
