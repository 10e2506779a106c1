"""Executions side by side: modes, transitions, stopping, pushes and triggers, retries, rollbacks, updates."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.pipeline_service import restart_on_update
from aws_rehearsal_tests.pipeline_service.world import World, approval, build, stage


def _started(world: World, name: str, **more: Any) -> str:
    execution: str = world.pipelines.start_pipeline_execution(name=name, **more)["pipelineExecutionId"]
    return execution


def _switch(world: World, name: str) -> None:
    """A project that fails as long as the file `broken` is there."""
    (world.folder / "broken").write_text("")
    world.project(name, f"test ! -e {world.folder}/broken")


def test_queued_executions_enter_a_stage_one_by_one_in_order(world: World) -> None:
    first = world.create("queued", stage("Approve", approval()))
    second, third = _started(world, "queued"), _started(world, "queued")
    world.service.wait_for_action(first, "Approve")
    world.service.wait_until(lambda: all(world.service.execution(e).position == 1 for e in (second, third)))

    waiting = world.stage_state("queued", "Approve")["inboundExecutions"]
    assert [item["pipelineExecutionId"] for item in waiting] == [second, third]
    for execution in (first, second, third):
        world.approve("queued", execution)
    assert world.service.wait(third).status == "Succeeded"


def test_a_waiting_execution_is_superseded_by_a_newer_one(world: World) -> None:
    first = world.create("superseded", stage("Approve", approval()), executionMode="SUPERSEDED")
    world.service.wait_for_action(first, "Approve")
    second = _started(world, "superseded")
    world.service.wait_until(lambda: world.service.execution(second).position == 1)
    third = _started(world, "superseded")

    assert world.service.wait(second).status == "Superseded"
    world.approve("superseded", first)
    world.approve("superseded", third)
    assert world.service.wait(third).status == "Succeeded"


def test_parallel_executions_share_a_stage(world: World) -> None:
    first = world.create("parallel", stage("Approve", approval()), executionMode="PARALLEL")
    second = _started(world, "parallel")

    world.service.wait_for_action(first, "Approve")
    world.service.wait_for_action(second, "Approve")

    # The token says which of them is meant.
    world.approve("parallel", first)
    assert world.service.wait(first).status == "Succeeded"
    assert world.service.execution(second).running


def test_a_disabled_transition_holds_executions_until_it_is_enabled(world: World) -> None:
    world.project("held", "true")
    declared = world.declaration("held", stage("Build", build("held")))
    world.pipelines.create_pipeline(pipeline=declared)
    world.service.wait(world.executions("held")[0].id)
    gate = {"pipelineName": "held", "stageName": "Build", "transitionType": "Inbound"}
    world.pipelines.disable_stage_transition(**gate, reason="freeze")
    execution = _started(world, "held")
    world.service.wait_until(lambda: world.service.execution(execution).position == 1)

    state = world.stage_state("held", "Build")
    assert state["inboundTransitionState"]["disabledReason"] == "freeze"
    assert state["inboundExecution"]["pipelineExecutionId"] == execution
    world.pipelines.enable_stage_transition(**gate)
    assert world.service.wait(execution).status == "Succeeded"


def test_stop_and_wait_lets_actions_finish_and_starts_no_more(world: World) -> None:
    flag = world.folder / "go"
    world.project("waits", f"for i in $(seq 200); do test -e {flag} && exit 0; sleep 0.02; done; exit 1")
    execution = world.create("stops", stage("Build", build("waits")), stage("Approve", approval()))
    world.service.wait_for_action(execution, "waits")

    world.pipelines.stop_pipeline_execution(pipelineName="stops", pipelineExecutionId=execution, reason="enough")
    assert world.service.execution(execution).status == "Stopping"
    with pytest.raises(world.pipelines.exceptions.DuplicatedStopRequestException):
        world.pipelines.stop_pipeline_execution(pipelineName="stops", pipelineExecutionId=execution)
    flag.write_text("")

    assert world.service.wait(execution).status == "Stopped"
    assert world.actions("stops", execution)["waits"]["status"] == "Succeeded"


def test_stop_and_abandon_ends_at_once(world: World) -> None:
    execution = world.create("abandons", stage("Approve", approval()))
    world.service.wait_for_action(execution, "Approve")

    world.pipelines.stop_pipeline_execution(pipelineName="abandons", pipelineExecutionId=execution, abandon=True)

    assert world.service.execution(execution).status == "Stopped"
    assert world.actions("abandons", execution)["Approve"]["status"] == "Abandoned"
    with pytest.raises(world.pipelines.exceptions.PipelineExecutionNotStoppableException):
        world.pipelines.stop_pipeline_execution(pipelineName="abandons", pipelineExecutionId=execution, abandon=True)


def test_a_push_to_the_branch_starts_an_execution(world: World) -> None:
    world.create("pushed", stage("Approve", approval()))
    commit = world.commit("second")

    world.service.wait_until(lambda: len(world.executions("pushed")) == 2)

    execution = world.executions("pushed")[1]
    world.service.wait_until(lambda: execution.artifacts)
    assert execution.outputs["Source"]["CommitId"] == commit
    assert execution.trigger[0] == "WebhookV2"


def test_a_push_elsewhere_or_without_change_detection_starts_nothing(world: World) -> None:
    world.create("elsewhere", stage("Approve", approval()))
    declared = world.declaration("deaf", stage("Approve", approval()))
    declared["stages"][0]["actions"] = [world.source(DetectChanges="false")]
    world.pipelines.create_pipeline(pipeline=declared)

    world.commit("other branch", branch="feature")
    assert world.service.notify_push() == []
    world.service.wait_until(lambda: True)
    world.commit("main branch")
    world.service.wait_until(lambda: len(world.executions("elsewhere")) == 2)
    assert len(world.executions("deaf")) == 1


def test_triggers_filter_by_path_and_by_tag(world: World) -> None:
    push = [
        {"branches": {"includes": ["main"]}, "filePaths": {"includes": ["backend/**"], "excludes": ["**/*.md"]}},
        {"tags": {"includes": ["v*"]}},
    ]
    triggers = [
        {"providerType": "CodeStarSourceConnection", "gitConfiguration": {"sourceActionName": "App", "push": push}}
    ]
    world.create("filtered", stage("Approve", approval()), triggers=triggers)

    def executions() -> int:
        world.service.notify_push()
        return len(world.executions("filtered"))

    world.commit("docs", {"backend/README.md": "x", "front/a.js": "x"})
    assert executions() == 1
    world.commit("backend", {"backend/schema.graphql": "x"})
    assert executions() == 2
    world.tag("v1")
    assert executions() == 3
    tagged = world.executions("filtered")[2]
    world.service.wait_until(lambda: tagged.artifacts)
    assert tagged.outputs["Source"]["TagName"] == "v1"


def test_a_failed_stage_can_be_retried(world: World) -> None:
    _switch(world, "flaky")
    world.project("steady", "true")
    execution = world.create("retries", stage("Build", build("flaky"), build("steady")))
    assert world.service.wait(execution).status == "Failed"
    (world.folder / "broken").unlink()
    retry = {"pipelineName": "retries", "stageName": "Build", "pipelineExecutionId": execution}

    answer = world.pipelines.retry_stage_execution(**retry, retryMode="FAILED_ACTIONS")

    assert answer["pipelineExecutionId"] == execution
    assert world.service.wait(execution).status == "Succeeded"
    names = [run.action.name for run in world.service.execution(execution).history]
    assert (names.count("flaky"), names.count("steady")) == (2, 1)
    assert world.stage_state("retries", "Build")["retryStageMetadata"]["manualStageRetryAttempt"] == 1
    with pytest.raises(world.pipelines.exceptions.StageNotRetryableException):
        world.pipelines.retry_stage_execution(**retry, retryMode="ALL_ACTIONS")


def test_a_stage_retries_itself_once(world: World) -> None:
    _switch(world, "again")
    failure = {"result": "RETRY", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}}
    execution = world.create("automatic", stage("Build", build("again"), onFailure=failure))

    assert world.service.wait(execution).status == "Failed"
    assert [run.action.name for run in world.service.execution(execution).history].count("again") == 2


def test_a_later_run_of_the_stage_makes_a_retry_outdated(world: World) -> None:
    _switch(world, "older")
    execution = world.create("outdated", stage("Build", build("older")))
    world.service.wait(execution)
    world.run("outdated")

    with pytest.raises(world.pipelines.exceptions.NotLatestPipelineExecutionException):
        world.pipelines.retry_stage_execution(
            pipelineName="outdated", stageName="Build", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
        )


def test_a_failed_stage_rolls_back_by_itself_with_the_variables_of_the_good_execution(world: World) -> None:
    log = world.folder / "deployed"
    world.project("deploys", f"cat file.txt >> {log}", f"test ! -e {world.folder}/broken")
    good = world.create("rolls", stage("Prod", build("deploys"), onFailure={"result": "ROLLBACK"}))
    assert world.service.wait(good).status == "Succeeded"
    first_commit = world.service.execution(good).outputs["Source"]["CommitId"]
    (world.folder / "broken").write_text("")
    world.commit("second")
    world.service.wait_until(lambda: len(world.executions("rolls")) == 3)

    bad, rollback = world.executions("rolls")[1:]

    world.service.wait(rollback.id)
    found = world.pipelines.get_pipeline_execution(pipelineName="rolls", pipelineExecutionId=rollback.id)
    details = found["pipelineExecution"]
    assert details["executionType"] == "ROLLBACK"
    assert details["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good
    assert details["trigger"] == {"triggerType": "AutomatedRollback", "triggerDetail": bad.id}
    assert rollback.outputs["Source"]["CommitId"] == first_commit
    assert log.read_text().split() == ["1", "2", "1"]
    # A rollback that fails does not roll back again.
    assert (rollback.status, len(world.executions("rolls"))) == ("Failed", 3)


def test_a_stage_is_rolled_back_by_hand_and_only_to_the_same_structure_version(world: World) -> None:
    world.project("good", "true")
    first = world.create("manual", stage("Prod", build("good")))
    world.service.wait(first)
    world.service.wait(_started(world, "manual"))
    back = {"pipelineName": "manual", "stageName": "Prod", "targetPipelineExecutionId": first}

    rolled = world.pipelines.rollback_stage(**back)["pipelineExecutionId"]

    assert world.service.wait(rolled).status == "Succeeded"
    with pytest.raises(world.pipelines.exceptions.UnableToRollbackStageException):
        world.pipelines.rollback_stage(**{**back, "targetPipelineExecutionId": rolled})
    with pytest.raises(world.pipelines.exceptions.UnableToRollbackStageException):
        world.pipelines.rollback_stage(**{**back, "stageName": "Source"})
    world.pipelines.update_pipeline(pipeline=world.declaration("manual", stage("Prod", build("good"))))
    with pytest.raises(world.pipelines.exceptions.PipelineExecutionOutdatedException):
        world.pipelines.rollback_stage(**back)


def _updated_while_running(world: World, policy: str) -> str:
    world.service.update_policy = policy  # type: ignore[assignment]
    flag = world.folder / "go"
    world.project("works", f"for i in $(seq 200); do test -e {flag} && exit 0; sleep 0.02; done; exit 1")
    stages = stage("Build", build("works")), stage("End", approval("End"))
    execution = world.create("updated", *stages)
    world.service.wait_for_action(execution, "works")
    world.pipelines.update_pipeline(pipeline=world.declaration("updated", stages[0], stage("New", approval("New"))))
    return execution


def test_an_update_cancels_what_runs(world: World) -> None:
    execution = _updated_while_running(world, "cancel")

    assert world.service.execution(execution).status == "Cancelled"
    assert world.stage_state("updated", "Build")["latestExecution"]["status"] == "Cancelled"
    assert world.pipelines.get_pipeline(name="updated")["pipeline"]["version"] == 2


def test_an_update_can_let_actions_finish_first(world: World) -> None:
    execution = _updated_while_running(world, "finish")
    assert world.service.execution(execution).running

    (world.folder / "go").write_text("")

    assert world.service.wait(execution).status == "Cancelled"
    assert world.actions("updated", execution)["works"]["status"] == "Succeeded"


def test_an_update_can_let_executions_go_on_as_they_were_started(world: World) -> None:
    execution = _updated_while_running(world, "let-go-on")
    (world.folder / "go").write_text("")

    world.service.wait_for_action(execution, "End")


def test_a_resource_with_restart_on_update_runs_the_pipeline_again_with_the_newest_commit(world: World) -> None:
    world.create("restarts", stage("Approve", approval()))
    declared = world.declaration("restarts", stage("Approve", approval(), approval("More")))
    world.pipelines.update_pipeline(pipeline=declared)

    assert restart_on_update(world.pipelines, "restarts", restart=False) is None
    execution = restart_on_update(world.pipelines, "restarts", restart=True)

    assert execution is not None
    world.service.wait_for_action(execution, "More")


def test_a_deleted_pipeline_is_gone_with_its_executions(world: World) -> None:
    execution = world.create("deleted", stage("Approve", approval()))
    run = world.service.execution(execution)

    world.pipelines.delete_pipeline(name="deleted")

    assert run.status == "Cancelled"
    with pytest.raises(world.pipelines.exceptions.PipelineNotFoundException):
        world.pipelines.get_pipeline(name="deleted")
    assert world.pipelines.list_pipelines()["pipelines"] == []


def test_tags_are_kept(world: World) -> None:
    declared = world.declaration("tagged", stage("Approve", approval()))
    world.pipelines.create_pipeline(pipeline=declared, tags=[{"key": "app", "value": "one"}])
    arn = world.pipelines.get_pipeline(name="tagged")["metadata"]["pipelineArn"]
    world.pipelines.tag_resource(resourceArn=arn, tags=[{"key": "owner", "value": "me"}])
    world.pipelines.untag_resource(resourceArn=arn, tagKeys=["app"])

    assert world.pipelines.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "owner", "value": "me"}]


def test_a_name_that_is_taken_is_refused(world: World) -> None:
    world.create("taken", stage("Approve", approval()))

    with pytest.raises(ClientError, match="PipelineNameInUseException"):
        world.create("taken", stage("Approve", approval()))


# --- what goes wrong around it, and the way out -----------------------------------------------------------------------


def test_an_approval_that_nobody_answered_is_asked_for_again_by_a_retry(world: World) -> None:
    execution = world.create("late", stage("Approve", approval(timeoutInMinutes=5)))
    assert world.service.wait(execution).status == "Failed"
    world.pipelines.retry_stage_execution(
        pipelineName="late", stageName="Approve", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    world.approve("late", execution)
    assert world.service.wait(execution).status == "Succeeded"


def test_an_artifact_that_is_gone_fails_the_action_and_a_new_execution_makes_it_again(world: World) -> None:
    """The bucket's rules delete artifacts after a while; a stage that waited so long cannot be retried."""
    _switch(world, "old")
    execution = world.create("expired", stage("Build", build("old")))
    assert world.service.wait(execution).status == "Failed"
    (world.folder / "broken").unlink()
    s3 = world.client("s3")
    for kept in s3.list_object_versions(Bucket=world.bucket)["Versions"]:
        s3.delete_object(Bucket=world.bucket, Key=kept["Key"], VersionId=kept["VersionId"])
    world.pipelines.retry_stage_execution(
        pipelineName="expired", stageName="Build", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    assert world.service.wait(execution).status == "Failed"
    error = world.actions("expired", execution)["old"]["output"]["executionResult"]["errorDetails"]
    assert "NoSuchKey" in error["message"] or "does not exist" in error["message"]
    assert world.run("expired").status == "Succeeded"


def test_of_two_commits_at_once_both_are_delivered_in_order(world: World) -> None:
    first = world.create("two", stage("Approve", approval()))
    world.service.wait_for_action(first, "Approve")
    commits = []
    for name in ("one", "two"):
        commits.append(world.commit(name))
        world.service.notify_push()
    world.service.wait_until(lambda: len(world.executions("two")) == 3)
    ids = [e.id for e in world.executions("two")]
    for execution in ids:
        world.approve("two", execution)
    assert [world.service.wait(execution).status for execution in ids] == ["Succeeded"] * 3
    assert [e.outputs["Source"]["CommitId"] for e in world.executions("two")[1:]] == commits
