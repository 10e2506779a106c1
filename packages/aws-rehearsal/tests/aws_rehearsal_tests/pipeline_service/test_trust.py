"""Who may do what: each rule fails the request or the action with AWS's reason when it is missing."""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from aws_rehearsal.pipeline_service.state import Execution
from aws_rehearsal_tests.pipeline_service.world import (
    CONNECTION,
    OTHER_REGION,
    REGION,
    World,
    allow,
    approval,
    build,
    deny,
    stage,
    trusted,
    trusted_role,
    variable_check,
)

READ = ("s3:GetObject", "s3:GetObjectVersion")
LOOK = ("s3:GetBucketAcl", "s3:GetBucketLocation")


def _refused(world: World, rights: list[dict[str, Any]], call: Any, service: str = "codepipeline") -> str:
    """The message of the AccessDenied that a user with `rights` gets for `call`."""
    user = world.user(f"user{len(rights)}{service}", rights)
    with pytest.raises(ClientError) as refused:
        call(world.client(service, user))
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    message: str = refused.value.response["Error"]["Message"]
    return message


def _error(world: World, name: str, execution: Execution | str, action: str) -> str:
    identity = execution if isinstance(execution, str) else execution.id
    assert world.service.wait(identity).status == "Failed"
    found: str = world.actions(name, identity)[action]["output"]["executionResult"]["errorDetails"]["message"]
    return found


def test_a_wrong_secret_is_refused(world: World) -> None:
    client = boto3.client(
        "codepipeline",
        endpoint_url=world.service.endpoint,
        region_name=REGION,
        aws_access_key_id=world.admin.access_key_id,
        aws_secret_access_key="wrong",
        config=Config(retries={"max_attempts": 1}, proxies={}),
    )

    with pytest.raises(ClientError, match="signature"):
        client.list_pipelines()


def test_a_user_may_start_only_the_pipelines_its_policy_names(world: World) -> None:
    world.create("mine", stage("Approve", approval()))
    world.create("other", stage("Approve", approval()))
    arn = f"arn:aws:codepipeline:{REGION}:{world.tooling}:mine"
    rights = [allow("codepipeline:StartPipelineExecution", arn)]
    user = world.user("starter", rights)

    world.client("codepipeline", user).start_pipeline_execution(name="mine")

    message = _refused(world, rights, lambda client: client.start_pipeline_execution(name="other"))
    assert f"not authorized to perform: codepipeline:StartPipelineExecution on resource: {arn[:-4]}other" in message


def test_an_approval_is_a_right_on_its_action(world: World) -> None:
    execution = world.create("asks", stage("Approve", approval()), stage("Prod", approval("Prod")))
    arn = f"arn:aws:codepipeline:{REGION}:{world.tooling}:asks"
    answer = {
        "pipelineName": "asks",
        "stageName": "Approve",
        "actionName": "Approve",
        "token": world.service.wait_for_action(execution, "Approve").token,
        "result": {"status": "Approved", "summary": ""},
    }

    _refused(
        world,
        [allow("codepipeline:PutApprovalResult", f"{arn}/Prod/*")],
        lambda client: client.put_approval_result(**answer),
    )
    approver = world.user("approver", [allow("codepipeline:PutApprovalResult", f"{arn}/Approve/Approve")])
    world.client("codepipeline", approver).put_approval_result(**answer)


def test_creating_a_pipeline_needs_the_right_to_pass_its_role(world: World) -> None:
    declared = world.declaration("passes", stage("Approve", approval()))
    rights = [allow("codepipeline:*")]

    message = _refused(world, rights, lambda client: client.create_pipeline(pipeline=declared))

    assert f"not authorized to perform: iam:PassRole on resource: {world.pipeline_role}" in message
    condition = {"StringEquals": {"iam:PassedToService": "codepipeline.amazonaws.com"}}
    given = [*rights, allow("iam:PassRole", world.pipeline_role, Condition=condition)]
    passer = world.user("passer", [*given, allow("codeconnections:PassConnection", CONNECTION)])
    world.client("codepipeline", passer).create_pipeline(pipeline=declared)


def test_a_pipelines_role_must_trust_codepipeline(world: World) -> None:
    role = world.role("untrusting", trusted("codebuild.amazonaws.com"), [])

    with pytest.raises(ClientError, match=r"InvalidStructureException.*not authorized to perform AssumeRole"):
        world.create("untrusted", stage("Approve", approval()), roleArn=role)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": "000000000000"}},
        {"ArnEquals": {"aws:SourceArn": f"arn:aws:codepipeline:{REGION}:000000000000:confused"}},
    ],
)
def test_the_confused_deputy_conditions_of_a_pipelines_role_count(world: World, condition: dict[str, Any]) -> None:
    role = world.role("guarded", trusted("codepipeline.amazonaws.com", Condition=condition), [])
    with pytest.raises(ClientError, match="not authorized to perform AssumeRole"):
        world.create("confused", stage("Approve", approval()), roleArn=role)

    kind, key = next((kind, key) for kind in condition for key in condition[kind])
    right = condition[kind][key].replace("000000000000", world.tooling)
    rights = [allow(["s3:*", "kms:*", "codeconnections:UseConnection"])]
    world.role("guarded", trusted("codepipeline.amazonaws.com", Condition={kind: {key: right}}), rights)
    execution = world.create("confused", stage("Approve", approval()), roleArn=role)
    world.service.wait_for_action(execution, "Approve")


def test_a_source_needs_the_right_to_use_its_connection(world: World) -> None:
    world.role("pipeline", trusted("codepipeline.amazonaws.com"), [allow(["s3:*", "kms:*"])])
    execution = world.create("unconnected", stage("Approve", approval()))

    message = _error(world, "unconnected", execution, "App")

    assert f"codeconnections:UseConnection on resource: {CONNECTION}" in message


@pytest.mark.parametrize(("missing", "failed"), [("kms:GenerateDataKey", "App"), ("kms:Decrypt", "reader")])
def test_a_role_without_rights_on_the_stores_key_fails(world: World, missing: str, failed: str) -> None:
    role = "pipeline" if failed == "App" else "build"
    trust = trusted("codepipeline.amazonaws.com" if role == "pipeline" else "codebuild.amazonaws.com")
    rights = allow(["s3:*", "kms:*", "codeconnections:*", "codebuild:*", "logs:*"])
    world.role(role, trust, [rights, deny(missing, world.key)])
    world.project("reader", "true")
    execution = world.create("keyless", stage("Build", build("reader")))

    message = _error(world, "keyless", execution, failed)

    assert f"not authorized to perform: {missing} on resource: {world.key} with an explicit deny" in message


def test_a_key_right_through_s3_only_is_enough(world: World) -> None:
    through = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    rights = [allow(["s3:*", "logs:*"]), allow("kms:Decrypt", world.key, Condition=through)]
    world.role("build", world.build_trust, rights)
    world.project("reads-it", "test -s file.txt")

    assert world.service.wait(world.create("through", stage("Build", build("reads-it")))).status == "Succeeded"


def test_a_disabled_key_stops_the_pipeline(world: World) -> None:
    world.client("kms").disable_key(KeyId=world.key)

    execution = world.create("disabled", stage("Approve", approval()))

    assert "is Disabled" in _error(world, "disabled", execution, "App")


def _cross_account(
    world: World, *, extra: list[dict[str, Any]] | None = None, opened: str = "bucket key"
) -> dict[str, Any]:
    """A CodeBuild action with an action role in the target account; bucket and key are `opened` to its project's
    role."""
    action_role_trust = trusted_role(world.pipeline_role)
    rights = [allow(["codebuild:StartBuild", "codebuild:BatchGetBuilds"]), *(extra or [])]
    action_role = world.role("action", action_role_trust, rights, world.target)
    runner = world.role(
        "deploy",
        trusted("codebuild.amazonaws.com"),
        [
            allow([*LOOK, *READ], Condition={"StringEquals": {"aws:ResourceAccount": world.tooling}}),
            allow(["kms:Decrypt", "logs:*"]),
        ],
        world.target,
    )
    spec = {
        "version": 0.2,
        "env": {"exported-variables": ["WHO"]},
        "phases": {
            "build": {
                "commands": [
                    "export WHO=$(python3 -c 'import os; print(os.environ[\"AWS_ACCESS_KEY_ID\"][:4])')",
                    "test -s file.txt",
                ]
            }
        },
    }
    world.project("deploy", spec=spec, serviceRole=runner, admin=world.target_admin)
    _open_to(world, runner, opened)
    return build("deploy", roleArn=action_role, namespace="Deployed")


def _open_to(world: World, role: str, opened: str) -> None:
    principal = {"AWS": f"arn:aws:iam::{world.target}:root"}
    condition = {"ArnEquals": {"aws:PrincipalArn": role}}
    there = [f"arn:aws:s3:::{world.bucket}", f"arn:aws:s3:::{world.bucket}/*"]
    bucket = {**allow([*LOOK, *READ], there), "Principal": principal, "Condition": condition}
    if "bucket" in opened:
        world.client("s3").put_bucket_policy(Bucket=world.bucket, Policy=json.dumps({"Statement": [bucket]}))
    if "key" not in opened:
        return
    own = {**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{world.tooling}:root"}}
    other = {**allow("kms:Decrypt"), "Principal": principal, "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [own, other]})
    world.client("kms").put_key_policy(KeyId=world.key, PolicyName="default", Policy=policy)


def test_a_build_in_another_account_runs_with_its_action_role(world: World) -> None:
    execution = world.create("across", stage("Deploy", _cross_account(world)))

    assert world.service.wait(execution).status == "Succeeded"
    action = world.actions("across", execution)["deploy"]
    assert action["output"]["outputVariables"] == {"WHO": "ASIA"}
    builds = world.client("codebuild", world.target_admin).list_builds_for_project(projectName="deploy")["ids"]
    assert builds == [action["output"]["executionResult"]["externalExecutionId"]]
    assert world.codebuild.list_builds()["ids"] == []


@pytest.mark.parametrize(("opened", "reason"), [("key", "s3:GetObject"), ("bucket", "kms:Decrypt")])
def test_a_build_in_another_account_needs_bucket_and_key_opened_to_its_role(
    world: World, opened: str, reason: str
) -> None:
    execution = world.create("unopened", stage("Deploy", _cross_account(world, opened=opened)))

    message = _error(world, "unopened", execution, "deploy")

    assert "Phase: DOWNLOAD_SOURCE" in message
    assert reason in message or "Access Denied" in message
    # CodeBuild looks at the bucket first.
    assert ("s3:GetBucketLocation" in message or "GetBucketLocation" in message) is (opened == "key")


def test_an_action_role_that_does_not_trust_the_pipelines_role_fails_the_action_with_the_reason(world: World) -> None:
    action = _cross_account(world)
    execution = world.create("closed", stage("First", approval("First")), stage("Deploy", action))
    world.role("action", trusted_role(f"arn:aws:iam::{world.tooling}:role/another"), [], world.target)
    world.approve("closed", execution, "First")

    message = _error(world, "closed", execution, "deploy")

    assert "is not authorized to perform: sts:AssumeRole on resource" in message
    assert f"assumed-role/pipeline/{execution}" in message


def test_the_pipelines_role_needs_the_right_to_assume_the_actions_role(world: World) -> None:
    action = _cross_account(world)
    execution = world.create("keyring", stage("First", approval("First")), stage("Deploy", action))
    rights = [allow(["s3:*", "kms:*", "codeconnections:UseConnection"])]
    world.role("pipeline", trusted("codepipeline.amazonaws.com"), rights)
    world.approve("keyring", execution, "First")

    assert "sts:AssumeRole" in _error(world, "keyring", execution, "deploy")


def test_the_action_roles_own_denies_count(world: World) -> None:
    """An action role may start builds but with no override; an action that overrides variables is refused by this
    one."""
    denied = [deny("codebuild:StartBuild", Condition={"Null": {"codebuild:environment.environmentVariables": "false"}})]
    action = _cross_account(world, extra=denied)
    action["configuration"]["EnvironmentVariables"] = '[{"name": "A", "value": "1"}]'
    execution = world.create("denied", stage("Deploy", action))

    message = _error(world, "denied", execution, "deploy")

    assert "codebuild:StartBuild" in message
    assert "explicit deny" in message


def test_an_action_role_can_name_the_only_variables_a_build_may_be_started_with(world: World) -> None:
    names = {"codebuild:environment.environmentVariables.name": ["DIGEST"]}
    action = _cross_account(
        world, extra=[deny("codebuild:StartBuild", Condition={"ForAnyValue:StringNotEquals": names})]
    )
    good = {**action, "configuration": {**action["configuration"], "EnvironmentVariables": _variable("DIGEST")}}
    bad = {
        **action,
        "name": "bad",
        "namespace": "Bad",
        "runOrder": 2,
        "configuration": {**action["configuration"], "EnvironmentVariables": _variable("LD_PRELOAD")},
    }
    execution = world.create("named", stage("Deploy", good, bad))

    assert "explicit deny" in _error(world, "named", execution, "bad")
    assert world.actions("named", execution)["deploy"]["status"] == "Succeeded"


def _variable(name: str) -> str:
    return json.dumps([{"name": name, "value": "1", "type": "PLAINTEXT"}])


def test_an_action_role_without_the_right_to_read_builds_fails_the_action(world: World) -> None:
    action = _cross_account(world, extra=[deny("codebuild:BatchGetBuilds")])
    execution = world.create("blind", stage("Deploy", action))

    assert "codebuild:BatchGetBuilds" in _error(world, "blind", execution, "deploy")


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ({"buildspecOverride": "version: 0.2"}, "codebuild:source.buildspec"),
        ({"imageOverride": "mine"}, "codebuild:environment.image"),
        ({"serviceRoleOverride": "arn:aws:iam::111111111111:role/x"}, "codebuild:serviceRole"),
    ],
)
def test_a_denied_override_is_refused_and_nothing_else(world: World, override: dict[str, str], key: str) -> None:
    world.project(
        "plain",
        "true",
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {build: {}}"},
        artifacts={"type": "NO_ARTIFACTS"},
    )
    rights = [
        allow(["codebuild:StartBuild", "iam:PassRole"]),
        deny("codebuild:StartBuild", Condition={"Null": {key: "false"}}),
    ]
    user = world.client("codebuild", world.user("overrider", rights))

    user.start_build(projectName="plain")
    with pytest.raises(ClientError, match="explicit deny"):
        user.start_build(projectName="plain", **override)


def test_a_policy_names_the_projects_whose_builds_may_be_started(world: World) -> None:
    for name in ("yes", "no"):
        source = {"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {build: {}}"}
        world.project(name, "true", source=source, artifacts={"type": "NO_ARTIFACTS"})
    rights = [allow("codebuild:StartBuild", f"arn:aws:codebuild:{REGION}:{world.tooling}:project/yes")]
    user = world.client("codebuild", world.user("picky", rights))

    user.start_build(projectName="yes")
    with pytest.raises(ClientError, match=r"codebuild:StartBuild on resource: .*project/no"):
        user.start_build(projectName="no")


def test_a_permissions_boundary_limits_what_a_policy_allows(world: World) -> None:
    iam = world.client("iam", region="us-east-1")
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    user = world.user("bounded", [allow("codepipeline:*")])
    iam.put_user_permissions_boundary(UserName="bounded", PermissionsBoundary=boundary)

    with pytest.raises(ClientError, match="codepipeline:ListPipelines"):
        world.client("codepipeline", user).list_pipelines()


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": "000000000000"}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:codebuild:{REGION}:*:project/another"}},
    ],
)
def test_the_conditions_of_a_projects_role_count(world: World, condition: dict[str, Any]) -> None:
    role = world.role("picky", trusted("codebuild.amazonaws.com", Condition=condition), [])

    with pytest.raises(ClientError, match="CodeBuild is not authorized to perform: sts:AssumeRole"):
        world.project("trusting", "true", serviceRole=role)


def test_a_projects_role_that_stops_trusting_codebuild_fails_the_build(world: World) -> None:
    world.project("loses", "true")
    world.role("build", trusted("lambda.amazonaws.com"), [])
    execution = world.create("lost", stage("Build", build("loses")))

    message = _error(world, "lost", execution, "loses")

    assert "Phase: PROVISIONING, Code: ACCESS_DENIED" in message
    assert f"CodeBuild is not authorized to perform: sts:AssumeRole on {world.build_role}" in message


def test_a_role_re_created_under_its_name_keeps_working(world: World) -> None:
    """Trust through `aws:PrincipalArn` names a role, not its id."""
    action = _cross_account(world)
    iam = world.client("iam", region="us-east-1")
    iam.delete_role_policy(RoleName="pipeline", PolicyName="rights")
    iam.delete_role(RoleName="pipeline")
    rights = [allow(["s3:*", "kms:*", "codeconnections:UseConnection", "sts:AssumeRole"])]
    world.role("pipeline", trusted("codepipeline.amazonaws.com"), rights)

    assert world.service.wait(world.create("again", stage("Deploy", action))).status == "Succeeded"


def test_an_action_in_another_region_gets_its_artifacts_from_that_regions_store(world: World) -> None:
    other_key = world.client("kms", region=OTHER_REGION).create_key()["KeyMetadata"]["Arn"]
    world._bucket(f"{world.bucket}-us", OTHER_REGION)
    world.project("far", 'test "$AWS_REGION" = us-east-1 && test -s file.txt')
    spec = '{"version": 0.2, "phases": {"build": {"commands": ["test $AWS_REGION = us-east-1", "test -s file.txt"]}}}'
    world.client("codebuild", region=OTHER_REGION).create_project(
        name="far",
        source={"type": "CODEPIPELINE", "buildspec": spec},
        artifacts={"type": "CODEPIPELINE"},
        environment={"type": "LINUX_CONTAINER", "image": "x", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=world.build_role,
    )
    declared = world.declaration("regions", stage("Build", build("far", region=OTHER_REGION)))
    home = declared.pop("artifactStore")
    there = {"type": "S3", "location": f"{world.bucket}-us", "encryptionKey": {"id": other_key, "type": "KMS"}}
    declared["artifactStores"] = {REGION: home, OTHER_REGION: there}
    world.pipelines.create_pipeline(pipeline=declared)

    execution = world.executions("regions")[0].id
    assert world.service.wait(execution).status == "Succeeded"
    read = world.actions("regions", execution)["far"]["input"]["inputArtifacts"][0]["s3location"]["bucket"]
    assert read == f"{world.bucket}-us"

    # CodePipeline copies it with the pipeline's role.
    for right, resource in (
        ("s3:GetBucketAcl", f"arn:aws:s3:::{world.bucket}-us"),
        ("s3:PutObject", f"arn:aws:s3:::{world.bucket}-us/*"),
        ("kms:GenerateDataKey", other_key),
    ):
        world.role("pipeline", trusted("codepipeline.amazonaws.com"), [allow("*"), deny(right, resource)])
        run = world.run("regions")
        failed = [name for name, action in world.actions("regions", run.id).items() if action["status"] == "Failed"]
        assert (right, run.status, failed) == (right, "Failed", ["far"])


def test_a_pipeline_is_refused_while_its_role_cannot_assume_a_role_of_its_actions(world: World) -> None:
    """Seen with CreatePipeline and UpdatePipeline: terraform-provider-aws issue 13103, terraform pull request 14263."""
    action_role = f"arn:aws:iam::{world.target}:role/action"
    world.project("make", "true")
    beyond = world.declaration("app", stage("Build", build("make"), build("make", name="Beyond", roleArn=action_role)))
    said = f"{world.pipeline_role} is not authorized to perform AssumeRole on role {action_role}"
    with pytest.raises(world.pipelines.exceptions.InvalidStructureException, match=re.escape(said)):
        world.pipelines.create_pipeline(pipeline=beyond)
    assert world.pipelines.list_pipelines()["pipelines"] == []

    world.create("app", stage("Build", build("make")))
    with pytest.raises(world.pipelines.exceptions.InvalidStructureException, match=re.escape(said)):
        world.pipelines.update_pipeline(pipeline=beyond)
    assert world.pipelines.get_pipeline(name="app")["pipeline"]["version"] == 1

    # The role is there, and lets in somebody else; then this pipeline's.
    world.role("action", trusted_role(f"{world.pipeline_role}-of-another"), [], account=world.target)
    with pytest.raises(world.pipelines.exceptions.InvalidStructureException, match=re.escape(said)):
        world.pipelines.update_pipeline(pipeline=beyond)
    world.role("action", trusted_role(world.pipeline_role), [], account=world.target)
    assert world.pipelines.update_pipeline(pipeline=beyond)["pipeline"]["version"] == 2


def test_a_role_of_a_rule_counts_as_well(world: World) -> None:
    action_role = f"arn:aws:iam::{world.target}:role/action"
    world.project("make", "true")
    rules = [{**rule, "roleArn": action_role} for rule in variable_check("#{Source.BranchName}", "EQ", "main")]
    entry = {"conditions": [{"result": "SKIP", "rules": rules}]}
    declared = world.declaration("app", stage("Build", build("make"), beforeEntry=entry))
    with pytest.raises(world.pipelines.exceptions.InvalidStructureException, match=re.escape(action_role)):
        world.pipelines.create_pipeline(pipeline=declared)
