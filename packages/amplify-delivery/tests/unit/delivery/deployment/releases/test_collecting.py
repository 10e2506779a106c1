"""`amplify-delivery gc`: what it looks at, and what it deletes, nobody deploys meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.commands import gc
from amplify_delivery.delivery.deployment.releases import collecting, image_garbage
from amplify_delivery.delivery.deployment.releases.collecting import Garbage
from amplify_delivery.delivery.environment import wanted
from amplify_delivery.errors import RefusedError

NAMES = SimpleNamespace(repository="app/prod")
FOUND = Garbage(("templates/old.json",), 3, (), frozenset())


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done, in order."""
    steps: list[str] = []

    @contextmanager
    def holding(_engine: Any, command: str, *_: Any) -> Iterator[None]:
        steps.append(f"{command} has it")
        yield
        steps.append("given back")

    def noted(what: str, answer: Any) -> Any:
        def note(*_: Any) -> Any:
            steps.append(what)
            return answer

        return note

    engine = SimpleNamespace(exists=lambda: True, resources=tuple, state=dict)
    monkeypatch.setattr(wanted, "published", lambda *_: SimpleNamespace(bucket="staging", names=NAMES))
    monkeypatch.setattr(gc, "Engine", lambda *_: engine)
    monkeypatch.setattr(gc, "holding", holding)
    monkeypatch.setattr(collecting, "check_root", noted("whose root it is", None))
    monkeypatch.setattr(collecting, "look", noted("looked", FOUND))
    images = SimpleNamespace(images=("image",), needed=1)
    monkeypatch.setattr(image_garbage, "look", noted("looked at images", images))
    monkeypatch.setattr(image_garbage, "collect", noted("images deleted", 1))
    monkeypatch.setattr(collecting, "collect", noted("objects deleted", 1))
    monkeypatch.setattr(gc, "_document", lambda *_: {})
    return steps


def test_without_delete_it_looks_and_waits_for_nobody(done: list[str]) -> None:
    assert cli.main(["gc", "prod", "--json"]) == 0
    assert done == ["looked", "looked at images"]


def test_with_delete_it_has_the_stack_from_the_look_to_the_last_object(done: list[str]) -> None:
    """Images first: manifests tell of them, also when it is ended on the way."""
    assert cli.main(["gc", "prod", "--delete", "--json"]) == 0
    looked = ["whose root it is", "looked", "looked at images"]
    assert done == ["gc has it", *looked, "images deleted", "objects deleted", "given back"]


def test_where_the_files_name_another_root_nothing_is_looked_at(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def another(*_: Any) -> None:
        raise RefusedError("another is deployed")

    monkeypatch.setattr(collecting, "check_root", another)
    assert cli.main(["gc", "prod", "--delete"]) == 3
    assert done == ["gc has it"]
