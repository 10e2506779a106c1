from __future__ import annotations

import pulumi
import pytest

from amplify_delivery.components.providers import Access, aws_provider
from amplify_delivery.components.remembered import unchanged
from unit.components.recorder import STASH, Recording, record


def program() -> None:
    facts = unchanged("place", {"account": "012345678901", "region": "eu-west-1"}, "put it back")
    guard = pulumi.ResourceOptions(depends_on=facts.apply(lambda _: []))
    aws_provider("aws", Access("012345678901", "eu-west-1"), guard)


def run(first: dict[str, str], *, preview: bool = False) -> Recording:
    return record(program, states={"place": {"output": first}}, preview=preview)


def test_what_stayed_the_same_goes_on() -> None:
    recording = run({"account": "012345678901", "region": "eu-west-1"})
    assert recording.one("pulumi:providers:aws")


@pytest.mark.parametrize("preview", [True, False])
def test_a_changed_fact_is_refused_by_name_with_a_remedy(preview: bool) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        run({"account": "012345678901", "region": "us-east-1"}, preview=preview)
    text = str(caught.value)
    assert "region is 'eu-west-1' now, but this stack was deployed with 'us-east-1'" in text
    assert "-> put it back" in text


def test_a_changed_fact_stops_whatever_depends_on_it() -> None:
    registered: list[str] = []

    def both() -> None:
        try:
            program()
        finally:
            registered.append("program ran")

    with pytest.raises(pulumi.RunError):
        record(both, states={"place": {"output": {"account": "1", "region": "eu-west-1"}}})
    assert registered == ["program ran"]


def test_a_fact_that_is_new_is_no_change() -> None:
    assert run({"account": "012345678901"}).one("pulumi:providers:aws")


def test_a_refused_change_is_not_written_into_the_state() -> None:
    stash = run({"account": "012345678901", "region": "eu-west-1"}).one(STASH)
    assert list(stash.request.ignoreChanges) == ["input"]


@pytest.mark.parametrize("preview", [True, False])
def test_a_state_that_was_moved_stops_the_program_with_the_way_out(preview: bool) -> None:
    """Also where the facts are the same: a command has written it there."""
    first = {"account": "012345678901", "region": "eu-west-1", "moved": "has moved to there", "then": "look there"}
    with pytest.raises(pulumi.RunError) as caught:
        run(first, preview=preview)
    assert "it has moved to there: this is its former state" in str(caught.value)
    assert "-> look there" in str(caught.value)
