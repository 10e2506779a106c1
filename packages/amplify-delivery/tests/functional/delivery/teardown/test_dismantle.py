"""`amplify-delivery destroy` of accounts and pipelines, on the real engine: what is refused, left, gone."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.statements import role_trust
from amplify_delivery.delivery.engine.automation_api import Before
from amplify_delivery.delivery.teardown import dismantle, emptying
from amplify_delivery.delivery.teardown.dismantle import check_at_rest
from amplify_delivery.errors import DeployError
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal.pipeline_service import PipelineService, local_aws_with_room
from aws_rehearsal_tests import initialised_stacks, pulumi_homes
from aws_rehearsal_tests.local_account import LocalAccount
from functional import here
from unit.command_line import ROOT, export

HOME, AWAY, ELSEWHERE = "us-east-1", "eu-west-1", "eu-north-1"
EXPORT = "todo-series/v1"
Found = set[str]
"""What is in an account, by kind and name."""


@dataclass
class Scene:
    """The project of an app with a pipeline over `preprod` and others, and one account in which everything lies."""

    app: str
    owner: LocalAccount
    workspace: Workspace

    @property
    def preprod(self) -> EnvironmentNames:
        return EnvironmentNames(self.app, self.owner.account, AWAY, "preprod")

    @property
    def pipeline(self) -> PipelineNames:
        return PipelineNames(self.app, self.owner.account, HOME, "pipeline")

    @property
    def connection(self) -> str:
        return f"arn:aws:codeconnections:{HOME}:{self.owner.account}:connection/5e6f7a8b"

    def write(self, stack: str, **values: Any) -> None:
        """Write a stack file, and keep what the engine has written into it."""
        file = self.workspace.project / f"Pulumi.{stack}.yaml"
        kept = (
            []
            if not file.exists()
            else [x for x in file.read_text().splitlines() if x.startswith("enc") or "awskms" in x]
        )
        config = {f"{self.app}:{key}": value for key, value in values.items()}
        file.write_text("\n".join([*kept, json.dumps({"config": config})[1:-1]]) + "\n")

    def write_environment(self, name: str, region: str) -> None:
        self.write(name, account=self.owner.account, region=region, bootstrapped="true", suffix=self.owner.account[:5])

    def write_pipeline(self, *environments: str, **more: Any) -> None:
        source = {"connection": self.connection, "repository": "example/app", **more.pop("source", {})}
        stages = [{"name": environment.capitalize()} for environment in environments]
        place = {"program": "pipeline", "account": self.owner.account, "region": HOME}
        self.write("pipeline", **place, source=source, stages=stages, **more)

    def let_in(self, name: str, region: str) -> str:
        """What an account's owner has done before a pipeline names her environment; the role's name."""
        names, iam = EnvironmentNames(self.app, self.owner.account, region, name), self.client("iam", HOME)
        trust = json.dumps(role_trust(self.pipeline.role_arn()))
        iam.create_role(Path=names.path, RoleName=names.action_role, AssumeRolePolicyDocument=trust)
        return names.action_role

    def delivery(self, *arguments: str, backend: str = "") -> Finished:
        work = self.workspace
        if backend:
            variables = {**work.environment, "PULUMI_BACKEND_URL": backend}
            del variables["PULUMI_CONFIG_PASSPHRASE"]
            work = Workspace(work.project, variables)
        return self.run(work, *arguments)

    def run(self, work: Workspace, *arguments: str) -> Finished:
        return here.delivery(work, *arguments)

    def init(self, stack: str) -> None:
        """Make a stack, whose key lies where nothing else does."""
        initialised_stacks.init_with_key(self.client("kms", ELSEWHERE), self.workspace.succeed, stack)

    def refused(self, *arguments: str, code: int = 3) -> str:
        done = self.delivery(*arguments)
        assert done.exit_code == code, done.output
        assert "Traceback" not in done.output
        return done.output

    def succeeds(self, *arguments: str, backend: str = "") -> str:
        done = self.delivery(*arguments, backend=backend)
        assert done.exit_code == 0, f"{done.output}\n{self.bounded()}"
        return done.output

    def bounded(self) -> str:
        """The roles that are left and what bounds them: what a boundary is not deleted for (`DeleteConflict`)."""
        iam = self.client("iam", HOME)
        roles = (iam.get_role(RoleName=r["RoleName"])["Role"] for r in iam.list_roles()["Roles"])
        bounds = {r["RoleName"]: r.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") for r in roles}
        return f"left: {json.dumps(bounds, indent=1)}"

    def document(self, *arguments: str) -> Any:
        """The JSON document of a command that succeeds."""
        text = self.succeeds(*arguments, "--json")
        return json.loads(text[text.index("\n{\n") if not text.startswith("{") else 0 :])

    def client(self, service: str, region: str) -> Any:
        return self.owner.aws.client(service, self.owner.credentials, region)

    def everything(self) -> set[str]:
        """What is in the account, in both regions, of anything that this project ever makes."""
        iam, found = self.client("iam", HOME), set()
        found |= {f"role {r['RoleName']}" for r in iam.list_roles()["Roles"] if r["Path"] != "/aws-service-role/"}
        found |= {f"policy {p['PolicyName']}" for p in iam.list_policies(Scope="Local")["Policies"]}
        found |= {f"bucket {b['Name']}" for b in self.client("s3", HOME).list_buckets()["Buckets"]}
        for region in (HOME, AWAY):
            found |= {f"{what} in {region}" for what in self._regional(region)}
        return found

    def _regional(self, region: str) -> Iterator[str]:
        def client(service: str) -> Any:
            return self.client(service, region)

        for group in client("logs").describe_log_groups()["logGroups"]:
            yield f"log group {group['logGroupName']}"
        for project in client("codebuild").list_projects()["projects"]:
            yield f"project {project}"
        for parameter in client("ssm").describe_parameters()["Parameters"]:
            yield f"parameter {parameter['Name']}"
        for repository in client("ecr").describe_repositories()["repositories"]:
            yield f"repository {repository['repositoryName']}"
        for stack in client("cloudformation").describe_stacks()["Stacks"]:
            if not stack["StackName"].startswith("aws-native-"):  # how the stand-in makes its resources
                yield f"stack {stack['StackName']}"
        for rule in client("events").list_rules()["Rules"]:
            yield f"rule {rule['Name']}"
        for topic in client("sns").list_topics()["Topics"]:
            yield f"topic {topic['TopicArn']}"
        for alias in client("kms").list_aliases()["Aliases"]:
            if not alias["AliasName"].startswith("alias/aws/"):
                yield alias["AliasName"]
        for key in client("kms").list_keys()["Keys"]:
            described = client("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if described["KeyState"] != "PendingDeletion" and described.get("KeyManager") != "AWS":
                yield f"key {described['Description']}"


@dataclass
class Playing(Scene):
    """With a service that runs the pipeline: its threads would see the variables of a command in their process."""

    service: PipelineService

    def run(self, work: Workspace, *arguments: str) -> Finished:
        return work.run(pulumi_homes.delivery(work.environment, *arguments))

    def _regional(self, region: str) -> Iterator[str]:
        yield from super()._regional(region)
        for pipeline in self.client("codepipeline", region).list_pipelines()["pipelines"]:
            yield f"pipeline {pipeline['name']}"


@contextmanager
def playing(folder: Path) -> Iterator[Playing]:
    aws, room = local_aws_with_room()
    try:
        with aws, PipelineService(aws, room) as service:
            made = make(folder, aws)
            yield Playing(made.app, made.owner, made.workspace, service)
    finally:
        room.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Playing]:
    with playing(tmp_path) as found:
        yield found


def make(folder: Path, aws: LocalAws) -> Scene:
    account = random_account()
    owner = LocalAccount(aws, account, aws.make_admin(account), HOME)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
    home = {**pulumi_homes.warm_home(folder / "home"), **pulumi_homes.SAVED_ONCE, **pulumi_homes.UNHEARD}
    workspace = Workspace.make(folder, ROOT, {**clean, **home, **owner.environment})
    app = json.loads((export(EXPORT) / "amplify-export-manifest.json").read_text())["stackName"].split("-")[1]
    workspace.rename(app, account, HOME)
    workspace.put_export(export(EXPORT))
    return Scene(app, owner, workspace)


# --- an account ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Life:
    """What was told of an account that was bootstrapped once, deployed to, taken down, bootstrapped again and emptied,
    and what was in it after that."""

    names: EnvironmentNames
    whole: Found
    delivered: str
    """Refused: a stage names its environment."""
    deployed: str
    used: str
    """Refused: a stack of CloudFormation has its role."""
    after_refusals: Found
    denied: str
    """An object may not be deleted."""
    kept: Any
    """The document of what was kept; what was there; the state bucket's policy; what was told a second time, and what
    the engine says by itself."""
    left: Found
    policy: str
    again: str
    protected: Finished
    bootstrapped: Found
    """Once more."""
    emptied: Any
    """The document of its end; what was there; what was told a second time."""
    end: Found
    gone: str
    file: bool
    """Whether its stack file is there."""


@pytest.fixture(scope="module")
def life(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Life:
    return lived(make(tmp_path_factory.mktemp("account"), local_aws))


def lived(scene: Scene) -> Life:
    names = scene.preprod
    scene.write_environment("preprod", AWAY)
    scene.write_environment("qa", AWAY)
    scene.write("preprod-account", program="account", images="true")
    scene.write_pipeline("preprod", "qa")
    scene.init("preprod-account")
    scene.succeeds("bootstrap", "preprod")
    whole = scene.everything()

    delivered = scene.refused("destroy", "preprod-account")
    scene.write_pipeline("qa")
    deploy(scene)
    deployed = scene.refused("destroy", "preprod-account", "--delete-data")
    scene.succeeds("destroy", "preprod", "--delete-data", backend=names.state_backend)
    with a_stack_with(scene, names.execution_role_arn):
        used = scene.refused("destroy", "preprod-account")
    after_refusals = scene.everything()

    # An interruption changes nothing of what goes and what is kept.
    fill(scene)
    forbid(scene, names.staging_bucket, "s3:DeleteObjectVersion")
    denied = scene.refused("destroy", "preprod-account", code=4)
    permit(scene, names.staging_bucket)
    kept, left = scene.document("destroy", "preprod-account"), own(scene.everything())
    policy = scene.client("s3", AWAY).get_bucket_policy(Bucket=names.state_bucket)["Policy"]
    again = scene.succeeds("destroy", "preprod-account")
    protected = scene.workspace.pulumi("destroy", "-s", "preprod-account", "--yes")

    scene.write_pipeline("preprod", "qa")
    scene.succeeds("bootstrap", "preprod")
    bootstrapped = scene.everything()
    scene.write_pipeline("qa")
    fill(scene)
    emptied, end = scene.document("destroy", "preprod-account", "--delete-data"), own(scene.everything())
    gone = scene.refused("destroy", "preprod-account")
    file = (scene.workspace.project / "Pulumi.preprod-account.yaml").exists()
    return Life(
        names, whole, delivered, deployed, used, after_refusals, denied, kept, left, policy, again, protected,
        bootstrapped, emptied, end, gone, file=file,
    )  # fmt: skip


LIVED = [pytest.mark.engine, pytest.mark.xdist_group("account's life")]


class TestAnAccount:
    """One life, of which each test looks at something else."""

    pytestmark = LIVED

    def test_it_is_not_destroyed_while_something_needs_it(self, life: Life) -> None:
        assert "preprod is delivered by the pipeline pipeline (stage Preprod)" in life.delivered
        assert "preprod is still deployed: its stack in" in life.deployed
        command = f"PULUMI_BACKEND_URL='{life.names.state_backend}' amplify-delivery destroy preprod"
        assert command in life.deployed
        assert f"CloudFormation needs the role {life.names.execution_role} for left-over" in life.used
        assert life.after_refusals >= life.whole

    def test_what_can_be_made_again_goes_and_nothing_else_does(self, life: Life) -> None:
        names = life.names
        assert f"emptying bucket {names.staging_bucket}: " in life.denied
        assert life.left == {
            f"bucket {names.state_bucket}",
            f"key State of {names.prefix} in {AWAY}",
            f"{names.state_key_alias} in {AWAY}",
            f"log group {names.audit_log_group} in {AWAY}",
            f"repository {names.repository} in {AWAY}",
        }
        assert "aws:SecureTransport" in life.policy

    def test_what_is_kept_is_listed(self, life: Life) -> None:
        assert [k["environment"] for k in life.kept["kept"]] == ["preprod"] * len(life.left)
        listed = {k["physical_id"] for k in life.kept["kept"]}
        assert listed > {life.names.state_bucket, life.names.audit_log_group, life.names.repository}
        assert life.kept["removed"] is False

    def test_what_is_kept_stays(self, life: Life) -> None:
        assert "0 resources deleted" in life.again
        assert life.protected.exit_code != 0
        assert "protected" in life.protected.output

    def test_bootstrapped_again_it_finds_what_was_kept(self, life: Life) -> None:
        assert life.bootstrapped >= life.whole

    def test_asked_for_everything_nothing_stays_but_a_key_that_waits_for_its_end(self, life: Life) -> None:
        names = life.names
        assert life.end == set()
        assert life.emptied["kept"] == []
        assert life.emptied["removed"] is True
        assert set(life.emptied["emptied"]) == {names.staging_bucket, names.state_bucket, names.repository}
        assert len(life.emptied["keysScheduledForDeletion"]) == 1

    def test_then_its_stack_is_gone_and_its_file_stays(self, life: Life) -> None:
        assert "there is no such stack" in life.gone
        assert life.file


def own(found: set[str]) -> set[str]:
    """Without what the export keeps by its own templates' DeletionPolicy, and what Lambda has logged."""
    return {x for x in found if not x.endswith("-deployment") and not x.startswith("log group /aws/lambda/")}


def deploy(scene: Scene) -> None:
    variables = {**scene.workspace.environment, "PULUMI_BACKEND_URL": scene.preprod.state_backend}
    del variables["PULUMI_CONFIG_PASSPHRASE"]
    Workspace(scene.workspace.project, variables).succeed("up", "-s", "preprod", "--yes", "--skip-preview")


class a_stack_with:  # noqa: N801 - reads as what it is
    """A stack of CloudFormation that uses a role, while it is entered."""

    def __init__(self, scene: Scene, role: str) -> None:
        self._client, self._role = scene.client("cloudformation", AWAY), role

    def __enter__(self) -> None:
        # One that needs no right: the role has those of the export's types.
        resources = {"X": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
        self._client.create_stack(
            StackName="left-over", TemplateBody=json.dumps({"Resources": resources}), RoleARN=self._role
        )
        self._client.get_waiter("stack_create_complete").wait(StackName="left-over", WaiterConfig={"Delay": 1})

    def __exit__(self, *_: object) -> None:
        self._client.delete_stack(StackName="left-over")
        self._client.get_waiter("stack_delete_complete").wait(StackName="left-over", WaiterConfig={"Delay": 1})


def fill(scene: Scene) -> None:
    """What keeps a bucket or a repository from going: versions, a delete marker, a broken upload, images."""
    s3, ecr = scene.client("s3", AWAY), scene.client("ecr", AWAY)
    for bucket in (scene.preprod.staging_bucket, scene.preprod.state_bucket):
        for body in (b"1", b"2"):
            s3.put_object(Bucket=bucket, Key="x", Body=body)
        s3.delete_object(Bucket=bucket, Key="x")
        s3.create_multipart_upload(Bucket=bucket, Key="y")
    manifest = {"schemaVersion": 2, "config": {}, "layers": []}
    if not ecr.list_images(repositoryName=scene.preprod.repository)["imageIds"]:
        for tag in ("a", "b"):
            text = json.dumps({**manifest, "annotations": {"tag": tag}})
            ecr.put_image(repositoryName=scene.preprod.repository, imageManifest=text, imageTag=tag)


def forbid(scene: Scene, bucket: str, action: str) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    scene.client("s3", AWAY).put_bucket_policy(Bucket=bucket, Policy=policy)


def permit(scene: Scene, bucket: str) -> None:
    scene.client("s3", AWAY).delete_bucket_policy(Bucket=bucket)


# --- a pipeline ------------------------------------------------------------------------------------------------------


@pytest.mark.engine
def test_a_pipeline_leaves_a_region_and_then_is_gone_with_its_artifacts(scene: Playing, tmp_path: Path) -> None:
    names, s3 = scene.pipeline, scene.client("s3", AWAY)
    away = names.artifact_bucket(AWAY)
    scene.write_environment("preprod", HOME)
    scene.write_environment("prod", AWAY)
    scene.write_pipeline("preprod", "prod")
    action_roles = {f"role {scene.let_in(name, region)}" for name, region in (("preprod", HOME), ("prod", AWAY))}
    scene.init("pipeline")
    scene.workspace.succeed("up", "-s", "pipeline", "--yes", "--skip-preview")
    s3.put_object(Bucket=away, Key="x", Body=b"an artifact")
    assert "actions run there" in scene.refused("destroy", "pipeline", "--region", AWAY)
    whole = scene.everything()

    # The last environment of a region is taken out: its store is neither deleted nor left half-open.
    scene.write_pipeline("preprod")
    said = scene.refused("update-pipeline")
    assert f"no environment lies in {AWAY} any more" in said
    assert f"artifactRegions: [{AWAY}]" in said
    assert "the artifact store of eu-west-1 is still used: pipeline" in scene.refused(
        "destroy", "pipeline", "--region", AWAY
    )
    assert scene.everything() == whole
    scene.write_pipeline("preprod", artifactRegions=[AWAY])
    scene.succeeds("update-pipeline")
    definition = scene.client("codepipeline", HOME).get_pipeline(name=names.pipeline)["pipeline"]
    assert AWAY not in json.dumps(definition)
    assert scene.everything() == whole
    assert "it is named in `artifactRegions`" in scene.refused("destroy", "pipeline", "--region", AWAY)
    scene.write_pipeline("preprod")
    assert "scheduled for deletion, in 30 days" in scene.succeeds("destroy", "pipeline", "--region", AWAY)
    store = {f"bucket {away}", f"key Artifacts of {names.pipeline} in {AWAY}", f"{names.artifact_key_alias} in {AWAY}"}
    assert scene.everything() == whole - store
    assert "0 resources deleted" in scene.succeeds("destroy", "pipeline", "--region", AWAY)
    scene.write_pipeline("preprod", source={"detectChanges": "false"})
    scene.succeeds("update-pipeline")
    assert scene.everything() == whole - store

    # While it runs, started by a person, it stays; then it goes, with the artifacts that it has made.
    client = scene.client("codepipeline", HOME)
    execution = start(scene, client, tmp_path / "app")
    said = scene.refused("destroy", "pipeline")
    assert f"1 execution of {names.pipeline} runs: {execution}" in said
    client.stop_pipeline_execution(pipelineName=names.pipeline, pipelineExecutionId=execution, abandon=True)
    scene.service.wait_until(lambda: not scene.service.executions(names.pipeline)[-1].running or None)
    assert s3.list_objects_v2(Bucket=names.artifact_bucket(HOME))["KeyCount"] == 1
    document = scene.document("destroy", "pipeline", "--delete-data")
    assert scene.everything() == action_roles
    assert document["kept"] == []
    assert document["emptied"] == [names.artifact_bucket(HOME)]
    assert document["removed"] is True
    assert "its state is not in" in scene.refused("destroy", "pipeline")


def start(scene: Playing, client: Any, folder: Path) -> str:
    """An execution of the pipeline that has read its source, and waits before Build; its id. A push starts none, with
    `detectChanges: false`; started by hand, it takes what was pushed."""
    name = scene.pipeline.pipeline
    subprocess.run(["git", "init", "--quiet", "-b", "main", folder], check=True)
    git = ["git", "-C", str(folder), "-c", "user.name=A Developer", "-c", "user.email=developer@example.com"]
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "Nothing"], check=True)
    scene.service.repository(scene.connection, "example/app", folder)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "Nothing more"], check=True)
    before = [e.id for e in scene.service.executions(name)]
    assert (scene.service.notify_push(), [e.id for e in scene.service.executions(name)]) == ([], before)
    pushed = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    client.disable_stage_transition(
        pipelineName=name, stageName="Build", transitionType="Inbound", reason="it is going away"
    )
    execution = str(client.start_pipeline_execution(name=name)["pipelineExecutionId"])

    def waits() -> bool | None:
        found = next(e for e in scene.service.executions(name) if e.id == execution)
        return True if found.outputs.get("source") and "Build" not in found.stages else None

    scene.service.wait_until(waits)
    found = next(e for e in scene.service.executions(name) if e.id == execution)
    assert found.outputs["source"]["CommitId"] == pushed
    return execution


# --- refused before anything begins ----------------------------------------------------------------------------------


class Executions:
    """CodePipeline with executions in these states."""

    def __init__(self, *states: str, there: bool = True) -> None:
        self._states, self._there = states, there
        self.account, self.region = "111111111111", HOME

    def client(self, _: str) -> Executions:
        return self

    def asking(self, _: str) -> AbstractContextManager[None]:
        return nullcontext()

    def list_pipeline_executions(self, **_: Any) -> Any:
        if not self._there:
            raise ClientError({"Error": {"Code": "PipelineNotFoundException"}}, "ListPipelineExecutions")
        return {
            "pipelineExecutionSummaries": [
                {"pipelineExecutionId": f"e{number}", "status": state} for number, state in enumerate(self._states)
            ]
        }


PIPELINE = PipelineNames("app", "111111111111", HOME)


@pytest.mark.parametrize(
    "account",
    [Executions("Succeeded", "Failed", "Cancelled", "Stopped", "Superseded"), Executions(), Executions(there=False)],
)
def test_a_pipeline_at_rest_or_gone(account: Any) -> None:
    check_at_rest(account, PIPELINE)


def test_a_pipeline_that_runs() -> None:
    account: Any = Executions("InProgress", "Succeeded", "Stopping")
    with pytest.raises(DeployError, match="2 executions of app-pipeline run: e0, e2") as caught:
        check_at_rest(account, PIPELINE)
    assert "aws codepipeline stop-pipeline-execution --pipeline-name app-pipeline" in caught.value.remedy


def test_what_holds_things_is_emptied_under_the_engines_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class Locking:
        def destroy(self, only: list[str], before: Before | None = None) -> SimpleNamespace:
            done.append("locked")
            if before:
                before(threading.Event())
            done.append(f"destroyed {len(only)}")
            return SimpleNamespace(changes={"delete": len(only)})

    bucket = {"urn": "urn:pulumi:x::app::aws:s3/bucket:Bucket::x", "type": "aws:s3/bucket:Bucket", "id": "store"}
    repository = {"urn": "urn:pulumi:x::app::aws:ecr/repository:Repository::x", "id": "images"}
    accounts: Any = lambda _: None  # noqa: E731 - one account for all regions
    accounts.home = SimpleNamespace(region=HOME)
    for kind in ("bucket", "repository"):
        monkeypatch.setattr(emptying, kind, lambda _, name, __: done.append(f"emptied {name}"))
    engine: Any = Locking()
    going = [bucket, {**repository, "type": "aws:ecr/repository:Repository"}]
    dismantle._empty_and_destroy(engine, going, accounts, report := dismantle.Done("x"))
    assert done == ["locked", "emptied images", "emptied store", "destroyed 2"]
    assert report.emptied == ["images", "store"]
