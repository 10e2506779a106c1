"""Index changes that AWS takes one at a time are planned, approved once, and delivered one after the other."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal.workspace import Workspace
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import pulumi_homes
from functional.delivery.environments import Environment, kill_all
from functional.delivery.outcomes import fails, succeeds
from unit.export.mutations import copy_export, set_value

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("in-steps")]

TABLE = "apiseriesapp/Todo/TodoTable"
TODO = "api/seriesapp/amplify-appsync-files/stacks/Todo.json"
CUSTOM = "api/seriesapp/amplify-appsync-files/stacks/CustomResources.json"
EXPORTED = {"Value": {"Fn::GetAtt": ["TodoTable", "Arn"]}, "Export": {"Name": {"Fn::Sub": "todos-${AWS::AccountId}"}}}
IMPORTED = {"Value": {"Fn::ImportValue": {"Fn::Sub": "todos-${AWS::AccountId}"}}}


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A model delivered, with an index, whose stack exports something. Only its runs that are killed save the state
    with each step."""
    made = Environment(tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, "todo-series/v1")
    take(made, exported=True, byStatus="status")
    succeeds(made.plain("up", "--skip-preview"))
    return made


def to_be_killed(environment: Environment, *arguments: str) -> subprocess.Popen[str]:
    """A command that is going to be killed."""
    given = environment.workspace.environment
    variables = {name: value for name, value in given.items() if name not in pulumi_homes.SAVED_ONCE}
    own, environment.workspace = environment.workspace, Workspace(environment.workspace.project, variables)
    try:
        return environment.start(*pulumi_homes.delivery(variables, *arguments))
    finally:
        environment.workspace = own


def take(environment: Environment, *, exported: bool = False, imported: bool = False, **keys: str) -> None:
    """An export in which the model has these indexes, by the attribute that is their key; the table's ARN is exported
    by its stack, and imported by another one."""
    folder = environment.workspace.project.parent / "-".join(["next", *keys])
    export = copy_export("todo-series/v1", folder / "amplify-export-seriesapp")
    properties = "/Resources/TodoTable/Properties"
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in sorted({"id", *keys.values()})]
    set_value(export, TODO, f"{properties}/AttributeDefinitions", attributes)
    indexes = [
        {
            "IndexName": name,
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        for name, key in keys.items()
    ]
    if indexes:
        set_value(export, TODO, f"{properties}/GlobalSecondaryIndexes", indexes)
    if exported:
        set_value(export, TODO, "/Outputs/Exported", EXPORTED)
    if imported:
        set_value(export, CUSTOM, "/Outputs", {"Imported": IMPORTED})
    environment.workspace.put_export(export)


def exports(environment: Environment) -> list[str]:
    return [e["Name"] for e in environment.client("cloudformation").list_exports()["Exports"]]


def table(environment: Environment) -> str:
    (name,) = environment.client("dynamodb").list_tables()["TableNames"]
    return str(name)


def indexes(environment: Environment) -> dict[str, str]:
    found = environment.client("dynamodb").describe_table(TableName=table(environment))["Table"]
    return {i["IndexName"]: i["KeySchema"][0]["AttributeName"] for i in found.get("GlobalSecondaryIndexes", ())}


def updates(environment: Environment) -> int:
    """Updates of the root stack that have succeeded."""
    events = environment.client("cloudformation").get_paginator("describe_stack_events")
    found = [e for page in events.paginate(StackName=environment.root) for e in page["StackEvents"]]
    mine = [e["ResourceStatus"] for e in found if e["LogicalResourceId"] == environment.root]
    assert not [status for status in mine if "ROLLBACK" in status]
    return mine.count("UPDATE_COMPLETE")


def plan(environment: Environment) -> dict[str, Any]:
    """The plan's document, with what the command has `said`."""
    document = environment.workspace.project.parent / "plan.json"
    said = succeeds(environment.delivery("plan", "--out", str(document))).output
    return {**json.loads(document.read_text()), "said": said}


def test_indexes_of_a_deployed_table(environment: Environment) -> None:
    """One test, because each step begins where the one before has left the environment."""
    # So many that the local AWS takes a second for an index, and no other change of the table meanwhile.
    dynamodb, name = environment.client("dynamodb"), table(environment)
    for number in range(4):
        dynamodb.put_item(TableName=name, Item={"id": {"S": f"kept-{number}"}})
    planned = they_are_planned_one_after_the_other(environment)
    killed_between_two_the_same_plan_goes_on(environment, planned)
    two_go_with_up_and_an_export_once_nothing_imports_it(environment)
    assert dynamodb.get_item(TableName=name, Key={"id": {"S": "kept-0"}})["Item"]


def they_are_planned_one_after_the_other(environment: Environment) -> dict[str, Any]:
    take(environment, exported=True, imported=True, byDue="due", byStatus="due")
    planned = plan(environment)
    assert f"Update 1 of 3: {TABLE}: index byDue is made" in planned["said"]
    assert f"Update 2 of 3: {TABLE}: index byStatus is deleted, to be made again" in planned["said"]
    assert f"Update 3 of 3: {TABLE}: index byStatus is made" in planned["said"]
    assert planned["digest"] in planned["said"]
    assert [s["step"] for s in planned["steps"]].count("update-root") == 3
    begun = updates(environment)
    fails(environment.plain("up", "--skip-preview"), "AD741", "`amplify-delivery up dev` delivers it in 3 updates")
    assert (updates(environment), indexes(environment)) == (begun, {"byStatus": "status"})
    return planned


def killed_between_two_the_same_plan_goes_on(environment: Environment, planned: dict[str, Any]) -> None:
    document = environment.workspace.project.parent / "plan.json"
    approved = ("--plan", planned["digest"], "--plan-file", str(document))
    process = to_be_killed(environment, "deploy", "dev", *approved)
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if "update 2 of 3" in line:
            kill_all(process)
    assert "update 1 of 3" in "".join(said)
    assert "update 2 of 3" in "".join(said), "".join(said)
    assert f"{TABLE}: index byDue is CREATING, waiting until DynamoDB is done with it" in "".join(said)
    between = indexes(environment)
    assert between["byDue"] == "due"
    assert between.get("byStatus") != "due"
    done = succeeds(environment.delivery("deploy", *approved))
    assert "update 1 of 3" not in done.output
    assert "update 1 of 2" in done.output, done.output
    assert indexes(environment) == {"byDue": "due", "byStatus": "due"}


def two_go_with_up_and_an_export_once_nothing_imports_it(environment: Environment) -> None:
    """CloudFormation deletes no export that is in use: in the first update the import goes, in the second the
    export."""
    exported = f"todos-{environment.account}"
    assert exported in exports(environment)
    assert environment.client("cloudformation").list_imports(ExportName=exported)["Imports"]
    take(environment, byStatus="due", byName="name")
    begun = updates(environment)
    succeeds(environment.delivery("up"))
    assert exported not in exports(environment)
    assert indexes(environment) == {"byStatus": "due", "byName": "name"}
    assert updates(environment) == begun + 2
    assert plan(environment)["steps"] == []


def test_other_keys_of_a_table_that_has_a_name_of_its_own(environment: Environment) -> None:
    """Its successor gets the items before anybody uses it, and the table stays, closed; killed in the middle."""
    dynamodb, old = environment.client("dynamodb"), table(environment)
    new = f"v2-{old}"
    dynamodb.put_item(TableName=old, Item={"id": {"S": "kept-0"}})
    folder = environment.workspace.project.parent / "other-keys"
    export = copy_export("todo-series/v1", folder / "amplify-export-seriesapp")
    owner = {"AttributeName": "owner", "AttributeType": "S"}
    set_value(export, TODO, "/Resources/TodoTable/Properties/AttributeDefinitions/-", owner)
    set_value(
        export, TODO, "/Resources/TodoTable/Properties/KeySchema/-", {"AttributeName": "owner", "KeyType": "RANGE"}
    )
    environment.workspace.put_export(export)
    refused = environment.delivery("plan")
    fails(refused, "AD743", TABLE)
    printed = re.search(r"`pulumi (config set-all -s dev [^`]+)`", refused.output)
    assert printed
    environment.workspace.succeed(*shlex.split(printed[1]))
    fails(environment.plain("up", "--skip-preview"), "AD743", "`amplify-delivery up dev` delivers it in 3 updates")

    document = environment.workspace.project.parent / "other-keys.json"
    said = succeeds(environment.delivery("plan", "--out", str(document))).output
    assert "its items are copied to the table with v2- before its name" in said
    planned = json.loads(document.read_text())
    assert planned["dataLoss"] == []
    approved = ("--plan", planned["digest"], "--plan-file", str(document))
    begun = updates(environment)
    fails(environment.delivery("deploy", *approved), "it has no owner of the type S", "nothing was changed")
    assert updates(environment) == begun
    items: dict[str, dict[str, Any]] = {
        f"kept-{number}": {"id": {"S": f"kept-{number}"}, "owner": {"S": "me"}} for number in range(40)
    }
    items["kept-0"]["tags"] = {"SS": ["b", "a"]}
    for item in items.values():
        dynamodb.put_item(TableName=old, Item=item)

    process = to_be_killed(environment, "deploy", "dev", *approved)
    assert process.stdout
    for line in process.stdout:
        if "copied to" in line:
            kill_all(process)
    with pytest.raises(dynamodb.exceptions.ClientError, match="AccessDenied"):
        dynamodb.put_item(TableName=old, Item={"id": {"S": "late"}, "owner": {"S": "me"}})
    assert source(environment) == old
    nothing_else_leads_on(environment, approved, new)
    assert source(environment) == old
    done = succeeds(environment.delivery("deploy", *approved))
    assert f"40 items of {old} copied to {new}, and compared" in done.output
    assert source(environment) == new
    for name in (old, new):
        found = {item["id"]["S"]: item for item in dynamodb.scan(TableName=name)["Items"]}
        assert {key: {**value, "tags": None} for key, value in found.items()} == {
            key: {**value, "tags": None} for key, value in items.items()
        }
    dynamodb.put_item(TableName=new, Item={"id": {"S": "new"}, "owner": {"S": "me"}})
    assert plan(environment)["steps"] == []


def nothing_else_leads_on(environment: Environment, approved: tuple[str, ...], new: str) -> None:
    """The successor is made, and nobody knows whether it has the items: whatever is tried then."""
    dynamodb, stack_file = environment.client("dynamodb"), environment.workspace.project / "Pulumi.dev.yaml"
    environment.plain("cancel")  # as who uses plain `pulumi` does where the killed engine had its lock already
    fails(environment.plain("up", "--skip-preview"), "AD749", "`amplify-delivery up dev` copies them first")
    written = stack_file.read_text()
    stack_file.write_text(written.replace("data: copy", "data: leave"))
    fails(environment.plain("up", "--skip-preview"), "AD749", "replacedTables[0].data=copy")
    stack_file.write_text(written)
    # As after an update that was rolled back, when the app has written to the successor.
    newer = {"id": {"S": "kept-1"}, "owner": {"S": "me"}, "done": {"BOOL": True}}
    older = dynamodb.get_item(TableName=new, Key={"id": newer["id"], "owner": newer["owner"]})["Item"]
    dynamodb.put_item(TableName=new, Item=newer)
    said = environment.delivery("deploy", *approved)
    fails(
        said,
        "1 item there with other values under the same keys",
        "nothing was changed",
        "'replacedTables[0].data' keep",
    )
    assert dynamodb.get_item(TableName=new, Key={"id": newer["id"], "owner": newer["owner"]})["Item"] == newer
    dynamodb.put_item(TableName=new, Item=older)


def source(environment: Environment) -> str:
    """The table that the API's resolvers use."""
    appsync = environment.client("appsync")
    (api,) = appsync.list_graphql_apis()["graphqlApis"]
    found = appsync.get_data_source(apiId=api["apiId"], name="TodoTable")["dataSource"]
    return str(found["dynamodbConfig"]["tableName"])


def test_an_output_alone_is_planned_and_delivered(environment: Environment) -> None:
    """One test, because each step begins where the one before has left the environment."""
    program = environment.workspace.project / "__main__.py"
    body = program.read_text()
    later = itertools.count(1)

    def export(**values: str) -> None:
        lines = [f"pulumi.export({name!r}, {value})" for name, value in values.items()]
        program.write_text("\n".join(["import pulumi", *lines, body]))
        # Python takes a file of the same size and second for the one that it has compiled.
        second = program.stat().st_mtime + next(later)
        os.utime(program, (second, second))

    def planned(*changes: str) -> str:
        """The digest of the plan, which has these changes of outputs, and no other step."""
        found = plan(environment)
        assert [f"{s['operation']} {s['name']}" for s in found["steps"] if s["step"] == "change-output"] == [*changes]
        assert found["changes"] == len(changes)
        assert "s3cret" not in json.dumps(found)
        return str(found["digest"])

    export(greeting="'hello'", token="pulumi.Output.secret('s3cret-1')")
    digest = planned("add greeting", "add token")
    done = succeeds(environment.delivery("deploy", "--plan", digest))
    assert "hello" in done.output
    export(greeting="'welcome'", token="pulumi.Output.secret('s3cret-2')")
    digest = planned("change greeting", "change token")
    export(greeting="'welcome'", token="pulumi.Output.secret('s3cret-1')")
    fails(environment.delivery("deploy", "--plan", digest), "not what was approved")
    export(greeting="'welcome'", token="pulumi.Output.secret('s3cret-2')")
    done = succeeds(environment.delivery("deploy", "--plan", digest, "--show-secrets"))
    assert "welcome" in done.output
    assert "s3cret-2" in done.output
    program.write_text(body)
    planned("remove greeting", "remove token")
