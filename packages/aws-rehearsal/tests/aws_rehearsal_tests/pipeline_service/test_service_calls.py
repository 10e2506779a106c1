"""CodePipeline's and CodeBuild's own calls, with the roles that make them: each right taken away fails the action."""

from __future__ import annotations

import pytest

from aws_rehearsal_tests.pipeline_service.world import (
    CONNECTION,
    REGION,
    World,
    allow,
    approval,
    build,
    deny,
    stage,
    trusted,
)

PIPELINE, SOURCE, BUILD = "pipeline", "source", "build"
SERVICES = {PIPELINE: "codepipeline.amazonaws.com", BUILD: "codebuild.amazonaws.com"}

CALLS = [
    (PIPELINE, "s3:GetBucketLocation", "App"),
    (PIPELINE, "s3:GetBucketAcl", "App"),
    (PIPELINE, "s3:GetBucketVersioning", "App"),
    (SOURCE, "s3:GetBucketLocation", "App"),
    (SOURCE, "s3:GetBucketAcl", "App"),
    (SOURCE, "s3:GetBucketVersioning", "App"),
    (SOURCE, "s3:PutObject", "App"),
    (SOURCE, "s3:PutObjectAcl", "App"),
    (SOURCE, "kms:GenerateDataKey", "App"),
    (SOURCE, "codeconnections:UseConnection", "App"),
    (BUILD, "s3:GetBucketLocation", "builds"),
    (BUILD, "s3:GetBucketAcl", "builds"),
    (BUILD, "s3:GetObject", "builds"),
    (BUILD, "s3:GetObjectVersion", "builds"),
    (BUILD, "s3:PutObject", "builds"),
    (BUILD, "kms:Decrypt", "builds"),
    (BUILD, "kms:GenerateDataKey", "builds"),
    (BUILD, "logs:CreateLogGroup", "builds"),
    (BUILD, "logs:CreateLogStream", "builds"),
    (BUILD, "logs:PutLogEvents", "builds"),
]
"""Who makes a call, the right that it needs, and the action that fails without it."""
SENTENCES = {
    (BUILD, "logs:CreateLogStream"): (
        "Phase: PROVISIONING, Code: ACCESS_DENIED",
        "Service role {role} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams",
    ),
    (PIPELINE, "s3:GetBucketAcl"): ("required to access the Amazon S3 bucket named {bucket}",),
}
"""What some of them are told by, beside the right."""


def _declared(world: World) -> list[str]:
    """A pipeline with an action role of its own for the source, and a build that makes an artifact."""
    source = world.role(SOURCE, {"Version": "2012-10-17", "Statement": _trust(world)}, [allow("*")])
    spec = {
        "version": 0.2,
        "phases": {"build": {"commands": ["true"]}},
        "artifacts": {"files": ["**/*"]},
    }
    world.project("builds", spec=spec)
    declared = world.declaration("calls", stage("Build", build("builds", outputArtifacts=[{"name": "Built"}])))
    declared["stages"][0]["actions"][0]["roleArn"] = source
    world.pipelines.create_pipeline(pipeline=declared)
    return [world.executions("calls")[0].id]


def _trust(world: World) -> list[dict[str, object]]:
    principal = {"AWS": f"arn:aws:iam::{world.tooling}:root"}
    return [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]


def test_with_every_right_it_succeeds_and_the_log_is_written(world: World) -> None:
    (execution,) = _declared(world)

    assert world.service.wait(execution).status == "Succeeded"
    logs, group = world.client("logs"), "/aws/codebuild/builds"
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    said = [event["message"] for event in events]
    assert said[0] == "[Container] Waiting for agent ping"
    assert "[Container] Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED" in said


def test_each_right_taken_away_fails_the_action(world: World) -> None:
    (first,) = _declared(world)
    assert world.service.wait(first).status == "Succeeded"
    otherwise = {
        f"{who}: {right}": told for who, right, failed in CALLS if (told := _without(world, who, right, failed))
    }
    assert otherwise == {}
    assert world.run("calls").status == "Succeeded"


def _without(world: World, who: str, right: str, failed: str) -> str:
    """What is told of a run without that right, unless the action fails that has to, and says why."""
    if right == "logs:CreateLogGroup":
        world.client("logs").delete_log_group(logGroupName="/aws/codebuild/builds")
    trust = trusted(SERVICES[who]) if who in SERVICES else {"Version": "2012-10-17", "Statement": _trust(world)}
    role = world.role(who, trust, [allow("*"), deny(right)])
    execution = world.run("calls")
    world.role(who, trust, [allow("*")])
    done = world.actions("calls", execution.id)
    wrong = [name for name, action in done.items() if action["status"] == "Failed"]
    if (execution.status, wrong) != ("Failed", [failed]):
        return f"{execution.status}: {wrong}"
    message = str(done[failed]["output"]["executionResult"]["errorDetails"]["message"])
    # S3 tells who is refused, not always what; the others name the action, as AWS's refusals do.
    named = right in message or (right.startswith("s3:") and "Access Denied" in message)
    parts = [part.format(role=role, bucket=world.bucket) for part in SENTENCES.get((who, right), ())]
    return "" if named and all(part in message for part in parts) else message


def test_a_project_may_write_no_log(world: World) -> None:
    world.role(BUILD, trusted(SERVICES[BUILD]), [allow("*"), deny("logs:*")])
    off = {"cloudWatchLogs": {"status": "DISABLED"}}
    world.project("quiet", "true", logsConfig=off)
    assert world.service.wait(world.create("silent", stage("Build", build("quiet")))).status == "Succeeded"


@pytest.mark.parametrize(
    ("keys", "works"),
    [
        ({"FullRepositoryId": "REPOSITORY", "ProviderPermissionsRequired": "read_only"}, True),
        ({"FullRepositoryId": "team/another"}, False),
        ({"ProviderPermissionsRequired": "read_write"}, False),
    ],
)
def test_a_connection_is_used_for_a_repository_and_for_reading(world: World, keys: dict[str, str], works: bool) -> None:
    condition = {f"codeconnections:{key}": world.full_id if v == "REPOSITORY" else v for key, v in keys.items()}
    use = allow("codeconnections:UseConnection", CONNECTION, Condition={"StringEquals": condition})
    world.role(PIPELINE, trusted(SERVICES[PIPELINE]), [allow(["s3:*", "kms:*"]), use])
    execution = world.create("reads", stage("Approve", approval()))
    if works:
        world.service.wait_for_action(execution, "Approve")
    else:
        assert world.service.wait(execution).status == "Failed"


SOURCES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "CodeCommit": (
        {"RepositoryName": "app", "BranchName": "main"},
        ("GetBranch", "GetCommit", "GetUploadArchiveStatus", "UploadArchive"),
    ),
    "S3": (
        {"S3Bucket": "sources-{account}", "S3ObjectKey": "app.zip"},
        ("GetBucketAcl", "GetBucketLocation", "GetBucketVersioning", "GetObject"),
    ),
}
"""What a source action of a provider is configured with, and the rights on what it reads."""


@pytest.mark.parametrize("provider", SOURCES)
def test_each_right_on_its_source_taken_away_fails_the_source(world: World, provider: str) -> None:
    configuration, rights = SOURCES[provider]
    configuration = {key: value.format(account=world.tooling) for key, value in configuration.items()}
    read = f"arn:aws:codecommit:{REGION}:{world.tooling}:app"
    if provider == "CodeCommit":
        world.service.repository(None, "app", world.repository)
    else:
        bucket, s3 = configuration["S3Bucket"], world.client("s3")
        read = f"arn:aws:s3:::{bucket}"
        world._bucket(bucket, REGION)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=bucket, Key="app.zip", Body=b"PK\x05\x06" + bytes(18))
    trust = {"Version": "2012-10-17", "Statement": _trust(world)}
    declared = world.declaration("reads", stage("Build", build("builds")))
    source = {**world.source(), "roleArn": world.role(SOURCE, trust, [allow("*")])}
    source["actionTypeId"] = {**source["actionTypeId"], "provider": provider}
    source["configuration"] = {**configuration, "PollForSourceChanges": "false"}
    declared["stages"][0]["actions"] = [source]
    world.project("builds", "true")
    world.pipelines.create_pipeline(pipeline=declared)
    otherwise = []
    for right in (None, *rights):
        named = f"{provider.lower()}:{right}"
        world.role(SOURCE, trust, [allow("*"), *([deny(named, [read, f"{read}/*"])] if right else [])])
        run = world.run("reads")
        told = world.actions("reads", run.id)["App"].get("output", {}).get("executionResult", {})
        message = str(told.get("errorDetails", {}).get("message"))
        if (run.status, named in message or "Access" in message) != (
            ("Failed", True) if right else ("Succeeded", False)
        ):
            otherwise.append(f"{right}: {run.status} {message}")
    assert otherwise == []


def test_a_pipeline_is_made_and_changed_by_whoever_may_pass_its_connection(world: World) -> None:
    declared = world.declaration("passed", stage("Approve", approval()))
    rights = [allow(["codepipeline:*", "iam:PassRole"])]
    without = world.client("codepipeline", world.user("without", rights))
    for used in ("codeconnections:UseConnection",):
        weak = world.client("codepipeline", world.user("using", [*rights, allow(used, CONNECTION)]))
        for client in (without, weak):
            with pytest.raises(client.exceptions.ClientError, match=f"codeconnections:PassConnection .*{CONNECTION}"):
                client.create_pipeline(pipeline=declared)
    condition = {"StringEquals": {"codeconnections:PassedToService": "codepipeline.amazonaws.com"}}
    passing = [*rights, allow("codeconnections:PassConnection", CONNECTION, Condition=condition)]
    client = world.client("codepipeline", world.user("passing", passing))
    client.create_pipeline(pipeline=declared)
    client.update_pipeline(pipeline=declared)
    with pytest.raises(without.exceptions.ClientError, match="codeconnections:PassConnection"):
        without.update_pipeline(pipeline=declared)
