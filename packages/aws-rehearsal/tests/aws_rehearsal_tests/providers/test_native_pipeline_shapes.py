"""`AWS::CodePipeline::Pipeline` properties into the API's structure and back, and what counts as a difference."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

from aws_rehearsal.pipeline_service.pipelines.views import declaration
from aws_rehearsal.providers.native import pipeline_shapes as shapes

KEY = "arn:aws:kms:eu-central-1:111111111111:key/0a1b"
RULE = {
    "Name": "SomethingChanges",
    "RuleTypeId": {"Category": "Rule", "Owner": "AWS", "Provider": "VariableCheck", "Version": "1"},
    "Configuration": {"Variable": "#{plan-prod.CHANGES}", "Value": "0", "Operator": "NE"},
}
STORE = {"Type": "S3", "Location": "artifacts", "EncryptionKey": {"Type": "KMS", "Id": KEY}}
WHOLE: dict[str, Any] = {
    "Name": "app",
    "RoleArn": "arn:aws:iam::111111111111:role/pipeline",
    "PipelineType": "V2",
    "ExecutionMode": "QUEUED",
    "RestartExecutionOnUpdate": True,
    "ArtifactStores": [
        {"Region": "eu-central-1", "ArtifactStore": STORE},
        {"Region": "us-east-1", "ArtifactStore": {**STORE, "Location": "artifacts-us"}},
    ],
    "Variables": [{"Name": "WHAT", "DefaultValue": "all", "Description": "What to do"}],
    "Triggers": [
        {
            "ProviderType": "CodeStarSourceConnection",
            "GitConfiguration": {
                "SourceActionName": "Source",
                "Push": [
                    {"Branches": {"Includes": ["main"]}, "FilePaths": {"Excludes": ["docs/**"]}},
                    {"Tags": {"Includes": ["v*"]}},
                ],
            },
        }
    ],
    "Stages": [
        {
            "Name": "Source",
            "Actions": [
                {
                    "Name": "Source",
                    "ActionTypeId": {"Category": "Source", "Owner": "ThirdParty", "Provider": "GitHub", "Version": "1"},
                    "Configuration": {"Owner": "me", "Repo": "app", "Branch": "main", "OAuthToken": "ghp_s3cret"},
                    "OutputArtifacts": [{"Name": "Source"}],
                    "Namespace": "Source",
                    "RunOrder": 1,
                }
            ],
        },
        {
            "Name": "Prod",
            "BeforeEntry": {"Conditions": [{"Result": "SKIP", "Rules": [RULE]}]},
            "OnFailure": {"Result": "RETRY", "RetryConfiguration": {"RetryMode": "FAILED_ACTIONS"}},
            "OnSuccess": {"Conditions": [{"Result": "FAIL", "Rules": [RULE]}]},
            "Actions": [
                {
                    "Name": "Deploy",
                    "ActionTypeId": {"Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1"},
                    "Configuration": {"ProjectName": "deploy", "EnvironmentVariables": '[{"name": "A"}]'},
                    "InputArtifacts": [{"Name": "Source"}],
                    "RoleArn": "arn:aws:iam::222222222222:role/action",
                    "Region": "us-east-1",
                    "RunOrder": 2,
                },
                {
                    "Name": "Approve",
                    "ActionTypeId": {"Category": "Approval", "Owner": "AWS", "Provider": "Manual", "Version": "1"},
                    "TimeoutInMinutes": 60,
                    "RunOrder": 1,
                },
            ],
        },
    ],
    "Tags": [{"Key": "team", "Value": "app"}],
    "DisableInboundStageTransitions": [{"StageName": "Prod", "Reason": "frozen"}],
}


def as_answered(properties: dict[str, Any]) -> dict[str, Any]:
    """The properties after a way through the API, which fills in and masks."""
    structure = declaration({**shapes.to_api(properties), "version": 3})
    return shapes.to_properties(structure, shapes.tags_of(properties), shapes.closed_stages(properties))


def stage(properties: dict[str, Any], index: int, **more: Any) -> dict[str, Any]:
    stages = [{**found, **(more if at == index else {})} for at, found in enumerate(properties["Stages"])]
    return {**properties, "Stages": stages}


def test_the_api_takes_what_comes_out() -> None:
    structure = shapes.to_api(WHOLE)
    model = Session().get_service_model("codepipeline").operation_model("CreatePipeline")
    assert not ParamValidator().validate({"pipeline": structure}, model.input_shape).has_errors()
    assert structure["artifactStores"]["us-east-1"]["location"] == "artifacts-us"
    assert structure["triggers"][0]["gitConfiguration"]["push"][0]["branches"] == {"includes": ["main"]}
    assert structure["stages"][1]["beforeEntry"]["conditions"][0]["rules"][0]["configuration"] == RULE["Configuration"]
    assert structure["stages"][0]["actions"][0]["configuration"]["OAuthToken"] == "ghp_s3cret"
    assert not {"tags", "disableInboundStageTransitions", "restartExecutionOnUpdate"} & set(structure)


def test_there_and_back_is_the_same() -> None:
    back = shapes.to_properties(shapes.to_api(WHOLE), {"team": "app", "aws:x": "theirs"}, {"Prod": "frozen"})
    assert back == {name: value for name, value in WHOLE.items() if name != "RestartExecutionOnUpdate"}


def test_one_store_stays_one_store() -> None:
    one = {"Name": "app", "ArtifactStore": STORE}
    assert shapes.to_api(one) == {
        "name": "app",
        "artifactStore": {"type": "S3", "location": "artifacts", "encryptionKey": {"type": "KMS", "id": KEY}},
    }
    assert shapes.to_properties(shapes.to_api(one), {}, {}) == one


def test_simple_values_of_a_configuration_become_text() -> None:
    structure = shapes.to_api(
        {"Stages": [{"Name": "A", "Actions": [{"Name": "a", "Configuration": {"x": True, "y": 3}}]}]}
    )
    assert structure["stages"][0]["actions"][0]["configuration"] == {"x": "true", "y": "3"}
    structure = shapes.to_api({"Stages": [{"Name": "A", "Actions": [{"Name": "a", "Configuration": '{"x": "y"}'}]}]})
    assert structure["stages"][0]["actions"][0]["configuration"] == {"x": "y"}


def test_what_aws_fills_in_and_masks_is_no_difference() -> None:
    assert shapes.differences(WHOLE, as_answered(WHOLE)) == {}
    plain = {name: value for name, value in WHOLE.items() if name not in ("PipelineType", "ExecutionMode", "Tags")}
    bare = [
        {"Name": action["Name"], "ActionTypeId": action["ActionTypeId"]} for action in WHOLE["Stages"][1]["Actions"]
    ]
    plain = stage(plain, 1, Actions=bare)
    assert shapes.differences(plain, as_answered(plain)) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RoleArn", "arn:aws:iam::111111111111:role/other"),
        ("ExecutionMode", "PARALLEL"),
        ("Tags", [{"Key": "team", "Value": "theirs"}]),
        ("Tags", None),
        ("DisableInboundStageTransitions", None),
        ("DisableInboundStageTransitions", [{"StageName": "Prod", "Reason": "melted"}]),
        ("Variables", None),
        ("Triggers", None),
        ("ArtifactStores", WHOLE["ArtifactStores"][:1]),
    ],
)
def test_what_was_changed_by_hand_is_told_as_it_is(name: str, value: Any) -> None:
    actual = {key: item for key, item in {**WHOLE, name: value}.items() if item is not None}
    assert shapes.differences(WHOLE, as_answered(actual)) == {name: value}
    added = {key: item for key, item in WHOLE.items() if key != name}
    if name not in ("Stages", "RoleArn", "ArtifactStores"):
        assert shapes.differences(added, as_answered(WHOLE)) == {name: WHOLE[name]}


def test_a_changed_stage_leaves_the_other_ones_and_every_secret_as_declared() -> None:
    by_hand = stage(WHOLE, 1, OnFailure={"Result": "ROLLBACK"})
    assert shapes.differences(WHOLE, as_answered(by_hand)) == {"Stages": by_hand["Stages"]}

    source = WHOLE["Stages"][0]["Actions"][0]
    moved = {**source, "Configuration": {**source["Configuration"], "Branch": "next"}}
    by_hand = stage(WHOLE, 0, Actions=[moved])
    found = shapes.differences(WHOLE, as_answered(by_hand))["Stages"]
    assert found == by_hand["Stages"]
    assert shapes.MASK not in str(found)


def test_a_stage_added_by_hand_is_found() -> None:
    by_hand = {**WHOLE, "Stages": [*WHOLE["Stages"], {**WHOLE["Stages"][1], "Name": "Extra"}]}
    assert [found["Name"] for found in shapes.differences(WHOLE, as_answered(by_hand))["Stages"]] == [
        "Source",
        "Prod",
        "Extra",
    ]
