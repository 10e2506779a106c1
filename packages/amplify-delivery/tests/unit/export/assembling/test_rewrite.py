"""What is rewritten in a template, and that nothing else is."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from amplify_delivery.export.assembling.rewrite import (
    Locations,
    rewrite_auxiliary_code,
    rewrite_locations,
    settle_logical_ids,
)

KEY = "vtl/0123.vtl"
URL = {"Fn::Join": ["", ["s3://", {"Ref": "Bucket"}, f"/{KEY}"]]}
JOINED = {"Fn::Join": ["", ["s3://", {"Ref": "Bucket"}, "/", {"Ref": "RootKey"}, "/resolvers/a.vtl"]]}
SUBSTITUTED = {"Fn::Sub": "s3://${Bucket}/${RootKey}/resolvers/a.vtl"}
WITH_VARIABLES = {
    "Fn::Sub": [
        "s3://${B}/${K}/resolvers/${Name}",
        {"B": {"Ref": "Bucket"}, "K": {"Ref": "RootKey"}, "Name": {"Fn::Join": [".", ["a", "vtl"]]}},
    ]
}


def rewritten(value: Any, kind: str = "AWS::AppSync::FunctionConfiguration") -> tuple[Any, list[str]]:
    files: list[str] = []

    def key(file: str) -> str:
        files.append(file)
        return KEY

    resources: dict[str, Any] = {"R": {"Type": kind, "Properties": {"RequestMappingTemplateS3Location": value}}}
    rewrite_locations(resources, Locations({"RootKey": "api/app/"}, key))
    return resources["R"]["Properties"]["RequestMappingTemplateS3Location"], files


@pytest.mark.parametrize("kind", ["AWS::AppSync::FunctionConfiguration", "AWS::AppSync::Resolver"])
@pytest.mark.parametrize("spelling", [JOINED, SUBSTITUTED, WITH_VARIABLES])
def test_a_location_in_each_of_its_spellings(spelling: Any, kind: str) -> None:
    assert rewritten(spelling, kind) == (URL, ["api/app/resolvers/a.vtl"])


def test_a_location_behind_a_condition() -> None:
    value, _ = rewritten({"Fn::If": ["Yes", JOINED, {"Ref": "AWS::NoValue"}]})
    assert value == {"Fn::If": ["Yes", URL, {"Ref": "AWS::NoValue"}]}


def test_a_location_that_is_selected() -> None:
    value, _ = rewritten({"Fn::Select": [1, ["x", SUBSTITUTED]]})
    assert value == {"Fn::Select": [1, ["x", URL]]}


@pytest.mark.parametrize(
    "key", [{"Fn::Join": ["/", [{"Ref": "RootKey"}, "functions/x.zip"]]}, {"Fn::Sub": "${RootKey}/functions/x.zip"}]
)
def test_a_zip_in_the_folder_by_its_key(key: Any) -> None:
    value, files = rewritten(key, "AWS::Lambda::Function")
    assert (value, files) == (KEY, ["api/app/functions/x.zip"])


@pytest.mark.parametrize(
    "other",
    [
        "s3://bucket/root/a.vtl",
        {"Fn::Sub": "s3://${Bucket}/${Other}/a.vtl"},
        {"Fn::Sub": "arn:aws:s3:::${Bucket}/${RootKey}/*"},
        {"Fn::Sub": "s3://${Bucket}/${RootKey}"},
        {"Fn::Sub": "s3://${Bucket}/${RootKey}/${Name}"},
        {"Fn::Sub": "s3://${Bucket}/${!RootKey}/a.vtl"},
        {"Fn::Join": ["", {"Ref": "RootKey"}]},
        {"Fn::Sub": 5},
    ],
)
def test_everything_else_is_left_alone(other: Any) -> None:
    assert rewritten(copy.deepcopy(other)) == (other, [])


def test_nested_stacks_are_left_alone() -> None:
    value, files = rewritten(JOINED, "AWS::CloudFormation::Stack")
    assert (value, files) == (JOINED, [])


def _code(bucket: Any) -> dict[str, Any]:
    code = {"S3Bucket": bucket, "S3Key": "helper.zip"}
    return {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": code}}}


def test_an_auxiliary_zip_by_its_literal_name() -> None:
    resources: Any = _code({"Ref": "deploymentBucketName"})
    rewrite_auxiliary_code(
        resources, {"helper.zip": "aux/helper.zip"}, "deploymentBucketName", lambda file: f"key of {file}"
    )
    assert resources["F"]["Properties"]["Code"]["S3Key"] == "key of aux/helper.zip"


def test_a_zip_of_that_name_in_a_bucket_of_the_users_own() -> None:
    resources: Any = _code("my-bucket")
    rewrite_auxiliary_code(
        resources, {"helper.zip": "aux/helper.zip"}, "deploymentBucketName", lambda file: f"key of {file}"
    )
    assert resources == _code("my-bucket")


def rest_api(noise: str = "289292ee", path: str = "/items", allow: str = "'*'") -> dict[str, Any]:
    response = f"itemsDefault4XXResponse{noise}"
    deployment = f"DeploymentAPIGWitems{noise}"
    api = {"Ref": "items"}
    return {
        "Parameters": {"env": {"Type": "String"}},
        "Resources": {
            "items": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": {"paths": {path: {}}}}},
            response: {
                "Type": "AWS::ApiGateway::GatewayResponse",
                "Properties": {"RestApiId": api, "ResponseParameters": {"origin": allow}},
            },
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": [response],
                "Properties": {"RestApiId": api},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {"RestApiId": api, "DeploymentId": {"Ref": deployment}},
            },
        },
        "Outputs": {"Id": {"Value": {"Fn::Sub": "${" + deployment + "}"}}},
    }


def ids(template: dict[str, Any]) -> tuple[str, str]:
    """Logical ids of the gateway response and of the deployment, once settled."""
    response, deployment = (name for name in settle_logical_ids(template)["Resources"] if len(name) > 10)
    return response, deployment


def test_an_unchanged_api_keeps_its_ids_whatever_the_noise() -> None:
    assert settle_logical_ids(rest_api("11111111")) == settle_logical_ids(rest_api("22222222"))


@pytest.mark.parametrize("change", [{"path": "/orders"}, {"allow": "'https://example.com'"}])
def test_a_changed_api_makes_a_new_deployment_and_puts_its_gateway_responses_again(change: dict[str, str]) -> None:
    old, new = ids(rest_api()), ids(rest_api(**change))
    assert old[0] != new[0]
    assert old[1] != new[1]


def test_a_gateway_response_belongs_to_its_deployment() -> None:
    response, deployment = ids(rest_api())
    assert response[-8:] == deployment[-8:]


def test_one_apis_change_does_not_touch_another() -> None:
    def both(**change: str) -> dict[str, Any]:
        one, other = rest_api(**change), rest_api()
        text = json.dumps(other["Resources"]).replace("items", "orders")
        return {**one, "Resources": {**one["Resources"], **json.loads(text)}}

    def orders(template: dict[str, Any]) -> list[str]:
        return [name for name in settle_logical_ids(template)["Resources"] if "orders" in name]

    assert orders(both()) == orders(both(path="/changed"))


def test_references_follow() -> None:
    settled = settle_logical_ids(rest_api())
    response, deployment = ids(rest_api())
    assert "289292ee" not in repr(settled)
    assert settled["Resources"][deployment]["DependsOn"] == [response]
    assert settled["Resources"]["Stage"]["Properties"]["DeploymentId"] == {"Ref": deployment}
    assert settled["Outputs"]["Id"]["Value"] == {"Fn::Sub": "${" + deployment + "}"}


def test_an_id_that_is_taken_is_not_taken_again() -> None:
    _, deployment = ids(rest_api())
    template = rest_api()
    template["Resources"][deployment] = {"Type": "AWS::SNS::Topic"}
    settled = settle_logical_ids(template)
    assert settled["Resources"][deployment] == {"Type": "AWS::SNS::Topic"}
    assert "DeploymentAPIGWitems289292ee" in settled["Resources"]
    assert len(settled["Resources"]) == 5


def test_two_deployments_of_one_api_both_stay() -> None:
    template = rest_api()
    template["Resources"]["DeploymentAPIGWitems99999999"] = template["Resources"]["DeploymentAPIGWitems289292ee"]
    assert len(settle_logical_ids(template)["Resources"]) == 5


def test_settling_twice_is_settling_once() -> None:
    settled = settle_logical_ids(rest_api())
    assert settle_logical_ids(settled) is settled
