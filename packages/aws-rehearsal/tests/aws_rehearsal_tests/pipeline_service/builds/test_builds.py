"""Builds: their shell, variables, phases, ends."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.pipeline_service.builds.builds import Build
from aws_rehearsal_tests.pipeline_service.world import World, allow, build, stage


def _project(world: World, name: str, *commands: str, spec: dict[str, Any] | None = None, **more: Any) -> None:
    buildspec = spec or {"version": 0.2, "phases": {"build": {"commands": list(commands)}}}
    source = {"type": "NO_SOURCE", "buildspec": json.dumps(buildspec, indent=1)}
    world.project(name, source=source, artifacts={"type": "NO_ARTIFACTS"}, **more)


def _start(world: World, name: str, **more: Any) -> Build:
    build_id = world.codebuild.start_build(projectName=name, **more)["build"]["id"]
    return next(found for found in world.service.builds() if found.id == build_id)


def _run(world: World, name: str, **more: Any) -> dict[str, Any]:
    """Run a build to its end; as BatchGetBuilds tells it, with its log."""
    started = _start(world, name, **more)
    assert started.done.wait(300)
    found: dict[str, Any] = world.codebuild.batch_get_builds(ids=[started.id])["builds"][0]
    return {**found, "log": world.service.log(started.id)}


def _phases(found: dict[str, Any]) -> dict[str, str]:
    return {phase["phaseType"]: phase.get("phaseStatus", "") for phase in found["phases"]}


def test_exports_and_the_directory_live_on_through_commands_and_phases(world: World) -> None:
    phases = {
        "pre_build": {"commands": ["mkdir sub", "cd sub", "export A='x y'", "f() { echo function; }", "f"]},
        "build": {"commands": ['test "$A" = "x y"', 'test "$(basename "$PWD")" = sub', "cd .."]},
        "post_build": {"commands": ["test -d sub"]},
    }
    _project(world, "lives", spec={"version": 0.2, "phases": phases})

    assert _run(world, "lives")["buildStatus"] == "SUCCEEDED"


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_variables_live_on_through_phases_without_being_exported(world: World, shell: str) -> None:
    """As Amplify's buildspec for containers has it: one phase names the image's tag, the next pushes it."""
    odd = """it's "two"
 lines=2 \\ $HOME"""
    phases = {
        "pre_build": {
            "commands": ["A=${B:=latest}", f"C='{odd}'".replace("it's", "it'\\''s"), "E=", "IFS=,", 'D="\'\n\n"']
        },
        "build": {
            "commands": ['test "$A$B" = latestlatest', 'printf "<%s>\\n" "$C" "$D"', 'test "${E+set}" = set'],
        },
        "post_build": {"commands": ['test "$(env | grep -c "^A=")" = 0', 'test "${lines-none}" = none']},
    }
    _project(world, f"kept-{shell}", spec={"version": 0.2, "env": {"shell": shell}, "phases": phases})

    found = _run(world, f"kept-{shell}")
    assert found["buildStatus"] == "SUCCEEDED", found["log"]
    assert f"<{odd}>" in found["log"]
    assert "<'\n\n>" in found["log"]


def test_a_command_that_ends_its_shell_with_success_does_not_skip_the_next(world: World) -> None:
    _project(world, "exits", "export A=1; exit 0", "test $A = 1 && echo reached")

    assert "reached" in _run(world, "exits")["log"]


def test_a_failed_build_phase_still_runs_post_build_and_finally(world: World) -> None:
    phases = {
        "build": {
            "commands": ["echo one", "false", "echo two"],
            "finally": ["echo at last $CODEBUILD_BUILD_SUCCEEDING"],
        },
        "post_build": {"commands": ["echo post $CODEBUILD_BUILD_SUCCEEDING"]},
    }
    _project(world, "goes-on", spec={"version": 0.2, "phases": phases})

    found = _run(world, "goes-on")

    lines = found["log"].splitlines()
    assert found["buildStatus"] == "FAILED"
    assert {"one", "at last 0", "post 0"} <= set(lines)
    assert "two" not in lines
    assert (_phases(found)["BUILD"], _phases(found)["POST_BUILD"]) == ("FAILED", "SUCCEEDED")
    context = next(phase["contexts"] for phase in found["phases"] if phase["phaseType"] == "BUILD")[0]
    assert context == {
        "statusCode": "COMMAND_EXECUTION_ERROR",
        "message": "Error while executing command: false. Reason: exit status 1",
    }


@pytest.mark.parametrize(("failure", "reached"), [("ABORT", False), ("CONTINUE", True)])
def test_a_failed_pre_build_ends_the_build_unless_it_says_otherwise(world: World, failure: str, reached: bool) -> None:
    phases = {"pre_build": {"on-failure": failure, "commands": ["false"]}, "build": {"commands": ["echo reached"]}}
    _project(world, "pre", spec={"version": 0.2, "phases": phases})

    found = _run(world, "pre")

    assert ("BUILD" in _phases(found)) is reached
    assert found["buildStatus"] == "FAILED"


def test_broken_quoting_is_that_commands_failure(world: World) -> None:
    _project(world, "quotes", "echo fine", "echo 'never closed")

    found = _run(world, "quotes")

    assert "fine" in found["log"].splitlines()
    assert found["buildStatus"] == "FAILED"


def test_a_build_has_its_roles_credentials_and_nothing_of_ours(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_OWN_SECRET", "leaked")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    _project(world, "clean", "env | sort", "pwd", "echo HOME $HOME")

    log = _run(world, "clean")["log"]

    assert "OUR_OWN_SECRET" not in log
    assert "AWS_PROFILE" not in log
    assert "AWS_ACCESS_KEY_ID=ASIA" in log
    assert str(Path.home()) not in [line.removeprefix("HOME ") for line in log.splitlines()]


def test_codebuilds_own_variables_are_there(world: World) -> None:
    wanted = (
        "CODEBUILD_BUILD_ID",
        "CODEBUILD_BUILD_ARN",
        "CODEBUILD_BUILD_NUMBER",
        "CODEBUILD_INITIATOR",
        "CODEBUILD_RESOLVED_SOURCE_VERSION",
        "CODEBUILD_SRC_DIR",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    )
    world.project("own", *(f"echo {name}=${name}" for name in wanted), "ls $CODEBUILD_SRC_DIR_Other/file.txt")
    maker = {"version": 0.2, "phases": {}, "artifacts": {"files": ["**/*"]}}
    world.project("other", spec={**maker, "phases": {"build": {"commands": ["true"]}}})
    both = build(
        "own", inputArtifacts=[{"name": "Sources"}, {"name": "Other"}], configuration={"PrimarySource": "Sources"}
    )
    execution = world.create(
        "has-own", stage("Make", build("other", outputArtifacts=[{"name": "Other"}])), stage("Use", both)
    )

    assert world.service.wait(execution).status == "Succeeded"
    found = world.service.builds()[-1]
    log = world.service.log(found.id)
    assert f"CODEBUILD_BUILD_ID={found.id}" in log
    assert "CODEBUILD_INITIATOR=codepipeline/has-own" in log
    assert f"CODEBUILD_RESOLVED_SOURCE_VERSION={world._git('rev-parse', 'HEAD')}" in log
    assert "AWS_REGION=eu-central-1" in log


def test_the_calls_variables_win_over_the_projects_and_those_over_the_buildspecs(world: World) -> None:
    spec = {
        "version": 0.2,
        "env": {"variables": {"A": "spec", "B": "spec", "C": "spec"}},
        "phases": {"build": {"commands": ["echo $A-$B-$C"]}},
    }
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "x",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": [{"name": "A", "value": "project"}, {"name": "B", "value": "project"}],
    }
    _project(world, "wins", spec=spec, environment=environment)

    log = _run(world, "wins", environmentVariablesOverride=[{"name": "A", "value": "call"}])["log"]

    assert "call-project-spec" in log


def test_parameters_and_secrets_are_read_with_the_projects_role_and_masked_in_the_log(world: World) -> None:
    world.client("ssm").put_parameter(Name="/app/token", Value="parameter-value", Type="SecureString")
    world.client("secretsmanager").create_secret(Name="app", SecretString='{"password": "secret-value"}')
    spec = {
        "version": 0.2,
        "env": {"parameter-store": {"TOKEN": "/app/token"}, "secrets-manager": {"PASSWORD": "app:password"}},
        "phases": {"build": {"commands": ["echo got $TOKEN $PASSWORD", 'test "$PASSWORD" = secret-value']}},
    }
    _project(world, "secrets", spec=spec)

    world.role("build", world.build_trust, [allow("logs:*")])
    refused = _run(world, "secrets")
    assert _phases(refused)["DOWNLOAD_SOURCE"] == "FAILED"
    assert "ssm:GetParameter" in refused["phases"][-3]["contexts"][0]["message"]
    world.role("build", world.build_trust, [allow(["ssm:GetParameter", "kms:*", "logs:*"])])
    refused = _run(world, "secrets")
    assert _phases(refused)["DOWNLOAD_SOURCE"] == "FAILED"
    assert "secretsmanager:GetSecretValue" in refused["phases"][-3]["contexts"][0]["message"]

    world.role(
        "build", world.build_trust, [allow(["ssm:GetParameter", "secretsmanager:GetSecretValue", "kms:*", "logs:*"])]
    )
    found = _run(world, "secrets")
    assert found["buildStatus"] == "SUCCEEDED"
    assert "got *** ***" in found["log"]


def test_a_build_that_takes_too_long_is_told_to_end_then_killed(world: World) -> None:
    marker = world.folder / "told"
    _project(world, "slow", f"trap 'touch {marker}' TERM; while true; do sleep 1; done", timeoutInMinutes=15)

    found = _run(world, "slow")

    assert found["buildStatus"] == "TIMED_OUT"
    assert marker.exists()


def test_stop_build_ends_it_with_everything_it_started(world: World) -> None:
    """AWS documents no signal for it: what a buildspec bounds with `timeout`, which makes a group of its own, is killed
    without one, so that nothing rehearsed relies on any."""
    file, told = world.folder / "pid", world.folder / "told"
    loop = f"trap 'touch {told}' TERM; echo ready > {world.folder}/ready; while true; do sleep 0.05; done"
    bounded = f'timeout --signal=TERM --kill-after=5m 50m sh -c "{loop}"'
    _project(world, "stopped", f"setsid sleep 300 & echo $! > {file}", bounded)
    started = _start(world, "stopped")
    while not (world.folder / "ready").exists() and not started.done.is_set():
        time.sleep(0.02)
    deadline = time.monotonic() + 300
    while not (file.exists() and file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)

    world.codebuild.stop_build(id=started.id)

    assert started.done.wait(300)
    assert world.codebuild.batch_get_builds(ids=[started.id])["builds"][0]["buildStatus"] == "STOPPED"
    assert not told.exists()
    stray = Path(f"/proc/{int(file.read_text())}")
    assert not stray.exists() or "Z" in (stray / "stat").read_text().split(")")[1][:3]


def test_the_limit_of_concurrent_builds_throttles_the_next(world: World) -> None:
    _project(world, "one-at-a-time", "sleep 300", concurrentBuildLimit=1)
    started = _start(world, "one-at-a-time")

    with pytest.raises(world.codebuild.exceptions.AccountLimitExceededException):
        world.codebuild.start_build(projectName="one-at-a-time")
    world.codebuild.stop_build(id=started.id)
    assert started.done.wait(300)
    again = _start(world, "one-at-a-time")
    world.codebuild.stop_build(id=again.id)


def test_a_build_can_be_retried_and_listed(world: World) -> None:
    _project(world, "listed", "true")
    first = _run(world, "listed", environmentVariablesOverride=[{"name": "A", "value": "1"}])
    second = world.codebuild.retry_build(id=first["id"])["build"]

    assert second["buildNumber"] == 2
    assert world.codebuild.list_builds_for_project(projectName="listed")["ids"] == [second["id"], first["id"]]
    names = [item["name"] for item in second["environment"]["environmentVariables"]]
    assert names == ["A"]


def test_a_buildspec_may_come_from_the_source(world: World) -> None:
    world.commit("spec", {"ci/build.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - echo from source\n"})
    world.project("from-source", source={"type": "CODEPIPELINE", "buildspec": "ci/build.yml"})
    world.project("missing", source={"type": "CODEPIPELINE"})
    execution = world.create("specs", stage("Build", build("from-source"), build("missing", runOrder=2)))

    assert world.service.wait(execution).status == "Failed"
    message = world.actions("specs", execution)["missing"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "YAML_FILE_ERROR, Message: YAML file does not exist: buildspec.yml" in message


def test_an_artifact_that_matches_nothing_fails_the_upload(world: World) -> None:
    spec = {"version": 0.2, "phases": {"build": {"commands": ["true"]}}, "artifacts": {"files": ["dist/**/*"]}}
    world.project("empty", spec=spec)
    execution = world.create("uploads", stage("Build", build("empty", outputArtifacts=[{"name": "Out"}])))

    assert world.service.wait(execution).status == "Failed"
    message = world.actions("uploads", execution)["empty"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "Phase: UPLOAD_ARTIFACTS, Code: CLIENT_ERROR, Message: no matching artifact paths found" in message


def test_secondary_artifacts_go_each_to_its_output(world: World) -> None:
    spec = {
        "version": 0.2,
        "phases": {"build": {"commands": ["echo a > a.txt", "echo b > b.txt"]}},
        "artifacts": {"secondary-artifacts": {"A": {"files": ["a.txt"]}, "B": {"files": "b.txt"}}},
    }
    world.project("makes-two", spec=spec)
    world.project("uses-b", "test -e b.txt", "test ! -e a.txt")
    execution = world.create(
        "secondary",
        stage("Make", build("makes-two", outputArtifacts=[{"name": "A"}, {"name": "B"}])),
        stage("Use", build("uses-b", inputArtifacts=[{"name": "B"}])),
    )

    assert world.service.wait(execution).status == "Succeeded"


def test_a_project_of_a_pipeline_is_not_started_by_hand(world: World) -> None:
    world.project("pipelined", "true")

    with pytest.raises(ClientError, match="can only be started by CodePipeline"):
        world.codebuild.start_build(projectName="pipelined")


def test_a_project_of_a_pipeline_is_started_with_a_zip_in_s3(world: World) -> None:
    """Its source and its artifacts are other ones for this build: the buildspec stays the project's."""
    world.project("zipped", "test -x run.sh", "./run.sh", "echo $GREETING")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo("run.sh")
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, "#!/bin/sh\necho it ran\n")
    world.client("s3").put_object(Bucket=world.bucket, Key="ci/a.zip", Body=content.getvalue())
    zipped = {"sourceTypeOverride": "S3", "sourceLocationOverride": f"{world.bucket}/ci/a.zip"}
    with pytest.raises(ClientError, match="ArtifactsOverride must be set"):
        world.codebuild.start_build(projectName="zipped", **zipped)
    given = {**zipped, "artifactsOverride": {"type": "NO_ARTIFACTS"}}
    variables = [{"name": "GREETING", "value": "hello there"}]
    found = _run(world, "zipped", **given, environmentVariablesOverride=variables)
    assert found["buildStatus"] == "SUCCEEDED", found["log"]
    assert "it ran\n" in found["log"]
    assert "hello there\n" in found["log"]
    missing = _run(world, "zipped", **{**given, "sourceLocationOverride": f"{world.bucket}/ci/none.zip"})
    assert missing["buildStatus"] == "FAILED"
    assert _phases(missing)["DOWNLOAD_SOURCE"] == "FAILED"


def test_projects_are_kept_updated_and_deleted(world: World) -> None:
    _project(world, "kept", "true")
    world.codebuild.update_project(name="kept", description="changed", timeoutInMinutes=10)

    found = world.codebuild.batch_get_projects(names=["kept", "gone"])
    assert found["projects"][0]["description"] == "changed"
    assert found["projects"][0]["source"]["type"] == "NO_SOURCE"
    assert found["projectsNotFound"] == ["gone"]
    world.codebuild.delete_project(name="kept")
    assert world.codebuild.list_projects()["projects"] == []


def test_nothing_is_left_when_a_build_has_ended(world: World) -> None:
    _project(world, "leaves", "echo DIR $CODEBUILD_SRC_DIR", "sleep 300 &")

    found = _run(world, "leaves")

    folder = next(line.split()[1] for line in found["log"].splitlines() if line.startswith("DIR "))
    assert not Path(folder).parent.exists()
    assert f"CODEBUILD_BUILD_ID={found['id']}".encode() not in _environments()


def _environments() -> bytes:
    found = b""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                found += (folder / "environ").read_bytes()
            except OSError:
                continue
    return found


def test_a_new_accounts_quota_of_one_build_queues_the_next_ones(world: World) -> None:
    """ "builds are queued if the number of running builds reaches the concurrent build limit for the platform and
    compute type. The maximum number of builds in a queue is five times the concurrent build limit": one runs here, five
    wait, the seventh is refused."""
    world.service.build_quota = 1
    try:
        marks = world.folder / "marks"
        _project(world, "first", f"echo + >> {marks}; sleep 0.3; echo - >> {marks}")
        _project(world, "second", f"echo + >> {marks}; sleep 0.3; echo - >> {marks}")
        started = [_start(world, name) for name in ("first", "second", "first", "second", "first", "second")]
        with pytest.raises(
            world.codebuild.exceptions.AccountLimitExceededException,
            match="Cannot have more than 5 builds in queue for the account",
        ):
            world.codebuild.start_build(projectName="first")
        phases = world.codebuild.batch_get_builds(ids=[started[-1].id])["builds"][0]["currentPhase"]
        assert phases in ("SUBMITTED", "QUEUED")
        assert all(build.done.wait(300) for build in started)
        assert {build.status for build in started} == {"SUCCEEDED"}
        assert marks.read_text().split() == ["+", "-"] * 6
    finally:
        world.service.build_quota = None


# --- the image -------------------------------------------------------------------------------------------------------


IMAGE = "{account}.dkr.ecr.eu-central-1.amazonaws.com/team/builds:1"
PULLS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


@pytest.mark.parametrize("taken", [None, "ecr:GetAuthorizationToken", *PULLS])
def test_an_image_of_ecr_is_pulled_with_the_rights_of_the_role(world: World, taken: str | None) -> None:
    repository = f"arn:aws:ecr:eu-central-1:{world.tooling}:repository/team/builds"
    rights = [allow([action for action in PULLS if action != taken] or ["ecr:X"], repository)]
    if taken != "ecr:GetAuthorizationToken":
        rights.append(allow(["ecr:GetAuthorizationToken"]))
    role = world.role("puller", world.build_trust, [*rights, allow(["logs:*"])])
    image = {
        "type": "LINUX_CONTAINER",
        "image": IMAGE.format(account=world.tooling),
        "computeType": "BUILD_GENERAL1_SMALL",
        "imagePullCredentialsType": "SERVICE_ROLE",
    }
    _project(world, "pulls", "true", environment=image, serviceRole=role)
    found = _run(world, "pulls")
    assert found["buildStatus"] == ("FAILED" if taken else "SUCCEEDED")
    if taken:
        (context,) = next(p for p in found["phases"] if p["phaseType"] == "PROVISIONING")["contexts"]
        assert context["statusCode"] == "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"
        assert taken in context["message"]


def test_codebuilds_own_rights_pull_nothing_from_a_private_registry(world: World) -> None:
    image = {
        "type": "ARM_CONTAINER",
        "image": IMAGE.format(account=world.tooling),
        "computeType": "BUILD_GENERAL1_SMALL",
    }
    _project(world, "pulls", "true", environment=image)
    assert _phases(_run(world, "pulls"))["PROVISIONING"] != "SUCCEEDED"


NETWORKS = ("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:Describe*")


@pytest.mark.parametrize("taken", [None, "ec2:CreateNetworkInterfacePermission", *NETWORKS, "subnet"])
def test_a_build_is_put_into_its_vpc_with_the_rights_of_the_role(world: World, taken: str | None) -> None:
    region = world.codebuild.meta.region_name
    subnet = f"arn:aws:ec2:{region}:{world.tooling}:subnet/subnet-{'2' if taken == 'subnet' else '1'}"
    own = {"ArnEquals": {"ec2:Subnet": subnet}, "StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"}}
    rights = [allow([action for action in NETWORKS if action != taken])]
    if taken != "ec2:CreateNetworkInterfacePermission":
        rights.append(allow("ec2:CreateNetworkInterfacePermission", Condition=own))
    role = world.role("in-vpc", world.build_trust, [*rights, allow(["logs:*"])])
    network = {"vpcId": "vpc-1", "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}
    _project(world, "in-vpc", "true", vpcConfig=network, serviceRole=role)
    found = _run(world, "in-vpc")
    assert found["buildStatus"] == ("FAILED" if taken else "SUCCEEDED")
    if taken:
        (context,) = next(p for p in found["phases"] if p["phaseType"] == "PROVISIONING")["contexts"]
        assert context["statusCode"] == "VPC_CLIENT_ERROR"
