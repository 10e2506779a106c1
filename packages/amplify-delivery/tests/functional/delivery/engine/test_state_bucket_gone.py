"""State buckets that were deleted, an environment's and the tooling account's: what is refused, what is printed, and
the way back, on the real engine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from amplify_delivery_rehearsal.workspace import Workspace
from functional.delivery.teardown.test_dismantle import AWAY, HOME, Scene, playing

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("state_bucket_gone")]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A project whose state is in the tooling account's bucket, and the account of its environment, bootstrapped."""
    with playing(tmp_path_factory.mktemp("scene")) as made:
        made.write_environment("preprod", AWAY)
        made.write("preprod-account", program="account")
        made.write_pipeline("preprod")
        made.succeeds(*setup(made))
        work, provider = plain_pulumi(made, made.pipeline.state_backend), made.pipeline.secrets_provider
        for stack in ("preprod-account", "pipeline"):
            work.succeed("stack", "init", stack, "--secrets-provider", provider)
        made.succeeds("bootstrap", "preprod", backend=made.pipeline.state_backend)
        yield made


def setup(scene: Scene) -> tuple[str, ...]:
    """What makes the tooling account's bucket."""
    return ("setup", "--account", scene.owner.account, "--region", HOME)


def roots(scene: Scene) -> set[str]:
    """The root stacks that run, by id: one that was made again has another one."""
    stacks = scene.client("cloudformation", AWAY).describe_stacks()["Stacks"]
    return {str(s["StackId"]) for s in stacks if s["StackName"].startswith("amplify-")}


def delete_bucket(scene: Scene, bucket: str, region: str) -> None:
    """As somebody does it in the console: emptied, all versions, then deleted."""
    s3 = scene.client("s3", region)
    found = s3.list_object_versions(Bucket=bucket)
    for version in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)


def test_an_environment_comes_back_after_its_state_bucket_was_deleted(scene: Scene) -> None:
    names = scene.preprod
    scene.succeeds("up", "preprod", "--create", backend=names.state_backend)
    dynamodb = scene.client("dynamodb", AWAY)
    (table,) = dynamodb.list_tables()["TableNames"]
    dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}})
    before = roots(scene)
    delete_bucket(scene, names.state_bucket, AWAY)

    # Everything is refused, nothing is made anew, and what is printed is what helps.
    for command in (("plan", "preprod"), ("up", "preprod", "--create"), ("destroy", "preprod", "--delete-data")):
        said = scene.delivery(*command, backend=names.state_backend)
        assert (said.exit_code, "NoSuchBucket" in said.output) == (3, True), said.output
        for step in ("bootstrap ENV --refresh", "adopt ENV --state-lost"):
            assert f"`amplify-delivery {step}`" in said.output

    # The bucket comes back with its account's stack, which takes nothing else for changed; then what it held.
    again = scene.succeeds("bootstrap", "preprod", "--refresh", backend=scene.pipeline.state_backend)
    assert "7 created" in again
    said = scene.delivery("plan", "preprod", backend=names.state_backend)
    assert (said.exit_code, "`amplify-delivery adopt preprod --state-lost`" in said.output) == (3, True), said.output
    adopted = scene.succeeds("adopt", "preprod", "--state-lost", backend=names.state_backend)
    assert "nothing to change" in adopted
    assert "nothing in AWS was changed" in adopted
    (digest,) = re.findall(r"^  (amplify-delivery deploy preprod --plan \S+)$", adopted, re.MULTILINE)
    scene.succeeds(*digest.split()[1:], backend=names.state_backend)
    assert "nothing to change" in scene.succeeds("plan", "preprod", backend=names.state_backend)
    assert roots(scene) == before
    assert scene.client("dynamodb", AWAY).scan(TableName=table)["Count"] == 1


def test_an_account_and_the_pipeline_come_back_after_the_tooling_accounts_bucket_was_deleted(scene: Scene) -> None:
    """Keys have no names, and what they have encrypted is lost with them: none is made a second time."""
    home, backend = scene.pipeline, scene.pipeline.state_backend
    plain = plain_pulumi(scene, backend)
    plain.succeed("up", "-s", "pipeline", "--yes", "--skip-preview")
    before, keys = scene.everything(), key_ids(scene)
    delete_bucket(scene, home.state_bucket, HOME)
    said = scene.delivery("bootstrap", "preprod", "--refresh", backend=backend)
    assert (said.exit_code, "`amplify-delivery setup" in said.output) == (3, True), said.output
    scene.succeeds(*setup(scene))

    # What would make all of it a second time is refused, and says what helps; what is there is taken in as it is.
    for stack, command in (
        ("preprod-account", ("bootstrap", "preprod", "--refresh")),
        ("pipeline", ("up", "pipeline", "--create")),
    ):
        said = scene.delivery(*command, backend=backend)
        helps = f"`amplify-delivery adopt {stack} --state-lost`"
        assert (said.exit_code, helps in said.output) == (3, True), said.output
        if stack == "pipeline":  # as somebody does who trusts in plain `pulumi`
            plain.succeed("stack", "init", stack, "--secrets-provider", home.secrets_provider)
            trusted = plain.pulumi("up", "-s", stack, "--yes", "--skip-preview")
            assert (trusted.exit_code != 0, helps in trusted.output) == (True, True), trusted.output
            assert (scene.everything(), key_ids(scene)) == (before, keys)
        adopted = scene.succeeds("adopt", stack, "--state-lost", backend=backend)
        assert "note: " not in adopted
        assert (scene.everything(), key_ids(scene)) == (before, keys)
        (then,) = re.findall(r"^  amplify-delivery (.+)$", adopted, re.MULTILINE)
        if stack == "pipeline":
            forget_places(scene.client("s3", HOME), home.state_bucket, scene.app, stack)
        done = scene.succeeds(*then.split(), backend=backend)
        assert "replaced" not in done
        assert "deleted" not in done
    pipeline = scene.client("codepipeline", HOME).get_pipeline(name=home.pipeline)["pipeline"]
    assert pipeline["version"] == 1, "nothing of it was changed: it would start again"
    assert (scene.everything(), key_ids(scene)) == (before, keys)


def forget_places(s3: Any, bucket: str, app: str, stack: str) -> None:
    """Of a stack's state, as a version has left it that remembered none: it is no lost one."""
    key = f".pulumi/stacks/{app}/{stack}.json"
    document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    latest = document["checkpoint"]["latest"]
    places = {r["urn"] for r in latest["resources"] if r["type"] == "pulumi:index:Stash"}
    assert places
    latest["resources"] = [r for r in latest["resources"] if r["urn"] not in places]
    for resource in latest["resources"]:
        resource["dependencies"] = [urn for urn in resource.get("dependencies", ()) if urn not in places]
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document))


def plain_pulumi(scene: Scene, backend: str) -> Workspace:
    """With the state in `backend`, for plain `pulumi`."""
    return Workspace(scene.workspace.project, {**scene.workspace.environment, "PULUMI_BACKEND_URL": backend})


def key_ids(scene: Scene) -> set[str]:
    return {key["KeyId"] for region in (HOME, AWAY) for key in scene.client("kms", region).list_keys()["Keys"]}
