"""A deployed stack does not move: a changed account or region is refused in the preview, before anything is planned."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path

import pulumi
import pytest

from amplify_delivery.components import lost_state
from amplify_delivery.stacks import account, backend
from amplify_delivery.stacks.inputs import ADOPT_VARIABLE
from unit.components.recorder import STASH, Recording
from unit.stacks.projects import AWAY, HOME, TOOLING, account_of, make, run, write

STAGING, OWNER = "staging area (`bootstrapped`)", "staging-owner"
FIRST = {
    "pipeline": ("place", {"account": TOOLING, "region": HOME}),
    "preprod-account": ("place-preprod", {"account": account_of(0), "region": HOME}),
    "preprod": ("place", {"account": account_of(0), "region": HOME, "environment": "preprod"}),
}
"""What each stack's state remembers of its first deployment, and under which name."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("project"))


def deployed(directory: Path, stack: str, *, preview: bool = True, **first: str) -> Recording:
    """The program of a stack that was first deployed there, but for what `first` says."""
    name, facts = FIRST[stack]
    return run(directory, stack, preview=preview, states={name: {"output": {**facts, **first}}})


@pytest.mark.parametrize("stack", FIRST)
def test_where_it_was_it_goes_on(directory: Path, stack: str) -> None:
    recording = deployed(directory, stack)
    assert [r for r in recording.resources if r.type.startswith("aws")]
    assert dict(recording.one(STASH, FIRST[stack][0]).inputs["input"]) == FIRST[stack][1]


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(("fact", "before"), [("account", "999999999999"), ("region", "ap-south-1")])
@pytest.mark.parametrize("stack", FIRST)
def test_elsewhere_it_is_refused_by_name(directory: Path, stack: str, fact: str, before: str, preview: bool) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        deployed(directory, stack, preview=preview, **{fact: before})
    text = str(caught.value)
    assert f"{fact} is {FIRST[stack][1][fact]!r} now, but this stack was deployed with {before!r}" in text
    assert f"stack {stack}" in text
    assert "-> put it back" in text


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("before", [{}, {STAGING: "its account's"}])
def test_an_environment_with_its_own_staging_area_does_not_become_a_pipelines(
    directory: Path, before: dict[str, str], preview: bool
) -> None:
    """The program would no longer declare the area, and the engine delete it, with the templates and the code that the
    root stack runs from. Whatever its place remembers: that of an adopted one is from before it had an area."""
    place, facts = FIRST["preprod"]
    states = {place: {"output": {**facts, **before}}, OWNER: {"output": {STAGING: "its own"}}}
    with pytest.raises(pulumi.RunError) as caught:
        run(directory, "preprod", states=states, preview=preview)
    text = str(caught.value)
    assert f"{STAGING} is \"its account's\" now, but this stack was deployed with 'its own'" in text
    assert "-> put it back" in text


@pytest.mark.parametrize("before", [{}, {STAGING: "its own"}])
def test_whose_it_is_is_remembered_by_the_first_run_that_does_not_adopt(
    directory: Path, before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So an adopted environment has it, and one that was deployed before this was remembered. Without the place it is
    not made: the first of all is refused where nothing can be made."""
    place, facts = FIRST["preprod"]
    states = {place: {"output": {**facts, **before}}}
    recording = run(directory, "preprod", states=states)
    made = recording.one(STASH, OWNER)
    assert dict(made.inputs["input"]) == {STAGING: "its account's"}
    assert recording.one(STASH, place).urn in made.depends_on
    monkeypatch.setenv(ADOPT_VARIABLE, "arn:aws:cloudformation:us-east-1:222222222222:stack/amplify-fullapp-preprod/1")
    adopting = run(directory, "preprod", states=states)
    assert [r.name for r in adopting.all(STASH) if r.name == OWNER] == []


@pytest.mark.parametrize("held", [True, False])
def test_the_first_time_the_state_tells_whether_it_holds_an_area_of_its_own(
    directory: Path, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an environment that was deployed before this was remembered nothing else does. In previews, too."""
    asked: list[str] = []

    async def state_holds(end: str) -> bool:
        asked.append(end)
        return held

    monkeypatch.setattr(backend, "state_holds", state_holds)
    recording = run(directory, "preprod")
    with pytest.raises(pulumi.RunError, match="holds a staging area of its own") if held else nullcontext():
        recording.run_hook(f"{OWNER}-first")
    assert asked == ["amplify-delivery:index:StagingArea::staging"]


AREA = "urn:pulumi:preprod-account::app::amplify-delivery:index:TargetAccount$amplify-delivery:index:StagingArea$"
HELD = {
    "": True,
    f"{AREA}aws:s3/bucket:Bucket::preprod-staging": False,
    "urn:pulumi:a::app::amplify-delivery:index:TargetAccount$aws:kms/key:Key::preprod-state": False,
    # Of another environment, and an area that no account has made.
    f"{AREA}aws:s3/bucket:Bucket::prod-staging": True,
    "urn:pulumi:a::app::amplify-delivery:index:StagingArea$aws:s3/bucket:Bucket::preprod-staging": True,
}
"""What an account's state holds, and whether an environment's first place is refused where its bucket is there."""


@pytest.mark.parametrize(("held", "refused"), HELD.items())
def test_what_the_account_has_taken_over_is_no_second_owner(
    directory: Path, held: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bucket comes into its state before its program has run for that environment, beside others that it serves."""
    there = lost_state.Runs("the staging bucket", way="`--take-over`")
    monkeypatch.setattr(account, "partial", lambda *_, **__: lambda _: there)
    monkeypatch.setattr(lost_state, "provider_session", lambda *_: None)
    monkeypatch.setattr(pulumi, "get_organization", lambda: "organization")

    async def read(*_: object) -> dict[str, dict[str, str]]:
        return {"outputs": {held: ""} if held else {}}

    monkeypatch.setattr(lost_state, "invoke_async", read)
    recording = deployed(directory, "preprod-account")
    with pytest.raises(pulumi.RunError, match="has not made it") if refused else nullcontext():
        recording.run_hook("first-create-preprod")


@pytest.mark.parametrize("stack", FIRST)
def test_everything_waits_for_that_answer(directory: Path, stack: str) -> None:
    """All that is made in AWS is made with providers that depend on it."""
    recording = deployed(directory, stack)
    awaited = {recording.one(STASH, FIRST[stack][0]).urn, *(r.urn for r in recording.all(STASH) if r.name == OWNER)}
    assert len(awaited) == 1 + (stack == "preprod")
    providers = {r.urn: r for r in recording.resources if r.type.startswith("pulumi:providers")}
    made = [r for r in recording.resources if r.type.startswith("aws")]
    assert made
    for resource in made:
        provider = providers[resource.provider.rpartition("::")[0]]
        assert awaited <= set(provider.depends_on), f"{resource.type} {resource.name}"


def test_each_environment_of_an_account_has_its_own_place(directory: Path, tmp_path: Path) -> None:
    """So one that comes later is remembered, too."""
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "prod1", {"account": account_of(0), "region": AWAY, "bootstrapped": "true", "suffix": "a8d04"})
    write(tmp_path, "both-account", {"program": "account", "environments": ["preprod", "prod1"]})
    recording = run(tmp_path, "both-account")
    places = {r.name: dict(r.inputs["input"]) for r in recording.all(STASH)}
    assert places == {
        "place-preprod": {"account": account_of(0), "region": HOME},
        "place-prod1": {"account": account_of(0), "region": AWAY},
    }
    assert recording.exports["account"] == account_of(0)
