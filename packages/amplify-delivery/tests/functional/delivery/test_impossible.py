"""What AWS cannot do is said before anything is sent, by every way to deploy; overruled, the local AWS refuses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds
from unit.export.mutations import copy_export, set_value

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("impossible")]

TABLE = "apiseriesapp/Todo/TodoTable"
TODO = "api/seriesapp/amplify-appsync-files/stacks/Todo.json"


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A model delivered; the next export gives it two indexes at once."""
    folder = tmp_path_factory.mktemp("environment")
    made = Environment(folder, local_aws, tools(), examined, "todo-series/v1")
    succeeds(made.plain("up", "--skip-preview"))
    export = copy_export("todo-series/v1", folder / "next" / "amplify-export-seriesapp")
    properties = "/Resources/TodoTable/Properties"
    indexes = []
    for name in ("status", "due"):
        # Computed by the template: so nobody can put the two in order (test_in_steps.py has those that can be).
        attribute = {"AttributeName": {"Fn::Join": ["", [name]]}, "AttributeType": "S"}
        set_value(export, TODO, f"{properties}/AttributeDefinitions/-", attribute)
        keys = [{"AttributeName": name, "KeyType": "HASH"}]
        indexes.append({"IndexName": f"by-{name}", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}})
    set_value(export, TODO, f"{properties}/GlobalSecondaryIndexes", indexes)
    made.workspace.put_export(export)
    return made


def events(environment: Environment) -> int:
    found = environment.client("cloudformation").describe_stack_events(StackName=environment.root)["StackEvents"]
    return len(found)


def test_every_way_to_deploy_refuses_it(environment: Environment) -> None:
    before = events(environment)
    said = ("AD741", TABLE, "by-due", "by-status", "computed by the template", "nothing was changed")
    fails(environment.delivery("plan"), "GlobalSecondaryIndexes", *said)
    fails(environment.delivery("plan", "--json"), *said)
    fails(environment.delivery("deploy", "--plan", "0" * 64), TABLE)
    fails(environment.delivery("up"), *said)
    fails(environment.plain("up", "--skip-preview"), *said)
    assert events(environment) == before


def test_overruled_it_is_for_aws_to_say(environment: Environment) -> None:
    set_ = ("config", "set", "-s", "dev", "--path")
    environment.workspace.succeed(*set_, "lint.ignore[0].id", "AD741")
    environment.workspace.succeed(*set_, "lint.ignore[0].reason", "let us see")
    finished = environment.delivery("plan")
    succeeds(finished)
    assert "AD741 does not count here (`lint.ignore`): let us see" in finished.output
    fails(environment.plain("up"), "more than one GSI creation or deletion in a single update")
