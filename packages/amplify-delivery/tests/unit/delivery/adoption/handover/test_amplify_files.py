"""The files that the Amplify CLI knows an environment by."""

from __future__ import annotations

import zipfile
from typing import Any

import pytest

from amplify_delivery.delivery.adoption.handover import amplify_files as files
from amplify_delivery.delivery.adoption.handover.amplify_files import Nested, Running
from amplify_delivery.export.model import AmplifyResource

URL = "https://s3.eu-west-1.amazonaws.com/staging/templates/1.json"
RUNNING = Running(
    name="amplify-app-prod-12345",
    arn="arn:aws:cloudformation:eu-west-1:123456789012:stack/amplify-app-prod-12345/1",
    region="eu-west-1",
    environment="prod",
    outputs={
        "AuthRoleName": "amplify-app-prod-12345-authRole",
        "AuthRoleArn": "arn:aws:iam::123456789012:role/amplify-app-prod-12345-authRole",
        "UnauthRoleName": "amplify-app-prod-12345-unauthRole",
        "UnauthRoleArn": "arn:aws:iam::123456789012:role/amplify-app-prod-12345-unauthRole",
        "DeploymentBucketName": "amplify-app-prod-12345-deployment",
        "apiappOutputGraphQLAPIIdOutput": "ours",
    },
    nested={"apiapp": Nested(URL, {"GraphQLAPIIdOutput": "abc"})},
)
RESOURCES = [AmplifyResource("api", "app", "AppSync"), AmplifyResource("auth", "gone", "Cognito")]


def test_the_team_keeps_what_it_knows_of_others() -> None:
    before: dict[str, Any] = {
        "dev": {"awscloudformation": {"StackName": "amplify-app-dev-1"}},
        "prod": {"awscloudformation": {"AmplifyAppId": "d123", "Region": "old"}, "categories": {"function": {"f": {}}}},
    }
    found = files.team_provider_info(RUNNING, before)
    assert found["dev"] == before["dev"]
    assert found["prod"]["categories"] == before["prod"]["categories"]
    provider = found["prod"]["awscloudformation"]
    assert provider["AmplifyAppId"] == "d123"
    assert provider["Region"] == "eu-west-1"
    assert provider["StackName"] == RUNNING.name and provider["StackId"] == RUNNING.arn
    assert provider["DeploymentBucketName"] == "amplify-app-prod-12345-deployment"
    assert "apiappOutputGraphQLAPIIdOutput" not in provider
    assert before["prod"]["awscloudformation"]["Region"] == "old"


def test_meta_holds_what_runs() -> None:
    before: dict[str, Any] = {
        "providers": {"awscloudformation": {"AmplifyAppId": "d123"}},
        "api": {"app": {"service": "AppSync", "dependsOn": [{"category": "auth"}], "output": {"Old": "1"}}},
        "hosting": {"amplifyhosting": {"service": "amplifyhosting"}},
    }
    found = files.meta(RUNNING, RESOURCES, before)
    assert found["providers"]["awscloudformation"]["AmplifyAppId"] == "d123"
    assert found["providers"]["awscloudformation"]["StackName"] == RUNNING.name
    assert found["api"]["app"]["output"] == {"GraphQLAPIIdOutput": "abc"}
    assert found["api"]["app"]["dependsOn"] == [{"category": "auth"}]
    assert found["api"]["app"]["providerMetadata"] == {"s3TemplateURL": URL, "logicalId": "apiapp"}
    assert found["auth"]["gone"] == {"service": "Cognito", "providerPlugin": "awscloudformation"}
    assert found["hosting"] == before["hosting"]
    assert before["api"]["app"]["output"] == {"Old": "1"}


def test_the_archive_is_the_same_for_equal_backends() -> None:
    backend = {"api/app/schema.graphql": b"type A", "amplify-meta.json": b"{}"}
    packed = files.archive(backend)
    assert packed == files.archive(dict(reversed(backend.items())))
    assert files.in_archive(packed) == backend


def test_what_is_no_archive_is_told() -> None:
    with pytest.raises(zipfile.BadZipFile):
        files.in_archive(b"text")
