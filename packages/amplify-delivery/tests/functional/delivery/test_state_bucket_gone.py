"""An environment whose state bucket was deleted: what is refused, what is printed, and the way back, on the real
engine."""

from __future__ import annotations

import re

import pytest

from functional.delivery.test_dismantle import AWAY, Scene, scene

__all__ = ["scene"]  # the fixture


def roots(scene: Scene) -> set[str]:
    """The root stacks that run, by id: one that was made again has another one."""
    stacks = scene.client("cloudformation", AWAY).describe_stacks()["Stacks"]
    return {str(s["StackId"]) for s in stacks if s["StackName"].startswith("amplify-")}


def delete_state_bucket(scene: Scene) -> None:
    """As somebody does it in the console: emptied, all versions, then deleted."""
    s3, bucket = scene.client("s3", AWAY), scene.preprod.state_bucket
    found = s3.list_object_versions(Bucket=bucket)
    for version in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)


@pytest.mark.engine
def test_an_environment_comes_back_after_its_state_bucket_was_deleted(scene: Scene) -> None:
    names = scene.preprod
    scene.write_environment("preprod", AWAY)
    scene.write("preprod-account", program="account")
    scene.write_pipeline("preprod")
    scene.succeeds("bootstrap", "preprod")
    scene.succeeds("up", "preprod", "--create", backend=names.state_backend)
    dynamodb = scene.client("dynamodb", AWAY)
    (table,) = dynamodb.list_tables()["TableNames"]
    dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}})
    before = roots(scene)
    delete_state_bucket(scene)

    # Everything is refused, nothing is made anew, and what is printed is what helps.
    for command in (("plan", "preprod"), ("up", "preprod", "--create"), ("destroy", "preprod", "--delete-data")):
        said = scene.delivery(*command, backend=names.state_backend)
        assert (said.exit_code, "NoSuchBucket" in said.output) == (3, True), said.output
        for step in ("bootstrap ENV --refresh", "adopt ENV --state-lost"):
            assert f"`amplify-delivery {step}`" in said.output

    # The bucket comes back with its account's stack, which takes nothing else for changed; then what it held.
    assert "7 created" in scene.succeeds("bootstrap", "preprod", "--refresh")
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
