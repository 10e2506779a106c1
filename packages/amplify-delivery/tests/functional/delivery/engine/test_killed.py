"""Runs that are killed: the same command again recovers by itself, on the real engine.

A small environment, killed at one place after the other: 30 in three tests, which run beside each other. What each kill
has come to is printed as a table.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal.conformance.killing import BEFORE, KillingProxy, Point, kill_tree, killed
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import initialised_stacks, pulumi_homes
from functional.delivery.environments import REGION, Environment
from functional.delivery.outcomes import succeeds
from unit.command_line import export

pytestmark = pytest.mark.engine

NESTED, CHILD = "customkilled", "custom/killed/killed-cloudformation-template.json"


def small(folder: Path, text: str, role: str = "", indexes: int = 0) -> Path:
    """An export with one nested stack: a parameter that holds `text`, a topic with the secret `Name`, a table with so
    many `indexes`, and a role whose name begins with `role` if there is one."""
    made = folder / "amplify-export-seriesapp"
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(export("todo-series/v1"), made)
    shutil.rmtree(made / "api")
    manifest = json.loads((made / "amplify-export-manifest.json").read_text())
    child = {"templateFile": CHILD, "preserveLogicalIds": True, "loadNestedStacks": {}, "parameters": {}}
    manifest["props"]["loadNestedStacks"] = {NESTED: child}
    (made / "amplify-export-manifest.json").write_text(json.dumps(manifest))
    mapping = [{"category": "custom", "resourceName": "killed", "service": "customCloudformation"}]
    (made / "category-stack-mapping.json").write_text(json.dumps(mapping))
    root = json.loads((made / "root-stack-template.json").read_text())
    root["Resources"][NESTED] = root["Resources"].pop("apiseriesapp")
    (made / "root-stack-template.json").write_text(json.dumps(root))
    value = {"Type": "String", "Value": text}
    resources: dict[str, Any] = {
        "Text": {"Type": "AWS::SSM::Parameter", "Properties": value},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Name"}}},
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": _table(indexes)},
    }
    if role:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        # Made from the nested stack's name: nobody knows it beforehand.
        suffix = {"Fn::Select": [3, {"Fn::Split": ["-", {"Ref": "AWS::StackName"}]}]}
        properties = {"RoleName": {"Fn::Join": ["-", [role, suffix]]}, "AssumeRolePolicyDocument": document}
        resources["Role"] = {"Type": "AWS::IAM::Role", "Properties": properties}
    parameters = {"Name": {"Type": "String", "NoEcho": True, "Default": "nobody"}}
    file = made / CHILD
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"Parameters": parameters, "Resources": resources}))
    return made


def _table(indexes: int) -> dict[str, Any]:
    names = [f"by{number}" for number in range(indexes)]
    table: dict[str, Any] = {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("id", *names)],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    if names:
        table["GlobalSecondaryIndexes"] = [
            {
                "IndexName": name,
                "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name in names
        ]
    return table


@dataclass
class Killed:
    """An environment whose commands reach AWS through the proxy, and the engine's state as well if it has a bucket."""

    environment: Environment
    proxy: KillingProxy
    folder: Path
    state_bucket: str | None
    rows: list[tuple[str, str, float]] = field(default_factory=list)
    """Of each kill: the command, the point, and the seconds of the same command after it."""

    def take(self, text: str, role: str = "", indexes: int = 0) -> None:
        self.environment.workspace.put_export(small(self.folder, text, role, indexes))

    def kill(self, point: Point, *arguments: str) -> None:
        """Start a command, and kill it and the engine at that point."""
        self.proxy.arm(point)
        command, *rest = arguments
        environment, server = self.environment, pulumi_homes.server().pid
        process = environment.start(*pulumi_homes.delivery(environment.workspace.environment, command, "dev", *rest))
        try:
            killed(self.proxy, process, point, server=server)
        finally:
            kill_tree(process.pid, server)
        self.proxy.arm(None)

    def chain(self, points: Sequence[Point], *arguments: str, between: Callable[[], object] = lambda: None) -> Finished:
        """Start the same command over and over: it is killed at one point after the other, and then it is let end.
        `between` is done before that."""
        for number, point in enumerate(points):
            began = time.monotonic()
            self.kill(point, *arguments)
            if number:
                self._row(arguments[0], points[number - 1], began)
        between()
        began = time.monotonic()
        done = succeeds(self.environment.delivery(*arguments))
        self._row(arguments[0], points[-1], began)
        return done

    def _row(self, command: str, point: Point, began: float) -> None:
        self.rows.append((command, str(point), time.monotonic() - began))

    def state(self) -> dict[str, Any]:
        """The engine's, as it is stored."""
        key = f".pulumi/stacks/{self.environment.app}/dev.json"
        if self.state_bucket:
            body = self.environment.client("s3").get_object(Bucket=self.state_bucket, Key=key)["Body"].read()
        else:
            body = (self.environment.state / key).read_bytes()
        return dict(json.loads(body)["checkpoint"].get("latest") or {})

    def plan(self) -> dict[str, Any]:
        file = self.folder.with_name("plan.json")
        succeeds(self.environment.delivery("plan", "--out", str(file)))
        return dict(json.loads(file.read_text()))

    def deploy(self, text: str, *points: Point, indexes: int = 0) -> None:
        """Have a release approved, and deploy it as CodePipeline does: a retry is the same command once more."""
        self.take(text, indexes=indexes)
        self.chain(points, "deploy", "--plan", self.plan()["digest"])
        self.whole(text, indexes)

    def buckets(self) -> set[str]:
        return self.environment.buckets() - {self.state_bucket}

    def whole(self, text: str, indexes: int = 0) -> None:
        """All is there once, as it should be, and the engine knows it."""
        environment = self.environment
        assert environment.status() in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        state = self.state()
        assert not state.get("pending_operations")
        types = [r["type"] for r in state["resources"] if not r.get("delete")]
        assert types.count("aws:cloudformation/stack:Stack") == 1
        assert types.count("aws:s3/bucket:Bucket") == 1
        assert types.count("aws:secretsmanager/secret:Secret") == 1
        assert len({(r["urn"], bool(r.get("delete"))) for r in state["resources"]}) == len(state["resources"])
        assert self.buckets() == {environment.staging_bucket, f"{environment.root}-deployment"}
        assert len(environment.client("secretsmanager").list_secrets()["SecretList"]) == 1
        (topic,) = environment.client("sns").list_topics()["Topics"]
        named = environment.client("sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
        assert named["DisplayName"] == self.secret
        (table,) = environment.client("dynamodb").list_tables()["TableNames"]
        found = environment.client("dynamodb").describe_table(TableName=table)["Table"]
        assert len(found.get("GlobalSecondaryIndexes", ())) == indexes
        ssm = environment.client("ssm")
        (parameter,) = ssm.describe_parameters()["Parameters"]
        assert ssm.get_parameter(Name=parameter["Name"])["Parameter"]["Value"] == text

    def nothing(self) -> None:
        """Nothing is there, and the engine knows it."""
        environment = self.environment
        assert environment.status() is None
        deployment = f"{environment.root}-deployment"  # its template keeps it
        assert self.buckets() <= {deployment}
        assert environment.client("secretsmanager").list_secrets()["SecretList"] == []
        assert not self.state().get("resources")
        if deployment in self.buckets():
            environment.client("s3").delete_bucket(Bucket=deployment)

    secret: str = ""

    def give(self, secret: str) -> None:
        """The value of the secret parameter."""
        path = f"parameters.{NESTED}.Name"
        self.environment.workspace.succeed("config", "set", "--secret", "--path", path, secret, "-s", "dev")
        self.secret = secret

    def there(self, indexes: int = 0) -> None:
        """Deliver the first release, by a run that nobody kills."""
        self.take("first", indexes=indexes)
        succeeds(self.environment.plain("up", "--skip-preview"))
        self.whole("first", indexes)

    def told(self, kills: int) -> None:
        """Print the table of so many kills."""
        lines = [f"{n:2}  {c:8} {p:62} {s:5.1f} s" for n, (c, p, s) in enumerate(self.rows, 1)]
        print("\n".join(["", "killed at, and the seconds of the same command after it:", *lines]))
        assert len(self.rows) == kills


@contextmanager
def begun(folder: Path, local_aws: LocalAws, examined: Path, *, in_bucket: bool = False) -> Iterator[Killed]:
    """With nothing delivered. A state `in_bucket` is written through the proxy as well."""
    environment = Environment(folder, local_aws, tools(), examined, "todo-series/v1", killed=True)
    bucket = f"killed-state-{environment.account}" if in_bucket else None
    with KillingProxy(local_aws.port or 0) as proxy:
        variables = {**environment.workspace.environment, "AWS_ENDPOINT_URL": proxy.endpoint}
        if bucket:
            location = {"LocationConstraint": REGION}
            environment.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
            variables["PULUMI_BACKEND_URL"] = f"s3://{bucket}?region={REGION}"
        environment.workspace = Workspace(environment.workspace.project, variables)
        if bucket:
            initialised_stacks.init_with_key(environment.client("kms"), environment.workspace.succeed, "dev")
        made = Killed(environment, proxy, folder / "export", bucket)
        made.give("someone")
        yield made


@pytest.fixture
def here(local_aws: LocalAws, examined: Path, tmp_path: Path) -> Iterator[Killed]:
    """The engine's state is in a bucket: each write of it is a call of AWS."""
    with begun(tmp_path, local_aws, examined, in_bucket=True) as made:
        yield made


@pytest.fixture
def in_files(local_aws: LocalAws, examined: Path, tmp_path: Path) -> Iterator[Killed]:
    """The engine's state is in files: the writes of it into a bucket are a fifth of a run's processor time."""
    with begun(tmp_path, local_aws, examined) as made:
        yield made


CREATE, UPDATE, DELETE = (f"cloudformation:{name}Stack" for name in ("Create", "Update", "Delete"))
LOOK, PUT = "cloudformation:DescribeStacks", "s3:PutObject"
STATE, TEMPLATES = ".pulumi/stacks/", "templates/"


# Each is one test, because each step begins where the one before has left the environment. Of points that leave the
# same behind one is tried: what becomes of a half-made resource of each type is in
# `unit/delivery/engine/killed/test_existing`.


def test_killed_in_a_first_create_and_over_what_stands_beside_the_backend(in_files: Killed) -> None:
    a_first_create(in_files)
    what_stands_beside_the_backend(in_files)
    in_files.told(14)


def test_killed_in_a_create_that_fails_and_in_approved_updates_and_while_all_is_destroyed(in_files: Killed) -> None:
    a_first_create_that_fails(in_files)
    approved_updates(in_files)
    all_is_destroyed(in_files)
    in_files.told(12)


def test_killed_while_the_state_is_written(here: Killed) -> None:
    writes_of_the_state(here)
    here.told(4)


def a_first_create(here: Killed) -> None:
    """What the program makes beside the backend first."""
    here.take("first")
    points = [Point("s3:CreateBucket", BEFORE), Point("s3:CreateBucket"), Point("s3:PutBucketPolicy")]
    points += [Point("secretsmanager:CreateSecret", BEFORE), Point("secretsmanager:CreateSecret")]
    points += [Point("secretsmanager:PutSecretValue"), Point(PUT, BEFORE, also=TEMPLATES), Point(PUT, also=TEMPLATES)]
    points += [Point(CREATE, BEFORE), Point(CREATE)]
    here.chain(points, "up", between=lambda: a_plan_foresees_and_writes_nothing(here))
    here.whole("first")


def a_plan_foresees_and_writes_nothing(here: Killed) -> None:
    left = here.state()
    assert left["pending_operations"]
    # All is made; the outputs and the protection are what the killed run has not come to.
    steps = [(step["step"], step.get("operation")) for step in here.plan()["steps"]]
    assert set(steps) == {("change-output", "add"), ("protect-stack", None)}, steps
    assert here.state() == left


def what_stands_beside_the_backend(here: Killed) -> None:
    """The example's service: with an id that AWS makes up, with a name of its own, and parts of the first."""
    environment = here.environment
    environment.workspace.succeed("config", "set", "helloService", "true", "-s", "dev")
    # The stand-in of aws-native makes each as a stack; looking at it comes when AWS has taken the create.
    kinds = ("ApiGatewayV2::Api", "Lambda::Function", "ApiGatewayV2::Route", "ApiGatewayV2::Stage")
    words = [f"AWS::{kind}".replace(":", "%3A") + "%22" for kind in kinds]
    here.chain([Point(LOOK, BEFORE, after=CREATE, after_words=kind) for kind in words], "up")
    gateway = environment.client("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    assert len(gateway.get_integrations(ApiId=api["ApiId"])["Items"]) == 1
    assert len(gateway.get_routes(ApiId=api["ApiId"])["Items"]) == 1
    policy = environment.client("lambda").get_policy(FunctionName=f"{environment.app}-dev-hello")["Policy"]
    assert len(json.loads(policy)["Statement"]) == 1
    here.whole("first")


def a_first_create_that_fails(here: Killed) -> None:
    """CloudFormation deletes it meanwhile; then the cause is corrected."""
    free = here.environment.take_name_of_role(f"killed-{here.environment.suffix}")
    here.take("first", "killed")
    here.chain([Point(CREATE)], "up", between=free)
    here.whole("first")


def approved_updates(here: Killed) -> None:
    here.deploy("second", Point(PUT, also=TEMPLATES), Point(UPDATE, BEFORE), Point(UPDATE))
    a_way_back(here)
    here.give("someone else")
    # Two indexes are two updates: the first is made before the program runs, and with it the secret.
    here.deploy("third", Point(UPDATE), Point("secretsmanager:PutSecretValue"), Point(UPDATE), indexes=2)
    assert here.plan()["changes"] == 0


def a_way_back(here: Killed) -> None:
    """Typed again, nothing is approved anew, nobody has given the plan's document; and the release before the one that
    runs by then is not meant."""
    here.give("somebody")
    planned = succeeds(here.environment.delivery("rollback")).output
    (digest,) = re.findall(r"`amplify-delivery rollback dev --to \w+ --plan (\w+)`", planned)
    here.kill(Point(UPDATE), "rollback", "--plan", digest)
    again = succeeds(here.environment.delivery("rollback", "--plan", digest))
    assert "a run that was killed has changed it; it is taken in" in again.output
    here.whole("first")


def all_is_destroyed(here: Killed) -> None:
    """The secret goes before the bucket's policy, and that before the bucket."""
    points = [Point(DELETE, BEFORE), Point(DELETE), Point("secretsmanager:DeleteSecret")]
    points += [Point("s3:DeleteBucketPolicy"), Point("s3:DeleteBucket")]
    here.chain(points, "destroy", "--delete-data")
    here.nothing()


def writes_of_the_state(here: Killed) -> None:
    here.take("first", indexes=2)
    here.chain([Point(PUT, BEFORE, 1, CREATE, STATE)], "up")
    here.whole("first", indexes=2)
    here.deploy("second", Point(PUT, also=STATE), Point(PUT, BEFORE, 1, UPDATE, STATE), indexes=2)
    here.chain([Point(PUT, BEFORE, 1, DELETE, STATE)], "destroy", "--delete-data")
    here.nothing()
