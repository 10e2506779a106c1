"""An environment is handed over to Amplify's own tools: what they read is written, uploaded only when asked."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from amplify_delivery import cli
from amplify_delivery.delivery.adoption.handover.handing import KEPT, hand_over
from amplify_delivery.delivery.context import Context
from amplify_delivery.errors import RefusedError
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal_tests.local_account import LocalAccount
from functional.adoption.pushed_apps import PushedApp

ARCHIVE = "#current-cloud-backend.zip"


def as_people_call_it(app: PushedApp, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["handover", "prod"]) == 0
    said = capsys.readouterr().out
    assert "storage/s338e5b439" in said and "nothing was uploaded" in said
    assert Path("handover-prod/amplify/team-provider-info.json").is_file()
    assert cli.main(["handover", "prod", "--json", "--out", str(folder / "json")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["stack"] == app.stack_name and told["uploaded"] == []
    # The natural second command finds what the first one has written, and ends what that was killed in.
    cut = Path("handover-prod/amplify/team-provider-info.json")
    written = cut.read_bytes()
    cut.write_bytes(written[:20])
    assert cli.main(["handover", "prod"]) == 0
    assert cut.read_bytes() == written
    capsys.readouterr()
    for name in ("notes.txt", "amplify/team-provider-info.json"):
        file = Path("handover-prod", name)
        file.write_text("mine")
        assert cli.main(["handover", "prod", "--upload"]) == 3
        assert f"is there already, and {name} is not what would be written" in capsys.readouterr().err
        file.unlink()


@pytest.mark.large
def test_amplifys_tools_find_what_runs(
    local_aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Long: one environment, asked by each tool."""
    app = PushedApp.unpack("product-catalog", tmp_path / "app")
    account = random_account()
    there = LocalAccount(local_aws, account, local_aws.make_admin(account), app.region)
    app.bring(there.client)
    for name, value in there.environment.items():
        monkeypatch.setenv(name, value)
    project, s3 = tmp_path / "project", there.client("s3")
    shutil.copytree(app.export("as-pushed"), project / app.export("as-pushed").name)
    (project / "Pulumi.yaml").write_text(f"name: {app.project}\nruntime: python\n")
    (project / "Pulumi.prod.yaml").write_text(
        f'config:\n  {app.project}:account: "{account}"\n  {app.project}:region: {app.region}\n'
        f"  {app.project}:environment: {app.environment}\n"
    )
    context, bucket = Context(project, {}), app.backend.bucket

    def stored() -> dict[str, bytes]:
        objects = s3.list_objects_v2(Bucket=bucket)["Contents"]
        return {o["Key"]: s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read() for o in objects}

    before = stored()
    monkeypatch.chdir(project)
    as_people_call_it(app, tmp_path, capsys)

    done = hand_over("prod", context, tmp_path / "first")
    assert stored() == before
    assert done.uploaded == ()
    assert "the last `amplify push`" in done.notes[0]

    # Every output that a front end is configured with, as `amplify push` writes them.
    meta = json.loads((tmp_path / "first/amplify/backend/amplify-meta.json").read_bytes())
    for category, resources in app.backend.meta.items():
        for name in resources:
            found = there.client("cloudformation").describe_stack_resource(
                StackName=app.stack_name, LogicalResourceId=f"{category}{name}"
            )
            assert meta[category][name]["output"] == there.outputs(found["StackResourceDetail"]["PhysicalResourceId"])
            url = meta[category][name]["providerMetadata"]["s3TemplateURL"]
            assert url == app.backend.root["Resources"][f"{category}{name}"]["Properties"]["TemplateURL"]
    team = json.loads((tmp_path / "first/amplify/team-provider-info.json").read_bytes())
    provider = team[app.environment]["awscloudformation"]
    assert provider == meta["providers"]["awscloudformation"]
    assert provider["StackId"] == there.stack(app.stack_name)["StackId"]
    assert provider["DeploymentBucketName"] == bucket
    assert {r.level for r in done.readiness} == {"supported", "by hand"}

    # With the project's own backend, and uploaded: `amplify pull` gets this, and what was there is kept.
    amplify = tmp_path / "web/amplify"
    (amplify / "backend/api/productcatalog/node_modules").mkdir(parents=True)
    (amplify / "backend/api/productcatalog/node_modules/big.js").write_text("left out")
    (amplify / "backend/api/productcatalog/schema.graphql").write_text("type Product @model { id: ID! }")
    (amplify / "backend/backend-config.json").write_text("{}")
    (amplify / "team-provider-info.json").write_text(json.dumps({"dev": {"awscloudformation": {"StackName": "d"}}}))
    hand_over("prod", context, tmp_path / "second", tmp_path / "web")
    assert stored() == before
    done = hand_over("prod", context, tmp_path / "second", tmp_path / "web", upload=True)
    after = stored()
    assert after[KEPT] == before[ARCHIVE]
    assert set(done.uploaded) == {key for key in after if after[key] != before.get(key)} - {KEPT}
    with zipfile.ZipFile(io.BytesIO(after[ARCHIVE])) as file:
        assert set(file.namelist()) == {"amplify-meta.json", "api/productcatalog/schema.graphql", "backend-config.json"}
        assert json.loads(file.read("amplify-meta.json")) == meta
    assert json.loads((tmp_path / "second/amplify/team-provider-info.json").read_bytes()).keys() == {"dev", "main"}

    # Once more: what is kept is what was there before the first upload.
    hand_over("prod", context, tmp_path / "third", tmp_path / "web", upload=True)
    assert stored()[KEPT] == before[ARCHIVE]

    while_a_migration_goes_on(app, there, context, tmp_path)


def while_a_migration_goes_on(app: PushedApp, there: LocalAccount, context: Context, folder: Path) -> None:
    """It reads what lies in the bucket: that stays as it is."""
    lock = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    there.client("cloudformation").set_stack_policy(
        StackName=app.stack_name, StackPolicyBody=json.dumps({"Statement": [lock]})
    )
    s3 = there.client("s3")
    before = s3.get_object(Bucket=app.backend.bucket, Key=ARCHIVE)["LastModified"]
    with pytest.raises(RefusedError, match="migration to Gen 2 sets it"):
        hand_over("prod", context, folder / "fourth", folder / "web", upload=True)
    assert s3.get_object(Bucket=app.backend.bucket, Key=ARCHIVE)["LastModified"] == before
    assert not (folder / "fourth").exists()
    done = hand_over("prod", context, folder / "fourth", folder / "web")
    assert "has locked the stack" in done.notes[-1]
