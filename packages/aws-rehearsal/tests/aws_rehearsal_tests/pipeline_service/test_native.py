"""`aws-native:codepipeline:Pipeline` with the real engine: made, updated, drifted and deleted through the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pipeline_service.world import REGION, World, deny
from aws_rehearsal_tests.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine

PROGRAM = """
    world = json.loads(os.environ["WORLD"])
    more = json.loads(os.environ.get("MORE", "{}"))
    approval = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
    pipeline = native.codepipeline.Pipeline(
        "pipeline",
        **{
            "name": "app",
            "role_arn": world["role"],
            "pipeline_type": "V2",
            "execution_mode": "QUEUED",
            "restart_execution_on_update": True,
            "artifact_store": {
                "type": "S3", "location": world["bucket"], "encryptionKey": {"type": "KMS", "id": world["key"]},
            },
            "stages": [
                {"name": "Source", "actions": [world["source"]]},
                {
                    "name": "Approve",
                    "actions": [{"name": "Approve", "actionTypeId": approval}],
                    "onFailure": {"result": "ROLLBACK"},
                },
                *more.pop("more_stages", []),
            ],
            "tags": [{"key": "team", "value": "app"}],
            **more,
        },
    )
    pulumi.export("id", pipeline.id)
    pulumi.export("version", pipeline.version)
    pulumi.export("arn", pipeline.arn)
"""
STAGE: dict[str, Any] = {
    "name": "Second",
    "actions": [
        {
            "name": "Again",
            "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
            "configuration": {"CustomData": "Sure?"},
            "timeoutInMinutes": 1000,
        }
    ],
}


@pytest.fixture
def project(pulumi_home: dict[str, str], service: PipelineService, world: World, tmp_path: Path) -> PulumiProject:
    """A project whose program declares a pipeline in the world's tooling account."""
    folder = tmp_path / "project"
    folder.mkdir()
    account = LocalAccount(service.aws, world.tooling, world.admin, REGION)
    facts = {
        "role": world.pipeline_role,
        "bucket": world.bucket,
        "key": world.key,
        "source": world.source(),
        "full_id": world.full_id,
    }
    made = PulumiProject.make(folder, {**pulumi_home, "WORLD": json.dumps(facts)}, account)
    made.init().program(PROGRAM)
    return made


def more(**arguments: Any) -> str:
    return json.dumps(arguments)


def triggers(world: World) -> list[str]:
    return [execution.trigger[0] for execution in world.executions("app")]


def test_life_of_a_pipeline(project: PulumiProject, world: World) -> None:
    """One test, because each step begins where the one before has left the pipeline."""
    a_preview_makes_nothing(project, world)
    it_is_made_and_starts_once_by_itself(project, world)
    a_preview_changes_nothing(project, world)
    an_update_is_in_place_and_restarts_only_where_it_shall(project, world)
    what_was_changed_by_hand_is_seen_and_undone(project, world)
    gone_it_is_made_again_and_a_destroy_takes_it(project, world)


def a_preview_makes_nothing(project: PulumiProject, world: World) -> None:
    project.succeed("preview")
    assert world.pipelines.list_pipelines()["pipelines"] == []


def it_is_made_and_starts_once_by_itself(project: PulumiProject, world: World) -> None:
    project.up()
    outputs = project.outputs()
    arn = f"arn:aws:codepipeline:{REGION}:{world.tooling}:app"
    assert outputs == {"id": "app", "version": "1", "arn": arn}
    assert triggers(world) == ["CreatePipeline"]
    found = world.pipelines.get_pipeline(name="app")["pipeline"]
    assert found["artifactStore"]["encryptionKey"] == {"id": world.key, "type": "KMS"}
    assert found["stages"][1]["onFailure"] == {"result": "ROLLBACK"}
    assert world.pipelines.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "app"}]

    again = project.up("--refresh")
    assert "2 unchanged" in again
    assert triggers(world) == ["CreatePipeline"]


def a_preview_changes_nothing(project: PulumiProject, world: World) -> None:
    said = project.succeed("preview", MORE=more(more_stages=[STAGE]))
    assert "~ 1 to update" in said
    assert triggers(world) == ["CreatePipeline"]
    assert "+-1 to replace" in project.succeed("preview", MORE=more(name="other"))


def an_update_is_in_place_and_restarts_only_where_it_shall(project: PulumiProject, world: World) -> None:
    said = project.up(
        MORE=more(more_stages=[STAGE], disable_inbound_stage_transitions=[{"stageName": "Second", "reason": "not yet"}])
    )
    assert "~ 1 updated" in said
    outputs = project.outputs()
    assert outputs["version"] == "2"
    assert triggers(world) == ["CreatePipeline", "StartPipelineExecution"]
    assert world.executions("app")[1].trigger[1].endswith(":user/admin")
    state = world.stage_state("app", "Second")["inboundTransitionState"]
    assert (state["enabled"], state["disabledReason"]) == (False, "not yet")

    said = project.up("--refresh", MORE=more(tags=[{"key": "next", "value": "y"}], restart_execution_on_update=False))
    assert "~ 1 updated" in said
    assert triggers(world) == ["CreatePipeline", "StartPipelineExecution"]
    assert world.pipelines.list_tags_for_resource(resourceArn=outputs["arn"])["tags"] == [{"key": "next", "value": "y"}]
    assert [s["name"] for s in world.pipelines.get_pipeline(name="app")["pipeline"]["stages"]] == ["Source", "Approve"]


def what_was_changed_by_hand_is_seen_and_undone(project: PulumiProject, world: World) -> None:
    declared = more(tags=[{"key": "next", "value": "y"}], restart_execution_on_update=False)
    found = world.pipelines.get_pipeline(name="app")["pipeline"]
    found["stages"][1]["actions"][0]["name"] = "Anybody"
    found["executionMode"] = "SUPERSEDED"
    world.pipelines.update_pipeline(pipeline=found)
    world.pipelines.disable_stage_transition(
        pipelineName="app", stageName="Approve", transitionType="Inbound", reason="by hand"
    )
    kept = project.succeed("preview", "--refresh", "--diff", MORE=declared)
    assert "Anybody" in kept
    assert "SUPERSEDED" in kept
    assert "by hand" in kept

    said = project.up("--refresh", MORE=declared)
    assert "~ 1 updated" in said
    now = world.pipelines.get_pipeline(name="app")["pipeline"]
    assert now["stages"][1]["actions"][0]["name"] == "Approve"
    assert now["executionMode"] == "QUEUED"
    assert world.stage_state("app", "Approve")["inboundTransitionState"]["enabled"]
    assert "2 unchanged" in project.up("--refresh", MORE=declared)


def gone_it_is_made_again_and_a_destroy_takes_it(project: PulumiProject, world: World) -> None:
    world.pipelines.delete_pipeline(name="app")
    assert "+ 1 created" in project.up("--refresh")
    project.succeed("destroy", "--yes", "--skip-preview")
    assert world.pipelines.list_pipelines()["pipelines"] == []


def test_a_token_stays_secret_and_its_mask_is_never_written(project: PulumiProject, world: World) -> None:
    token = f"ghp_{world.tooling}"
    project.program(
        PROGRAM.replace(
            '{"name": "Source", "actions": [world["source"]]}',
            '{"name": "Source", "actions": [{"name": "App", "actionTypeId": {"category": "Source", "owner": '
            '"ThirdParty", "provider": "GitHub", "version": "1"}, "outputArtifacts": [{"name": "Sources"}], '
            '"configuration": {"Owner": "me", "Repo": "app", "Branch": "main", '
            f'"OAuthToken": pulumi.Output.secret({token!r})}}}}]}}',
        )
    )
    project.up()
    assert token not in project.state()
    assert "2 unchanged" in project.up("--refresh")
    found = world.pipelines.get_pipeline(name="app")["pipeline"]
    assert found["stages"][0]["actions"][0]["configuration"]["OAuthToken"] == "****"
    found["stages"][1]["actions"][0]["name"] = "Anybody"
    world.pipelines.update_pipeline(pipeline=found)
    project.up("--refresh")
    assert token not in project.state()
    kept = world.service.engine.pipelines[world.tooling, REGION, "app"].definition
    assert kept.stages[0].actions[0].configuration["OAuthToken"] == token
    assert kept.stages[1].actions[0].name == "Approve"


def test_a_taken_name_is_refused(project: PulumiProject, world: World) -> None:
    stage = {"name": "Approve", "actions": [{**STAGE["actions"][0], "name": "Approve"}]}
    world.create("app", stage)
    said = project.fail()
    assert 'creating resource: operation CREATE failed with "AlreadyExists": A pipeline with the name' in said
    assert "pipeline" not in project.resources()


def test_a_structure_aws_refuses_names_the_reason(project: PulumiProject, world: World) -> None:
    taken = {**STAGE, "name": "Approve"}
    said = project.fail(MORE=more(more_stages=[taken]))
    assert 'operation CREATE failed with "InvalidRequest": Stage name Approve is not unique in the pipeline' in said
    assert world.pipelines.list_pipelines()["pipelines"] == []


def test_whoever_may_not_pass_the_role_makes_no_pipeline(project: PulumiProject, world: World) -> None:
    nobody = world.user("nobody", [{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny("iam:PassRole")])
    said = project.fail(AWS_ACCESS_KEY_ID=nobody.access_key_id, AWS_SECRET_ACCESS_KEY=nobody.secret_access_key)
    assert 'operation CREATE failed with "AccessDenied"' in said
    assert "iam:PassRole" in said


def test_a_half_made_pipeline_is_kept_and_finished(project: PulumiProject, world: World) -> None:
    closed = more(disable_inbound_stage_transitions=[{"stageName": "Approve", "reason": "not yet"}])
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny("codepipeline:DisableStageTransition")]
    weak = world.user("weak", statements)
    project.fail(AWS_ACCESS_KEY_ID=weak.access_key_id, AWS_SECRET_ACCESS_KEY=weak.secret_access_key, MORE=closed)
    assert project.resources()["pipeline"]["initErrors"]
    project.up(MORE=closed)
    assert not world.stage_state("app", "Approve")["inboundTransitionState"]["enabled"]
    assert "2 unchanged" in project.up("--refresh", MORE=closed)


def test_a_pipeline_made_elsewhere_is_imported_by_its_name(project: PulumiProject, world: World) -> None:
    project.up()
    project.succeed("state", "delete", "urn:pulumi:dev::small::aws-native:codepipeline:Pipeline::pipeline", "--yes")
    options = "opts=pulumi.ResourceOptions(import_='app'),"
    project.program(PROGRAM.replace("**more,\n        },\n", f"**more,\n        }},\n        {options}\n"))
    # What AWS fills in (RunOrder) and what nobody can read (RestartExecutionOnUpdate) differ from the program.
    assert "= 1 imported" in project.up()
    assert "2 unchanged" in project.up("--refresh")
    assert len(world.pipelines.list_pipelines()["pipelines"]) == 1


HOOK = """
    world = json.loads(os.environ["WORLD"])
    approval = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
    github = {"category": "Source", "owner": "ThirdParty", "provider": "GitHub", "version": "1"}
    owner, repository = world["full_id"].split("/")
    pipeline = native.codepipeline.Pipeline(
        "pipeline", name="app", role_arn=world["role"], artifact_store={"type": "S3", "location": world["bucket"]},
        stages=[
            {"name": "Source", "actions": [{
                "name": "App", "actionTypeId": github, "outputArtifacts": [{"name": "Sources"}],
                "configuration": {
                    "Owner": owner, "Repo": repository, "Branch": "main", "OAuthToken": "ghp_x",
                    "PollForSourceChanges": "false",
                },
            }]},
            {"name": "Approve", "actions": [{"name": "Approve", "actionTypeId": approval}]},
        ],
    )
    hook = native.codepipeline.Webhook(
        "hook", name="app-source", target_pipeline=pipeline.name, target_action="App", target_pipeline_version=1,
        authentication="GITHUB_HMAC", register_with_third_party=os.environ.get("REGISTER", "yes") == "yes",
        authentication_configuration={"secretToken": pulumi.Output.secret(f"hook-secret-{ACCOUNT}")},
        filters=[{"jsonPath": "$.ref", "matchEquals": os.environ.get("EQUALS", "refs/heads/{Branch}")}],
    )
    pulumi.export("id", hook.id)
    pulumi.export("url", hook.url)
"""


def test_a_webhook_starts_the_pipeline_for_as_long_as_it_is_registered(project: PulumiProject, world: World) -> None:
    world.service.repository(None, world.full_id, world.repository)
    project.program(HOOK)
    project.up()
    arn = f"arn:aws:codepipeline:{REGION}:{world.tooling}:webhook:app-source"
    assert project.outputs()["id"] == arn
    assert project.outputs()["url"].startswith("https://")
    assert f"hook-secret-{world.tooling}" not in project.state()
    assert "3 unchanged" in project.up("--refresh")

    world.commit("pushed")
    world.service.wait_until(lambda: len(world.executions("app")) == 2)
    assert world.executions("app")[1].trigger == ("Webhook", arn)

    hook = world.pipelines.list_webhooks()["webhooks"][0]["definition"]
    secret = {"SecretToken": "theirs"}
    world.pipelines.put_webhook(webhook={**hook, "targetAction": "Other", "authenticationConfiguration": secret})
    assert "~ 1 updated" in project.up("--refresh")
    assert world.pipelines.list_webhooks()["webhooks"][0]["definition"]["targetAction"] == "App"

    project.up(EQUALS="refs/heads/other")
    world.commit("not for this filter")
    assert world.service.notify_push() == []
    project.up(REGISTER="no")
    world.commit("nobody calls")
    assert world.service.notify_push() == []
    assert len(world.executions("app")) == 2

    project.succeed("destroy", "--yes", "--skip-preview")
    assert world.pipelines.list_webhooks()["webhooks"] == []
