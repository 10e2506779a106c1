"""A declared pipeline really runs: sources, builds, artifacts, variables, approvals, order."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.pipeline_service import Event
from aws_rehearsal_tests.pipeline_service.world import (
    World,
    allow,
    approval,
    build,
    deny,
    stage,
    trusted,
    variable_check,
)


def test_a_commit_goes_through_source_build_and_approval(world: World) -> None:
    world.project("thin-build", 'test "$(cat file.txt)" = 1', "echo built > out.txt")
    execution = world.create("thin", stage("Build", build("thin-build")), stage("Approve", approval()))

    world.approve("thin", execution)

    assert world.service.wait(execution).status == "Succeeded"
    found = world.pipelines.list_pipeline_executions(pipelineName="thin")["pipelineExecutionSummaries"][0]
    assert found["trigger"]["triggerType"] == "CreatePipeline"
    assert found["sourceRevisions"][0]["revisionSummary"] == "first"


def test_an_artifact_moves_through_the_bucket_encrypted_with_the_stores_key(world: World) -> None:
    spec = {
        "version": 0.2,
        "phases": {"build": {"commands": ["mkdir -p dist/sub && echo made > dist/sub/x && chmod +x dist/sub/x"]}},
        "artifacts": {"files": ["**/*"], "base-directory": "$CODEBUILD_SRC_DIR/dist"},
    }
    world.project("maker", spec=spec)
    world.project("user", "test -x sub/x", 'test "$(cat sub/x)" = made', "test ! -e file.txt")
    used = {**build("user"), "inputArtifacts": [{"name": "Made"}]}
    execution = world.create(
        "artifacts", stage("Make", build("maker", outputArtifacts=[{"name": "Made"}])), stage("Use", used)
    )

    assert world.service.wait(execution).status == "Succeeded"
    made = world.actions("artifacts", execution)["maker"]["output"]["outputArtifacts"][0]["s3location"]
    assert made["bucket"] == world.bucket
    assert made["key"].startswith("artifacts/Made/")
    head = world.client("s3").head_object(Bucket=made["bucket"], Key=made["key"])
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", world.key)


def test_variables_of_actions_pipeline_and_execution_reach_later_actions(world: World) -> None:
    spec = {
        "version": 0.2,
        "env": {"exported-variables": ["DIGEST", "NEVER_SET"]},
        "phases": {"build": {"commands": ["export DIGEST=abc123"]}},
    }
    world.project("exports", spec=spec)
    world.project("reads", 'test "$SEEN" = "abc123 blue first $WANTED"')
    seen = "#{Made.DIGEST} #{variables.colour} #{Source.CommitMessage} #{codepipeline.PipelineExecutionId}"
    environment = [
        {"name": "SEEN", "value": seen},
        {"name": "WANTED", "value": "#{codepipeline.PipelineExecutionId}", "type": "PLAINTEXT"},
    ]
    reads = build("reads", configuration={"EnvironmentVariables": json.dumps(environment)})
    world.create(
        "variables",
        stage("Make", build("exports", namespace="Made")),
        stage("Use", reads),
        variables=[{"name": "colour", "defaultValue": "red"}],
    )

    execution = world.run("variables", variables=[{"name": "colour", "value": "blue"}])

    assert execution.status == "Succeeded"
    details = world.pipelines.get_pipeline_execution(pipelineName="variables", pipelineExecutionId=execution.id)
    assert details["pipelineExecution"]["variables"] == [{"name": "colour", "resolvedValue": "blue"}]
    assert world.actions("variables", execution.id)["exports"]["output"]["outputVariables"] == {"DIGEST": "abc123"}


def test_a_failed_action_fails_its_stage_and_later_stages_are_not_reached(world: World) -> None:
    world.project("fails", "echo before", "exit 3", "echo never")
    world.project("later", "true")
    execution = world.create("failing", stage("Test", build("fails")), stage("Prod", build("later")))

    assert world.service.wait(execution).status == "Failed"
    error = world.actions("failing", execution)["fails"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "JobFailed"
    assert "Error while executing command: exit 3. Reason: exit status 3" in error["message"]
    assert "latestExecution" not in world.stage_state("failing", "Prod")


def test_actions_of_one_run_order_run_together_and_the_next_order_waits(world: World) -> None:
    meet = 'touch "{dir}/$ME"; for i in $(seq 100); do test -e "{dir}/$YOU" && exit 0; sleep 0.05; done; exit 1'
    folder = world.folder / "meeting"
    folder.mkdir()
    actions = []
    for me, you in (("one", "two"), ("two", "one")):
        command = meet.format(dir=folder).replace("$ME", me).replace("$YOU", you)
        world.project(me, command)
        actions.append(build(me))
    world.project("after", f"test -e {folder}/one && test -e {folder}/two")
    execution = world.create("together", stage("Build", *actions, build("after", runOrder=2)))

    assert world.service.wait(execution).status == "Succeeded"


def test_a_rejected_approval_fails_its_stage_with_who_and_why(world: World) -> None:
    execution = world.create("rejected", stage("Approve", approval()), stage("Prod", approval("Prod")))

    world.approve("rejected", execution, status="Rejected")

    assert world.service.wait(execution).status == "Failed"
    action = world.actions("rejected", execution)["Approve"]
    assert action["updatedBy"] == f"arn:aws:iam::{world.tooling}:user/admin"
    assert action["output"]["executionResult"]["errorDetails"]["message"] == "Rejected by me"


def test_an_approval_shows_its_token_and_comment_and_its_summary_is_a_variable(world: World) -> None:
    asked = approval(namespace="Said", configuration={"CustomData": "Deploy #{Source.CommitId}?"})
    world.project("hears", 'test "$SAID" = "Approved by me"')
    environment = json.dumps([{"name": "SAID", "value": "#{Said.ApprovalSummary}"}])
    hears = build("hears", configuration={"EnvironmentVariables": environment})
    execution = world.create("asks", stage("Approve", asked), stage("Prod", hears))
    token = world.service.wait_for_action(execution, "Approve").token

    shown = world.stage_state("asks", "Approve")["actionStates"][0]["latestExecution"]
    assert (shown["token"], shown["status"]) == (token, "InProgress")
    resolved = world.actions("asks", execution)["Approve"]["input"]["resolvedConfiguration"]["CustomData"]
    head = world._git("rev-parse", "HEAD")
    assert resolved == f"Deploy {head}?"
    world.approve("asks", execution)
    assert world.service.wait(execution).status == "Succeeded"


def test_an_approval_is_sent_to_its_topic(world: World) -> None:
    topic = world.client("sns").create_topic(Name="approvals")["TopicArn"]
    arn = f"arn:aws:sqs:eu-central-1:{world.tooling}:approvals"
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ]
    }
    attributes = {"Policy": json.dumps(policy)}
    queue = world.client("sqs").create_queue(QueueName="approvals", Attributes=attributes)["QueueUrl"]
    world.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    execution = world.create("tells", stage("Approve", approval(configuration={"NotificationArn": topic})))
    run = world.service.wait_for_action(execution, "Approve")

    received = world.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    told = json.loads(json.loads(received[0]["Body"])["Message"])
    assert told["approval"]["token"] == run.token

    world.role("pipeline", trusted("codepipeline.amazonaws.com"), [allow("*"), deny("sns:Publish")])
    execution = world.create("untold", stage("Approve", approval(configuration={"NotificationArn": topic})))
    assert world.service.wait(execution).status == "Failed"
    error = world.actions("untold", execution)["Approve"]["output"]["executionResult"]["errorDetails"]
    assert "sns:Publish" in error["message"]


def test_an_approval_times_out(world: World) -> None:
    execution = world.create("late", stage("Approve", approval(timeoutInMinutes=5)))

    assert world.service.wait(execution).status == "Failed"
    error = world.actions("late", execution)["Approve"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "Timeout"


def test_a_wrong_or_used_token_is_refused(world: World) -> None:
    execution = world.create("token", stage("Approve", approval()))
    token = world.service.wait_for_action(execution, "Approve").token
    assert token
    where = {"pipelineName": "token", "stageName": "Approve", "actionName": "Approve"}
    result = {"status": "Approved", "summary": "x"}

    with pytest.raises(world.pipelines.exceptions.InvalidApprovalTokenException):
        world.pipelines.put_approval_result(**where, token="0" * 8 + token[8:], result=result)
    world.pipelines.put_approval_result(**where, token=token, result=result)
    with pytest.raises(world.pipelines.exceptions.ApprovalAlreadyCompletedException):
        world.pipelines.put_approval_result(**where, token=token, result=result)


@pytest.mark.parametrize(("result", "status", "reached"), [("SKIP", "Succeeded", True), ("FAIL", "Failed", False)])
def test_an_entry_condition_that_fails_skips_or_fails_the_stage(
    world: World, result: str, status: str, reached: bool
) -> None:
    conditions = [{"result": result, "rules": variable_check("#{variables.changes}", "NE", "0")}]
    world.project("end", "true")
    execution = world.create(
        "conditions",
        stage("Approve", approval(), beforeEntry={"conditions": conditions}),
        stage("End", build("end")),
        variables=[{"name": "changes", "defaultValue": "0"}],
    )

    assert world.service.wait(execution).status == status
    state = world.stage_state("conditions", "Approve")
    assert state["latestExecution"]["status"] == ("Skipped" if result == "SKIP" else "Failed")
    assert "latestExecution" not in state["actionStates"][0]
    assert ("latestExecution" in world.stage_state("conditions", "End")) is reached


def test_an_overridden_condition_lets_the_execution_in(world: World) -> None:
    conditions = [{"result": "FAIL", "rules": variable_check("#{variables.changes}", "NE", "0")}]
    execution = world.create(
        "override",
        stage("Approve", approval(), beforeEntry={"conditions": conditions}),
        variables=[{"name": "changes", "defaultValue": "0"}],
    )
    world.service.wait(execution)

    world.pipelines.override_stage_condition(
        pipelineName="override", stageName="Approve", pipelineExecutionId=execution, conditionType="BEFORE_ENTRY"
    )
    world.approve("override", execution)

    assert world.service.wait(execution).status == "Succeeded"


def test_a_success_condition_can_fail_a_stage(world: World) -> None:
    world.project("done", "true")
    conditions = [{"result": "FAIL", "rules": variable_check("#{Source.BranchName}", "EQ", "release")}]
    execution = world.create("success", stage("Build", build("done"), onSuccess={"conditions": conditions}))

    assert world.service.wait(execution).status == "Failed"
    assert world.actions("success", execution)["done"]["status"] == "Succeeded"


def test_an_alarm_in_the_bake_time_fails_the_stage(world: World) -> None:
    role = world.role(
        "watches",
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": world.pipeline_role}, "Action": "sts:AssumeRole"}],
        },
        [{"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"}],
    )
    watch = world.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="errors",
        MetricName="Errors",
        Namespace="App",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )
    watch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="test")
    world.project("deployed", "true")
    kind = {"category": "Rule", "owner": "AWS", "provider": "CloudWatchAlarm", "version": "1"}
    rules = [
        {
            "name": "Bake",
            "ruleTypeId": kind,
            "roleArn": role,
            "configuration": {"AlarmName": "errors", "WaitTime": "60"},
        }
    ]
    conditions = {"conditions": [{"result": "FAIL", "rules": rules}]}
    execution = world.create("bakes", stage("Deploy", build("deployed"), onSuccess=conditions))
    world.service.wait_until(
        lambda: (
            world.service.execution(execution).stages.get("Deploy")
            and world.service.execution(execution).stages["Deploy"].on_success
        )
    )
    assert world.service.execution(execution).running

    watch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")

    assert world.service.wait(execution).status == "Failed"
    summary = world.stage_state("bakes", "Deploy")["onSuccessConditionState"]["latestExecution"]["summary"]
    assert summary == "Alarm errors is in state ALARM"


def test_every_change_is_told(world: World) -> None:
    told: list[Event] = []
    world.service.on_event(told.append)
    world.project("told", "true")
    execution = world.create("telling", stage("Build", build("told")))
    world.service.wait(execution)

    mine = [event for event in told if event.execution == execution]
    shape = [(event.kind, event.stage, event.action, event.status) for event in mine]
    assert shape[0] == ("execution", "", "", "InProgress")
    assert ("action", "Build", "told", "InProgress") in shape
    assert shape[-1] == ("execution", "", "", "Succeeded")
    phases = [event.stage for event in told if event.kind == "build" and event.pipeline == "telling"]
    assert "BUILD" in phases


def test_a_source_can_be_cloned_with_its_history(world: World) -> None:
    world.project("clones", 'test "$(git log -1 --format=%s)" = first')
    source = world.source(OutputArtifactFormat="CODEBUILD_CLONE_REF")
    declared = world.declaration("clone", stage("Build", build("clones")))
    declared["stages"][0]["actions"] = [source]
    actions = ["s3:*", "kms:*", "logs:*", "codeconnections:UseConnection"]
    rights = [{"Effect": "Allow", "Action": actions, "Resource": "*"}]
    world.role("build", world.build_trust, rights)
    world.pipelines.create_pipeline(pipeline=declared)

    execution = world.executions("clone")[0].id
    assert world.service.wait(execution).status == "Succeeded"


def test_the_same_client_token_starts_one_execution(world: World) -> None:
    world.create("idempotent", stage("Approve", approval()))

    first = world.pipelines.start_pipeline_execution(name="idempotent", clientRequestToken="one")
    second = world.pipelines.start_pipeline_execution(name="idempotent", clientRequestToken="one")

    assert first["pipelineExecutionId"] == second["pipelineExecutionId"]
    assert len(world.executions("idempotent")) == 2


def test_an_execution_can_be_started_for_a_commit(world: World) -> None:
    old = world._git("rev-parse", "HEAD")
    world.create("older", stage("Approve", approval()))
    world.commit("second")
    revision = {"actionName": "App", "revisionType": "COMMIT_ID", "revisionValue": old}

    started = world.pipelines.start_pipeline_execution(name="older", sourceRevisions=[revision])

    execution = started["pipelineExecutionId"]
    world.service.wait_until(lambda: world.service.execution(execution).artifacts)
    assert world.actions("older", execution)["App"]["output"]["outputVariables"]["CommitId"] == old


def test_an_s3_source_reads_the_newest_version(world: World) -> None:
    s3 = world.client("s3")
    s3.put_bucket_versioning(Bucket=world.bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=world.bucket, Key="app.zip", Body=b"PK\5\6" + bytes(18))["VersionId"]
    declared = world.declaration("objects", stage("Approve", approval()))
    declared["stages"][0]["actions"] = [
        {
            "name": "App",
            "outputArtifacts": [{"name": "Sources"}],
            "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
            "configuration": {"S3Bucket": world.bucket, "S3ObjectKey": "app.zip"},
        }
    ]
    world.pipelines.create_pipeline(pipeline=declared)

    execution = world.executions("objects")[0].id
    world.service.wait_for_action(execution, "Approve")
    assert world.actions("objects", execution)["App"]["output"]["outputVariables"]["VersionId"] == version


def test_a_github_token_is_given_back_masked_and_kept_when_it_comes_back(world: World) -> None:
    declared = world.declaration("token-source", stage("Approve", approval()))
    declared["stages"][0]["actions"] = [
        {
            "name": "App",
            "outputArtifacts": [{"name": "Sources"}],
            "actionTypeId": {"category": "Source", "owner": "ThirdParty", "provider": "GitHub", "version": "1"},
            "configuration": {"Owner": "o", "Repo": "r", "Branch": "main", "OAuthToken": "secret-token"},
        }
    ]
    world.pipelines.create_pipeline(pipeline=declared)

    found = world.pipelines.get_pipeline(name="token-source")["pipeline"]
    assert found["stages"][0]["actions"][0]["configuration"]["OAuthToken"] == "****"
    world.pipelines.update_pipeline(pipeline=found)
    state = world.service.engine.pipelines[world.tooling, "eu-central-1", "token-source"]
    assert state.definition.sources()[0].configuration["OAuthToken"] == "secret-token"


def test_times_are_times_for_boto3(world: World) -> None:
    world.create("times", stage("Approve", approval()))

    found = world.pipelines.get_pipeline_state(name="times")

    assert abs(found["created"].timestamp() - time.time()) < 60


def test_a_request_that_does_not_fit_the_model_is_told_in_awss_words(world: World) -> None:
    with pytest.raises(ClientError) as told:
        world.pipelines.get_pipeline_state(name="no spaces allowed")

    assert told.value.response["Error"]["Code"] == "ValidationException"
    assert told.value.response["Error"]["Message"] == (
        "1 validation error detected: Value 'no spaces allowed' at 'name' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [A-Za-z0-9.@\-_]+"
    )
