"""The tooling account's state: made once, used from any fresh checkout."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from amplify_delivery.commands import setup as setup_command
from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.pipeline import state_stack
from amplify_delivery.delivery.pipeline.state_stack import TEMPLATE
from amplify_delivery.errors import ConfigError, DeployError
from amplify_delivery.export.documents import parse_yaml
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal.setup import tools
from aws_rehearsal_tests.local_account import SOON
from aws_rehearsal_tests.stuck_stacks import end_waiting
from functional import here
from functional.delivery.environments import REGION, Environment
from functional.delivery.outcomes import fails, succeeds


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The resources of the state's template."""
    resources: dict[str, Any] = parse_yaml(TEMPLATE.read_bytes())["Resources"]
    return resources


def test_state_outlives_its_stack(template: dict[str, Any]) -> None:
    for name in ("Bucket", "Key"):
        assert template[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert template[name]["UpdateReplacePolicy"] == "Retain"


def test_the_key_is_rotated_and_earlier_states_expire(template: dict[str, Any]) -> None:
    assert template["Key"]["Properties"]["EnableKeyRotation"] is True
    (rule,) = template["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert "ExpirationInDays" not in rule


def test_the_bucket_is_in_the_accounts_own_namespace(template: dict[str, Any]) -> None:
    assert template["Bucket"]["Properties"]["BucketNamespace"] == "account-regional"


@pytest.mark.processes
def test_what_it_prints_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Into any shell: its words are the values, although `?` is a pattern, and a file of such a name may lie there."""
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(setup_command, "Account", MagicMock())
    monkeypatch.setattr(state_stack, "_deploy", lambda *_: "created")
    account = "111111111111"
    arguments = argparse.Namespace(account=account, region=REGION, profile=None, remove=False, json=False)
    assert setup_command.run(arguments, Context(Path(), {})) == 0
    pasted = capsys.readouterr().out
    names = PipelineNames("app", account, REGION)
    shell = f'pulumi() {{ printf "%s\\n" "$@"; }}\n{pasted}printf "%s\\n" "$PULUMI_BACKEND_URL"\n'
    for interpreter in ("sh", "bash"):
        ran = subprocess.run([interpreter, "-euc", shell], cwd=tmp_path, capture_output=True, text=True, check=True)
        said = ["stack", "init", "pipeline", f"--secrets-provider={names.secrets_provider}", names.state_backend]
        assert ran.stdout.splitlines() == said


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"account": "11111111111"}, "--account: '11111111111' is not an AWS account, which has 12 digits"),
        ({"region": "us-esat-1"}, "--region: 'us-esat-1' is not an AWS region, did you mean 'us-east-1'?"),
    ],
)
def test_an_argument_is_refused_as_in_a_stack_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], says: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    given = {"account": "111111111111", "region": REGION, "profile": None, "remove": True, "json": False, **wrong}
    with pytest.raises(ConfigError) as caught:
        setup_command.run(argparse.Namespace(**given), Context(Path(), {}))
    assert says in str(caught.value)


@pytest.mark.engine
def test_up_against_the_state_that_setup_made_from_a_fresh_checkout(
    local_aws: LocalAws, examined: Path, tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "environment", local_aws, tools(), examined, "todo-series/v1")

    said = succeeds(setup(environment, environment.account)).output
    assert "created" in said
    again = succeeds(setup(environment, environment.account, "--json"))
    document = json.loads(again.output)
    assert document["change"] == "unchanged"
    assert f"\nexport PULUMI_BACKEND_URL='{document['backend']}'\n" in said
    assert f"\npulumi stack init pipeline --secrets-provider='{document['secretsProvider']}'\n" in said
    fails(setup(environment, random_account()), "the credentials belong to account", environment.account)
    bucket = f"{environment.app}-tooling-state-{environment.account}-{REGION}-an"
    assert document["backend"] == f"s3://{bucket}?region={REGION}"
    s3 = environment.client("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]

    work = environment.workspace
    variables = {**work.environment, "PULUMI_BACKEND_URL": document["backend"]}
    del variables["PULUMI_CONFIG_PASSPHRASE"]
    environment.workspace = Workspace(work.project, variables)
    environment.workspace.succeed("stack", "init", "dev", "--secrets-provider", document["secretsProvider"])
    succeeds(environment.plain("up", "--skip-preview"))

    fresh = tmp_path / "fresh"
    shutil.copytree(work.project, fresh, symlinks=True)
    environment.workspace = Workspace(fresh, variables)
    assert "nothing to change" in succeeds(environment.delivery("plan")).output
    assert key(environment) == document["secretsProvider"]

    # Without the two lines, the engine would take any passphrase that lies around.
    file = fresh / "Pulumi.dev.yaml"
    whole = file.read_text()
    file.write_text(re.sub(r"(?m)^(secretsprovider|encryptedkey):.*\n", "", whole))
    environment.workspace = Workspace(fresh, {**variables, "PULUMI_CONFIG_PASSPHRASE": "of somebody"})
    fails(environment.delivery("up"), "does not say so", "from git")
    assert key(environment) == document["secretsProvider"]

    # Taken away again, once no stack's state lies there.
    file.write_text(whole)
    environment.workspace = Workspace(fresh, variables)
    fails(setup(environment, environment.account, "--remove"), f"the state of {environment.app}/dev lies in it")
    assert bucket in environment.buckets()
    succeeds(environment.delivery("destroy", "--delete-data"))
    environment.workspace.succeed("stack", "rm", "dev", "--yes", "--preserve-config")
    said = succeeds(setup(environment, environment.account, "--remove")).output
    key_arn = re.search(r"key (\S+): scheduled for deletion, in 30 days", said)[1]  # type: ignore[index]
    assert environment.client("kms").describe_key(KeyId=key_arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert bucket not in environment.buckets()
    assert environment.client("kms").list_aliases()["Aliases"] == []
    assert environment.client("cloudformation").describe_stacks()["Stacks"] == []
    assert "removed" in succeeds(setup(environment, environment.account, "--remove")).output


def test_what_is_being_changed_is_not_emptied(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state's stack goes only when CloudFormation would delete it; until then bucket and key stay as they are."""
    number = random_account()
    for name, value in local_aws.environment(local_aws.make_admin(number), REGION).items():
        monkeypatch.setenv(name, value)
    account, names = Account(number, REGION), PipelineNames("app", number, REGION, "pipeline")
    cloudformation, s3 = account.client("cloudformation"), account.client("s3")
    state_stack.deploy(account, "app-state", names)
    s3.put_object(Bucket=names.state_bucket, Key="left", Body=b"by a stack that was removed")
    template = dict(parse_yaml(TEMPLATE.read_bytes()))
    wait = {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60"}}
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    template["Resources"] = {**template["Resources"], "Handle": handle, "Wait": wait}
    given = [{"ParameterKey": p, "UsePreviousValue": True} for p in template["Parameters"]]
    cloudformation.update_stack(StackName="app-state", TemplateBody=json.dumps(template), Parameters=given)

    monkeypatch.setattr(state_stack, "_PATIENCE", 1)
    with pytest.raises(DeployError, match="still UPDATE_IN_PROGRESS"):
        state_stack.remove(account, "app-state", names)
    assert s3.list_objects_v2(Bucket=names.state_bucket)["KeyCount"] == 1
    end_waiting(cloudformation, "app-state")
    monkeypatch.setattr(state_stack, "_PATIENCE", 60)
    assert state_stack.remove(account, "app-state", names)
    assert cloudformation.describe_stacks()["Stacks"] == []


def test_a_bucket_that_somebody_has_deleted_is_made_again(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation takes its template for unchanged, and what it has made for being there. The key stays the same:
    values in stack files are encrypted with it."""
    number = random_account()
    for name, value in local_aws.environment(local_aws.make_admin(number), REGION).items():
        monkeypatch.setenv(name, value)
    account, names = Account(number, REGION), PipelineNames("app", number, REGION, "pipeline")
    s3, kms = account.client("s3"), account.client("kms")
    assert state_stack.deploy(account, "app-state", names) == "created"
    key = kms.describe_key(KeyId=names.state_key_alias)["KeyMetadata"]["KeyId"]
    s3.delete_bucket(Bucket=names.state_bucket)
    assert state_stack.deploy(account, "app-state", names) == "updated"
    assert s3.get_bucket_versioning(Bucket=names.state_bucket)["Status"] == "Enabled"
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=names.state_bucket)["Policy"]
    assert kms.describe_key(KeyId=names.state_key_alias)["KeyMetadata"]["KeyId"] == key
    assert state_stack.deploy(account, "app-state", names) == "unchanged"

    # A run that has ended between the two updates.
    s3.delete_bucket(Bucket=names.state_bucket)
    cloudformation = account.client("cloudformation")
    given = [{"ParameterKey": p, "UsePreviousValue": True} for p in ("BucketName", "KeyAlias")]
    cloudformation.update_stack(StackName="app-state", TemplateBody=state_stack._without_bucket(), Parameters=given)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="app-state", WaiterConfig=SOON)
    assert state_stack.deploy(account, "app-state", names) == "updated"
    assert s3.get_bucket_versioning(Bucket=names.state_bucket)["Status"] == "Enabled"


def setup(environment: Environment, account: str, *arguments: str) -> Finished:
    words = ("setup", "--account", account, "--region", REGION, *arguments)
    return here.delivery(environment.workspace, *words)


def key(environment: Environment) -> str:
    """What the state is encrypted with."""
    exported = json.loads(environment.workspace.succeed("stack", "export", "-s", "dev").output)
    return str(exported["deployment"]["secrets_providers"]["state"]["url"])
