"""Plan and deploy on the real engine: what was approved is done, and nothing else."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from amplify_delivery.client_config import FILES, PLATFORMS
from amplify_delivery.delivery.reporting.page.report_model import parsed
from amplify_delivery_rehearsal.conformance.proxy import Proxy
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests.local_account import SOON
from functional import here
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("plan")]


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One for all tests of this module."""
    folder = tmp_path_factory.mktemp("environment")
    return Environment(folder, local_aws, tools(), examined, "todo-series/v3")


@pytest.fixture
def document(environment: Environment) -> Path:
    """Where a plan's document is written: outside of the project."""
    return environment.workspace.project.parent / "plan.json"


def plan(environment: Environment, document: Path, *arguments: object) -> dict[str, Any]:
    succeeds(environment.delivery("plan", "--out", str(document), *map(str, arguments)))
    planned: dict[str, Any] = json.loads(document.read_text())
    return planned


def deploy(environment: Environment, digest: str, *arguments: object) -> Finished:
    return environment.delivery("deploy", "--plan", digest, *map(str, arguments))


READS = re.compile(r"[a-z0-9-]+:(BatchGet|Describe|Get|Head|List)")
"""Calls that change nothing."""
ENGINES = {"kms:Decrypt"}
"""The engine's own: it has the stack's key decrypted."""


def called(environment: Environment, command: str, *arguments: str) -> tuple[Finished, set[str]]:
    """Run a command; what it has called of AWS, as `SERVICE:Operation`."""
    with Proxy(environment.aws.port or 0) as proxy:
        variables = {**environment.workspace.environment, "AWS_ENDPOINT_URL": proxy.endpoint}
        workspace = Workspace(environment.workspace.project, variables)
        return here.delivery(workspace, command, "dev", *arguments), proxy.calls


def root_template(environment: Environment) -> dict[str, Any]:
    found = environment.client("cloudformation").get_template(StackName=environment.root)["TemplateBody"]
    return dict(json.loads(found) if isinstance(found, str) else found)


def update_by_hand(environment: Environment, template: dict[str, Any]) -> None:
    """What somebody does in the console."""
    cloudformation = environment.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName=environment.root)["Stacks"][0]
    cloudformation.update_stack(
        StackName=environment.root,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack["Parameters"]],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    waiter = cloudformation.get_waiter("stack_update_complete")
    waiter.wait(StackName=environment.root, WaiterConfig=SOON)


def a_first_deployment_as_planned_and_the_same_again(environment: Environment, document: Path) -> None:
    variables, audit = document.with_name("variables"), document.with_name("audit")
    planned = plan(environment, document, "--variables", variables)
    assert environment.status() is None
    assert environment.buckets() == set()
    types = {step["type"] for step in planned["steps"] if step["step"] == "change-program"}
    assert "aws:s3/bucket:Bucket" in types
    assert "aws:cloudformation/stack:Stack" not in types
    assert variables.read_text() == f"CHANGES={planned['changes']}\nPLAN_DIGEST={planned['digest']}\n"

    done = succeeds(deploy(environment, planned["digest"], "--audit", audit))
    assert re.search(rf"stackName +{environment.root}", done.output)
    assert environment.status() == "CREATE_COMPLETE"
    again, calls = called(environment, "deploy", "--plan", planned["digest"], "--audit", str(audit))
    assert "nothing to change" in succeeds(again).output
    assert "cloudformation:DescribeStacks" in calls
    assert {call for call in calls if not READS.match(call)} == ENGINES

    first, second = map(json.loads, audit.read_text().splitlines())
    assert (first["result"], second["result"]) == ("deployed", "nothing to change")
    assert (first["plan"], first["assembly"]) == (planned["digest"], planned["target"]["assembly"])


def test_plans_of_one_environment_one_after_the_other(environment: Environment, document: Path) -> None:
    """One test, because each step begins where the one before has left the environment."""
    queued = document.with_name("queued.json")
    plan(environment, queued)
    environment.take("todo-series/v2")
    a_first_deployment_as_planned_and_the_same_again(environment, document)
    the_release_behind_it_was_planned_before(environment, queued)
    somebody_else_deployed_in_between(environment, document)
    a_report_is_what_is_planned_and_reads_only(environment, document)
    what_remains_of_an_approved_plan(environment, document)
    a_front_end_is_configured_with_what_runs(environment)
    a_translated_text_is_delivered_once(environment, document)
    a_backend_that_a_migration_has_locked_is_left_alone(environment)


def test_a_plan_must_be_named(environment: Environment) -> None:
    fails(environment.delivery("deploy"), "the approved plan is not named", "amplify-delivery plan dev")


def the_release_behind_it_was_planned_before(environment: Environment, queued: Path) -> None:
    """While nothing was deployed yet, as it happens in a queued pipeline."""
    environment.take("todo-series/v3")
    approved = json.loads(queued.read_text())
    now = plan(environment, queued.with_name("now.json"))
    assert any(step not in approved["steps"] for step in now["steps"])
    # Of a schema, by what was published of it before.
    opened = {name for right in now["gainedRights"] if right["open"] for name in right["rights"]}
    assert {"Mutation.createTodoList", "all that it guards"} <= opened
    assert "Mutation.createTodo" not in opened
    fails(deploy(environment, approved["digest"]), "not what was approved", "nothing was changed")
    succeeds(deploy(environment, approved["digest"], "--plan-file", queued))
    unchanged = plan(environment, queued.with_name("now.json"))
    assert (unchanged["changes"], unchanged["gainedRights"]) == (0, [])


def somebody_else_deployed_in_between(environment: Environment, document: Path) -> None:
    environment.take("todo-series/v4")
    approved = plan(environment, document)
    assert (approved["changes"], approved["dataLoss"]) == (9, [])
    assert [(r["path"], r["who"]) for r in approved["gainedRights"] if r["open"]] == [
        ("authseriesappauth/UserPool", "anyone")
    ]
    before = root_template(environment)
    update_by_hand(environment, {**before, "Outputs": {**before["Outputs"], "Mine": {"Value": "1"}}})
    theirs = root_template(environment)
    audit = document.with_name("refused")
    refused = deploy(environment, approved["digest"], "--audit", audit)
    fails(refused, "not what was approved", "authseriesappauth/UserPool", "nothing was changed")
    assert root_template(environment) == theirs
    assert json.loads(audit.read_text())["result"] == "refused"
    update_by_hand(environment, before)


def a_report_is_what_is_planned_and_reads_only(environment: Environment, document: Path) -> None:
    """The plan is the one that is approved next, by its digest and its steps."""
    approved = plan(environment, document)
    page = document.with_name("report.html")
    done, calls = called(environment, "report", "--out", str(page))
    assert f"dev: all of it on one page: {page}" in succeeds(done).output
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert data is not None
    report = parsed(json.loads(data[1]))
    assert report.unread == ()
    assert report.plan is not None
    assert (report.plan.whole, report.plan.digest) == (True, approved["digest"])
    assert sorted(line.mark for line in report.lines if line.mark) == sorted("+" * 9)
    facts = {fact.label: fact.value for fact in report.facts}
    assert (facts["Root stack"], facts["Plan"]) == ("UPDATE_COMPLETE", "9 changes")
    assert f"amplify-delivery deploy dev --plan {approved['digest']}" in [typed.text for typed in report.commands]
    assert {(stack.name, stack.status) for stack in report.stacks if stack.path[:1] == ("apiseriesapp",)} > {
        ("apiseriesapp", "UPDATE_COMPLETE")
    }
    (timings,) = report.timings
    assert "apiseriesapp" in {span.name for span in timings.spans}
    assert "cloudformation:DescribeStackEvents" in calls
    assert {call for call in calls if not READS.match(call)} == ENGINES


def what_remains_of_an_approved_plan(environment: Environment, document: Path) -> None:
    # The last test's plan: the stack's state is another since then, the steps are the same.
    approved = json.loads(document.read_text())["digest"]
    succeeds(deploy(environment, approved, "--plan-file", document))
    assert "authseriesappauth" in root_template(environment)["Resources"]


def a_front_end_is_configured_with_what_runs(environment: Environment) -> None:
    """By calls that read, and no other than these."""
    out = environment.workspace.project.parent / "web"
    done, calls = called(environment, "client-config", "--out", str(out), "--json")
    told = json.loads(succeeds(done).output)
    assert (told["stack"], told["written"]) == (environment.root, ["aws-exports.js", "amplifyconfiguration.json"])
    assert {call for call in calls if not call.startswith("sts:")} == {
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
    }
    web = json.loads((out / "amplifyconfiguration.json").read_text())
    [pool] = environment.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
    assert web["aws_user_pools_id"] == pool["Id"]
    clients = environment.client("cognito-idp").list_user_pool_clients(UserPoolId=pool["Id"], MaxResults=10)
    assert web["aws_user_pools_web_client_id"] in {c["ClientId"] for c in clients["UserPoolClients"]}
    [api] = environment.client("appsync").list_graphql_apis()["graphqlApis"]
    assert web["aws_appsync_graphqlEndpoint"] == api["uris"]["GRAPHQL"]
    assert web["aws_appsync_authenticationType"] == api["authenticationType"]
    assert answer(environment, web, "query { __typename }") == (200, {"data": {"__typename": "Query"}})
    assert answer(environment, {**web, "aws_appsync_apiKey": "da2-another"}, "query { __typename }")[0] == 401
    status, said = answer(environment, web, 'mutation { createTodo(input: {name: "Milk"}) { name } }')
    assert (status, said) == (200, {"data": {"createTodo": {"name": "Milk"}}})
    listed = answer(environment, web, "{ listTodos { items { name } } }")
    assert listed == (200, {"data": {"listTodos": {"items": [{"name": "Milk"}]}}})
    for platform in PLATFORMS[1:]:
        again = environment.delivery("client-config", "--platform", platform, "--out", str(out / platform))
        assert f"{out / platform / FILES[platform][0]}: written, of {environment.root}" in succeeds(again).output


def answer(environment: Environment, web: dict[str, Any], query: str) -> tuple[int, Any]:
    """What a client that is configured so is answered, without any credentials."""
    host = urlsplit(web["aws_appsync_graphqlEndpoint"]).netloc
    connection = http.client.HTTPConnection("127.0.0.1", environment.aws.port)
    headers = {"Host": host, "x-api-key": web["aws_appsync_apiKey"], "Content-Type": "application/json"}
    connection.request("POST", "/graphql", json.dumps({"query": query}), headers)
    said = connection.getresponse()
    return said.status, json.loads(said.read())


def say(environment: Environment, old: str, new: str) -> None:
    """Another text in the export's manifest."""
    file = next(environment.workspace.project.glob("amplify-export-*/amplify-export-manifest.json"))
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def a_translated_text_is_delivered_once(environment: Environment, document: Path) -> None:
    """CloudFormation tells `?` for each of its characters beyond ASCII."""
    environment.take("todo-series/v4")
    folder = next(environment.workspace.project.glob("amplify-export-*"))
    auth = next(folder.glob("auth/seriesappauth/*-template.json"))
    template = json.loads(auth.read_text())
    template["Resources"]["UserPool"]["Properties"]["EmailVerificationSubject"] = {"Ref": "emailVerificationSubject"}
    auth.write_text(json.dumps(template))
    pool = ["authseriesappauth/UserPool"]
    say(environment, '"Your verification code"', '"Grüße: Ihr Code"')
    approved = plan(environment, document)
    assert [step["path"] for step in approved["steps"]] == pool
    succeeds(deploy(environment, approved["digest"]))
    assert "Gr??e" in json.dumps(root_template(environment))

    say(environment, "Grüße", "Größe")
    assert [step["path"] for step in plan(environment, document)["steps"]] == pool
    # As it was: what else has changed is the only step.
    say(environment, "Größe", "Grüße")
    schema = next(folder.glob("api/*/amplify-appsync-files/schema.graphql"))
    schema.write_text(schema.read_text() + "\n# another root template, with the same text\n")
    assert [step["path"] for step in plan(environment, document)["steps"]] == [
        "apiseriesapp/GraphQLAPITransformerSchema3CB2AE18"
    ]


def a_backend_that_a_migration_has_locked_is_left_alone(environment: Environment) -> None:
    """`amplify gen2-migration lock`: by every command, whether or not there is anything to do."""
    cloudformation = environment.client("cloudformation")
    statement = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    cloudformation.set_stack_policy(StackName=environment.root, StackPolicyBody=json.dumps({"Statement": [statement]}))
    before = environment.client("s3").list_objects_v2(Bucket=environment.staging_bucket)["KeyCount"]
    commands = (["plan"], ["deploy", "--plan", "a" * 64], ["up"], ["rollback"], ["gc"], ["destroy", "--delete-data"])
    for command in commands:
        done = environment.delivery(*command)
        fails(done, "its stack policy denies every update", "amplify gen2-migration lock --rollback")
        assert done.exit_code == 3, done.output
    # What changes nothing goes on, and says so where it judges the environment.
    doctor = environment.delivery("doctor")
    assert re.search(r"warning +root stack: amplify-\S+: its stack policy denies every update", doctor.output)
    for reading, said in (
        ("report", "its stack policy denies every update"),
        ("handover", "`amplify gen2-migration lock` has locked the stack"),
        ("unlock", "nobody holds it"),
        ("adopt", "this Pulumi stack holds amplify-"),
        ("client-config --out build", "written, of"),
        ("outputs", "stackId"),
    ):
        assert said in succeeds(environment.delivery(*reading.split())).output
    assert environment.client("s3").list_objects_v2(Bucket=environment.staging_bucket)["KeyCount"] == before
    assert environment.status() == "UPDATE_COMPLETE"
    statement["Effect"] = "Allow"
    cloudformation.set_stack_policy(StackName=environment.root, StackPolicyBody=json.dumps({"Statement": [statement]}))
