"""Runs that are killed: the same command again recovers by itself, on the real engine.

One small environment, killed at one place after the other; what each has come to is printed as one table.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment
from functional.delivery.killing import BEFORE, KillingProxy, Point, kill_tree, killed
from functional.delivery.test_failures import succeeds
from unit.delivery.conftest import export

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("killed")]

NESTED, CHILD = "customkilled", "custom/killed/killed-cloudformation-template.json"


def small(folder: Path, text: str, role: str = "", more: int = 0) -> Path:
    """An export with one nested stack: a parameter that holds `text`, a topic with the secret `Name`, as many further
    parameters as `more` says, and a role called `role` if there is one."""
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
        **{f"More{n}": {"Type": "AWS::SSM::Parameter", "Properties": value} for n in range(more)},
    }
    if role:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        properties = {"RoleName": role, "AssumeRolePolicyDocument": document}
        resources["Role"] = {"Type": "AWS::IAM::Role", "Properties": properties}
    parameters = {"Name": {"Type": "String", "NoEcho": True, "Default": "nobody"}}
    file = made / CHILD
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"Parameters": parameters, "Resources": resources}))
    return made


@dataclass
class Killed:
    """An environment whose commands reach AWS through the proxy."""

    environment: Environment
    proxy: KillingProxy
    folder: Path
    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def take(self, text: str, role: str = "") -> None:
        self.environment.workspace.put_export(small(self.folder, text, role))

    def kill(self, point: Point, *arguments: str) -> str:
        """Start a command, and kill it and the engine at that point; what it said."""
        self.proxy.arm(point)
        python = str(self.environment.tools.python)
        command, *rest = arguments
        process = self.environment.start(python, "-m", "amplify_delivery", command, "dev", *rest)
        try:
            said = killed(self.proxy, process, point)
        finally:
            kill_tree(process.pid)
        time.sleep(0.3)  # plugins look four times a second whether the engine is there
        self.proxy.arm(None)
        for lock in self.environment.locks():
            lock.unlink()
        return said

    def again(self, point: Point, *arguments: str) -> Finished:
        """The same command once more."""
        began = time.monotonic()
        done = succeeds(self.environment.delivery(*arguments))
        took = time.monotonic() - began
        words = [line for line in done.output.splitlines() if "a run that was killed" in line]
        self.rows.append((f"{arguments[0]}: {point}", f"{took:.1f} s", "; ".join(words) or "-"))
        return done

    def state(self) -> dict[str, Any]:
        """The engine's, as it is stored."""
        (file,) = self.environment.state.glob(".pulumi/stacks/*/dev.json")
        return dict(json.loads(file.read_text())["checkpoint"]["latest"] or {})

    def plan(self) -> dict[str, Any]:
        file = self.folder.with_name("plan.json")
        succeeds(self.environment.delivery("plan", "--out", str(file)))
        return dict(json.loads(file.read_text()))

    def whole(self, text: str, *, planned: bool = False) -> None:
        """All is there once, and the engine knows it."""
        environment = self.environment
        assert (environment.status() or "").endswith("_COMPLETE")
        state = self.state()
        assert not state.get("pending_operations")
        types = [r["type"] for r in state["resources"] if not r.get("delete")]
        assert types.count("aws:cloudformation/stack:Stack") == 1
        assert types.count("aws:s3/bucket:Bucket") == 1
        assert types.count("aws:secretsmanager/secret:Secret") == 1
        assert environment.buckets() == {environment.staging_bucket, f"{environment.root}-deployment"}
        secrets = environment.client("secretsmanager").list_secrets()["SecretList"]
        assert len(secrets) == 1
        (topic,) = environment.client("sns").list_topics()["Topics"]
        named = environment.client("sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
        assert named["DisplayName"] == "someone"
        ssm = environment.client("ssm")
        values = [p["Value"] for p in ssm.get_parameters_by_path(Path="/")["Parameters"]] or [
            ssm.get_parameter(Name=p["Name"])["Parameter"]["Value"] for p in ssm.describe_parameters()["Parameters"]
        ]
        assert values == [text]
        if planned:
            assert self.plan()["changes"] == 0

    def nothing(self) -> None:
        """Nothing is there, and the engine knows it."""
        environment = self.environment
        assert environment.status() is None
        assert environment.buckets() <= {f"{environment.root}-deployment"}
        assert environment.client("secretsmanager").list_secrets()["SecretList"] == []
        state = self.state()
        assert not state.get("resources")
        assert not state.get("pending_operations")


@pytest.fixture(scope="module")
def here(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    folder = tmp_path_factory.mktemp("environment")
    environment = Environment(folder, local_aws, tools(), examined, "todo-series/v1")
    with KillingProxy(local_aws.port or 0) as proxy:
        variables = {**environment.workspace.environment, "AWS_ENDPOINT_URL": proxy.endpoint}
        environment.workspace = Workspace(environment.workspace.project, variables)
        made = Killed(environment, proxy, folder / "export")
        made.take("first")
        path = f"parameters.{NESTED}.Name"
        environment.workspace.succeed("config", "set", "--secret", "--path", path, "someone", "-s", "dev")
        yield made
        width = max(len(name) for name, *_ in made.rows)
        print("\n" + "\n".join(f"{i + 1:2} {n:{width}}  {took:>7}  {w}" for i, (n, took, w) in enumerate(made.rows)))


def destroyed(here: Killed) -> None:
    environment = here.environment
    succeeds(environment.delivery("destroy", "--delete-data"))
    if f"{environment.root}-deployment" in environment.buckets():
        environment.client("s3").delete_bucket(Bucket=f"{environment.root}-deployment")


CREATES = [
    Point("s3:CreateBucket"),
    Point("secretsmanager:CreateSecret"),
    Point("cloudformation:CreateStack"),
    Point("cloudformation:GetTemplate"),
]


def test_a_first_create(here: Killed) -> None:
    for point in CREATES:
        here.take("first")
        here.kill(point, "up")
        here.again(point, "up")
        here.whole("first")
        destroyed(here)
        here.nothing()


UPDATES = [
    Point("s3:PutObject", BEFORE),
    Point("cloudformation:UpdateStack", BEFORE),
    Point("cloudformation:UpdateStack"),
    Point("cloudformation:GetTemplate", after="cloudformation:UpdateStack"),
]


def test_an_approved_update_needs_no_new_approval(here: Killed) -> None:
    """What CodePipeline's retry runs: the same `deploy` with the digest of the plan that was approved."""
    succeeds(here.environment.delivery("up"))
    for number, point in enumerate(UPDATES):
        text = f"deployed {number}"
        here.take(text)
        approved = here.plan()
        assert approved["changes"] == 1
        file = here.folder.with_name("approved.json")
        shutil.copy(here.folder.with_name("plan.json"), file)
        arguments = ("deploy", "--plan", approved["digest"], "--plan-file", str(file))
        here.kill(point, *arguments)
        here.again(point, *arguments)
        here.whole(text, planned=True)
