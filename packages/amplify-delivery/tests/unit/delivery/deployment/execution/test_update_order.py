"""In which order a release's updates, and the copy of a table's items, are carried out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.guard import PLAN_VARIABLE
from amplify_delivery.changes.ordered.handed import COPIED_VARIABLE, UPDATE_VARIABLE
from amplify_delivery.changes.ordered.updates import ordered
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.deployment.execution import copied_tables, copy_checks, copying, in_steps, tables
from unit.changes.test_successors import V4, wanted, way, with_indexes
from unit.delivery.planning.stacks_of import stacks_of


class Engine:
    """What was run, in order: `up` for the root stack alone, or for all."""

    stack = "dev"

    def __init__(self, done: list[str]) -> None:
        self.done = done

    def say(self, text: str) -> None:
        del text

    def resources(self) -> list[Mapping[str, Any]]:
        return [{"type": ROOT_STACK, "urn": "urn:x$amplify-delivery:index:AmplifyBackend$y"}]

    def up(self, variables: Mapping[str, str], only: Sequence[str] | None = None) -> None:
        assert variables[PLAN_VARIABLE] == "approved"
        what = "an update" if UPDATE_VARIABLE in variables else "the release"
        told = f", told of {variables[COPIED_VARIABLE]}" if COPIED_VARIABLE in variables else ""
        self.done.append(f"{what}{' of the root alone' if only else ''}{told}")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done, in order."""
    found: list[str] = []

    def carry_out(*_: Any) -> copying.Done:
        found.append("copied")
        return copying.Done(("one", "two"), {})

    monkeypatch.setattr(tables, "wait", lambda *_: None)
    monkeypatch.setattr(copied_tables, "named", lambda _, steps: list(steps))
    monkeypatch.setattr(copy_checks, "check", lambda _, copies, *__: found.append(f"{len(copies)} looked at"))
    monkeypatch.setattr(copying, "carry_out", carry_out)
    monkeypatch.setattr(copying, "check_still_closed", lambda *_: found.append("tried whether it is closed"))
    return found


def carried_out(old: Stacks, new: Stacks, done: list[str]) -> list[str]:
    order = ordered(old, new, plan_backend(old, new))
    config = SimpleNamespace(guard=lambda *_: None)
    target: Any = SimpleNamespace(config=config)
    engine: Any = Engine(done)
    work = in_steps.Work(order.updates, (), order.copies)
    list(in_steps.carry_out(engine, work, target, {PLAN_VARIABLE: "approved"}))
    return done


OLD = stacks_of(V4)
RELEASE = ["copied", "the release, told of one two", "tried whether it is closed"]
CLOSE = ["1 looked at", "an update of the root alone"]


def test_the_copy_comes_right_before_what_uses_it(done: list[str]) -> None:
    assert carried_out(OLD, wanted(name=V4), done) == [*CLOSE, *CLOSE, *RELEASE]


def test_what_is_left_of_it(done: list[str]) -> None:
    closed, made = (update.stacks for update in way(OLD, wanted(name=V4)).updates)
    assert carried_out(closed, wanted(name=V4), done) == [*CLOSE, *RELEASE]
    done.clear()
    assert carried_out(made, wanted(name=V4), done) == RELEASE


def test_indexes_that_are_made_come_before_and_those_that_go_after(done: list[str]) -> None:
    """Every update with the release in it is told of the copy: the first one uses it."""
    made = with_indexes(wanted(name=V4), "a", "b")
    assert carried_out(OLD, made, done) == [*CLOSE, *CLOSE, *CLOSE, *RELEASE]
    done.clear()
    gone = ["copied", "an update, told of one two", "the release, told of one two", "tried whether it is closed"]
    assert carried_out(with_indexes(OLD, "a", "b"), wanted(name=V4), done) == [*CLOSE, *CLOSE, *gone]


def test_without_a_copy_nothing_is_told(done: list[str]) -> None:
    assert carried_out(OLD, with_indexes(OLD, "a", "b"), done) == ["an update of the root alone", "the release"]


def test_what_is_waited_for_a_table_in_vain_is_a_part_of_the_whole() -> None:
    """An index that takes ten seconds is not looked for twenty; one that takes hours is asked about three times a
    minute."""
    looks = [0.0]
    while looks[-1] < 3600:
        looks.append(looks[-1] + tables.pause(looks[-1]))
    assert all(later - earlier <= max(1.0, earlier / 4) for earlier, later in itertools.pairwise(looks))
    assert looks[-1] - looks[-2] == 20.0
