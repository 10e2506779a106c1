"""Pipelines that follow one another: built once, handed on at the end, started with the same release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.delivery.teardown.dismantle import check_not_followed
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.model import pipeline_model
from unit.components.recorder import Recording
from unit.stacks.projects import APP, CONNECTION, HOME, TOOLING, make, run, write

PIPELINE, ROLE, POLICY = "aws-native:codepipeline:Pipeline", "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
PLACE = {"program": "pipeline", "account": TOOLING, "region": HOME}


def follower(directory: Path, name: str, before: str, *environments: str, **more: Any) -> None:
    source = {"type": "pipeline", "pipeline": before}
    stage = {"name": "Wave", "environments": list(environments), "approval": "true"}
    write(directory, name, {**PLACE, "source": source, "stages": [stage], **more})
    for environment in environments:
        write(directory, f"{environment}-account", {"program": "account", "pipeline": name})


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """preprod in the first pipeline, prod1 in the second, prod2 in the third."""
    directory = make(tmp_path_factory.mktemp("chain"), 3, stages=[{"name": "PreProd"}])
    follower(directory, "second", "pipeline", "prod1")
    follower(directory, "third", "second", "prod2")
    return directory


@pytest.fixture(scope="module")
def recordings(directory: Path) -> dict[str, Recording]:
    return {name: run(directory, name) for name in ("pipeline", "second", "third")}


def stages(recording: Recording) -> dict[str, list[dict[str, Any]]]:
    return {stage["name"]: stage["actions"] for stage in recording.one(PIPELINE).inputs["stages"]}


def test_only_the_first_one_builds_and_each_but_the_last_starts_the_next(recordings: dict[str, Recording]) -> None:
    names = {name: list(stages(recording)) for name, recording in recordings.items()}
    assert names["pipeline"] == [
        *("Source", "Build", "UpdatePipeline", "PublishAssets", "PreProd-Plan", "PreProd", "StartNext")
    ]
    assert names["second"] == [
        *("Source", "UpdatePipeline", "PublishAssets", "Wave-Plan", "Wave-Approve", "Wave", "StartNext")
    ]
    assert names["third"] == ["Source", "UpdatePipeline", "PublishAssets", "Wave-Plan", "Wave-Approve", "Wave"]
    projects = {n: [p.inputs["name"] for p in r.all("aws:codebuild/project:Project")] for n, r in recordings.items()}
    assert projects["second"] == [f"{APP}-second-update"]
    assert "fullapp-pipeline-build" in projects["pipeline"]


def test_the_next_one_gets_the_very_artifact_with_the_digest_that_build_has_told(
    recordings: dict[str, Recording],
) -> None:
    put, start = stages(recordings["pipeline"])["StartNext"]
    key = "releases/#{codepipeline.PipelineExecutionId}.zip"
    bucket = f"{APP}-pipeline-artifacts-{TOOLING}-{HOME}-an"
    assert put["inputArtifacts"] == [{"name": "Build"}]
    assert put["configuration"] == {
        "BucketName": bucket,
        "Extract": "false",
        "KMSEncryptionKeyARN": f"arn:aws:::pipeline-{HOME}",
        "ObjectKey": key,
    }
    assert start["runOrder"] > put["runOrder"]
    given = start["configuration"]
    assert given["PipelineName"] == f"{APP}-second"
    assert json.loads(given["SourceRevisions"]) == [
        {"actionName": "Source", "revisionType": "S3_OBJECT_KEY", "revisionValue": key}
    ]
    assert {v["name"]: v["value"] for v in json.loads(given["Variables"])} == {
        "ARTIFACT_DIGEST": "#{build.ARTIFACT_DIGEST}",
        "COMMIT_ID": "#{source.CommitId}",
        "RELEASE": key,
    }
    second = recordings["second"].one(PIPELINE).inputs
    assert [v["name"] for v in second["variables"]] == ["ARTIFACT_DIGEST", "COMMIT_ID", "RELEASE"]
    assert not any("defaultValue" in v for v in second["variables"])
    assert second["restartExecutionOnUpdate"] is False
    (source,) = stages(recordings["second"])["Source"]
    assert source["outputArtifacts"] == [{"name": "Build"}]
    assert source["configuration"]["S3Bucket"] == bucket
    assert source["configuration"]["AllowOverrideForS3ObjectKey"] == "true"
    told = json.dumps(stages(recordings["second"]))
    assert "#{variables.ARTIFACT_DIGEST}" in told
    assert "#{build." not in told
    # The third one gets it from the second, whose own variables are what it has been told.
    handed = json.loads(stages(recordings["second"])["StartNext"][1]["configuration"]["Variables"])
    assert {v["value"] for v in handed} == {"#{variables.ARTIFACT_DIGEST}", "#{variables.COMMIT_ID}", key}


def test_who_starts_it_may_start_nothing_else_and_who_reads_it_nothing_but_releases(
    recordings: dict[str, Recording],
) -> None:
    policies = {p.inputs["name"]: json.loads(p.inputs["policy"]) for p in recordings["pipeline"].all(POLICY)}
    (start,) = [s for s in policies["next"]["Statement"] if "codepipeline" in json.dumps(s["Action"])]
    assert start["Action"] == "codepipeline:StartPipelineExecution"
    assert start["Resource"] == f"arn:aws:codepipeline:{HOME}:{TOOLING}:{APP}-second"
    trust = next(r for r in recordings["pipeline"].all(ROLE) if r.inputs["name"] == f"{APP}-pipeline-next")
    assert f"{APP}-pipeline" in trust.inputs["assumeRolePolicy"]
    read = {p.inputs["name"]: json.loads(p.inputs["policy"]) for p in recordings["second"].all(POLICY)}["source"]
    objects = [s["Resource"] for s in read["Statement"] if s["Sid"] == "Releases"]
    assert objects == [f"arn:aws:s3:::{APP}-pipeline-artifacts-{TOOLING}-{HOME}-an/releases/*"]


def test_what_is_built_once_is_built_for_all_that_follow(directory: Path) -> None:
    project = Project(directory)
    assert project.chain("pipeline") == ("pipeline", "second", "third")
    assert project.chain("second") == ("second", "third")
    assert [project.first(name) for name in ("pipeline", "second", "third")] == ["pipeline"] * 3


def test_a_pipeline_that_another_one_follows_is_not_taken_away(directory: Path) -> None:
    project = Project(directory)
    with pytest.raises(RefusedError, match="the pipeline second follows pipeline") as caught:
        check_not_followed(project, "pipeline")
    assert "`amplify-delivery destroy third`" in caught.value.remedy
    check_not_followed(project, "third")


def test_without_a_follower_nothing_is_added(tmp_path: Path) -> None:
    recording = run(make(tmp_path), "pipeline")
    assert "StartNext" not in stages(recording)
    assert not [r for r in recording.all(ROLE) if r.inputs["name"].endswith("-next")]


@pytest.mark.parametrize(
    ("file", "values", "says"),
    [
        (
            "second",
            {"source": {"type": "pipeline", "pipeline": "third"}},
            "in a circle: second after third after second",
        ),
        ("second", {"source": {"type": "pipeline", "pipeline": "second"}}, "in a circle: second after second"),
        ("second", {"source": {"type": "pipeline", "pipeline": "first"}}, "there is no pipeline 'first'"),
        ("pipeline", {"region": "eu-west-1"}, f"second follows pipeline, which is in account {TOOLING}, eu-west-1"),
        ("second", {"schedule": "rate(1 day)"}, "has no `schedule` of its own"),
        ("second", {"build": {"commands": ["make"]}}, "builds nothing"),
        ("second", {"triggers": [{"branches": ["main"]}]}, "triggers exist for connections only"),
    ],
)
def test_what_cannot_follow(directory: Path, tmp_path: Path, file: str, values: dict[str, Any], says: str) -> None:
    make(tmp_path, 3, stages=[{"name": "PreProd"}])
    follower(tmp_path, "second", "pipeline", "prod1")
    follower(tmp_path, "third", "second", "prod2")
    given = {
        "pipeline": {**PLACE, "source": {"connection": CONNECTION, "repository": "example/app"}},
        "second": {**PLACE, "source": {"type": "pipeline", "pipeline": "pipeline"}},
    }[file]
    environment = {"pipeline": "preprod", "second": "prod1"}[file]
    stage = {"name": "Wave", "environments": [environment], "approval": "true"}
    write(tmp_path, file, {**given, "stages": [stage], **values})
    project = Project(tmp_path)
    with pytest.raises(ConfigError) as caught:
        pipeline_model(project, APP, "second", project.pipeline("second"))
    assert says in str(caught.value)
    assert caught.value.remedy
