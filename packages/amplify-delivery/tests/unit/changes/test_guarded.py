"""What the program itself asks before CloudFormation is called, so plain `pulumi up` too: each question is asked."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes import deployed, guarded
from amplify_delivery.changes.amplify import gen2
from amplify_delivery.changes.deployed import Deployed
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.impossible import Impossible
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.errors import RefusedError
from unit.delivery.planning.stacks_of import stacks_of

TARGET: Any = SimpleNamespace(account="111122223333", region="eu-west-1")
ROOT: Any = SimpleNamespace(stack_name="amplify-app-dev-1")
GUARD = Guard("dev", (), date(2027, 5, 1))
RUNS, WITHOUT_A_MODEL = stacks_of("todo-series/v3"), stacks_of("todo-series/v2")
NEVER = Impossible("AD742", "auth/UserPool", "cannot be changed", "put it back")
IN_USE = Impossible("AD747", "", "an export is in use", "take it out first")


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A release that changes nothing of what is deployed, until a test says otherwise."""
    session = SimpleNamespace(client=lambda *_, **__: None)
    found = SimpleNamespace(was=RUNS, wanted=RUNS, never=(), exports=(), asked=[])
    monkeypatch.setattr(guarded, "target_session", lambda _: session)
    monkeypatch.setattr(guarded, "published", lambda *_: None)
    monkeypatch.setattr(deployed, "read", lambda *_: Deployed("UPDATE_COMPLETE", found.was))
    monkeypatch.setattr(deployed, "known", lambda _: {})
    monkeypatch.setattr(deployed, "with_deployed", lambda wanted, have: found.asked.append(have) or wanted)
    monkeypatch.setattr(Stacks, "of", lambda *_: found.wanted)
    monkeypatch.setattr(guarded, "listed", lambda *_: None)
    monkeypatch.setattr(guarded, "impossible", lambda *_: found.never)
    monkeypatch.setattr(guarded, "not_exported", lambda *_: found.exports)
    return found


def check() -> None:
    guarded.check(TARGET, None, ROOT, GUARD, print)  # type: ignore[arg-type]


def check_create() -> None:
    guarded.check_create(TARGET, None, ROOT, GUARD, print)  # type: ignore[arg-type]


def test_what_changes_nothing_is_asked_nothing(scene: Any) -> None:
    check()
    check_create()


def test_data_is_not_lost_unasked(scene: Any) -> None:
    scene.wanted = WITHOUT_A_MODEL
    with pytest.raises(RefusedError, match="this would delete data"):
        check()


def test_an_update_on_the_way_is_asked_about_what_it_deploys_itself(scene: Any) -> None:
    """Not about the release, which comes after it."""
    losing: Any = SimpleNamespace(stacks=lambda _: WITHOUT_A_MODEL, released=False)
    with pytest.raises(RefusedError, match="this would delete data"):
        guarded.check(TARGET, None, ROOT, GUARD, print, losing)  # type: ignore[arg-type]
    scene.wanted = WITHOUT_A_MODEL
    keeping: Any = SimpleNamespace(stacks=lambda deployed: deployed, released=False)
    guarded.check(TARGET, None, ROOT, GUARD, print, keeping)  # type: ignore[arg-type]


def test_what_cloudformation_masks_is_compared_as_it_is_deployed(scene: Any) -> None:
    check()
    assert scene.asked == [RUNS.parameters]


@pytest.mark.parametrize("ask", [check, check_create])
@pytest.mark.parametrize(("never", "exports", "says"), [((NEVER,), (), "AD742"), ((), (IN_USE,), "AD747")])
def test_what_aws_cannot_do_is_not_begun(
    ask: Any, never: tuple[Impossible, ...], exports: tuple[Impossible, ...], says: str, scene: Any
) -> None:
    scene.never, scene.exports = never, exports
    with pytest.raises(RefusedError, match=says):
        ask()


def test_what_was_moved_to_gen_2_is_not_made_again(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(*_: object) -> None:
        raise RefusedError("these are no longer in its stacks")

    monkeypatch.setattr(gen2, "check", moved)
    with pytest.raises(RefusedError, match="no longer in its stacks"):
        check()
