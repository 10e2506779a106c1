"""Nothing that a program plans deletes or replaces the root stack, on the real engine, also with nothing protected.

`protect: false` is a person's choice for a personal stack: it allows her `pulumi destroy`, and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal.workspace import Finished
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("root_stays")]

ROOT_STACK = "aws:cloudformation/stack:Stack"


@dataclass(frozen=True)
class Begun:
    """The example app, with what was done to it first: tests may come in any order, and alone."""

    environment: Environment
    made: str
    """The root stack's id."""
    destroy: Finished
    """The plain destroy, while it was protected."""
    destroyed: str | None
    """The root stack's id after that."""
    update: Finished
    """Of a root that was not made by the program, unprotected."""
    updated: str | None


@pytest.fixture(scope="module")
def there() -> list[Begun]:
    """What was made last."""
    return []


@pytest.fixture
def begun(there: list[Begun], local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Begun:
    """Made once, unless a test that has come first has destroyed it."""
    if not there or there[-1].environment.status() is None:
        there.append(
            begin(
                Environment(
                    tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v1", killed=True
                )
            )
        )
    return there[-1]


def begin(environment: Environment) -> Begun:
    up = environment.plain("up", "--skip-preview")
    assert up.exit_code == 0, up.output
    made = stack_id(environment)
    destroy = environment.plain("destroy")
    destroyed = stack_id(environment) if environment.status() else None
    environment.workspace.succeed("config", "set", "protect", "false", "-s", "dev")
    document = state(environment)
    root = root_of(document)
    root["protect"] = False
    # A stack that `amplify push` has made has no `onFailure`: in the state the property is just absent.
    for side in ("inputs", "outputs"):
        root[side].pop("onFailure", None)
    put_back(environment, document)
    environment.take("todo-series/v2")
    update = environment.plain("up")
    updated = stack_id(environment) if environment.status() else None
    return Begun(environment, made, destroy, destroyed, update, updated)


@pytest.fixture
def environment(begun: Begun) -> Environment:
    """The example app, delivered, with nothing protected."""
    return begun.environment


def stack_id(environment: Environment) -> str:
    found = environment.client("cloudformation").describe_stacks(StackName=environment.root)["Stacks"][0]
    assert found["StackStatus"].endswith("_COMPLETE")
    return str(found["StackId"])


def state(environment: Environment) -> dict[str, Any]:
    file = environment.workspace.project.parent / "state.json"
    environment.workspace.succeed("stack", "export", "-s", "dev", "--file", str(file))
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def put_back(environment: Environment, document: Any) -> None:
    file = environment.workspace.project.parent / "state.json"
    file.write_text(json.dumps(document))
    environment.workspace.succeed("stack", "import", "-s", "dev", "--file", str(file), "--force")


def root_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in document["deployment"]["resources"] if r["type"] == ROOT_STACK)
    return found


def test_protected_it_stays_in_a_plain_destroy(begun: Begun) -> None:
    assert begun.destroy.exit_code != 0
    assert "protect" in begun.destroy.output
    assert begun.destroyed == begun.made


def test_a_root_that_was_not_made_by_the_program_is_updated_in_place(begun: Begun, environment: Environment) -> None:
    assert begun.update.exit_code == 0, begun.update.output
    assert begun.updated == begun.made
    assert not root_of(state(environment)).get("protect")


def test_a_replacement_is_refused_although_nothing_is_protected(environment: Environment) -> None:
    """Also by the update itself, which no preview goes before."""
    before, urn = stack_id(environment), root_of(state(environment))["urn"]
    refused = environment.plain("up", "--replace", urn, "--skip-preview")
    assert refused.exit_code != 0, refused.output
    assert "is there already" in refused.output
    assert "Traceback" not in refused.output
    assert stack_id(environment) == before
    again = environment.plain("up")  # what a frightened user types next
    assert again.exit_code == 0, again.output
    assert stack_id(environment) == before


def test_a_preview_of_a_replacement_is_refused(environment: Environment) -> None:
    urn = root_of(state(environment))["urn"]
    refused = environment.workspace.pulumi("preview", "-s", "dev", "--replace", urn)
    assert refused.exit_code != 0
    assert "is there already" in refused.output


def test_a_root_of_another_name_in_the_program_is_not_made_in_its_place(environment: Environment) -> None:
    before, document = stack_id(environment), state(environment)
    urn = root_of(document)["urn"]
    put_back(environment, json.loads(json.dumps(document).replace(f'"{urn}"', f'"{urn}-older"')))
    refused = environment.plain("up", "--skip-preview")
    assert refused.exit_code != 0, refused.output
    assert "is there already" in refused.output
    assert stack_id(environment) == before
    put_back(environment, document)


def test_our_command_refuses_a_program_that_has_it_no_more(environment: Environment) -> None:
    """To plain `pulumi up` that is the deletion which `protect: false` allows (docs/decisions.md)."""
    before, program = stack_id(environment), environment.workspace.project / "__main__.py"
    text = program.read_text()
    program.write_text("import pulumi\n")
    try:
        refused = environment.delivery("up")
    finally:
        program.write_text(text)
    assert refused.exit_code != 0, refused.output
    assert "this would delete the root stack, and with it all data" in refused.output
    assert "the program no longer has it" in refused.output
    assert stack_id(environment) == before


def test_unprotected_it_goes_in_a_plain_destroy(environment: Environment) -> None:
    done = environment.plain("destroy")
    assert done.exit_code == 0, done.output
    assert environment.status() is None
