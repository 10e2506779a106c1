"""The pipeline's definition: stages in order, action roles as action roles, and nothing that varies per commit."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from amplify_delivery.components.documents import limits
from amplify_delivery.components.documents.account.action_role import BUILD_VARIABLES
from amplify_delivery.components.documents.pipeline.definition import pipeline_properties
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef
from amplify_delivery.components.documents.pipeline.notifications import start_rules
from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    GitHubTokenSource,
    S3Source,
    Trigger,
)
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Bake, Stage
from unit.components.documents import world as w

BY_HAND = w.pipeline_model().source.model_copy(update={"detect_changes": False})
"""A connection whose pushes start nothing."""
TOPIC, OTHER_TOPIC = (w.pipeline.arn("sns", name) for name in ("own", "other"))


def prod(**changes: Any) -> Stage:
    """A stage of the one environment prod."""
    return Stage(**{"name": "Prod", "environments": ("prod",), **changes})


@pytest.fixture
def properties() -> dict[str, Any]:
    model = w.pipeline_model()
    limits.check_model(model)
    found = pipeline_properties(model)
    limits.check_definition(found)
    return found


def stage(properties: dict[str, Any], name: str) -> dict[str, Any]:
    return next(s for s in properties["Stages"] if s["Name"] == name)


def orders(found: dict[str, Any]) -> list[tuple[str, int]]:
    return [(action["Name"], action["RunOrder"]) for action in found["Actions"]]


def test_stages_in_order(properties: dict[str, Any]) -> None:
    names = [s["Name"] for s in properties["Stages"]]
    assert names[:4] == ["Source", "Build", "UpdatePipeline", "PublishAssets"]
    assert names[4:] == ["PreProd-Plan", "PreProd", "Prod-Plan", "Prod-Approve", "Prod"]


def test_queued_v2_that_restarts_when_it_changed(properties: dict[str, Any]) -> None:
    assert properties["PipelineType"] == "V2"
    assert properties["ExecutionMode"] == "QUEUED"
    assert properties["RestartExecutionOnUpdate"] is True


def test_only_where_every_push_is_released_it_restarts_with_the_newest_commit() -> None:
    tags, releases = Trigger(tags=("v*",)), Trigger(branches=("release/*",))
    exports = Trigger(branches=("main",), paths=("amplify-export-*/**",))
    for triggers in ((tags,), (tags, releases), (releases,), (exports,), (Trigger(exclude_tags=("x*",)),)):
        found = pipeline_properties(w.pipeline_model(triggers=triggers))
        assert found["RestartExecutionOnUpdate"] is False, triggers
    for source in (
        GitHubTokenSource(type="github-token", repository="owner/repository"),
        CodeCommitSource(type="codecommit", repository="repository"),
        S3Source(type="s3", bucket="bucket", key="source.zip"),
    ):
        found = pipeline_properties(w.pipeline_model(source=source))
        assert found["RestartExecutionOnUpdate"] is True, source
    by_hand = pipeline_properties(w.pipeline_model(source=BY_HAND))
    assert by_hand["RestartExecutionOnUpdate"] is False
    assert by_hand["Stages"][0]["Actions"][0]["Configuration"]["DetectChanges"] == "false"


def test_steps_run_after_the_deployment_and_bake_last(properties: dict[str, Any]) -> None:
    assert orders(stage(properties, "PreProd")) == [("Deploy-preprod", 1), ("smoke-preprod", 2)]
    expected = [("Deploy-prod", 1), ("Bake-prod", 2), ("Deploy-canary", 1), ("Bake-canary", 2)]
    assert orders(stage(properties, "Prod")) == expected


def test_a_step_runs_after_those_that_it_names() -> None:
    seed, smoke, load = w.step("seed"), w.step("smoke"), w.step("load")
    after = smoke.model_copy(update={"after": ("seed",)})
    last = load.model_copy(update={"after": ("smoke", "seed")})
    properties = pipeline_properties(w.pipeline_model(stages=(prod(pre=(after, seed)),)))
    expected = [("seed-prod", 1), ("smoke-prod", 2), ("Plan-prod", 3)]
    assert [found for found in orders(stage(properties, "Prod-Plan")) if found[0].endswith("-prod")] == expected
    properties = pipeline_properties(w.pipeline_model(stages=(prod(post=(last, after, seed), bake=Bake(time=5)),)))
    expected = [("Deploy-prod", 1), ("seed-prod", 2), ("smoke-prod", 3), ("load-prod", 4), ("Bake-prod", 5)]
    assert [found for found in orders(stage(properties, "Prod")) if found[0].endswith("-prod")] == expected


def test_pre_steps_run_before_the_plan() -> None:
    model = w.pipeline_model(stages=(prod(pre=(w.step("freeze"),)),))
    assert orders(stage(pipeline_properties(model), "Prod-Plan")) == [("freeze-prod", 1), ("Plan-prod", 2)]


def test_somebody_may_be_asked_before_anything_of_the_artifact_runs_for_a_stage() -> None:
    gated = prod(pre=(w.step("freeze"),), approval_before_plan=Approval(comment="Who merged this?"))
    model = w.pipeline_model(stages=(gated,))
    limits.check_model(model)
    found = stage(pipeline_properties(model), "Prod-Plan")
    assert orders(found) == [("Approve-Plan", 1), ("freeze-prod", 2), ("Plan-prod", 3)]
    gate = found["Actions"][0]
    assert gate["ActionTypeId"]["Category"] == "Approval"
    assert gate["Configuration"]["CustomData"] == "Who merged this? Commit: #{source.CommitId}"


def test_only_the_deploying_stage_rolls_back(properties: dict[str, Any]) -> None:
    with_failure = [s["Name"] for s in properties["Stages"] if "OnFailure" in s]
    assert with_failure == ["Prod"]
    assert stage(properties, "Prod")["OnFailure"] == {"Result": "ROLLBACK"}


def test_a_retry_is_of_the_failed_actions() -> None:
    model = w.pipeline_model(stages=(prod(on_failure="retry"),))
    expected = {"Result": "RETRY", "RetryConfiguration": {"RetryMode": "FAILED_ACTIONS"}}
    assert stage(pipeline_properties(model), "Prod")["OnFailure"] == expected


def test_an_approval_asks_whatever_the_program_counts(properties: dict[str, Any]) -> None:
    """What is to be approved makes the number: it does not decide whether anybody is asked."""
    one = w.pipeline_model(stages=(prod(approval=Approval(comment="Go?")),))
    for declared in (properties, pipeline_properties(one)):
        assert "BeforeEntry" not in stage(declared, "Prod-Approve")


def test_a_stage_of_several_environments_cannot_skip(properties: dict[str, Any]) -> None:
    """No rule checks two variables, and what AWS makes of two in one text, or of a line break in it, is not said."""
    assert len([a for a in stage(properties, "Prod-Plan")["Actions"] if a["Name"].startswith("Plan-")]) == 2
    with pytest.raises(ValidationError, match="the approval of several environments cannot be skipped"):
        prod(environments=("prod", "canary"), approval=Approval(skip_unchanged=True))


def test_an_approval_that_may_be_skipped_compares_the_environments_count() -> None:
    model = w.pipeline_model(stages=(prod(approval=Approval(comment="Go?", skip_unchanged=True)),))
    found = stage(pipeline_properties(model), "Prod-Approve")
    (condition,) = found["BeforeEntry"]["Conditions"]
    assert condition["Result"] == "SKIP"
    (declared,) = condition["Rules"]
    assert declared["RuleTypeId"]["Provider"] == "VariableCheck"
    rule = declared["Configuration"]
    assert rule == {"Variable": "#{plan-prod.CHANGES}", "Value": "0", "Operator": "NE"}
    action = found["Actions"][0]
    assert action["TimeoutInMinutes"] == 24 * 60
    assert "#{plan-prod.PLAN_DIGEST}" in action["Configuration"]["CustomData"]
    assert "RoleArn" not in action


def test_what_runs_in_a_target_has_its_action_role(properties: dict[str, Any]) -> None:
    action_roles = {names.environment: names for names in w.ENVIRONMENTS}
    for found in properties["Stages"][3:]:
        for action in found["Actions"]:
            if action["ActionTypeId"]["Provider"] == "Manual":
                continue
            names = action_roles[action["Name"].rsplit("-", 1)[1]]
            assert action["RoleArn"] == names.action_role_arn
            assert action.get("Region", w.HOME) == names.region
            assert "OutputArtifacts" not in action
            variables = json.loads(action["Configuration"]["EnvironmentVariables"])
            assert {v["name"] for v in variables} <= set(BUILD_VARIABLES)
            assert {"name": "ARTIFACT_DIGEST", "value": "#{build.ARTIFACT_DIGEST}", "type": "PLAINTEXT"} in variables


def test_a_deployment_is_bound_to_its_own_plan(properties: dict[str, Any]) -> None:
    for name in ("prod", "canary"):
        action = next(a for a in stage(properties, "Prod")["Actions"] if a["Name"] == f"Deploy-{name}")
        assert f"#{{plan-{name}.PLAN_DIGEST}}" in action["Configuration"]["EnvironmentVariables"]
    namespaces = [a.get("Namespace") for s in properties["Stages"] for a in s["Actions"] if a.get("Namespace")]
    assert sorted(namespaces) == ["build", "plan-canary", "plan-preprod", "plan-prod", "source"]


def test_actions_per_environment_are_constant() -> None:
    counts = []
    for number in (1, 2, 10):
        names = tuple(f"env{n:02d}" for n in range(number))
        places = tuple(EnvironmentRef(name, w.PROD, w.HOME) for name in names)
        found = pipeline_properties(w.pipeline_model(stages=(Stage(name="All", environments=names),), places=places))
        counts.append(sum(len(s["Actions"]) for s in found["Stages"]))
    assert counts == [3 + 3 * 1, 3 + 3 * 2, 3 + 3 * 10]


def test_artifact_stores_by_region(properties: dict[str, Any]) -> None:
    stores = properties["ArtifactStores"]
    assert [store["Region"] for store in stores] == [w.AWAY, w.HOME]
    assert all(store["ArtifactStore"]["EncryptionKey"]["Id"].startswith("arn:aws:kms:") for store in stores)


def test_more_than_fifty_environments_publish_in_two_stages() -> None:
    names = [f"env{n:02d}" for n in range(60)]
    stages = tuple(Stage(name=f"Wave{n}", environments=tuple(names[n * 10 : n * 10 + 10])) for n in range(6))
    places = tuple(EnvironmentRef(name, w.PROD, w.HOME) for name in names)
    found = pipeline_properties(w.pipeline_model(stages=stages, places=places))
    assert [len(s["Actions"]) for s in found["Stages"] if s["Name"].startswith("PublishAssets")] == [50, 10]
    limits.check_definition(found)


@pytest.mark.parametrize(
    ("source", "provider", "role"),
    [
        (GitHubTokenSource(type="github-token", repository="owner/repository"), "GitHub", None),
        (CodeCommitSource(type="codecommit", repository="repository"), "CodeCommit", "source"),
        (S3Source(type="s3", bucket="bucket", key="source.zip"), "S3", "source"),
    ],
)
def test_other_sources(source: Any, provider: str, role: str | None) -> None:
    action = pipeline_properties(w.pipeline_model(source=source))["Stages"][0]["Actions"][0]
    assert action["ActionTypeId"]["Provider"] == provider
    assert action.get("RoleArn") == (w.pipeline.role_arn(role) if role else None)


def test_the_action_of_github_takes_the_repository_apart_and_holds_the_token() -> None:
    source = GitHubTokenSource(type="github-token", repository="owner/name", branch="trunk", poll=False)
    action = pipeline_properties(w.pipeline_model(source=source, token="it"))["Stages"][0]["Actions"][0]
    assert action["Configuration"] == {
        "Branch": "trunk",
        "OAuthToken": "it",
        "Owner": "owner",
        "PollForSourceChanges": "false",
        "Repo": "name",
    }


@pytest.mark.parametrize(
    ("source", "configuration"),
    [
        (
            CodeCommitSource(type="codecommit", repository="repository", branch="trunk"),
            {
                "BranchName": "trunk",
                "OutputArtifactFormat": "CODE_ZIP",
                "PollForSourceChanges": "false",
                "RepositoryName": "repository",
            },
        ),
        *(
            (
                S3Source(type="s3", bucket="bucket", key="source.zip", poll=poll),
                {"PollForSourceChanges": str(poll).lower(), "S3Bucket": "bucket", "S3ObjectKey": "source.zip"},
            )
            for poll in (False, True)
        ),
    ],
)
def test_a_source_with_events_is_not_asked_for_changes_as_well(source: Any, configuration: dict[str, str]) -> None:
    """Each push would start the pipeline twice."""
    action = pipeline_properties(w.pipeline_model(source=source))["Stages"][0]["Actions"][0]
    assert action["Configuration"] == configuration


@pytest.mark.parametrize(
    ("source", "commit"),
    [
        (CodeCommitSource(type="codecommit", repository="repository"), "#{source.CommitId}"),
        (S3Source(type="s3", bucket="bucket", key="source.zip"), "#{source.VersionId}"),
    ],
)
def test_every_source_names_its_commit_by_the_variable_that_it_has(source: Any, commit: str) -> None:
    """CodePipeline refuses a variable that an action does not have ("Variables available for pipeline actions")."""
    (action,) = stage(pipeline_properties(w.pipeline_model(source=source)), "UpdatePipeline")["Actions"]
    given = {v["name"]: v["value"] for v in json.loads(action["Configuration"]["EnvironmentVariables"])}
    assert given["COMMIT_ID"] == commit


def started_by(source: Any) -> list[Any]:
    """The patterns of the events that start a pipeline with that source."""
    return [json.loads(r["event_pattern"]) for r in start_rules(w.pipeline_model(source=source)).values()]


def test_what_starts_it_is_a_push_to_its_own_branch_and_an_upload_of_its_own_key() -> None:
    """Not another repository's or branch's, nor a tag of the branch's name; and none beside CodePipeline's asking."""
    codecommit = CodeCommitSource(type="codecommit", repository="repository", branch="trunk")
    assert started_by(codecommit) == [
        {
            "source": ["aws.codecommit"],
            "detail-type": ["CodeCommit Repository State Change"],
            "resources": [w.pipeline.arn("codecommit", "repository")],
            "detail": {
                "event": ["referenceCreated", "referenceUpdated"],
                "referenceType": ["branch"],
                "referenceName": ["trunk"],
            },
        }
    ]
    s3 = S3Source(type="s3", bucket="bucket", key="source.zip")
    assert started_by(s3) == [
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": ["bucket"]}, "object": {"key": ["source.zip"]}},
        }
    ]
    assert started_by(s3.model_copy(update={"poll": True})) == []
    assert started_by(BY_HAND) == []


@pytest.mark.parametrize(("triggers", "detect"), [((), "true"), ((Trigger(tags=("v*",)),), "false")])
def test_where_there_is_a_filter_a_push_alone_starts_nothing(triggers: tuple[Trigger, ...], detect: str) -> None:
    action = pipeline_properties(w.pipeline_model(triggers=triggers))["Stages"][0]["Actions"][0]
    assert action["Configuration"]["DetectChanges"] == detect


def test_an_approval_that_names_no_topic_is_told_to_the_pipelines_own() -> None:
    one = prod(approval=Approval(), approval_before_plan=Approval(notification=OTHER_TOPIC))
    found = pipeline_properties(w.pipeline_model(stages=(one,), topic_arn=TOPIC))
    before, asked = (
        next(a for a in stage(found, name)["Actions"] if a["ActionTypeId"]["Provider"] == "Manual")
        for name in ("Prod-Plan", "Prod-Approve")
    )
    assert asked["Configuration"]["NotificationArn"] == TOPIC
    assert before["Configuration"]["NotificationArn"] == OTHER_TOPIC


def test_triggers_become_push_filters() -> None:
    triggers = (
        Trigger(branches=("main", "hotfix/*"), exclude_branches=("wip/*",), paths=("backend/**",)),
        Trigger(branches=("main",), exclude_paths=("docs/**",)),
        Trigger(tags=("v*",), exclude_tags=("v0*",)),
    )
    (found,) = pipeline_properties(w.pipeline_model(triggers=triggers))["Triggers"]
    assert found["GitConfiguration"]["Push"] == [
        {
            "Branches": {"Includes": ["hotfix/*", "main"], "Excludes": ["wip/*"]},
            "FilePaths": {"Includes": ["backend/**"]},
        },
        {"Branches": {"Includes": ["main"]}, "FilePaths": {"Excludes": ["docs/**"]}},
        {"Tags": {"Includes": ["v*"], "Excludes": ["v0*"]}},
    ]
    assert "PullRequest" not in found["GitConfiguration"]
