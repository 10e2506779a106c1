"""An environment that `pulumi up` has made, with items in its table, moves into its account: `bootstrap --take-over`.

On the real engine, with a passphrase and a folder for the state that it leaves. What is compared is what a customer
would miss: ids, items, published objects with their versions, and that what is left behind can do no harm.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.engine.state_bucket import plan_key
from amplify_delivery.delivery.teardown.removal import BUCKET
from amplify_delivery_rehearsal.conformance.killing import BEFORE, Point
from amplify_delivery_rehearsal.workspace import Workspace
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal_tests import initialised_stacks
from aws_rehearsal_tests.pulumi_cloud import USER, PulumiCloud, pulumi_cloud
from aws_rehearsal_tests.pulumi_homes import SAVED_ONCE
from functional import here as typed
from functional.adoption.pushed_apps import leaves
from functional.delivery.bootstrap.moves import move_in, released
from functional.delivery.deployment.test_project_rights import Bootstrapped
from functional.delivery.engine import cloud_kills
from functional.delivery.engine.test_killed import Killed, here  # noqa: F401 - a fixture
from functional.delivery.environments import REGION, Environment
from functional.delivery.outcomes import fails, succeeds
from functional.delivery.test_frightened import begun, put_item

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("taken-over")]

TAKE_OVER = ("bootstrap", "--take-over")


PUT, KEY = "s3:PutObject", Point("kms:CreateKey")


@dataclass
class Moving:
    """An environment of its own, whose files say by now that a pipeline is to deliver it."""

    environment: Environment
    runs: Killed
    before: Workspace
    """As it was checked out before that."""
    cloud: PulumiCloud | None = None
    """What has the state, if it does."""

    @property
    def names(self) -> EnvironmentNames:
        return EnvironmentNames(self.environment.app, self.environment.account, REGION, "dev")

    @property
    def running(self) -> dict[str, Any]:
        """What nobody may lose."""
        client = self.environment.client
        (table,) = client("dynamodb").list_tables()["TableNames"]
        versions = client("s3").list_object_versions(Bucket=self.environment.staging_bucket)
        assert not versions.get("DeleteMarkers")
        return {
            "resources": sorted(leaves(client("cloudformation"), self.environment.root)),
            "items": client("dynamodb").scan(TableName=table)["Items"],
            "objects": {(v["Key"], v["VersionId"], v["ETag"]) for v in versions["Versions"]},
        }

    def state(self, environment: Environment, stack: str = "dev") -> list[dict[str, Any]]:
        exported = environment.workspace.succeed("stack", "export", "-s", stack).output
        return list(json.loads(exported)["deployment"].get("resources") or ())

    @property
    def brought(self) -> bool:
        """Whether the state in the account holds anything."""
        key = f".pulumi/stacks/{self.environment.app}/dev.json"
        try:
            body = self.environment.client("s3").get_object(Bucket=self.names.state_bucket, Key=key)["Body"].read()
        except ClientError:
            return False
        return bool((json.loads(body)["checkpoint"].get("latest") or {}).get("resources"))

    @property
    def keyed(self) -> bool:
        """Whether the stack file names the key of the account's."""
        return self.names.secrets_provider in (self.environment.workspace.project / "Pulumi.dev.yaml").read_text()

    def log_in(self) -> None:
        """Take the state from the account from now on."""
        variables = {**self.environment.workspace.environment, "PULUMI_BACKEND_URL": self.names.state_backend}
        self.environment.workspace = Workspace(self.environment.workspace.project, variables)


def serves_another(environment: Environment) -> None:
    """The account's stack is there already, for an environment that the pipeline has always delivered."""
    app, place = environment.app, environment.workspace.project
    lines = (f'account: "{environment.account}"', f"region: {REGION}", 'bootstrapped: "true"', 'suffix: "0f0f0"')
    (place / "Pulumi.other.yaml").write_text("config:\n" + "".join(f"  {app}:{line}\n" for line in lines))
    pipeline, account = place / "Pulumi.pipeline.yaml", place / "Pulumi.dev-account.yaml"
    pipeline.write_text(pipeline.read_text().replace("environments: [dev]", "environments: [other, dev]"))
    # What the engine encrypts with stands above.
    key, begins, own = account.read_text().partition("config:")
    account.write_text(f"{key}{begins}{own}  {app}:environments: [other]\n")
    environment.workspace.succeed("stack", "init", "dev-account")
    environment.workspace.succeed("up", "-s", "dev-account", "--yes", "--skip-preview")
    key = account.read_text().partition(begins)[0]
    account.write_text(f"{key}{begins}{own}  {app}:environments: [other, dev]\n")


def a_second_one_of_its_own(moving: Moving) -> None:
    """In the same account's stack, another environment that `up` has made: one after the other, as it says."""
    environment, place = moving.environment, moving.environment.workspace.project
    names = EnvironmentNames(environment.app, environment.account, REGION, "third")
    third, account, pipeline = (place / f"Pulumi.{stack}.yaml" for stack in ("third", "dev-account", "pipeline"))
    before = {file: file.read_text() for file in (account, pipeline)}
    third.write_text((place / "Pulumi.other.yaml").read_text())
    for file, text in before.items():
        file.write_text(text.replace("[other, dev]", "[other, dev, third]"))
    s3, cloudformation = environment.client("s3"), environment.client("cloudformation")
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=names.staging_bucket, BucketNamespace="account-regional", CreateBucketConfiguration=where)
    root = f"{environment.root.rsplit('-', 2)[0]}-third-0f0f0"
    handle = {"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}
    cloudformation.create_stack(StackName=root, TemplateBody=json.dumps(handle))
    said = "third has been delivered by `up` with a place of its own"
    fails(environment.delivery(*TAKE_OVER), said, "Name only dev in `environments` of the account's stack")
    cloudformation.delete_stack(StackName=root)
    s3.delete_bucket(Bucket=names.staging_bucket)
    third.unlink()
    for file, text in before.items():  # what it has said
        file.write_text(text)


class InItsAccount(Bootstrapped):
    """The same environment, delivered by the commands of the account's projects, each with its project's role."""

    def __init__(self, moving: Moving, folder: Path) -> None:
        environment = moving.environment
        self.folder, self.aws, self.account = folder, environment.aws, environment.account
        self.admin, self.names, self.workspace = environment.admin, moving.names, environment.workspace
        keys = ("AWS_", "PULUMI_BACKEND", "PULUMI_CONFIG")
        self.environment = {k: v for k, v in self.workspace.environment.items() if not k.startswith(keys)}
        self.trust_administrator()

    def deliver(self, export: Path) -> dict[str, Any]:
        """Publish, plan, approve, deploy; the plan."""
        build = self.build(export)
        succeeds(self.run(build, "publish"))
        digest = self.plan(build)
        succeeds(self.run(build, "deploy", "--plan", digest))
        return dict(self.kept(plan_key(digest)))


@pytest.fixture
def moving(local_aws: LocalAws, examined: Path, tmp_path: Path) -> Iterator[Moving]:
    with delivered(local_aws, examined, tmp_path) as made:
        yield made


@pytest.fixture
def moving_from_cloud(local_aws: LocalAws, examined: Path, tmp_path: Path) -> Iterator[Moving]:
    """The same, of which Pulumi Cloud has the state, and encrypts the secrets."""
    with pulumi_cloud() as cloud, delivered(local_aws, examined, tmp_path, cloud) as made:
        yield made


@contextmanager
def delivered(local_aws: LocalAws, cache: Path, tmp_path: Path, cloud: PulumiCloud | None = None) -> Iterator[Moving]:
    with begun(local_aws, cache, tmp_path / "environment") as made:
        environment = made.environment
        made.with_variables(**SAVED_ONCE)  # nobody is killed
        if cloud:
            move_in(environment, cloud)
            made.runs.give("someone")
        secrets = [word for path, value in SECRETS.items() for word in ("--secret", f"{path}={value}")]
        environment.workspace.succeed("config", "set-all", "--path", *secrets, "-s", "dev")
        succeeds(environment.plain("up", "--skip-preview"))
        put_item(environment)
        before = tmp_path / "before"
        shutil.copytree(environment.workspace.project, before, symlinks=True)
        released(environment)
        yield Moving(environment, made.runs, Workspace(before, environment.workspace.environment), cloud)


SECRETS = {"dns:token": "plain\nand two lines", 'dns:hosts[0]["of a.b"].key': "{}", "dns:hosts[1]": "123"}
"""Of a team's own, which the program does not read."""


def test_it_moves_with_all_it_has_and_is_delivered_from_there(moving: Moving, tmp_path: Path) -> None:
    environment, names = moving.environment, moving.names
    running, root, former = moving.running, environment.status(), environment.state
    files = {
        path: path.read_bytes() for path in (*environment.workspace.project.glob("Pulumi.*.yaml"), *files_in(former))
    }
    shown = succeeds(environment.delivery(*TAKE_OVER))
    assert (
        f"{environment.staging_bucket}: stays, with all that is in it; dev-account holds it, protected" in shown.output
    )
    assert {path: path.read_bytes() for path in files} == files
    assert moving.running == running

    moved = succeeds(environment.delivery(*TAKE_OVER, "--yes"))
    assert f"export PULUMI_BACKEND_URL='{names.state_backend}'" in moved.output
    assert (moving.running, environment.status()) == (running, root)
    assert (environment.locks(), environment.leases()) == ([], [])
    the_account_holds_the_area(moving)
    what_is_left_behind_does_no_harm(moving)
    assert moving.running == running

    moving.log_in()
    the_state_is_its_own(moving)
    there = InItsAccount(moving, tmp_path / "builds")
    plan = there.deliver(moving.runs.folder / EXPORT)
    assert changed_in(plan) == dict.fromkeys(("AuthRole", "UnauthRole"), ("PermissionsBoundary",))
    assert {s["step"] for s in plan["steps"]} <= {"change-resource", "update-stack", "change-program"}
    described = environment.client("cloudformation").describe_stacks(StackName=environment.root)["Stacks"][0]
    assert described["RoleARN"] == names.execution_role_arn
    assert "nothing to change" in succeeds(there.run(there.build(moving.runs.folder / EXPORT), "plan")).output
    after = moving.running
    assert (after["resources"], after["items"]) == (running["resources"], running["items"])
    assert after["objects"] >= running["objects"]

    # Typed once more, with the next release in the checkout: the boundary is not to be taken away again.
    moving.runs.take("second")
    again = succeeds(environment.delivery(*TAKE_OVER, "--yes", "--from", former.as_uri()))
    assert "boundary" not in again.output + (environment.workspace.project / "Pulumi.dev.yaml").read_text()


def test_out_of_pulumi_cloud_in_the_wrong_order_killed_midway_and_with_a_release_that_brings_more(
    moving_from_cloud: Moving, tmp_path: Path
) -> None:
    """One test, because each step begins where the one before has left the environment."""
    moving = moving_from_cloud
    environment = moving.environment
    serves_another(environment)
    running, buckets = moving.running, environment.buckets()
    fails(environment.delivery("bootstrap"), "bootstrap dev --take-over` shows how", "nothing was changed")
    plain = environment.plain("up", "--skip-preview")
    fails(plain, "`amplify-delivery bootstrap dev --take-over` as the account's administrator")
    fails(environment.delivery("up"), "amplify-delivery bootstrap dev")
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        account = environment.workspace.pulumi(*command, "-s", "dev-account")
        fails(account, f"the staging bucket {environment.staging_bucket} is there already", "dev --take-over")
    empty = tmp_path / "empty"
    empty.mkdir()
    elsewhere = environment.delivery(*TAKE_OVER, "--yes", "--from", empty.as_uri())
    fails(elsewhere, "holds no root stack", "`--from BACKEND`", "nothing was changed")
    a_second_one_of_its_own(moving)
    now, held = environment.workspace, moving.state(environment)
    environment.workspace = Workspace(now.project, {**now.environment, "PULUMI_ACCESS_TOKEN": "pul-another"})
    for yes in ((), ("--yes",)):
        fails(environment.delivery(*TAKE_OVER, *yes), "Pulumi Cloud does not take this login")
    environment.workspace = now
    assert (moving.running, environment.buckets(), moving.state(environment)) == (running, buckets, held)

    killed_out_of_cloud(moving)
    assert moving.running == running

    moving.runs.take("second")
    moved = succeeds(environment.delivery(*TAKE_OVER, "--yes"))
    assert "`pulumi config rm boundary`" in moved.output
    assert moving.running == running
    somebody_updates_it(moving, "moved")
    somebody_destroys_or_bootstraps_it(moving, "moved")
    moving.log_in()
    the_state_is_its_own(moving)
    there = InItsAccount(moving, tmp_path / "builds")
    first = there.deliver(moving.runs.folder / EXPORT)
    assert changed_in(first) == {"customkilled/Text": ("Value",)}
    environment.workspace.succeed("config", "rm", "boundary", "-s", "dev")
    second = there.deliver(moving.runs.folder / EXPORT)
    assert changed_in(second) == dict.fromkeys(("AuthRole", "UnauthRole"), ("PermissionsBoundary",))
    assert "nothing to change" in succeeds(environment.delivery("plan")).output
    after = moving.running
    assert after["items"] == running["items"]
    assert [r for r in after["resources"] if r[1] != "AWS::SSM::Parameter"] == [
        r for r in running["resources"] if r[1] != "AWS::SSM::Parameter"
    ]


def killed_out_of_cloud(moving: Moving) -> None:
    """While the account's stack is updated, whose lease Pulumi Cloud keeps for five minutes, and before the writes of
    the state that is left there: that it moves, and that it has moved."""
    environment, cloud, names = moving.environment, moving.cloud, moving.names
    assert cloud
    once = environment.workspace
    kept = {name: value for name, value in once.environment.items() if name not in SAVED_ONCE}
    environment.workspace = Workspace(once.project, kept)  # what it has begun is in the state
    moving.runs.kill(Point("ssm:PutParameter", also=names.types_parameter), *TAKE_OVER, "--yes")
    environment.workspace = once
    held = fails(environment.delivery(*TAKE_OVER, "--yes"), "another update of this stack is running: update of ann")
    assert (held.exit_code, "`amplify-delivery unlock dev-account`" in held.output) == (4, True)
    cloud.let_leases_end()
    somebody_destroys_or_bootstraps_it(moving, "delivered")
    written = f"POST /api/stacks/{USER}/{environment.app}/dev/import"
    cloud_kills.kill(environment, cloud, written, BEFORE, *TAKE_OVER, "--yes")
    assert not moving.brought
    somebody_updates_it(moving, "delivered, and in its account")  # which takes off what is protected: one write more
    cloud_kills.kill(environment, cloud, written, BEFORE, *TAKE_OVER, "--yes", number=3)
    assert (moving.brought, moving.keyed) == (True, True)


def changed_in(plan: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Properties by resource of the backend."""
    return {step["path"]: tuple(step["properties"]) for step in plan["steps"] if step["step"] == "change-resource"}


EXPORT = "amplify-export-seriesapp"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.glob(".pulumi/stacks/**/*") if path.is_file()]


def the_account_holds_the_area(moving: Moving) -> None:
    """Once, protected, with the settings that every account's has."""
    environment, s3 = moving.environment, moving.environment.client("s3")
    area = [r for r in moving.state(environment, "dev-account") if "StagingArea$" in r["urn"]]
    assert {r["type"] for r in area if r["type"] == BUCKET} == {BUCKET}
    assert all(r["protect"] for r in area)
    (bucket,) = [r for r in area if r["type"] == BUCKET]
    assert (bucket["id"], bucket["inputs"].get("forceDestroy")) == (environment.staging_bucket, False)
    assert s3.get_bucket_versioning(Bucket=environment.staging_bucket)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=environment.staging_bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert "dev-account: unchanged" in succeeds(environment.delivery("bootstrap")).output


def the_account_is_as_the_files_want_it(moving: Moving) -> None:
    environment = moving.environment
    again = succeeds(environment.delivery("bootstrap", "--refresh", "--json"))
    changes = json.loads(again.output[again.output.index("{\n") :])["stacks"]["dev-account"]
    assert set(changes) == {"same"}, changes


def what_is_left_behind_does_no_harm(moving: Moving) -> None:
    """From the old checkout and the new one, by plain commands and ours: all refused, with the way out."""
    environment, now = moving.environment, moving.environment.workspace
    left = ["seriesapp-dev", "default", "place", "staging-owner"]
    assert [r["urn"].rpartition("::")[2] for r in moving.state(environment)] == left
    way = (
        f"it has moved to s3://{moving.names.state_bucket}",
        f"export PULUMI_BACKEND_URL='{moving.names.state_backend}'",
    )
    for checkout in (moving.before, now):
        environment.workspace = checkout
        for command in (("preview",), ("up", "--skip-preview")):
            plain = environment.workspace.pulumi(*command, "-s", "dev", *(["--yes"] if command[0] == "up" else []))
            fails(plain, *way)
        fails(environment.plain("destroy"), "because it is protected")
        fails(environment.plain("destroy", "--skip-preview"), "because it is protected")
        # Of what is bootstrapped `adopt` looks into the account.
        adopting = ("adopt", "adopt --state-lost") if checkout is moving.before else ()
        for command in ("up", "destroy --delete-data", *adopting):
            fails(environment.delivery(*command.split()), *way)
    environment.workspace = now
    assert [r["urn"].rpartition("::")[2] for r in moving.state(environment)] == left
    assert "its account has taken it over already" in succeeds(environment.delivery(*TAKE_OVER)).output
    succeeds(environment.delivery(*TAKE_OVER, "--yes"))


def the_state_is_its_own(moving: Moving) -> None:
    """Without what was handed over, its secrets and its file's encrypted by the account's key alone."""
    environment = moving.environment
    of_another = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN")
    kept = {k: v for k, v in environment.workspace.environment.items() if not k.startswith(of_another)}
    environment.workspace = Workspace(environment.workspace.project, kept)
    held = moving.state(environment)
    assert not [r for r in held if "StagingArea" in r["urn"]]
    assert {r["type"] for r in held if r.get("protect")} == PROTECTED
    file = (environment.workspace.project / "Pulumi.dev.yaml").read_text()
    assert f"secretsprovider: {moving.names.secrets_provider}" in file
    assert "# kept" in file
    assert "encryptionsalt" not in file
    shown = json.loads(environment.workspace.succeed("config", "--show-secrets", "--json", "-s", "dev").output)
    assert shown["dns:token"]["value"] == SECRETS["dns:token"]
    assert shown["dns:hosts"]["objectValue"] == [{"of a.b": {"key": "{}"}}, "123"]
    assert shown[f"{environment.app}:parameters"]["objectValue"] == {"customkilled": {"Name": "someone"}}


def test_whatever_ends_it_the_same_command_goes_on(here: Killed, tmp_path: Path) -> None:  # noqa: F811
    """Killed at every write of a state, before and after; the former one lies in a bucket, with a key of its own.
    In between somebody types what must not lose anything."""
    environment, each_step = here.environment, here.environment.workspace
    # Only an update that is killed has to save its state with each step.
    once = environment.workspace = Workspace(each_step.project, {**each_step.environment, **SAVED_ONCE})
    here.there()
    put_item(environment)
    before = tmp_path / "before"
    shutil.copytree(environment.workspace.project, before, symlinks=True)
    released(environment, initialised_stacks.Key.make(environment.client("kms")).lines)
    moving = Moving(environment, here, Workspace(before, environment.workspace.environment))
    running = moving.running
    former, there = (
        f"/{bucket}/.pulumi/stacks/{environment.app}/dev.json?"
        for bucket in (here.state_bucket, moving.names.state_bucket)
    )
    points = (
        (Point(PUT, also=former), "delivered"),
        (KEY, "delivered"),
        # The `up` in between has taken off what the first write protects.
        (Point(PUT, BEFORE, also=former, number=2), "delivered, and in its account"),
        (Point(PUT, also=former, number=2), "moving"),
        (Point(PUT, also=there), "moving"),
        (Point(PUT, BEFORE, also=there, number=IMPORT), "moving"),
        (Point(PUT, also=there, number=IMPORT), "moving, and brought"),
        (Point(PUT, BEFORE, also=former), "bootstrapped"),
        (Point(PUT, also=former), "moved"),
    )
    seen: list[str] = []
    for point, state in points:
        environment.workspace = each_step if point is KEY else once
        here.kill(point, *TAKE_OVER, "--yes")
        environment.workspace = once
        assert (state, moving.brought) == (state, state in ("moving, and brought", "bootstrapped", "moved"))
        assert (state, moving.keyed) == (state, state in ("bootstrapped", "moved"))
        if state not in seen or state == "delivered":
            somebody_updates_it(moving, state)
        if state not in seen:
            somebody_destroys_or_bootstraps_it(moving, state)
        assert moving.running == running
        seen.append(state)
    succeeds(environment.delivery(*TAKE_OVER, "--yes"))
    the_account_holds_the_area(moving)
    the_account_is_as_the_files_want_it(moving)
    moving.log_in()
    assert "dev: 3 changes" in succeeds(environment.delivery("plan")).output
    assert {r["type"] for r in moving.state(environment) if r.get("protect")} == PROTECTED


PROTECTED = {"aws:cloudformation/stack:Stack", "pulumi:index:Stash"}

IMPORT = 3
"""The write of the state into the account: the engine has made the stack with two."""


def somebody_updates_it(moving: Moving, state: str) -> None:
    """By the plain command, in the old checkout."""
    environment, now = moving.environment, moving.environment.workspace
    environment.workspace = moving.before
    if moving.runs.state_bucket:
        succeeds(environment.plain("cancel"))  # as the engine says that was killed
    plain = environment.plain("up", "--skip-preview")
    if state.startswith("delivered"):
        succeeds(plain)
    elif state == "moved":
        fails(plain, f"it has moved to s3://{moving.names.state_bucket}")
    else:
        fails(plain, f"it moves into the state bucket of account {environment.account}", "--take-over --yes")
    environment.workspace = now


def somebody_destroys_or_bootstraps_it(moving: Moving, state: str) -> None:
    """The former by plain commands in the old checkout; the account by ours, in one whose pipeline has gone."""
    environment, now = moving.environment, moving.environment.workspace
    environment.workspace = moving.before
    fails(environment.plain("destroy"), "because it is protected")
    environment.workspace = now
    if state not in ("bootstrapped", "moved"):
        fails(environment.delivery("bootstrap"), "amplify-delivery bootstrap dev --take-over", "nothing was changed")
    pipeline = now.project / "Pulumi.pipeline.yaml"
    without = pipeline.rename(pipeline.with_suffix(".away"))
    fails(
        typed.delivery(now, "destroy", "dev-account", "--delete-data"), "dev is still deployed", "nothing was changed"
    )
    without.rename(pipeline)
