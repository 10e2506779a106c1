"""What cannot be made is refused before anything is, names that are taken first, and holds no later `up` back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal.setup import tools
from functional.delivery.environments import REGION, Environment
from functional.delivery.outcomes import fails, succeeds
from unit.export.mutations import copy_export, set_value

API = "api/seriesapp/cloudformation-template.json"

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("names")]


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Nothing deployed, and somebody else has the bucket of that name."""
    made = Environment(tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v1")
    s3 = local_aws.client("s3", local_aws.make_admin(random_account()), REGION)
    s3.create_bucket(Bucket=f"{made.root}-deployment", CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


@pytest.mark.parametrize("skip", [(), ("--skip-preview",)], ids=["previewed", "not previewed"])
def test_nothing_is_made(environment: Environment, skip: tuple[str, ...]) -> None:
    said = ("names that this backend gives to what it makes are taken", f"{environment.root}-deployment")
    fails(environment.plain("up", *skip), *said, "nothing was made", "another environment name")
    assert environment.buckets() == set()
    exported = environment.workspace.pulumi("stack", "export", "-s", "dev").output
    types = {r["type"] for r in json.loads(exported)["deployment"].get("resources", [])}
    assert types <= {"pulumi:pulumi:Stack", "pulumi:providers:pulumi"}, "not even the place is remembered"


def test_under_another_name_it_goes_on(environment: Environment) -> None:
    environment.workspace.succeed("config", "set", "-s", "dev", "environment", "ann")
    succeeds(environment.plain("up", "--skip-preview"))
    tables = environment.client("dynamodb").list_tables()["TableNames"]
    assert [name.endswith("-ann") for name in tables] == [True]


def test_what_only_another_environment_can_be_is_refused_before_anything_is_made(
    local_aws: LocalAws, examined: Path, tmp_path: Path
) -> None:
    made = Environment(tmp_path / "environment", local_aws, tools(), examined, "todo-series/v1")
    export = copy_export("todo-series/v1", tmp_path / "next" / "amplify-export-seriesapp")
    set_value(export, API, "/Mappings", {"mails": {"ann": {"from": "ann@example.com"}}})
    mail = {"Fn::FindInMap": ["mails", {"Ref": "env"}, "from"]}
    set_value(export, API, "/Outputs/Mail", {"Value": mail})
    made.workspace.put_export(export)
    fails(made.plain("up", "--skip-preview"), "AD730", "mails has no dev")
    assert made.buckets() == set()
    made.workspace.succeed("config", "set", "-s", "dev", "environment", "ann")
    succeeds(made.plain("up", "--skip-preview"))
