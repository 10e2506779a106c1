"""Whatever an export or a stack says, files are written and what they lack is told: nothing is a traceback."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from amplify_delivery.client_config import PLATFORMS, Declared, Stack, files, left_out, read_backend
from amplify_delivery.export.model import AmplifyResource
from unit.client_config.backends import AUTH, REGION, resource, written
from unit.client_config.json_schema import problems

METADATA = (
    '{"AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid"], "CallbackURLs": ["a"], "LogoutURLs": ["b"]}'
)
CATEGORIES = (
    *("auth", "api", "storage", "analytics", "geo", "predictions", "hosting", "interactions", "custom", "function"),
    "notifications",
)
SERVICES = (
    *("Cognito", "Cognito-UserPool-Groups", "AppSync", "API Gateway", "ElasticContainer", "S3", "DynamoDB", "Pinpoint"),
    *("Kinesis", "Map", "PlaceIndex", "GeofenceCollection", "Lex", "Translate", "Rekognition", "SageMaker", "Unheard"),
    *("S3AndCloudFront", "Lambda", "customCDK"),
)
OUTPUTS = (
    *("UserPoolId", "AppClientIDWeb", "AppClientID", "IdentityPoolId", "HostedUIDomain", "OAuthMetadata", "ApiName"),
    *("GraphQLAPIEndpointOutput", "GraphQLAPIKeyOutput", "RootUrl", "BucketName", "Region", "Name", "Id", "Style"),
    *("BotName", "region", "maxEntities", "collectionId", "kinesisStreamId", "HostingBucketName", "AppClientSecret"),
)
PARAMETERS = (
    *("mfaConfiguration", "mfaTypes", "usernameAttributes", "requiredAttributes", "autoVerifiedAttributes", "triggers"),
    *("passwordPolicyMinLength", "passwordPolicyCharacters", "authProvidersUserPool", "allowUnauthenticatedIdentities"),
    *("isDefault", "convertType", "identifyType", "inferType", "pinpointInAppMessagingPolicyName"),
)
odd: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, 8, 1.5, "", "x", "email, phone_number", "[]", METADATA, {"Ref": "x"}, {"Fn::GetAtt": ["a", "b"]}),
        *([], ["email"], ["email", None, 1, {"Ref": "x"}]),
    ]
)


def resource_of(kind: str, **properties: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    made = st.fixed_dictionaries({}, optional=properties)
    return made.map(lambda found: {"Resources": {"One": {"Type": kind, "Properties": found}}})


templates = st.one_of(
    st.just({}),
    st.just({"Resources": None, "Conditions": None}),
    resource_of("AWS::AppSync::GraphQLApi", AuthenticationType=odd, AdditionalAuthenticationProviders=odd),
    resource_of("AWS::Cognito::UserPoolGroup", GroupName=odd, Precedence=odd),
    odd.map(lambda condition: {"Conditions": {"isAuthCondition": condition}}),
)
resources = st.builds(
    AmplifyResource, st.sampled_from(CATEGORIES), st.sampled_from(("one", "two")), st.sampled_from(SERVICES)
)
declared = st.builds(Declared, resources, templates, st.dictionaries(st.sampled_from(PARAMETERS), odd))
stacks = st.builds(
    Stack,
    st.dictionaries(st.sampled_from(OUTPUTS), st.sampled_from(["", "x", "[]", METADATA])),
    st.dictionaries(st.sampled_from(PARAMETERS), st.sampled_from(["", "true", "8", "x,y"])),
)


@example([resource("auth/one", "Cognito", AUTH, {"mfaConfiguration": {"Ref": "x"}})])
@given(st.lists(st.tuples(declared, stacks), max_size=5))
def test_nothing_is_a_traceback(entries: list[tuple[Declared, Stack]]) -> None:
    running = {d.resource.logical_id: stack for d, stack in entries}
    found = read_backend([d for d, _ in entries], running, REGION)
    for platform in PLATFORMS:
        assert files(found, platform)
        assert all(note.split(":")[0].count("/") == 1 for note in left_out(found, platform))
    assert list(problems(written(found, "outputs"))) == []
