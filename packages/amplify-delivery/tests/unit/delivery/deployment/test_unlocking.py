"""`amplify-delivery unlock STACK`: a person sees who holds a stack, and gives it free."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.commands import unlock
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import unlocking
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.teardown.root_stack import Root
from amplify_delivery.errors import ConfigError, LockedError, NoStackError, RefusedError, StateError
from unit.delivery.engine.locking.test_lease import NOBODY, Scene, alive, somebody

PENDING = [
    {"type": "creating", "resource": {"urn": "urn:pulumi:dev::app::aws:s3:Bucket::files", "type": "aws:s3:Bucket"}}
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    found = Scene(tmp_path, monkeypatch)
    found.engine.state = dict
    (tmp_path / "Pulumi.dev.yaml").write_text(ENVIRONMENT)
    monkeypatch.setattr(unlocking, "Engine", lambda *_: found.engine)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return found


def run(scene: Scene, *arguments: str) -> int:
    return unlock.run(cli.parser("unlock").parse_args(["unlock", "dev", *arguments]), scene.context)


def elsewhere(scene: Scene) -> None:
    """What a laptop left that nobody can ask."""
    scene.left_by(somebody(host="laptop", who="ann", machine="its own"))
    scene.lock("its", pid=7, when=time.time(), host="laptop", user="ann")


def test_a_stack_that_nobody_holds(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(scene) == 0
    assert capsys.readouterr().out == f"dev: nobody holds it, and nothing is pending ({scene.state})\n"


def test_where_its_account_does_not_keep_the_state_nothing_is_said_of_it(scene: Scene) -> None:
    """A shell with another login would say "nobody holds it" of a stack that somebody holds where its state is."""

    def missing() -> dict[str, Any]:
        raise NoStackError("its state is not in here")

    scene.engine.state = missing
    assert run(scene) == 0, "a personal stack that was not made yet"
    (scene.context.folder / "Pulumi.dev.yaml").write_text(f"{ENVIRONMENT}  app:bootstrapped: true\n")
    scene.context = Context(scene.context.folder, scene.engine.variables)
    with pytest.raises(StateError, match="its state is not in here"):
        run(scene)
    scene.engine.state = dict
    assert run(scene) == 0, "it has the stack: then somebody wants it there"
    elsewhere(scene)
    scene.engine.state = missing
    assert run(scene, "--yes") == 0, "somebody was here"


def test_that_nobody_holds_it_says_nothing_of_a_state_that_is_lost(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who types `unlock` first, would take the environment for sound."""

    def lost() -> dict[str, Any]:
        raise StateError("its state is lost", remedy="bring it back")

    scene.engine.state = lost
    with pytest.raises(StateError, match="its state is lost"):
        run(scene)
    assert "nothing is pending" not in capsys.readouterr().out
    elsewhere(scene)
    assert run(scene, "--yes") == 0, "what somebody has left is cleared away all the same"


def test_what_cannot_be_known_is_told_and_asked(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere(scene)
    scene.engine.state = lambda: {"pending_operations": PENDING}
    before = scene.file.read_bytes()
    with pytest.raises(ConfigError, match="somebody has to say that nothing of this runs any more") as error:
        run(scene)
    assert "`amplify-delivery unlock dev --yes`" in error.value.remedy
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"dev: held by `up` of process {NOBODY} of ann on laptop, since ")
    assert said[0].endswith("it runs on laptop, or did: no other machine can tell")
    assert said[1].startswith("dev: locked by an engine: process 7 of ann on laptop, since ")
    assert said[2] == "dev: begun, and its end not written down: creating aws:s3:Bucket files"
    assert scene.file.read_bytes() == before
    assert len(list(scene.state.glob(".pulumi/locks/**/*.json"))) == 1


@pytest.mark.parametrize(("answer", "free"), [("yes\n", True), ("\n", False), ("", False)])
def test_at_a_terminal_it_is_asked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, free: bool
) -> None:
    elsewhere(scene)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert run(scene) == 0
    assert capsys.readouterr().out.endswith("dev: it is free\n" if free else "nothing was changed\n")
    assert scene.file.exists() != free
    assert bool(list(scene.state.glob(".pulumi/locks/**/*.json"))) != free


def test_credentials_are_looked_up_again_once_a_person_has_answered(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is asked looks at another machine first, for as long as it takes: what was assumed before has ended."""
    elsewhere(scene)
    order: list[str] = []

    def look_up(*_: object) -> object:
        order.append("looked up")
        return scene.engine

    def ask(_: str) -> str:
        order.append("asked")
        return "yes"

    monkeypatch.setattr(unlocking, "Engine", look_up)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", ask)
    assert run(scene) == 0
    assert order == ["looked up", "asked", "looked up"]


def test_what_was_begun_is_settled_while_the_stack_is_held(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(scene)
    scene.engine.state = lambda: {"pending_operations": PENDING}
    settled: list[bool] = []
    monkeypatch.setattr(resolving, "resolve", lambda *_: settled.append(scene.file.exists()))
    assert run(scene, "--yes") == 0
    assert settled == [True]


def test_what_was_cut_off_beside_the_state_goes(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """As a run that is killed leaves it: its engine, and every other, ends with "EOF"."""
    stacks = scene.state / ".pulumi/stacks/app"
    stacks.mkdir(parents=True)
    for name, content in {
        "dev.json": "{}",
        "dev.json.attrs": "",
        "dev.json.bak.attrs": "{}",
        "b.json.attrs": "",
    }.items():
        (stacks / name).write_text(content)
    (scene.state / ".pulumi/meta.yaml.attrs").write_text("")
    assert run(scene) == 0
    assert "dev: cut off: .pulumi/stacks/" in capsys.readouterr().out
    assert sorted(path.name for path in stacks.iterdir()) == ["b.json.attrs", "dev.json", "dev.json.bak.attrs"]
    assert not (scene.state / ".pulumi/meta.yaml.attrs").exists()
    assert run(scene) == 0
    assert "nobody holds it, and nothing is pending" in capsys.readouterr().out


def test_a_person_says_so(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere(scene)
    assert run(scene, "--yes", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["holder"]["host"] == "laptop"
    assert document["holder"]["life"] == "unknown"
    assert document["locks"] == [
        {"host": "laptop", "pid": 7, "user": "ann", "life": "unknown", "why": document["locks"][0]["why"]}
    ]
    assert not scene.file.exists()
    assert list(scene.state.glob(".pulumi/locks/**/*.json")) == []
    with scene.hold():
        pass


def test_who_is_known_to_have_ended_needs_nobodys_word(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.left_by(somebody())
    scene.lock("its", pid=NOBODY, when=time.time())
    assert run(scene) == 0
    assert capsys.readouterr().out.endswith("dev: it is free\n")
    assert not scene.file.exists()
    assert list(scene.state.glob(".pulumi/locks/**/*.json")) == []


def test_who_lives_is_not_broken_whatever_a_person_says(scene: Scene) -> None:
    before = scene.left_by(alive()).written
    with pytest.raises(LockedError, match="another run changes this stack"):
        run(scene, "--yes")
    assert scene.file.read_bytes() == before


def test_an_engine_that_lives_is_not_broken(scene: Scene) -> None:

    scene.left_by(somebody())
    lock = scene.lock("living", pid=os.getppid(), when=time.time())
    with pytest.raises(LockedError, match="an update of this stack is running") as error:
        run(scene, "--yes")
    assert "kill -INT" in error.value.remedy
    assert lock.exists()


def test_only_what_was_told_is_cleared_away(scene: Scene) -> None:
    """Somebody comes in between: it is hers by then."""
    elsewhere(scene)
    left = unlocking.look(scene.engine, scene.context)
    before = scene.left_by(somebody(host="another", machine="third", token="new")).written
    with pytest.raises(LockedError, match="on another, since"):
        unlocking.clear(scene.engine, scene.context, left)
    assert scene.file.read_bytes() == before


@pytest.mark.parametrize(
    ("command", "state", "on"),
    [
        ("destroy", "protected", True),
        ("destroy", "not protected", False),
        ("destroy", "gone", False),
        ("destroy", "protected, not by the file", False),
        ("up", "protected", False),
    ],
)
def test_what_a_destroy_that_was_killed_has_turned_off_is_on_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, command: str, state: str, on: bool
) -> None:
    """The termination protection of a root stack that it did not come to."""
    done = held_by_unlock(scene, monkeypatch, state)
    scene.left_by(somebody(command=command))
    assert run(scene) == 0
    assert done == ([{ROOT}] if on else [])


def held_by_unlock(scene: Scene, monkeypatch: pytest.MonkeyPatch, state: str) -> list[set[str]]:
    """Of a root stack in this `state`, whose termination protection is turned on again: its ids each time."""
    more = '  app:protect: "false"\n' if "not by the file" in state else ""
    (scene.state.parent / "Pulumi.dev.yaml").write_text(ENVIRONMENT + more)
    (scene.state.parent / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    root = {"urn": "urn:pulumi:dev::app::aws:cloudformation/stack:Stack::backend", "id": ROOT, "type": ROOT_STACK}
    scene.engine.resources = lambda: [] if state == "gone" else [{**root, "protect": state.startswith("protected")}]
    held: list[set[str]] = []
    monkeypatch.setattr(Root, "hold", lambda _, __, ids: held.append(set(ids)))
    monkeypatch.setattr(unlocking, "Account", SimpleNamespace(of=lambda _: None))
    return held


ROOT = "arn:aws:cloudformation:eu-west-1:333333333333:stack/amplify-app-dev-1/1"


def test_where_nothing_of_ours_can_hold_it(scene: Scene) -> None:
    scene.engine.variables = {"PULUMI_BACKEND_URL": "gs://states"}
    with pytest.raises(RefusedError, match=r"its state is not in an S3 bucket or a folder but in gs://states") as error:
        run(scene, "--yes")
    assert "`pulumi cancel --yes --stack dev`" in error.value.remedy


class Cloud:
    """The engine of a stack that Pulumi Cloud has: what that says, and what was done."""

    def __init__(self, scene: Scene, monkeypatch: pytest.MonkeyPatch, *going_on: str) -> None:
        """`going_on`: what it says each time that it is asked, the last of them from then on."""
        self.said, self.done = list(going_on), list[str]()
        engine = scene.engine
        engine.variables = {"PULUMI_BACKEND_URL": "https://api.pulumi.com"}
        engine.wrote, engine.resources = False, list
        engine.state = lambda: {"pending_operations": PENDING}
        engine.going_on, engine.cancel = self.going_on, self.cancel
        engine.last_update = lambda: ("update", "failed")
        monkeypatch.setattr(resolving, "of_stack", lambda *_: self.done.append("settle"))

    def going_on(self) -> str:
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]

    def cancel(self) -> None:
        self.done.append("cancel")
        self.said = [""]


def test_what_pulumi_cloud_says_is_going_on_is_told_and_asked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = Cloud(scene, monkeypatch, "update of ann")
    with pytest.raises(ConfigError, match="somebody has to say that nothing of this runs any more"):
        run(scene)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("dev: update of ann is going on, says https://api.pulumi.com, which ends it by itself")
    assert said[1] == "dev: begun, and its end not written down: creating aws:s3:Bucket files"
    assert cloud.done == []
    assert run(scene, "--yes") == 0
    assert cloud.done == ["cancel", "settle"]


def test_in_pulumi_cloud_what_was_begun_is_settled_once_nothing_is_going_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Cloud(scene, monkeypatch, "")
    assert run(scene) == 0
    assert cloud.done == ["settle"]


@pytest.mark.parametrize("going_on", ["destroy of ann", "update of ann", ""])
def test_in_pulumi_cloud_what_a_destroy_may_have_turned_off_is_on_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, going_on: str
) -> None:
    """Older engines call everything an update, and what Pulumi Cloud has ended by itself nobody names."""
    cloud = Cloud(scene, monkeypatch, going_on)
    held = held_by_unlock(scene, monkeypatch, "protected")
    assert run(scene, "--yes") == 0
    assert (cloud.done[-1], held) == ("settle", [{ROOT}])


@pytest.mark.parametrize(
    ("last", "on"), [("destroy failed", True), ("destroy succeeded", False), ("update failed", False), ("", False)]
)
def test_in_pulumi_cloud_a_destroy_that_has_left_nothing_else_is_known_by_the_history(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], last: str, on: bool
) -> None:
    """Killed before its first resource, and ended by Pulumi Cloud itself: no lease of ours, nothing pending."""
    cloud = Cloud(scene, monkeypatch, "")
    scene.engine.state = dict
    scene.engine.last_update = lambda: tuple(last.split() or ("", ""))
    held = held_by_unlock(scene, monkeypatch, "protected")
    assert run(scene) == 0
    assert (held, cloud.done) == ([{ROOT}] if on else [], [])
    assert ("its last update, a destroy, did not end well" in capsys.readouterr().out) == on


def test_in_pulumi_cloud_a_history_that_cannot_be_read_hinders_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Cloud(scene, monkeypatch, "")

    def refused() -> tuple[str, str]:
        raise StateError("the passphrase is not the one")

    scene.engine.last_update = refused
    assert run(scene) == 0
    assert cloud.done == ["settle"]


def test_in_pulumi_cloud_only_what_was_told_is_ended(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a person looked, it has ended, and somebody else has begun."""
    cloud = Cloud(scene, monkeypatch, "update of ann", "destroy of ben")
    with pytest.raises(LockedError, match="another update of this stack is running: destroy of ben"):
        run(scene, "--yes")
    assert cloud.done == []


def test_in_pulumi_cloud_nobody_holds_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = Cloud(scene, monkeypatch, "")
    scene.engine.state = dict
    assert run(scene, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["holder"], shown["goingOn"], shown["free"]) == (None, None, True)
    assert cloud.done == []


# --- where the state is -----------------------------------------------------------------------------------------------


class Places:
    """Which account and backend `unlock` looks at."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.engines: list[Any] = []
        (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
        account = SimpleNamespace(environment=lambda: {"AWS_ACCESS_KEY_ID": "of the account"})
        monkeypatch.setattr(unlocking, "Account", SimpleNamespace(of=lambda _: account))
        monkeypatch.setattr(unlocking, "Engine", lambda *given: self.engines.append(given))

    def backend(self, stack: str, lines: str, variables: dict[str, str] | None = None) -> Any:
        (self.folder / f"Pulumi.{stack}.yaml").write_text(lines)
        unlocking.engine_of(stack, Context(self.folder, variables or {}), print)
        return self.engines[-1][3] if len(self.engines[-1]) > 3 else None


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    return Places(tmp_path, monkeypatch)


ENVIRONMENT = 'config:\n  app:account: "333333333333"\n  app:region: eu-west-1\n'


def test_the_state_of_a_bootstrapped_environment_is_found_in_its_account(places: Places) -> None:
    found = places.backend("prod", f"{ENVIRONMENT}  app:bootstrapped: true\n")
    assert found == {
        "PULUMI_BACKEND_URL": "s3://app-prod-state-333333333333-eu-west-1-an?region=eu-west-1",
        "AWS_ACCESS_KEY_ID": "of the account",
    }


def test_the_state_of_a_pipeline_is_found_in_the_tooling_account(places: Places) -> None:
    (places.folder / "Pulumi.prod.yaml").write_text(ENVIRONMENT)
    lines = (
        "config:\n  app:program: pipeline\n"
        '  app:account: "111111111111"\n  app:region: eu-west-1\n'
        "  app:source: {type: codecommit, repository: app}\n"
        "  app:stages: [{name: Prod, environments: [prod]}]\n"
    )
    assert places.backend("pipeline", lines) is None
    found = places.backend("pipeline", f"secretsprovider: awskms://alias/app-tooling-state?region=eu-west-1\n{lines}")
    assert found["PULUMI_BACKEND_URL"] == "s3://app-tooling-state-111111111111-eu-west-1-an?region=eu-west-1"


def test_what_this_shell_says_comes_first(places: Places) -> None:
    lines = f"{ENVIRONMENT}  app:bootstrapped: true\n"
    assert places.backend("prod", lines, {"PULUMI_BACKEND_URL": "file:///x"}) is None
    assert places.backend("dev", ENVIRONMENT) is None
