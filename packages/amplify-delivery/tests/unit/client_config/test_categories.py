"""What becomes of each category, as amplify-cli 14.2.2 has it: compared with its code, and written down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplify_delivery.client_config import Backend, Platform, read_backend
from unit.client_config.backends import AUTH, DEFAULT, REGION, backend, everything, graphql, plugins, resource, written

NATIVE: tuple[Platform, ...] = ("android", "ios", "flutter")
PARAMETERS: dict[str, Any] = {
    "mfaConfiguration": "OPTIONAL",
    "mfaTypes": ["TOTP", "SMS Text Message"],
    "usernameAttributes": ["email, phone_number"],
    "requiredAttributes": ["email", "name"],
    "autoVerifiedAttributes": ["email"],
    "passwordPolicyMinLength": 10,
    "passwordPolicyCharacters": ["Requires Lowercase", "REQUIRES_NUMBERS"],
    "authProvidersUserPool": ["Google", "LoginWithAmazon", "SignInWithApple", "Unheard"],
    "allowUnauthenticatedIdentities": True,
}
METADATA = {
    "AllowedOAuthFlows": ["implicit"],
    "AllowedOAuthScopes": ["openid", "email"],
    "CallbackURLs": ["https://a.example/", "app://in/"],
    "LogoutURLs": ["https://a.example/out/"],
}
HOSTED = {**AUTH, "HostedUIDomain": "app-dev", "OAuthMetadata": json.dumps(METADATA)}


def hosted() -> Backend:
    """A user pool with a hosted UI and social providers."""
    return backend(resource("auth/app", "Cognito", HOSTED, PARAMETERS))


def test_nothing_but_a_region() -> None:
    found = backend()
    assert written(found, "javascript") == {"aws_project_region": REGION}
    assert written(found, "outputs") == {"version": "1.4"}
    for platform in NATIVE:
        assert written(found, platform) == {"UserAgent": "aws-amplify-cli/2.0", "Version": "1.0"}


def test_sign_in_with_a_hosted_ui_and_social_providers() -> None:
    found = hosted()
    assert written(found, "javascript") == {
        "aws_project_region": REGION,
        "aws_cognito_identity_pool_id": "eu-west-1:identities",
        "aws_cognito_region": REGION,
        "aws_user_pools_id": "eu-west-1_pool",
        "aws_user_pools_web_client_id": "web",
        "oauth": {
            "domain": "app-dev.auth.eu-west-1.amazoncognito.com",
            "scope": ["openid", "email"],
            "redirectSignIn": "https://a.example/,app://in/",
            "redirectSignOut": "https://a.example/out/",
            "responseType": "token",
        },
        "federationTarget": "COGNITO_USER_POOLS",
        "aws_cognito_username_attributes": ["EMAIL", "PHONE_NUMBER"],
        "aws_cognito_social_providers": ["GOOGLE", "AMAZON", "APPLE"],
        "aws_cognito_signup_attributes": ["EMAIL", "NAME"],
        "aws_cognito_mfa_configuration": "OPTIONAL",
        "aws_cognito_mfa_types": ["SMS", "TOTP"],
        "aws_cognito_password_protection_settings": {
            "passwordPolicyMinLength": 10,
            "passwordPolicyCharacters": ["REQUIRES_LOWERCASE", "REQUIRES_NUMBERS"],
        },
        "aws_cognito_verification_mechanisms": ["EMAIL"],
    }
    native = written(found, "android", "awsconfiguration.json")
    assert native["CognitoUserPool"]["Default"]["AppClientId"] == "native"
    assert native["Auth"]["Default"]["OAuth"] == {
        "WebDomain": "app-dev.auth.eu-west-1.amazoncognito.com",
        "AppClientId": "native",
        "SignInRedirectURI": "https://a.example/,app://in/",
        "SignOutRedirectURI": "https://a.example/out/",
        "Scopes": ["openid", "email"],
    }
    assert plugins(found, "android", "auth") == {"awsCognitoAuthPlugin": native}
    oauth = written(found, "outputs")["auth"]["oauth"]
    assert (oauth["response_type"], oauth["redirect_sign_in_uri"]) == ("token", ["https://a.example/", "app://in/"])
    assert oauth["identity_providers"] == ["GOOGLE", "LOGIN_WITH_AMAZON", "SIGN_IN_WITH_APPLE"]


def test_what_an_environment_has_otherwise_counts() -> None:
    """The stack's own parameters, which are text, before those of the export."""
    deployed = {
        "mfaConfiguration": "ON",
        "mfaTypes": "TOTP",
        "passwordPolicyMinLength": "14",
        "requiredAttributes": "",
        "usernameAttributes": "email, phone_number",
    }
    found = written(backend(resource("auth/app", "Cognito", AUTH, PARAMETERS, deployed)), "javascript")
    assert found["aws_cognito_mfa_configuration"] == "ON"
    assert found["aws_cognito_mfa_types"] == ["TOTP"]
    assert found["aws_cognito_password_protection_settings"]["passwordPolicyMinLength"] == 14
    assert found["aws_cognito_signup_attributes"] == []
    assert found["aws_cognito_username_attributes"] == ["EMAIL", "PHONE_NUMBER"]


def test_identity_providers_that_the_identity_pool_knows_itself() -> None:
    apps = {"GoogleWebClient": "g", "GoogleIOSClient": "gi", "FacebookWebClient": "f", "AmazonWebClient": "a"}
    found = backend(resource("auth/app", "Cognito", AUTH | apps))
    assert written(found, "javascript")["federationTarget"] == "COGNITO_IDENTITY_POOLS"
    assert written(found, "javascript")["oauth"] == {}
    google = {"Permissions": "email,profile,openid", "ClientId-WebApp": "g"}
    android, ios = (written(found, platform, "awsconfiguration.json") for platform in ("android", "ios"))
    assert (android["GoogleSignIn"], android["UserAgent"]) == (google, "aws-amplify-cli/0.1.0")
    assert (ios["GoogleSignIn"], ios["UserAgent"]) == ({**google, "ClientId-iOS": "gi"}, "aws-amplify/cli")
    assert ios["FacebookSignIn"] == {"AppId": "f", "Permissions": "public_profile"}
    both = backend(resource("auth/app", "Cognito", HOSTED | apps))
    assert written(both, "javascript")["federationTarget"] == "COGNITO_USER_AND_IDENTITY_POOLS"


def test_an_app_clients_secret_is_for_the_app_that_has_it() -> None:
    found = backend(resource("auth/app", "Cognito", HOSTED | {"AppClientSecret": "hush"}))
    assert written(found, "flutter")["auth"]["plugins"]["awsCognitoAuthPlugin"]["CognitoUserPool"] == {
        "Default": {"PoolId": "eu-west-1_pool", "AppClientId": "native", "AppClientSecret": "hush", "Region": REGION}
    }
    assert "hush" not in json.dumps([written(found, "javascript"), written(found, "outputs")])


@pytest.mark.parametrize(
    ("triggers", "flow"),
    [
        ('{"PreSignup": ["x"]}', "USER_SRP_AUTH"),
        ({"DefineAuthChallenge": ["x"], "CreateAuthChallenge": ["x"]}, "USER_SRP_AUTH"),
        (
            {"DefineAuthChallenge": ["x"], "CreateAuthChallenge": ["x"], "VerifyAuthChallengeResponse": ["x"]},
            "CUSTOM_AUTH",
        ),
        ("no JSON", "USER_SRP_AUTH"),
    ],
)
def test_a_sign_in_of_ones_own(triggers: Any, flow: str) -> None:
    found = backend(resource("auth/app", "Cognito", AUTH, {"triggers": triggers}))
    assert written(found, "ios", "awsconfiguration.json")["Auth"]["Default"]["authenticationFlowType"] == flow


def test_groups_of_users() -> None:
    groups = {
        f"{name}Group": {"Type": "AWS::Cognito::UserPoolGroup", "Properties": {"GroupName": name, **precedence}}
        for name, precedence in (("Admins", {"Precedence": 1}), ("Readers", {}))
    }
    found = backend(
        resource("auth/userPoolGroups", "Cognito-UserPool-Groups", {"AdminsGroupRole": "arn"}, Resources=groups),
        resource("auth/app", "Cognito", AUTH),
    )
    assert written(found, "outputs")["auth"]["groups"] == [{"Admins": {"precedence": 1}}, {"Readers": {}}]
    assert "Admins" not in json.dumps(written(found, "javascript"))


def test_a_graphql_api_with_several_ways_to_authorize() -> None:
    found = backend(graphql("AMAZON_COGNITO_USER_POOLS", "API_KEY", "AWS_IAM"))
    assert written(found, "javascript") == {
        "aws_project_region": REGION,
        "aws_appsync_graphqlEndpoint": "https://g.example/graphql",
        "aws_appsync_region": REGION,
        "aws_appsync_authenticationType": "AMAZON_COGNITO_USER_POOLS",
        "aws_appsync_apiKey": "da2-key",
    }
    ways = written(found, "android", "awsconfiguration.json")["AppSync"]
    assert {name: (way["AuthMode"], way.get("ApiKey")) for name, way in ways.items()} == {
        "Default": ("AMAZON_COGNITO_USER_POOLS", None),
        "app_API_KEY": ("API_KEY", "da2-key"),
        "app_AWS_IAM": ("AWS_IAM", None),
    }
    assert ways["Default"]["ClientDatabasePrefix"] == "app_AMAZON_COGNITO_USER_POOLS"
    data = written(found, "outputs")["data"]
    assert data["authorization_types"] == ["API_KEY", "AWS_IAM"]
    without = written(backend(graphql("AWS_IAM", key=None)), "javascript")
    assert "aws_appsync_apiKey" not in without


def test_rest_apis_and_containers() -> None:
    condition = {"isAuthCondition": {"Fn::And": [{"Fn::Equals": [True, True]}, {"Fn::Not": []}]}}
    open_to_all = {"isAuthCondition": {"Fn::And": [{"Fn::Equals": [False, True]}, {"Fn::Not": []}]}}
    found = backend(
        resource("api/orders", "API Gateway", {"ApiName": "orders", "RootUrl": "https://o.example/dev"}),
        resource(
            "api/inside", "ElasticContainer", {"ApiName": "i", "RootUrl": "https://i.example"}, Conditions=condition
        ),
        resource("api/outside", "ElasticContainer", {"ApiName": "o", "RootUrl": "u"}, Conditions=open_to_all),
        resource("api/AdminQueries", "API Gateway", {"ApiName": "AdminQueries", "RootUrl": "https://a.example/dev"}),
        resource("api/unnamed", "API Gateway", {"RootUrl": "https://u.example"}),
    )
    listed = written(found, "javascript")["aws_cloud_logic_custom"]
    assert [api["name"] for api in listed] == ["orders", "AdminQueries", "i", "o"]
    assert listed[0] == {"name": "orders", "endpoint": "https://o.example/dev", "region": REGION}
    apis = plugins(found, "ios", "api")["awsAPIPlugin"]
    assert {name: api["authorizationType"] for name, api in apis.items()} == {
        "orders": "AWS_IAM",
        "inside": "AMAZON_COGNITO_USER_POOLS",
        "outside": "AWS_IAM",
        "AdminQueries": "AMAZON_COGNITO_USER_POOLS",
        "unnamed": "AWS_IAM",
    }
    custom = written(found, "outputs")["custom"]["API"]
    assert custom["orders"] == {"endpoint": "https://o.example/dev", "region": REGION, "apiName": "orders"}


def test_a_container_that_serves_graphql_or_the_site_is_no_rest_api() -> None:
    """The CLI's list is there all the same, and empty."""
    graph = resource("api/graph", "ElasticContainer", {"GraphQLAPIEndpointOutput": "https://c.example"})
    site = resource("hosting/site", "ElasticContainer", {"CloudfrontDistributionCnameDomainName": "d.example"})
    for found, native in ((backend(graph), {"awsAPIPlugin": {}}), (backend(site), None)):
        assert written(found, "javascript") == {"aws_project_region": REGION, "aws_cloud_logic_custom": []}
        assert plugins(found, "android", "api") == native
        assert "custom" not in written(found, "outputs")


@pytest.mark.parametrize(
    ("exported", "deployed", "first", "all_of_them"),
    [
        (["email, phone_number"], None, ["EMAIL", "PHONE_NUMBER"], ["email", "phone_number"]),
        (["email", "phone_number"], None, ["EMAIL"], ["email", "phone_number"]),
        (["email"], "email,phone_number", ["EMAIL"], ["email", "phone_number"]),
        ([], "phone_number, email", ["PHONE_NUMBER", "EMAIL"], ["phone_number", "email"]),
        (["username"], None, ["USERNAME"], ["username"]),
        (None, None, [], ["username"]),
    ],
)
def test_names_that_users_sign_in_with(
    exported: list[str] | None, deployed: str | None, first: list[str], all_of_them: list[str]
) -> None:
    """The CLI's files hold what stands in the first item of the parameter; Gen 2's all."""
    environment = {"usernameAttributes": deployed} if deployed else None
    found = backend(resource("auth/app", "Cognito", AUTH, {"usernameAttributes": exported}, environment))
    assert written(found, "javascript")["aws_cognito_username_attributes"] == first
    assert written(found, "ios", "awsconfiguration.json")["Auth"]["Default"]["usernameAttributes"] == first
    assert written(found, "outputs")["auth"]["username_attributes"] == all_of_them


def test_files_and_tables() -> None:
    found = backend(
        resource("storage/files", "S3", {"BucketName": "files-dev", "Region": "us-east-1"}),
        resource("storage/one", "DynamoDB", {"Name": "one-dev", "Region": REGION}),
        resource("storage/two", "DynamoDB", {"Name": "two-dev", "Region": REGION, "PartitionKeyName": "id"}),
    )
    web = written(found, "javascript")
    assert (web["aws_user_files_s3_bucket"], web["aws_user_files_s3_bucket_region"]) == ("files-dev", "us-east-1")
    assert web["aws_dynamodb_all_tables_region"] == REGION
    assert [table["tableName"] for table in web["aws_dynamodb_table_schemas"]] == ["one-dev", "two-dev"]
    assert plugins(found, "flutter", "storage") == {
        "awsS3StoragePlugin": {"bucket": "files-dev", "region": "us-east-1", "defaultAccessLevel": "guest"},
        "awsDynamoDbStoragePlugin": {"name": "two-dev", "region": REGION, "partitionKeyName": "id"},
    }
    assert written(found, "outputs")["storage"] == {"aws_region": "us-east-1", "bucket_name": "files-dev"}


def test_analytics_and_messages_in_the_app() -> None:
    app = {"Id": "app", "Region": "us-east-1", "appName": "app-dev"}
    quiet = backend(resource("analytics/app", "Pinpoint", app, {"pinpointInAppMessagingPolicyName": "NONE"}))
    assert "Notifications" not in written(quiet, "javascript")
    assert plugins(quiet, "android", "notifications") is None
    found = backend(resource("analytics/app", "Pinpoint", app, {"pinpointInAppMessagingPolicyName": "policy"}))
    pinpoint = {"AWSPinpoint": {"appId": "app", "region": "us-east-1"}}
    web = written(found, "javascript")
    assert (web["Analytics"], web["Notifications"]) == (pinpoint, {"InAppMessaging": pinpoint})
    assert web["aws_mobile_analytics_app_id"] == "app"
    plugin = {"awsPinpointInAppMessagingNotificationsPlugin": {"appId": "app", "region": "us-east-1"}}
    for platform in NATIVE:
        assert plugins(found, platform, "notifications") == plugin
    gen2 = written(found, "outputs")
    assert gen2["notifications"]["channels"] == ["IN_APP_MESSAGING"]
    assert gen2["analytics"] == {"amazon_pinpoint": {"aws_region": "us-east-1", "app_id": "app"}}


def test_a_stream_alone() -> None:
    """The CLI takes the first resource of analytics for Pinpoint's: so it is on the native platforms."""
    found = backend(resource("analytics/clicks", "Kinesis", {"kinesisStreamId": "clicks", "kinesisStreamArn": "arn"}))
    assert written(found, "javascript") == {"aws_project_region": REGION}
    assert plugins(found, "ios", "analytics") == {
        "awsPinpointAnalyticsPlugin": {"pinpointAnalytics": {}, "pinpointTargeting": {}}
    }
    assert "analytics" not in written(found, "outputs")


def test_maps_places_and_fences() -> None:
    found = backend(
        resource(
            "geo/a", "Map", {"Name": "a-dev", "Style": "VectorEsriStreets", "Region": REGION}, {"isDefault": False}
        ),
        resource(
            "geo/b", "Map", {"Name": "b-dev", "Style": "RasterEsriImagery", "Region": REGION}, {"isDefault": True}
        ),
        resource("geo/p", "PlaceIndex", {"Name": "p-dev", "Region": REGION}, {"isDefault": "true"}),
        resource("geo/f", "GeofenceCollection", {"Name": "f-dev"}),
    )
    maps = {
        "items": {"a-dev": {"style": "VectorEsriStreets"}, "b-dev": {"style": "RasterEsriImagery"}},
        "default": "b-dev",
    }
    places = {"items": ["p-dev"], "default": "p-dev"}
    assert written(found, "javascript")["geo"] == {
        "amazon_location_service": {
            "region": REGION,
            "maps": maps,
            "search_indices": places,
            "geofenceCollections": {"items": ["f-dev"], "default": ""},
        }
    }
    native = {"awsLocationGeoPlugin": {"region": REGION, "maps": maps, "searchIndices": places}}
    assert plugins(found, "android", "geo") == plugins(found, "ios", "geo") == native
    assert plugins(found, "flutter", "geo") is None
    geo = written(found, "outputs")["geo"]
    assert (geo["maps"], geo["geofence_collections"]) == (maps, {"items": ["f-dev"], "default": "f-dev"})


def test_a_place_whose_stack_tells_no_region_has_the_one_before() -> None:
    """So does amplify-config-helper.js (`constructGeo`); a web app's file has the environment's then."""
    elsewhere = resource("geo/map", "Map", {"Name": "map-dev", "Style": "s", "Region": "us-east-1"}, DEFAULT)
    found = backend(elsewhere, resource("geo/places", "PlaceIndex", {"Name": "places-dev"}, DEFAULT))
    for platform in ("android", "ios"):
        assert plugins(found, platform, "geo")["awsLocationGeoPlugin"]["region"] == "us-east-1"
    assert written(found, "javascript")["geo"]["amazon_location_service"]["region"] == REGION


def test_each_prediction_is_configured_with_what_it_does() -> None:
    entities = {"region": REGION, "celebrityDetectionEnabled": "true", "collectionId": "faces", "maxEntities": "50"}
    found = backend(
        resource("predictions/e", "Rekognition", entities, {"identifyType": "identifyEntities"}),
        resource(
            "predictions/s",
            "Polly",
            {"region": REGION, "voice": "Ivy", "language": "en-US"},
            {"convertType": "speechGenerator"},
        ),
        resource("predictions/i", "Comprehend", {"region": REGION, "type": "ALL"}, {"interpretType": "interpretText"}),
        resource("predictions/m", "SageMaker", {"region": REGION, "endpointName": "ep"}, {"inferType": "inferModel"}),
    )
    assert written(found, "javascript")["predictions"] == {
        "identify": {
            "identifyEntities": {
                "region": REGION,
                "proxy": False,
                "celebrityDetectionEnabled": True,
                "defaults": {"collectionId": "faces", "maxEntities": 50},
            }
        },
        "convert": {
            "speechGenerator": {
                "region": REGION,
                "proxy": False,
                "defaults": {"VoiceId": "Ivy", "LanguageCode": "en-US"},
            }
        },
        "interpret": {"interpretText": {"region": REGION, "proxy": False, "defaults": {"type": "ALL"}}},
        "infer": {"inferModel": {"region": REGION, "proxy": False, "endpoint": "ep"}},
    }
    assert written(found, "outputs")["custom"]["Predictions"] == written(found, "javascript")["predictions"]
    native = plugins(found, "android", "predictions")["awsPredictionsPlugin"]
    assert native["defaultRegion"] == REGION
    assert native["identify"]["identifyEntities"] == {**entities, "defaultNetworkPolicy": "auto"}
    assert plugins(found, "flutter", "predictions") is None


def test_of_several_predictions_of_a_kind_the_last_identifies_and_the_first_does_the_rest() -> None:
    found = backend(
        resource("predictions/a", "Rekognition", {"region": "a", "type": "ALL"}, {"identifyType": "identifyLabels"}),
        resource("predictions/b", "Rekognition", {"region": "b", "type": "ALL"}, {"identifyType": "identifyLabels"}),
        resource("predictions/c", "Comprehend", {"region": "c", "type": "ALL"}, {"interpretType": "interpretText"}),
        resource("predictions/d", "Comprehend", {"region": "d", "type": "ALL"}, {"interpretType": "interpretText"}),
    )
    web = written(found, "javascript")["predictions"]
    assert (web["identify"]["identifyLabels"]["region"], web["interpret"]["interpretText"]["region"]) == ("b", "c")


def test_bots_and_hosting() -> None:
    site = {"HostingBucketName": "site", "Region": REGION, "WebsiteURL": "http://w", "CloudFrontSecureURL": "https://c"}
    found = backend(
        resource("interactions/bot", "Lex", {"BotName": "Bot_dev", "Region": "us-east-1", "FunctionArn": "arn"}),
        resource("hosting/site", "S3AndCloudFront", site),
    )
    web = written(found, "javascript")
    assert web["aws_bots"] == "enable"
    assert web["aws_bots_config"] == [{"name": "Bot_dev", "alias": "$LATEST", "region": "us-east-1"}]
    assert web["aws_content_delivery_url"] == "https://c"
    assert written(found, "android", "awsconfiguration.json")["Lex"] == {
        "Bot_dev": {"Name": "Bot_dev", "Alias": "$LATEST", "Region": "us-east-1"}
    }


def test_what_is_not_deployed_is_left_out() -> None:
    declared, _ = graphql("API_KEY")
    assert read_backend([declared], {}, REGION).graphql == ()


def test_functions_tell_a_client_nothing() -> None:
    found = backend(resource("function/resize", "Lambda", {"Name": "resize-dev", "Arn": "arn"}))
    assert written(found, "javascript") == {"aws_project_region": REGION}


def test_everything_at_once_is_what_its_parts_are() -> None:
    web = written(everything(), "javascript")
    assert {"oauth", "geo", "predictions", "Analytics", "Notifications", "aws_bots_config"} <= web.keys()
    assert written(everything(), "flutter").keys() == {
        *("UserAgent", "Version", "analytics", "notifications", "api", "auth", "storage"),
    }
