"""What a platform's files do not hold of a backend is told, with what a client needs of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_delivery.client_config import PLATFORMS, Backend, Platform, files, left_out
from unit.client_config.backends import AUTH, IN_APP, REGION, Entry, backend, everything, graphql, resource, written

NATIVE: tuple[Platform, ...] = ("android", "ios", "flutter")
STREAM = resource("analytics/clicks", "Kinesis", {"kinesisStreamId": "clicks-dev", "kinesisStreamArn": "arn"})
PINPOINT = resource("analytics/app", "Pinpoint", {"Id": "app", "Region": "us-east-1"}, {IN_APP: "NONE"})
SITE = resource("hosting/site", "ElasticContainer", {"CloudfrontDistributionCnameDomainName": "d.example"})
GRAPH = resource("api/graph", "ElasticContainer", {"GraphQLAPIEndpointOutput": "https://c.example"})
FENCES = resource("geo/fences", "GeofenceCollection", {"Name": "fences-dev", "Region": REGION})


def told(platform: Platform, *entries: Entry) -> list[str]:
    found = backend(*entries)
    assert files(found, platform)
    return list(left_out(found, platform))


@pytest.mark.parametrize(
    ("entry", "where", "says"),
    [
        (
            STREAM,
            PLATFORMS,
            "code what it needs: kinesisStreamId clicks-dev, Region eu-west-1",
        ),
        (GRAPH, PLATFORMS, "a container that serves GraphQL has no place in {file}; write into your code what it"),
        (SITE, PLATFORMS, "a container that is the site has no place in {file}"),
        (
            FENCES,
            NATIVE,
            "GeofenceCollection has no place in {file}; write into your code what it needs: Name fences-d",
        ),
        (
            resource("geo/map", "Map", {"Name": "m", "Style": "s", "Region": REGION}),
            ("flutter",),
            "Map has no place in amplifyconfiguration.dart; write into your code what it needs: Name m, Region eu-w",
        ),
        (
            resource("predictions/speech", "Polly", {"region": REGION}, {"convertType": "speechGenerator"}),
            ("flutter",),
            "Polly has no place in {file}",
        ),
        (
            resource("storage/table", "DynamoDB", {"Name": "table-dev", "Region": REGION}),
            ("outputs", "outputs-dart"),
            "DynamoDB has no place in {file}; write into your code what it needs: Name table-dev, Region eu-west-1",
        ),
        (
            resource("interactions/bot", "Lex", {"BotName": "Bot_dev", "Region": REGION}),
            ("outputs", "outputs-dart"),
            "Lex has no place in {file}; write into your code what it needs: BotName Bot_dev",
        ),
        (
            resource(
                "hosting/site", "S3AndCloudFront", {"HostingBucketName": "b", "Region": REGION, "WebsiteURL": "u"}
            ),
            (*NATIVE, "outputs", "outputs-dart"),
            "S3AndCloudFront has no place in {file}; write into your code what it needs: WebsiteURL u",
        ),
        (resource("xr/scene", "Sumerian", {}), PLATFORMS, "Sumerian has no place in {file}"),
        (
            resource("custom/own", "customCDK", {"Topic": "t"}),
            PLATFORMS,
            "its outputs (Topic) stand in no file of a clie",
        ),
        (resource("custom/own", "customCloudformation", {}), (), ""),
        (resource("function/resize", "Lambda", {"Name": "resize-dev"}), (), ""),
        (resource("function/layer", "LambdaLayer", {"Arn": "arn"}), (), ""),
        (resource("auth/userPoolGroups", "Cognito-UserPool-Groups", {"AdminsGroupRole": "arn"}), (), ""),
    ],
)
def test_what_has_no_place(entry: Entry, where: tuple[Platform, ...], says: str) -> None:
    place = f"{entry[0].resource.category}/{entry[0].resource.name}"
    for platform in PLATFORMS:
        found = [note for note in told(platform, entry) if "awsPinpointAnalyticsPlugin" not in note]
        if platform in where:
            [note] = found
            assert note.startswith(f"{place}: ")
            assert says.format(file=next(iter(files(backend(), platform)))) in note
        else:
            assert found == []


@pytest.mark.parametrize(
    ("entry", "missing"),
    [
        (resource("storage/files", "S3", {"BucketName": "b"}), "storage/files: its stack has no output Region"),
        (resource("api/orders", "API Gateway", {"ApiId": "i"}), "api/orders: its stack has no output ApiName, RootUrl"),
        (resource("analytics/app", "Pinpoint", {}), "analytics/app: its stack has no output Id, Region"),
        (resource("api/app", "AppSync", {}), "api/app: its stack has no output GraphQLAPIEndpointOutput"),
        (resource("auth/app", "Cognito", {}), "auth/app: its stack has no output UserPoolId, IdentityPoolId"),
        (
            graphql("AWS_IAM", "API_KEY", key=None),
            "api/app: it takes an API key, and its stack has no output GraphQLAPIK",
        ),
        (
            resource("auth/app", "Cognito", AUTH | {"OAuthMetadata": "no JSON", "HostedUIDomain": "d"}),
            "auth/app: its output OAuthMetadata is not a JSON object",
        ),
        (
            resource("auth/app", "Cognito", AUTH | {"OAuthMetadata": "{}"}),
            "auth/app: its stack has no output HostedUID",
        ),
    ],
)
def test_an_output_that_a_stack_should_have(entry: Entry, missing: str) -> None:
    for platform in PLATFORMS:
        assert any(note.startswith(missing) for note in told(platform, entry)), platform


def test_the_app_client_is_that_of_the_platform() -> None:
    web_only = resource("auth/app", "Cognito", {"UserPoolId": "p", "AppClientIDWeb": "web"})
    assert told("javascript", web_only) == told("outputs", web_only) == []
    assert told("ios", web_only) == [
        "auth/app: its stack has no output AppClientID, so the settings made of it are missing"
    ]


def test_an_identity_pool_alone_is_none_of_gen_2s() -> None:
    alone = resource("auth/app", "Cognito", {"IdentityPoolId": "eu-west-1:ids"})
    assert told("android", alone) == told("javascript", alone) == []
    [note] = told("outputs", alone)
    assert "has no place in amplify_outputs.json; write its id into your code: eu-west-1:ids" in note


def test_of_sign_in_gen_2_knows_less() -> None:
    triggers = {"DefineAuthChallenge": ["x"], "CreateAuthChallenge": ["x"], "VerifyAuthChallengeResponse": ["x"]}
    auth = resource("auth/app", "Cognito", AUTH | {"GoogleWebClient": "g"}, {"triggers": json.dumps(triggers)})
    assert told("javascript", auth) == told("android", auth) == []
    google, flow = told("outputs", auth)
    assert google.endswith(
        "(GoogleWebClient) have no place in amplify_outputs.json; write into your code what it needs: GoogleWebClient g"
    )
    assert flow.endswith("name the flow (CUSTOM_AUTH) where your code signs in")


def test_a_stream_before_pinpoint_takes_its_place_in_native_apps() -> None:
    """As the CLI has it: the first of the category, so the plugin knows no application."""
    [_, note] = told("ios", STREAM, PINPOINT)
    assert note.startswith("analytics/clicks: it stands first in its category")
    assert note.endswith("has no `appId`; write app, region us-east-1, into it")
    assert told("ios", STREAM)[1].endswith("has no `appId`; leave it out")
    assert len(told("ios", PINPOINT, STREAM)) == 1
    plugins = written(backend(PINPOINT, STREAM), "ios")["analytics"]["plugins"]
    assert plugins["awsPinpointAnalyticsPlugin"]["pinpointAnalytics"] == {"appId": "app", "region": "us-east-1"}


def test_a_way_to_authorize_that_is_computed() -> None:
    computed: Any = {"Fn::If": ["Guests", "API_KEY", "AWS_IAM"]}
    for entry in (graphql(computed), graphql("AWS_IAM", computed)):
        [note] = told("javascript", entry)
        assert note.startswith("api/app: its template computes a way to authorize (")
        assert "Fn::If" in note


def test_a_second_one_where_the_files_hold_one() -> None:
    bucket = {"BucketName": "b", "Region": REGION}
    notes = told("javascript", resource("storage/a", "S3", bucket), resource("storage/b", "S3", bucket))
    assert notes == ["storage/b: aws-exports.js does not hold a second S3 everywhere"]


def test_a_backend_with_everything_is_whole_in_a_web_apps_files() -> None:
    assert left_out(everything(), "javascript") == ()
    names = [note.split(":")[0] for note in left_out(everything(), "flutter")]
    assert names == ["geo/map", "geo/places", "geo/fences", "predictions/t", "hosting/site"]


@pytest.mark.parametrize("odd", [[], "text", {"Fn::And": "text"}, {"Fn::And": [1, {"Fn::Equals": 1}]}, None])
def test_an_odd_template_is_no_fault_of_the_program(odd: Any) -> None:
    container = resource(
        "api/c", "ElasticContainer", {"ApiName": "c", "RootUrl": "u"}, Conditions={"isAuthCondition": odd}
    )
    properties = {"AuthenticationType": "AWS_IAM", "AdditionalAuthenticationProviders": ["text", odd, {}]}
    api = {"Api": {"Type": "AWS::AppSync::GraphQLApi", "Properties": properties}}
    found: Backend = backend(container, resource("api/g", "AppSync", {"GraphQLAPIEndpointOutput": "u"}, Resources=api))
    assert json.dumps([files(found, platform) for platform in PLATFORMS])
    assert found.rest[0].authorization == "AWS_IAM"
