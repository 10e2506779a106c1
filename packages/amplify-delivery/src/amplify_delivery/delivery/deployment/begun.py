"""The document of an approved plan that is being carried out, beside the engine's state: what a run that was killed has
left is measured by it, so that the same command goes on without a new approval.

A bootstrapped account keeps every plan (`approval.kept`). Elsewhere this one is all there is, as long as the run has
not ended well. Whoever may write it may write the state, too; and it counts only under the digest that was approved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from amplify_delivery.components.documents.naming import BEGUN_PREFIX
from amplify_delivery.delivery import output
from amplify_delivery.delivery.engine.state_store import Store, store_of
from amplify_delivery.delivery.planning import Plan, document_digest
from amplify_delivery.errors import StateError
from amplify_delivery.stacks.config.reader import project_name


class State(Protocol):
    """The engine's state of a stack: an `Engine`, or whatever else tells where that lies."""

    @property
    def stack(self) -> str:
        """Its name."""

    @property
    def folder(self) -> Path:
        """The project's."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What is added to this process's environment."""


@dataclass(frozen=True)
class Stack:
    """A stack whose engine has not been started."""

    stack: str
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)


def keep(of: State, plan: Plan) -> None:
    """Leave the plan there, in the place of an earlier one. That it cannot be written is told, and hinders nobody: a
    run that is killed is planned again then."""
    body = json.dumps(plan.to_json(), ensure_ascii=False).encode()
    try:
        place = _place(of)
        stored = place[0].read(place[1]) if place else None
        if place and stored:
            place[0].replace(place[1], body, stored.tag)
        elif place:
            place[0].create(place[1], body)
    except StateError as error:
        output.progress(f"the plan is not kept beside the state: {error.message}")


def read(of: State, digest: str) -> dict[str, Any] | None:
    """The document of the plan with this digest; None if there is none, or another one's, or it may not be read."""
    try:
        place = _place(of)
        stored = place[0].read(place[1]) if place else None
        document: dict[str, Any] = json.loads(stored.body) if stored else {}
        return document if document and document_digest(document) == digest else None
    except (StateError, ValueError, KeyError, TypeError):
        return None


def forget(of: State) -> None:
    """It is carried out, or nothing is left to go on with: the environment was destroyed, or brought further by `up`.
    Where that cannot be written down now, the next plan takes its place."""
    with suppress(StateError):
        place = _place(of)
        stored = place[0].read(place[1]) if place else None
        if place and stored:
            place[0].remove(place[1], stored.tag)


def _place(of: State) -> tuple[Store, str] | None:
    """Where it lies; None in Pulumi Cloud, and in other clouds' buckets."""
    store = store_of(of.folder, of.variables)
    return (store, f"{store.ours}{BEGUN_PREFIX}{project_name(of.folder)}/{of.stack}.json") if store else None
