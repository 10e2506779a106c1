"""What happens to the engine's state in S3, and to AWS around it, each with its way out, on the real engine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.publishing import credentials
from amplify_delivery_rehearsal.conformance.failing import FailingProxy
from amplify_delivery_rehearsal.conformance.login import Login
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import initialised_stacks
from functional.delivery.bootstrap.moves import released
from functional.delivery.engine.test_killed import NESTED, small
from functional.delivery.environments import REGION, Environment
from functional.delivery.outcomes import fails, succeeds

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("faults")]


@dataclass
class Place:
    """An environment whose state lies in a versioned bucket, behind a proxy that makes calls fail."""

    environment: Environment
    proxy: FailingProxy
    folder: Path
    bucket: str
    text: str = ""
    """What the export's parameter holds."""

    def take(self, text: str) -> None:
        self.text = text
        self.environment.workspace.put_export(small(self.folder, text))

    @property
    def s3(self) -> Any:
        return self.environment.client("s3")

    @property
    def key(self) -> str:
        return f".pulumi/stacks/{self.environment.app}/dev.json"

    def state(self) -> bytes:
        """The engine's, as it is stored."""
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=self.key)["Body"].read())

    def whole(self) -> None:
        """What was taken is delivered, and the state tells of that and of nothing else."""
        assert self.environment.status() == "UPDATE_COMPLETE"
        ssm = self.environment.client("ssm")
        (parameter,) = ssm.describe_parameters()["Parameters"]
        assert ssm.get_parameter(Name=parameter["Name"])["Parameter"]["Value"] == self.text
        latest = json.loads(self.state())["checkpoint"]["latest"]
        assert not latest.get("pending_operations")
        (root,) = [r for r in latest["resources"] if r["type"] == "aws:cloudformation/stack:Stack"]
        (stack,) = self.environment.client("cloudformation").describe_stacks(StackName=self.environment.root)["Stacks"]
        (runs,) = [p["ParameterValue"] for p in stack["Parameters"] if p["ParameterKey"] == TEMPLATE_KEY]
        assert root["inputs"]["templateUrl"].endswith(f"/{runs}")

    def put_back(self, said: str, number: int) -> None:
        """Do what the printed command does."""
        query = re.search(r"""Versions\[\?Key=='([^']+)'\] \| \[(\d)\]\.VersionId""", said)
        assert query
        assert (query[1], int(query[2])) == (self.key, number)
        assert f"aws s3api copy-object --bucket {self.bucket} --key {self.key} --copy-source" in said
        # Else the CLI asks its question of each page, and gives a line for each.
        assert "aws s3api list-object-versions --no-paginate --bucket" in said
        versions = [v for v in self.s3.list_object_versions(Bucket=self.bucket)["Versions"] if v["Key"] == self.key]
        source = {"Bucket": self.bucket, "Key": self.key, "VersionId": versions[number]["VersionId"]}
        self.s3.copy_object(Bucket=self.bucket, Key=self.key, CopySource=source)

    def lose_the_state(self) -> None:
        """With all of its versions, and its history."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=".pulumi/")
        for item in [i for page in pages for kind in ("Versions", "DeleteMarkers") for i in page.get(kind, ())]:
            if item["Key"] != ".pulumi/meta.yaml":
                self.s3.delete_object(Bucket=self.bucket, Key=item["Key"], VersionId=item["VersionId"])

    def log_in(self, local_aws: LocalAws, folder: Path, name: str = "login") -> Login:
        """A login as an administrator's role of that name, which is renewed when it has to be."""
        iam, admin = self.environment.client("iam"), self.environment.admin
        trust = {"Effect": "Allow", "Principal": {"AWS": admin.account}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        return Login(folder, *(local_aws.assume_role(admin, role) for _ in range(2)))

    def changes(self) -> int:
        file = self.folder.with_name("plan.json")
        succeeds(self.environment.delivery("plan", "--out", str(file)))
        return int(json.loads(file.read_text())["changes"])

    def delivery(self, *arguments: str, **variables: str) -> Finished:
        """A command with other variables."""
        before = self.environment.workspace
        self.environment.workspace = Workspace(before.project, {**before.environment, **variables})
        try:
            return self.environment.delivery(*arguments)
        finally:
            self.environment.workspace = before


@pytest.fixture(scope="module")
def place(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place whose first release was delivered, though one call in ten has failed."""
    folder = tmp_path_factory.mktemp("environment")
    environment = Environment(folder, local_aws, tools(), examined, "todo-series/v1", killed=True)
    bucket = f"state-{environment.account}-{environment.suffix}"
    s3 = environment.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with FailingProxy(local_aws.port or 0) as proxy:
        backend = {"PULUMI_BACKEND_URL": f"s3://{bucket}?region={REGION}", "AWS_ENDPOINT_URL": proxy.endpoint}
        project = environment.workspace.project
        environment.workspace = Workspace(project, {**environment.workspace.environment, **backend})
        initialised_stacks.init_with_key(environment.client("kms"), environment.workspace.succeed, "dev")
        made = Place(environment, proxy, folder / "export", bucket)
        made.take("first")
        path = f"parameters.{NESTED}.Name"
        environment.workspace.succeed("config", "set", "--secret", "--path", path, "someone", "-s", "dev")
        proxy.every, environment.saves_once = 10, False
        succeeds(environment.plain("up", "--skip-preview"))
        yield made


def test_one_call_in_ten_fails(place: Place) -> None:
    """Throttled or reset, those of the state included: all of them are made again."""
    assert place.environment.status() == "CREATE_COMPLETE"
    place.take("second")
    succeeds(place.environment.delivery("up"))
    assert place.environment.status() == "UPDATE_COMPLETE"
    assert place.changes() == 0
    services = {called.partition(":")[0] for called in place.proxy.failed}
    assert {"s3", "cloudformation"} <= services
    assert len(place.proxy.failed) > 10
    keys = [o["Key"] for o in place.s3.list_objects_v2(Bucket=place.bucket)["Contents"]]
    assert [k for k in keys if "locks" in k or k.startswith("leases/")] == []


@pytest.fixture
def calm(place: Place) -> Place:
    """The same, and every call is answered."""
    place.proxy.every, place.environment.saves_once = 0, True
    place.proxy.failed.clear()
    return place


def test_a_state_that_was_deleted_is_brought_back(calm: Place) -> None:
    before = calm.state()
    calm.s3.delete_object(Bucket=calm.bucket, Key=calm.key)
    for command in (
        ("plan",),
        ("up",),
        ("up", "--create"),
        ("deploy", "--plan", "d" * 64),
        ("destroy", "--delete-data"),
    ):
        said = fails(calm.environment.delivery(*command), "its state is lost: the stack was updated before")
        assert said.exit_code == 3
        assert "stack init" not in said.output
    assert calm.environment.status() is not None
    calm.put_back(said.output, 0)
    assert calm.state() == before


def test_a_state_that_is_cut_off_is_brought_back(calm: Place) -> None:
    whole = calm.state()
    calm.s3.put_object(Bucket=calm.bucket, Key=calm.key, Body=whole[: len(whole) // 2])
    said = fails(calm.environment.delivery("up"), "its state cannot be read", "is cut off, or no state at all")
    assert said.exit_code == 3
    calm.put_back(said.output, 1)
    assert calm.state() == whole


def test_a_bucket_that_cannot_be_reached(calm: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody, before = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, calm.state()
    monkeypatch.setattr(
        credentials, "RETRIES", {"mode": "standard", "total_max_attempts": 1}
    )  # else half a minute each
    for command in (["plan"], ["up"], ["destroy", "--delete-data"]):
        said = fails(
            calm.delivery(*command, **nobody), f"s3://{calm.bucket}: ", "Could not connect to the endpoint URL"
        )
        assert (said.exit_code, "check the network" in said.output) == (3, True)
    assert calm.state() == before
    said = fails(calm.delivery("outputs", **nobody), f"the state in s3://{calm.bucket} cannot be reached")
    assert "check the network, the proxy and the region" in said.output
    assert said.exit_code == 3


def test_a_bucket_that_is_gone(calm: Place) -> None:
    gone = {"PULUMI_BACKEND_URL": f"s3://{calm.bucket}-gone?region={REGION}"}
    for command in ("plan", "up", "destroy"):
        said = fails(calm.delivery(command, **gone), "NoSuchBucket", "docs/operations.md")
        assert said.exit_code == 3
    said = fails(calm.delivery("outputs", **gone), f"the state bucket s3://{calm.bucket}-gone is not there")
    assert said.exit_code == 3


def test_credentials_that_aws_does_not_know(calm: Place) -> None:
    ended = {"AWS_ACCESS_KEY_ID": "ASIAXXXXXXXXXXXXXXXX", "AWS_SESSION_TOKEN": "ended"}
    said = fails(calm.delivery("outputs", **ended), f"there are no credentials for the state in s3://{calm.bucket}")
    assert said.exit_code == 3


def test_a_key_that_is_disabled(calm: Place) -> None:
    kms = calm.environment.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    calm.s3.put_bucket_encryption(Bucket=calm.bucket, ServerSideEncryptionConfiguration=rules)
    kms.create_alias(AliasName="alias/of-the-state", TargetKeyId=key)
    state = calm.s3.get_object(Bucket=calm.bucket, Key=calm.key)["Body"].read()
    calm.s3.put_object(Bucket=calm.bucket, Key=calm.key, Body=state)
    kms.disable_key(KeyId=key)
    try:
        held = fails(calm.environment.delivery("up"), "writing leases/", "KMS.DisabledException", "enable-key")
        read = fails(calm.environment.delivery("outputs"), f"the key of the state in s3://{calm.bucket} is disabled")
        assert (held.exit_code, read.exit_code) == (3, 3)
        for said in (held.output, read.output):  # what is printed, with the alias that the stack file has
            assert "aws kms describe-key --key-id ALIAS --query KeyMetadata.KeyId" in said
            assert "enable-key --key-id ID" in said
        with pytest.raises(kms.exceptions.NotFoundException):
            kms.enable_key(KeyId="alias/of-the-state")
    finally:
        kms.enable_key(KeyId=kms.describe_key(KeyId="alias/of-the-state")["KeyMetadata"]["KeyId"])
        calm.s3.delete_bucket_encryption(Bucket=calm.bucket)
    succeeds(calm.environment.delivery("outputs"))


def test_credentials_that_end_in_the_middle_of_an_update(calm: Place, local_aws: LocalAws, tmp_path: Path) -> None:
    """A login that ends after an hour, while CloudFormation is at work: neither the stack nor the state can be asked or
    written any more."""
    calm.take("third")
    calm.proxy.ends_with = "cloudformation:UpdateStack"
    try:
        said = calm.environment.process("up")
    finally:
        calm.proxy.ends_with = ""
    assert said.exit_code == 4
    assert f"error: dev: the credentials for the state in s3://{calm.bucket} have expired" in said.output
    assert "log in again" in said.output
    assert {"s3:PutObject", "cloudformation:DescribeStacks"} <= {*calm.proxy.failed}
    again = succeeds(calm.environment.delivery("up"))
    assert (
        "backend (aws:cloudformation/stack:Stack): a run that was killed has changed it; it is taken in" in again.output
    )
    calm.whole()

    # The same while they are renewed: whoever found them by itself, finds those that there are then.
    calm.take("fourth")
    Renewed(calm, local_aws, tmp_path).at("cloudformation:UpdateStack", "up")
    assert {"s3:PutObject", "s3:DeleteObject"} <= calm.proxy.renewed["go"]
    assert {"cloudformation:DescribeStacks", "s3:DeleteObject"} <= calm.proxy.renewed["python"]
    calm.whole()


class Renewed:
    """Commands in the middle of which the login that they were begun with is renewed."""

    def __init__(self, place: Place, local_aws: LocalAws, folder: Path) -> None:
        self.place, self._aws, self._folder = place, local_aws, folder

    def at(self, called: str, *arguments: str) -> Finished:
        """A command that ends well, though its login ends when it calls that."""
        name = f"login-{arguments[0]}"
        folder = self._folder / name
        folder.mkdir()
        place, login = self.place, self.place.log_in(self._aws, folder, name)
        place.proxy.failed.clear()
        place.proxy.renewed = {"go": set(), "python": set()}
        place.proxy.login, place.proxy.ends_with = login, called
        place.environment.saves_once = False
        try:
            done = succeeds(place.delivery(*arguments, **login.variables))
        finally:
            place.proxy.login, place.proxy.ends_with = None, ""
            place.environment.saves_once = True
        assert login.renewed, f"{arguments[0]} does not call {called}"
        assert place.proxy.failed == []
        return done


def test_credentials_that_are_renewed_in_the_middle_of_other_commands(
    calm: Place, local_aws: LocalAws, tmp_path: Path
) -> None:
    """As of `up`: each at the call whose end it waits for, or in the midst of what it reads."""
    renewed, before = Renewed(calm, local_aws, tmp_path), calm.text

    calm.take("fifth")
    planned = re.search(r"^plan (\w{64})$", succeeds(calm.environment.delivery("plan")).output, re.MULTILINE)
    assert planned
    renewed.at("cloudformation:UpdateStack", "deploy", "--plan", planned[1])
    assert {"cloudformation:DescribeStacks", "s3:DeleteObject"} <= calm.proxy.renewed["python"]
    assert {"s3:PutObject", "s3:DeleteObject"} <= calm.proxy.renewed["go"]
    calm.whole()

    planned = re.search(r"--plan (\w{64})", succeeds(calm.environment.delivery("rollback")).output)
    assert planned
    renewed.at("cloudformation:UpdateStack", "rollback", "--plan", planned[1])
    assert {"cloudformation:DescribeStacks", "s3:DeleteObject"} <= calm.proxy.renewed["python"]
    calm.take(before)
    calm.whole()

    calm.lose_the_state()
    renewed.at("cloudformation:GetTemplate", "adopt", "--state-lost")
    assert {"s3:PutObject", "s3:DeleteObject"} <= calm.proxy.renewed["go"]
    assert "s3:DeleteObject" in calm.proxy.renewed["python"]
    succeeds(calm.environment.delivery("up"))
    calm.whole()

    renewed.at("cloudformation:DeleteStack", "destroy", "--delete-data")
    assert {"cloudformation:DescribeStacks", "s3:DeleteObject"} <= calm.proxy.renewed["python"]
    assert {"s3:PutObject", "s3:DeleteObject"} <= calm.proxy.renewed["go"]
    assert calm.environment.status() is None

    released(calm.environment)  # there is room for it in its account now
    renewed.at("kms:CreateKey", "bootstrap")
    assert {"ssm:PutParameter", "s3:DeleteObject"} <= calm.proxy.renewed["python"]
    assert {"s3:PutObject", "s3:DeleteObject"} <= calm.proxy.renewed["go"]
