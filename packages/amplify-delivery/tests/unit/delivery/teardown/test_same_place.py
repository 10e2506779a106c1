"""What is to go lies where the stack file says: asked of what the program has remembered, and of root stacks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery.delivery.teardown import same_place
from amplify_delivery.delivery.teardown.held import Held, in_state
from amplify_delivery.delivery.teardown.root_stack import Root
from amplify_delivery.errors import RefusedError

HERE, THERE = ("111122223333", "eu-west-1"), ("444455556666", "eu-west-1")
TABLE = {"urn": "urn::table", "type": "aws:dynamodb/table:Table", "custom": True, "id": "orders"}


def remembered(name: str, place: tuple[str, str]) -> dict[str, Any]:
    facts = {"account": place[0], "region": place[1], "environment": "dev"}
    return {"urn": f"urn::{name}", "type": "pulumi:index:Stash", "custom": True, "outputs": {"output": facts}}


def stack(place: tuple[str, str]) -> dict[str, Any]:
    arn = f"arn:aws:cloudformation:{place[1]}:{place[0]}:stack/a/1"
    return {"type": ROOT_STACK, "custom": True, "urn": f"urn::{ROOT_STACK}::cdn", "id": arn}


def test_where_it_was_deployed_it_may_go() -> None:
    same_place.check("dev", [remembered("place", HERE), TABLE], {"place": HERE})
    same_place.check("dev", [TABLE], {"place": HERE})  # made before anything was remembered
    same_place.check("dev", [], {"place": HERE})


def test_elsewhere_it_is_left_alone_unless_nothing_was_made() -> None:
    with pytest.raises(RefusedError, match="in account 111122223333, eu-west-1; the stack file says 444455556666"):
        same_place.check("dev", [remembered("place", HERE), TABLE], {"place": THERE})
    same_place.check("dev", [remembered("place", HERE)], {"place": THERE})


def test_of_an_account_each_environment_counts() -> None:
    state = [remembered("place-prod", HERE), remembered("place-qa", THERE), TABLE]
    same_place.check("prod-account", state, {"place-prod": HERE, "place-qa": THERE})
    same_place.check("prod-account", state, {"place-prod": HERE})  # that it is not named is told otherwise
    with pytest.raises(RefusedError, match="444455556666"):
        same_place.check("prod-account", state, {"place-prod": HERE, "place-qa": HERE})


def test_a_root_stack_tells_by_itself() -> None:
    root = {**stack(HERE), "urn": f"urn::{BACKEND}{ROOT_STACK}::backend"}
    same_place.check("dev", [root], {"place": HERE})
    with pytest.raises(RefusedError, match="was deployed in account 111122223333"):
        same_place.check("dev", [root], {"place": THERE})
    same_place.check("dev", [{**root, "id": "by-its-name"}], {"place": THERE})


@pytest.mark.parametrize("elsewhere", [("111122223333", "us-east-1"), THERE])
def test_a_stack_of_the_programs_own_may_lie_elsewhere_and_is_asked_for_as_a_whole(elsewhere: tuple[str, str]) -> None:
    """A certificate of CloudFront lies in us-east-1. What is in that stack, nobody can ask here."""
    backend, cdn = {**stack(HERE), "urn": f"urn::{BACKEND}{ROOT_STACK}::backend"}, stack(elsewhere)
    config: Any = SimpleNamespace(account=HERE[0], region=HERE[1], profile=None)
    project: Any = None
    assert Root.of("dev", [remembered("place", HERE), backend, cdn], config, project).ids == (backend["id"],)
    whole = Held("cdn", ROOT_STACK, cdn["id"], "everything in the stack")
    assert list(in_state([backend, cdn], HERE)) == [whole]
    assert list(in_state([stack(HERE)], HERE)) == []  # that one is looked into


def test_what_the_program_only_reads_or_keeps_is_not_looked_into_and_no_bucket_of_it_is_emptied() -> None:
    """`Stack.get` of a stack that others share; the engine deletes neither."""
    read, kept = {**stack(HERE), "external": True}, {**stack(HERE), "retainOnDelete": True}
    config: Any = SimpleNamespace(account=HERE[0], region=HERE[1], profile=None)
    backend, project = (
        {**stack(HERE), "urn": f"urn::{BACKEND}{ROOT_STACK}::backend", "id": "backend"},
        cast("Any", None),
    )
    assert Root.of("dev", [backend, read, kept], config, project).ids == ("backend",)
    assert [h.kept for h in in_state([backend, read, kept], HERE)] == [True]
    assert Root.of("dev", [backend, stack(HERE)], config, project).ids == ("backend", stack(HERE)["id"])
