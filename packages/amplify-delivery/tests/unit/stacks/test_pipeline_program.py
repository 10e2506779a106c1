"""The program of a pipeline, as Pulumi runs it: `__main__.py` over the stack files of 1 to 90 environments."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pulumi
import pytest

from amplify_delivery.components import first_notification
from amplify_delivery.testing import record
from unit.components.recorder import Recording
from unit.stacks.projects import APP, AWAY, HOME, TOOLING, make, name_of, run, write

PIPELINE, ROLE, BUILD = "aws-native:codepipeline:Pipeline", "aws:iam/role:Role", "aws:codebuild/project:Project"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
BUCKET, KEY, POLICY = "aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:iam/policy:Policy"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
COMPONENT = "amplify-delivery:index:DeliveryPipeline"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def recording(directory: Path) -> Recording:
    return run(directory, "pipeline")


def stages(recording: Recording) -> dict[str, Any]:
    return {stage["name"]: stage for stage in recording.one(PIPELINE).inputs["stages"]}


def keys_of(value: Any) -> set[str]:
    """All keys of a nested value but those of actions' configurations."""
    if isinstance(value, dict):
        inner = set().union(*(keys_of(v) for k, v in value.items() if k != "configuration"))
        return inner | set(value)
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def test_source_build_update_publish_and_three_stages_for_each_of_ours(recording: Recording) -> None:
    assert list(stages(recording)) == [
        "Source",
        "Build",
        "UpdatePipeline",
        "PublishAssets",
        "PreProd-Plan",
        "PreProd",
        "Prod0-Plan",
        "Prod0-Approve",
        "Prod0",
    ]


def test_it_is_queued_and_starts_anew_when_it_was_changed(recording: Recording) -> None:
    inputs = recording.one(PIPELINE).inputs
    assert inputs["pipelineType"] == "V2"
    assert inputs["executionMode"] == "QUEUED"
    assert inputs["restartExecutionOnUpdate"] is True


def test_both_projects_know_their_stack_and_the_update_where_the_tooling_accounts_state_lies(
    recording: Recording,
) -> None:
    told = {
        p.inputs["name"]: {v["name"]: v["value"] for v in p.inputs["environment"].get("environmentVariables", ())}
        for p in recording.all(BUILD)
    }
    backend = f"s3://{APP}-tooling-state-{TOOLING}-{HOME}-an?region={HOME}"
    assert told == {
        f"{APP}-pipeline-build": {"STACK": "pipeline"},
        f"{APP}-pipeline-update": {"STACK": "pipeline", "PULUMI_BACKEND_URL": backend},
    }


def test_its_arguments_are_the_sdks_and_configurations_keep_their_own_names(recording: Recording) -> None:
    inputs = recording.one(PIPELINE).inputs
    assert all(key[:1].islower() for key in keys_of(inputs)), sorted(keys_of(inputs))
    [source] = stages(recording)["Source"]["actions"]
    assert source["configuration"]["FullRepositoryId"] == "example/app"
    assert source["actionTypeId"] == {
        "category": "Source",
        "owner": "AWS",
        "provider": "CodeStarSourceConnection",
        "version": "1",
    }


def test_credentials_that_update_pipeline_has_not_are_told_by_the_first_up(
    tmp_path: Path, recording: Recording
) -> None:
    """It would fail at the first push that changes the pipeline, and not before."""
    role = f"arn:aws:iam::{TOOLING}:role/administrator"
    messages = run(make(tmp_path, profile="tooling", roleArn=role), "pipeline").messages
    told = [text for level, text in messages if level == logging.WARNING]
    assert [text.split(" is for whoever")[0] for text in told] == [
        "Pulumi.pipeline.yaml: `profile`",
        "Pulumi.pipeline.yaml: `roleArn`",
    ]
    assert "`pulumi config rm profile -s pipeline`" in told[0]
    assert not [text for level, text in recording.messages if level == logging.WARNING]


def test_each_region_has_its_own_bucket_and_key(recording: Recording) -> None:
    stores = {s["region"]: s["artifactStore"] for s in recording.one(PIPELINE).inputs["artifactStores"]}
    assert set(stores) == {HOME, AWAY}
    for region, store in stores.items():
        assert store["location"] == f"{APP}-pipeline-artifacts-{TOOLING}-{region}-an"
        assert store["encryptionKey"] == {"type": "KMS", "id": f"arn:aws:::pipeline-{region}"}
        key = recording.one(KEY, f"pipeline-{region}")
        assert key.inputs["enableKeyRotation"] is True
        provider = "aws" if region == HOME else f"aws-{region}"
        assert key.provider.endswith(f"::{provider}::{provider}-id")
        bucket = recording.one(BUCKET, f"pipeline-{region}")
        assert bucket.provider == key.provider
        assert bucket.request.protect
        assert key.request.protect
        alias = recording.one("aws:kms/alias:Alias", f"pipeline-{region}")
        assert alias.inputs["name"] == f"alias/{APP}-pipeline-artifacts"


def test_everything_of_another_region_is_made_by_its_provider(recording: Recording) -> None:
    for resource in recording.resources:
        if resource.type.startswith("aws:") and AWAY in resource.name:
            assert f"::aws-{AWAY}::" in resource.provider, resource.type


def test_taking_an_environment_out_asks_for_nothing_that_the_pipeline_may_not_do_itself(tmp_path: Path) -> None:
    """Of the roles only the list of action roles, of the stores who reads: what a row of the trust table allows
    each."""
    before = run(make(tmp_path, 3), "pipeline")
    after = run(make(tmp_path, 3, stages=[{"name": "PreProd"}, {"name": "Prod1"}]), "pipeline")
    old, new = ({(r.type, r.name): r for r in recording.resources} for recording in (before, after))
    assert old.keys() == new.keys()
    changed = {
        (kind.rpartition(":")[2], name, key)
        for (kind, name), resource in old.items()
        for key in {*resource.inputs, *new[kind, name].inputs}
        if resource.inputs.get(key) != new[kind, name].inputs.get(key)
    }
    assert changed == {
        ("Pipeline", "pipeline", "stages"),
        ("RolePolicy", f"{APP}-pipeline-pipeline", "policy"),
        ("BucketPolicy", f"pipeline-{HOME}", "policy"),
        ("Key", f"pipeline-{HOME}", "policy"),
    }


def test_a_region_without_environments_may_keep_its_store(tmp_path: Path) -> None:
    recording = run(make(tmp_path, 1, artifactRegions=[AWAY]), "pipeline")
    bucket = recording.one(BUCKET, f"pipeline-{AWAY}")
    assert bucket.provider.endswith(f"::aws-{AWAY}::aws-{AWAY}-id")
    assert bucket.request.protect
    pipeline, without = recording.one(PIPELINE), run(make(tmp_path, 1), "pipeline").one(PIPELINE)
    # To CodePipeline it is no store: the definition is the same, and the store can go while the pipeline stays.
    assert pipeline.inputs == without.inputs
    assert not [urn for urn in pipeline.depends_on if AWAY in urn]


def test_one_region_has_one_store(tmp_path: Path) -> None:
    inputs = run(make(tmp_path, 1), "pipeline").one(PIPELINE).inputs
    assert "artifactStores" not in inputs
    assert inputs["artifactStore"]["encryptionKey"]["id"] == f"arn:aws:::pipeline-{HOME}"


def test_its_key_encrypts_what_build_makes(recording: Recording) -> None:
    for project in recording.all(BUILD):
        assert project.inputs["encryptionKey"] == f"arn:aws:::pipeline-{HOME}"


def test_no_project_refuses_a_second_build(recording: Recording) -> None:
    """As a project's limit would; CodePipeline fails the action then."""
    assert [p.inputs["name"] for p in recording.all(BUILD) if "concurrentBuildLimit" in p.inputs] == []


def test_it_waits_for_roles_projects_and_all_of_its_stores(recording: Recording) -> None:
    """It starts by itself. While the engine still waits for something (with the real provider 55 seconds for a
    lifecycle configuration), it holds the lock that the first UpdatePipeline needs."""
    needed = {
        r.urn
        for r in recording.resources
        if r.type in (ROLE, ROLE_POLICY, BUILD, POLICY) or r.type.startswith(("aws:s3/", "aws:kms/"))
    }
    kinds = {urn.split("::")[2].rpartition("$")[2] for urn in needed}
    assert "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration" in kinds
    assert len(kinds) == 13
    assert needed <= recording.one(PIPELINE).depends_on
    for target in recording.all("aws:cloudwatch/eventTarget:EventTarget"):
        assert recording.one(PIPELINE).urn in target.depends_on


def test_the_pipelines_role_and_the_updates_have_boundaries(recording: Recording) -> None:
    roles = {r.inputs["name"]: r for r in recording.all(ROLE)}
    policies = {p.inputs["name"]: p for p in recording.all(POLICY)}
    for role, boundary in ((f"{APP}-pipeline", "pipeline"), (f"{APP}-pipeline-update", "update")):
        name = f"{APP}-pipeline-{boundary}-boundary"
        assert roles[role].inputs["permissionsBoundary"].endswith(f"/{name}")
        assert policies[name].urn in roles[role].depends_on


def test_keys_carry_the_tags_that_updatepipeline_may_make_them_with(recording: Recording) -> None:
    for provider in recording.all("pulumi:providers:aws"):
        tags = json.loads(provider.inputs["defaultTags"])["tags"]
        assert tags == {"amplify-delivery:app": APP, "amplify-delivery:pipeline": f"{APP}/pipeline"}


@pytest.mark.parametrize("stack", ["pipeline", "preprod-account"])
def test_tags_that_policies_hang_on_are_nobody_elses(tmp_path: Path, stack: str) -> None:
    tags = {"amplify-delivery:pipeline": f"{APP}/another"}
    directory = make(tmp_path, tags=tags) if stack == "pipeline" else make(tmp_path)
    if stack != "pipeline":
        write(directory, stack, {"program": "account", "tags": tags})
    with pytest.raises(pulumi.RunError, match="the tag 'amplify-delivery:pipeline' is ours"):
        run(directory, stack)


def test_its_outputs_name_what_others_need_of_it(recording: Recording) -> None:
    assert recording.exports["pipeline"] == f"{APP}-pipeline"
    assert recording.exports["artifactBuckets"] == {
        region: f"{APP}-pipeline-artifacts-{TOOLING}-{region}-an" for region in (HOME, AWAY)
    }
    assert recording.exports["topic"] is None
    assert len(recording.exports["definitionDigest"]) == 64
    assert recording.outputs_of(COMPONENT)["pipeline_arn"] == f"arn:aws:codepipeline:{HOME}:{TOOLING}:{APP}-pipeline"


def test_a_changed_command_of_a_step_changes_nothing_here(directory: Path, tmp_path: Path) -> None:
    """It stands in the source, and the step is called by its name."""
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)

    def made(command: str) -> dict[str, Any]:
        step = {"name": "test", "commands": [command], "envFromOutputs": {"URL": "helloUrl"}}
        make(tmp_path, stages=[{"name": "PreProd", "post": [step]}, {"name": "Prod1"}])
        return {r.urn: r.inputs for r in run(tmp_path, "pipeline").resources}

    assert made("curl -Ssf $URL") == made("wget $URL")


def test_a_changed_command_of_build_changes_nothing_here(directory: Path, tmp_path: Path) -> None:
    """Neither the pipeline nor a project: it counts in the execution that brings it, so a bad one locks nothing."""
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)

    def made(**build: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        make(tmp_path, build=build)
        recording = run(tmp_path, "pipeline")
        # That of the files does change: they are looked at once more.
        exports = {name: value for name, value in recording.exports.items() if name != "sourceDigest"}
        return {r.urn: r.inputs for r in recording.resources}, exports

    some = made(commands=["make test", "exit 1"], env={"CI": "true"})
    assert some == made(commands=["npm run test-everything"], env={"LEVEL": "3"}) == made()
    # What is the project's still is.
    assert some != made(computeType="BUILD_GENERAL1_LARGE")


@pytest.fixture(scope="module")
def with_all(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Everything is asked for that a pipeline's file can ask for."""
    project = tmp_path_factory.mktemp("with-all")
    shutil.copytree(directory, project, dirs_exist_ok=True)
    make(
        project,
        stages=[
            {"name": "PreProd", "pre": [{"name": "migrate", "commands": ["true"]}], "bake": {"time": "15m"}},
            {
                "name": "Prod",
                "environments": ["prod1"],
                "approval": {
                    "comment": "Go?",
                    "timeout": "2h",
                    "reviewUrl": "https://example.com",
                    "skipUnchanged": "true",
                },
                "approvalBeforePlan": {"comment": "Who merged this?"},
                "onFailure": "rollback",
            },
        ],
        triggers=[{"branches": ["main"], "paths": ["amplify-export-*/**"]}],
        schedule="rate(1 day)",
        notifications={"emails": ["team@example.com"]},
        build={
            "commands": ["make test"],
            "env": {"CI": "on"},
            "computeType": "BUILD_GENERAL1_LARGE",
            "privileged": "true",
        },
        engine={"url": "https://example.com/pulumi.tar.gz", "sha256": "0" * 64},
        tags={"team": "app"},
        protect="false",
    )
    return run(project, "pipeline")


def test_steps_and_bake_time_stand_around_plan_and_deploy(with_all: Recording) -> None:
    found = stages(with_all)
    assert [a["name"] for a in found["PreProd-Plan"]["actions"]] == ["migrate-preprod", "Plan-preprod"]
    assert [a["name"] for a in found["PreProd"]["actions"]] == ["Deploy-preprod", "Bake-preprod"]
    assert found["Prod"]["onFailure"] == {"result": "ROLLBACK"}


def test_who_is_asked_and_how_long(with_all: Recording) -> None:
    found = stages(with_all)
    assert [a["name"] for a in found["Prod-Plan"]["actions"]] == ["Approve-Plan", "Plan-prod1"]
    assert found["Prod-Plan"]["actions"][0]["timeoutInMinutes"] == 24 * 60
    [approve] = found["Prod-Approve"]["actions"]
    assert approve["timeoutInMinutes"] == 120
    topic = f"arn:aws:sns:{HOME}:{TOOLING}:{APP}-pipeline-notifications"
    assert approve["configuration"]["NotificationArn"] == topic
    assert approve["configuration"]["ExternalEntityLink"] == "https://example.com"
    assert found["Prod-Approve"]["beforeEntry"]["conditions"][0]["result"] == "SKIP"


def test_where_there_is_a_filter_the_source_looks_for_nothing(with_all: Recording) -> None:
    [trigger] = with_all.one(PIPELINE).inputs["triggers"]
    assert trigger["gitConfiguration"]["push"] == [
        {"branches": {"includes": ["main"]}, "filePaths": {"includes": ["amplify-export-*/**"]}}
    ]
    assert stages(with_all)["Source"]["actions"][0]["configuration"]["DetectChanges"] == "false"


def test_a_schedule_starts_it_with_a_role_of_its_own(with_all: Recording) -> None:
    rule, target = with_all.one(RULE), with_all.one(TARGET)
    assert rule.inputs["scheduleExpression"] == "rate(1 day)"
    assert target.inputs["arn"] == f"arn:aws:codepipeline:{HOME}:{TOOLING}:{APP}-pipeline"
    assert target.inputs["roleArn"].endswith(f"/{APP}-pipeline-trigger")


def test_people_are_told_by_e_mail(with_all: Recording) -> None:
    assert with_all.one("aws:sns/topicSubscription:TopicSubscription").inputs["endpoint"] == "team@example.com"
    notified = with_all.one("aws:codestarnotifications/notificationRule:NotificationRule")
    assert with_all.one(PIPELINE).urn in notified.depends_on


def test_on_what_build_runs_and_with_which_engine(with_all: Recording) -> None:
    build = next(p for p in with_all.all(BUILD) if p.inputs["name"].endswith("-build"))
    assert build.inputs["environment"]["computeType"] == "BUILD_GENERAL1_LARGE"
    assert build.inputs["environment"]["privilegedMode"] is True
    assert "https://example.com/pulumi.tar.gz" in build.inputs["source"]["buildspec"]


def test_nothing_is_protected_where_the_file_says_so(with_all: Recording) -> None:
    assert not any(r.request.protect for r in with_all.resources)


# --- other sources ---------------------------------------------------------------------------------------------------


def with_source(directory: Path, target: Path, source: dict[str, str], **options: Any) -> Recording:
    shutil.copytree(directory, target, dirs_exist_ok=True)
    return run(make(target, source=source), "pipeline", **options)


def test_a_push_to_codecommit_starts_it_by_an_event(directory: Path, tmp_path: Path) -> None:
    recording = with_source(directory, tmp_path, {"type": "codecommit", "repository": "app"})
    pattern = json.loads(recording.one(RULE).inputs["eventPattern"])
    assert pattern["detail"]["referenceName"] == ["main"]


TOKEN = {"aws:secretsmanager/getSecretVersion:getSecretVersion": {"secretString": "ghp_s3cret"}}


@pytest.mark.parametrize("poll", ["true", "false"])
def test_a_token_reaches_nothing_but_the_source_action(directory: Path, tmp_path: Path, poll: str) -> None:
    source = {"type": "github-token", "repository": "example/app", "poll": poll}
    recording = with_source(directory, tmp_path, source, answers=TOKEN)
    pipeline = recording.one(PIPELINE)
    assert stages(recording)["Source"]["actions"][0]["configuration"]["OAuthToken"] == "ghp_s3cret"
    assert "stages" in pipeline.secret
    for resource in recording.resources:
        if resource is not pipeline:
            assert "ghp_s3cret" not in repr(resource.inputs), resource.type
    assert "ghp_s3cret" not in repr(recording.exports)
    webhooks = recording.all("aws-native:codepipeline:Webhook")
    assert len(webhooks) == (1 if poll == "false" else 0)
    for webhook in webhooks:
        assert len(webhook.inputs["authenticationConfiguration"]["secretToken"]) > 40
        assert "authenticationConfiguration" in webhook.secret
        stash = recording.one("pulumi:index:Stash", "pipeline-webhook")
        assert list(stash.request.ignoreChanges) == ["input"]


# --- scale -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 10, 50, 90])
def test_projects_and_actions_per_environment_stay_the_same(tmp_path: Path, number: int) -> None:
    recording = run(make(tmp_path, number), "pipeline")
    assert len(recording.all(BUILD)) == 2
    actions = [a for stage in stages(recording).values() for a in stage["actions"]]
    for environment in map(name_of, range(number)):
        names = sorted(a["name"].partition("-")[0] for a in actions if a["name"].endswith(f"-{environment}"))
        assert names == ["Deploy", "Plan", "Publish", *(["test"] if environment == "preprod" else [])]
    assert len(stages(recording)) <= 50
    # Everything else grows with the regions only.
    assert len(recording.resources) < 60
    policies = [(p.inputs["role"], len(p.inputs["policy"])) for p in recording.all(ROLE_POLICY)]
    for role in recording.all(ROLE):
        sizes = [size for name, size in policies if name == role.inputs["name"]]
        assert sizes
        assert sum(sizes) <= 10_240, role.name
    for policy in recording.all("aws:s3/bucketPolicy:BucketPolicy"):
        assert len(policy.inputs["policy"]) <= 20 * 1024
    for key in recording.all(KEY):
        assert len(key.inputs["policy"]) <= 32 * 1024


def test_too_many_environments_are_told_how_to_split(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="a second pipeline file"):
        run(make(tmp_path, 130), "pipeline")


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stages": [{"name": "Prepord"}]}, "there is no environment 'prepord', did you mean 'preprod'?"),
        ({"stages": [{"name": "Source", "environments": ["preprod"]}]}, "every pipeline has a stage Source"),
        ({"stages": [{"name": "PreProd", "approvals": "true"}]}, "unknown key 'approvals', did you mean 'approval'?"),
        ({"account": "11111111111"}, "12 digits: quote it"),
    ],
)
def test_a_users_mistake_is_one_sentence_before_anything_is_registered(
    directory: Path, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    make(tmp_path, **changes)
    with pytest.raises(pulumi.RunError) as caught:
        run(tmp_path, "pipeline")
    assert says in str(caught.value)


def test_an_environment_that_no_account_has_bootstrapped_is_refused(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "preprod", {"account": "222222222222", "region": HOME})
    with pytest.raises(pulumi.RunError, match="bootstrapped"):
        run(tmp_path, "pipeline")


# -- the account's first notification rule: tried again until its service has a role there

NOT_YET = (
    "ConfigurationException: AWS CodeStar Notifications could not create the AWS CloudWatch Events managed rule in "
    "your AWS account. If this is your first time creating a notification rule, the service-linked role for AWS "
    "CodeStar Notifications might not yet exist."
)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What was waited for, without waiting."""
    found: list[int] = []

    async def sleep(seconds: int) -> None:
        found.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(first_notification, "_sleep", sleep)
    return found


def test_it_is_waited_for_a_while_and_no_longer(pauses: list[int]) -> None:
    recording = record(lambda: first_notification.UntilServiceHasItsRole("main"))
    answers = [recording.run_error_hook("main-first-notification", NOT_YET) for _ in range(60)]
    assert pauses[:8] == [1, 1, 2, 4, 8, 16, 32, 60]
    assert 15 * 60 <= sum(pauses) < first_notification.PATIENCE + 60
    assert answers == [True] * len(pauses) + [False] * (60 - len(pauses))


def test_no_other_refusal_is_tried_again(pauses: list[int]) -> None:
    recording = record(lambda: first_notification.UntilServiceHasItsRole("main"))
    assert not recording.run_error_hook("main-first-notification", "ConfigurationException: There is no resource")
    assert pauses == []
