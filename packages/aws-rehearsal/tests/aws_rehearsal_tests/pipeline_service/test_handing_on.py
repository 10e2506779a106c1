"""A pipeline that hands its artifact on to another one: the object, the start with it, and who may do which."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal_tests.pipeline_service.world import World, allow, build, deny, stage

KEY = "releases/#{codepipeline.PipelineExecutionId}.zip"
MADE = {"version": 0.2, "phases": {"build": {"commands": ["true"]}}, "artifacts": {"files": ["**/*"]}}


def _action(name: str, kind: tuple[str, str], order: int, configuration: dict[str, str], **more: Any) -> dict[str, Any]:
    category, provider = kind
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "runOrder": order,
        "configuration": configuration,
        **more,
    }


def _second(world: World, *, override: str = "true") -> None:
    world.client("s3").put_bucket_versioning(Bucket=world.bucket, VersioningConfiguration={"Status": "Enabled"})
    world.project("looks", "cat file.txt", 'test "$COLOUR" = green')
    source = world.source()
    source["actionTypeId"]["provider"] = "S3"
    source["configuration"] = {
        "S3Bucket": world.bucket,
        "S3ObjectKey": "releases/none.zip",
        "AllowOverrideForS3ObjectKey": override,
        "PollForSourceChanges": "false",
    }
    variables = json.dumps([{"name": "COLOUR", "value": "#{variables.COLOUR}"}])
    looks = build("looks")
    looks["configuration"]["EnvironmentVariables"] = variables
    declared = world.declaration("second", stage("Look", looks), variables=[{"name": "COLOUR"}])
    declared["stages"][0]["actions"] = [source]
    world.pipelines.create_pipeline(pipeline=declared)


def _first(world: World, statements: list[dict[str, Any]]) -> str:
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{world.tooling}:root"}, "Action": "sts:AssumeRole"}
    role = world.role("next", {"Version": "2012-10-17", "Statement": [trust]}, statements)
    world.project("builds", spec=MADE)
    revision = [{"actionName": "App", "revisionType": "S3_OBJECT_KEY", "revisionValue": KEY}]
    hand_on = _action(
        "HandOn",
        ("Deploy", "S3"),
        1,
        {"BucketName": world.bucket, "Extract": "false", "ObjectKey": KEY, "KMSEncryptionKeyARN": world.key},
        inputArtifacts=[{"name": "Built"}],
        roleArn=role,
    )
    start = _action(
        "Start",
        ("Invoke", "CodePipeline"),
        2,
        {
            "PipelineName": "second",
            "SourceRevisions": json.dumps(revision),
            "Variables": json.dumps([{"name": "COLOUR", "value": "green"}]),
        },
        roleArn=role,
    )
    made = build("builds", outputArtifacts=[{"name": "Built"}])
    return world.create("first", stage("Build", made), stage("Next", hand_on, start))


EVERYTHING = [allow(["s3:*", "kms:*", "codepipeline:StartPipelineExecution"])]


def test_the_next_pipeline_starts_with_the_artifact_of_this_execution(world: World) -> None:
    _second(world)
    assert world.executions("second") == []  # not without all of its variables
    execution = _first(world, EVERYTHING)
    assert world.service.wait(execution).status == "Succeeded"
    (second,) = world.executions("second")
    done = world.service.wait(second.id)
    assert done.status == "Succeeded", [run.error for run in done.history]
    assert done.variables == {"COLOUR": "green"}
    (source, _) = done.history
    assert source.variables["ObjectKey"] == f"releases/{execution}.zip"
    with pytest.raises(ClientError, match="has no default value"):
        world.pipelines.start_pipeline_execution(name="second")


@pytest.mark.parametrize(
    ("right", "action"),
    [
        ("s3:GetBucketVersioning", "HandOn"),
        ("s3:PutObject", "HandOn"),
        ("s3:PutObjectAcl", "HandOn"),
        ("kms:GenerateDataKey", "HandOn"),
        ("codepipeline:StartPipelineExecution", "Start"),
    ],
)
def test_each_right_that_is_taken_away_fails_its_action(world: World, right: str, action: str) -> None:
    _second(world)
    execution = _first(world, [*EVERYTHING, deny(right)])
    done = world.service.wait(execution)
    assert done.status == "Failed"
    assert done.history[-1].action.name == action
    assert world.executions("second") == []


def test_another_key_only_where_the_source_allows_it(world: World) -> None:
    _second(world, override="false")
    revision = [{"actionName": "App", "revisionType": "S3_OBJECT_KEY", "revisionValue": "x.zip"}]
    with pytest.raises(ClientError, match="does not allow another object key"):
        world.pipelines.start_pipeline_execution(
            name="second", sourceRevisions=revision, variables=[{"name": "COLOUR", "value": "green"}]
        )
