"""The states on the way of an environment with a place of its own into its account: pure, over a state as exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from amplify_delivery.delivery.adoption import own_place
from amplify_delivery.delivery.adoption.own_place import Place
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import former_state, secrets_provider
from amplify_delivery.delivery.teardown import same_place
from amplify_delivery.delivery.teardown.removal import closure
from amplify_delivery.errors import RefusedError

APP = "urn:pulumi:dev::app::"
AREA, BACKEND = "amplify-delivery:index:StagingArea", "amplify-delivery:index:AmplifyBackend"
STACK, STASH = "aws:cloudformation/stack:Stack", "pulumi:index:Stash"
BUCKET, TEAMS = "app-dev-staging-012345678901-eu-west-1-an", "the-teams-own"
FACTS = {"account": "012345678901", "region": "eu-west-1", "environment": "dev"}


def urn(kind: str, name: str) -> str:
    return f"{APP}{kind}::{name}"


def resource(kind: str, name: str, **more: Any) -> dict[str, Any]:
    """`kind` with the types of the components above it, as URNs have it."""
    own = kind.rpartition("$")[2]
    return {"urn": urn(kind, name), "type": own, "custom": not own.startswith("amplify-delivery"), **more}


def stash(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return resource(STASH, name, inputs={"input": value}, outputs={"input": value, "output": value}, **more)


def state(*more: dict[str, Any]) -> dict[str, Any]:
    """With images, secrets of the team, and a bucket of the program's own that is protected."""
    root = [f"{AREA}$aws:s3/bucket:Bucket", f"{AREA}$aws:s3/bucketPolicy:BucketPolicy"]
    area, policy = (urn(kind, "staging") for kind in root)
    place = urn(STASH, "place")
    repository = urn("aws:ecr/repository:Repository", "images")
    resources = [
        resource("pulumi:pulumi:Stack", "app-dev", outputs={"graphqlEndpoint": "https://..."}),
        resource("pulumi:providers:pulumi", "default", id="1"),
        stash("place", FACTS, provider=f"{urn('pulumi:providers:pulumi', 'default')}::1"),
        stash("staging-owner", {"staging area (`bootstrapped`)": "its own"}, dependencies=[place]),
        resource("pulumi:providers:aws", "aws", id="2", dependencies=[place]),
        resource(AREA, "staging"),
        resource(root[0], "staging", id=BUCKET, parent=urn(AREA, "staging")),
        resource(root[1], "staging", id=BUCKET, parent=urn(AREA, "staging"), dependencies=[area]),
        resource("aws:ecr/repository:Repository", "images", id="app/dev"),
        resource("aws:ecr/repositoryPolicy:RepositoryPolicy", "images", id="app/dev", dependencies=[repository]),
        stash("pushed-images", {"worker": "..."}, dependencies=[repository]),
        resource(BACKEND, "backend", dependencies=[area, policy, urn(STASH, "pushed-images")]),
        resource(
            f"{BACKEND}${STACK}",
            "backend",
            id="arn:aws:cloudformation:eu-west-1:012345678901:stack/amplify-app-dev-1/x",
            parent=urn(BACKEND, "backend"),
            dependencies=[area, urn("aws:s3/bucket:Bucket", TEAMS)],
            propertyDependencies={
                "parameters": [area],
                "templateUrl": None,
                "tags": [urn("aws:s3/bucket:Bucket", TEAMS)],
            },
            deletedWith=area,
        ),
        resource("aws:s3/bucket:Bucket", TEAMS, id=TEAMS, protect=True),
        resource("aws:ecr/repository:Repository", "theirs", id="theirs"),
        *more,
    ]
    return {"manifest": {}, "secrets_providers": {"type": "passphrase"}, "resources": resources}


HANDED_OVER = 6
"""Of the resources above: the area with two, the repository with its policy, what was pushed."""


def named(found: dict[str, Any], name: str, kind: str = "") -> dict[str, Any]:
    (one,) = [r for r in found["resources"] if r["urn"].endswith(f"{kind}::{name}")]
    return dict(one)


def protected(found: dict[str, Any]) -> set[str]:
    return {r["urn"] for r in found["resources"] if r.get("protect")}


def test_what_is_handed_over_is_the_place_and_nothing_of_the_teams() -> None:
    assert len(own_place.handed_over(state()["resources"])) == HANDED_OVER
    assert own_place.place_of(state()["resources"]) == Place(BUCKET, "app/dev")
    assert own_place.place_of(own_place.moved(state())["resources"]) is None


def test_an_account_holds_a_place_with_its_repository_or_not_at_all() -> None:
    bucket = resource("amplify-delivery:index:TargetAccount$aws:s3/bucket:Bucket", "dev-staging", id=BUCKET)
    repository = resource("aws:ecr/repository:Repository", "dev", id="app/dev")
    assert own_place.holds([bucket], Place(BUCKET))
    assert own_place.holds([bucket, repository], Place(BUCKET, "app/dev"))
    assert not own_place.holds([bucket], Place(BUCKET, "app/dev"))
    assert not own_place.holds([repository], Place(BUCKET))


def test_what_is_handed_over_is_protected_and_retained_first() -> None:
    held = own_place.held(state())
    handed = own_place.handed_over(held["resources"])
    assert protected(held) == {*handed, urn("aws:s3/bucket:Bucket", TEAMS)}
    assert {r["urn"] for r in held["resources"] if r.get("retainOnDelete")} == handed - {urn(AREA, "staging")}


def test_no_program_runs_with_what_is_moving_and_nothing_of_it_goes() -> None:
    moving = own_place.moving(state(), "moves", "do that")
    assert {r["urn"] for r in moving["resources"]} - protected(moving) == {urn("pulumi:pulumi:Stack", "app-dev")}
    # An engine of before this stops at the name; this one at what it is told.
    facts = named(moving, "place")["outputs"]["output"]
    assert facts["environment"] == "dev (moves)"
    assert (facts["moved"], facts["then"]) == ("moves", "do that")
    assert named(moving, "place")["inputs"] == {"input": FACTS}
    assert own_place.moving_to(moving["resources"]) == "moves"
    assert own_place.moving_to(state()["resources"]) == ""
    assert own_place.moving(moving, "moves again", "") == moving


@pytest.mark.parametrize("former", [state(), own_place.held(state()), own_place.moving(state(), "moves", "do that")])
def test_what_moves_is_everything_else_as_it_was(former: dict[str, Any]) -> None:
    """Whatever the steps before have written into it."""
    before, moved = state(), own_place.moved(former)
    handed = own_place.handed_over(before["resources"])
    assert [r["urn"] for r in moved["resources"]] == [r["urn"] for r in before["resources"] if r["urn"] not in handed]
    assert not any(urn in json.dumps(moved) for urn in handed)
    root = named(moved, "backend", STACK)
    assert root["protect"]
    assert root["dependencies"] == [urn("aws:s3/bucket:Bucket", TEAMS)]
    assert root["propertyDependencies"] == {"parameters": [], "templateUrl": [], "tags": root["dependencies"]}
    assert protected(moved) == {root["urn"], urn("aws:s3/bucket:Bucket", TEAMS)}
    assert named(moved, "place") == named(before, "place")
    owner = {"staging area (`bootstrapped`)": "its account's"}
    assert named(moved, "staging-owner")["outputs"] == {"input": owner, "output": owner}
    assert named(moved, "staging-owner")["inputs"] == {"input": owner}
    unchanged = {"place", "aws", TEAMS, "theirs", "app-dev", "default"}
    assert [named(moved, name) for name in unchanged] == [named(before, name) for name in unchanged]


def test_what_is_left_says_where_it_is_and_stays_protected() -> None:
    """The program is told at the place; what it would declare after that keeps the place from going."""
    left = own_place.left_behind(own_place.moving(state(), "moves", ""), "has moved", "look there")
    assert [r["urn"].rpartition("::")[2] for r in left["resources"]] == ["app-dev", "default", "place", "staging-owner"]
    facts = named(left, "place")["outputs"]["output"]
    assert facts == {**FACTS, "environment": "dev (has moved)", "moved": "has moved", "then": "look there"}
    assert named(left, "app-dev")["outputs"] == {}
    assert named(left, "staging-owner")["protect"]
    assert named(left, "staging-owner")["outputs"]["output"] == {"staging area (`bootstrapped`)": "its account's"}
    held = {r["urn"] for r in left["resources"]}
    assert closure(left["resources"], held) == held


def test_a_state_that_says_no_place_cannot_be_told_to_stop() -> None:
    old = {"resources": [r for r in state()["resources"] if not r["urn"].endswith("::place")]}
    assert not own_place.untold(state()["resources"])
    assert own_place.untold(old["resources"]) == "where the environment lies"


def test_without_what_says_whose_the_area_is_nothing_would_hold_the_place() -> None:
    """A program that is refused has taken the place's protection off: what is left would go with `pulumi destroy`."""
    old = {"resources": [r for r in state()["resources"] if not r["urn"].endswith("::staging-owner")]}
    assert own_place.untold(old["resources"]) == "whose its staging area is"
    left = own_place.left_behind(own_place.moving(old, "moves", ""), "has moved", "look there")
    held = [r for r in left["resources"] if not r["urn"].endswith("::place")]
    assert not [r for r in held if r.get("protect") and r["type"] == STASH]


@pytest.mark.parametrize("step", [own_place.moving, own_place.left_behind])
def test_our_commands_do_nothing_with_it(step: Any, tmp_path: Any) -> None:
    found = step(state(), "has moved", "look there")
    context = Context(tmp_path, {})
    checks: tuple[Callable[[], None], ...] = (
        lambda: former_state.check("dev", found["resources"]),
        lambda: secrets_provider.check("dev", found, context),
        lambda: same_place.check("dev", found["resources"], {}),
    )
    for check in checks:
        with pytest.raises(RefusedError) as caught:
            check()
        assert "it has moved: this is its former state" in str(caught.value)
        assert "nothing was changed. look there" in str(caught.value)
    former_state.check("dev", state()["resources"])
