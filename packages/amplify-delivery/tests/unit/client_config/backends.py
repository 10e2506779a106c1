"""Backends made by hand, one resource at a time, as an export and DescribeStacks would tell of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from amplify_delivery.client_config import Backend, Declared, Platform, Stack, files, read_backend
from amplify_delivery.export.model import AmplifyResource

REGION = "eu-west-1"
IN_APP = "pinpointInAppMessagingPolicyName"
DEFAULT = {"isDefault": True}
Entry = tuple[Declared, Stack]


def resource(
    place: str,
    service: str,
    outputs: Mapping[str, str],
    parameters: Mapping[str, Any] | None = None,
    deployed: Mapping[str, str] | None = None,
    **template: Any,
) -> Entry:
    """A resource at `CATEGORY/NAME`. `parameters` are the exported ones, `deployed` those that the stack has."""
    category, name = place.split("/")
    declared = Declared(AmplifyResource(category, name, service), template, parameters or {})
    return declared, Stack(outputs, deployed or {})


def backend(*entries: Entry) -> Backend:
    return read_backend([d for d, _ in entries], {d.resource.logical_id: stack for d, stack in entries}, REGION)


def written(found: Backend, platform: Platform, name: str | None = None) -> dict[str, Any]:
    """The data in the first file of a platform, or in the one called `name`."""
    texts = files(found, platform)
    return data(name or next(iter(texts)), texts[name or next(iter(texts))])


def data(name: str, text: str) -> dict[str, Any]:
    """What a file says."""
    if name.endswith(".js"):
        text = re.findall(r"const awsmobile = (\{.*\});\s+export default awsmobile;", text, re.DOTALL)[0]
    elif name.endswith(".dart"):
        text = re.findall(r"const amplify[cC]onfig = r?'''(.*)''';\n", text, re.DOTALL)[0]
    found: dict[str, Any] = json.loads(text)
    return found


def plugins(found: Backend, platform: Platform, category: str) -> Any:
    """The settings of the plugins of a category in `amplifyconfiguration`; None if there is no such category."""
    return (written(found, platform).get(category) or {}).get("plugins")


AUTH = {
    "UserPoolId": "eu-west-1_pool",
    "AppClientIDWeb": "web",
    "AppClientID": "native",
    "IdentityPoolId": "eu-west-1:identities",
}


def everything() -> Backend:
    """Something of every category."""
    group = {"Type": "AWS::Cognito::UserPoolGroup", "Properties": {"GroupName": "Admins", "Precedence": 1}}
    return backend(
        resource("auth/app", "Cognito", AUTH, {"usernameAttributes": ["email"], "passwordPolicyMinLength": 8}),
        resource("auth/userPoolGroups", "Cognito-UserPool-Groups", {}, Resources={"AdminsGroup": group}),
        graphql("API_KEY", "AWS_IAM"),
        resource("api/orders", "API Gateway", {"ApiName": "orders", "RootUrl": "https://o.example/dev"}),
        resource("storage/files", "S3", {"BucketName": "files-dev", "Region": REGION}),
        resource("storage/table", "DynamoDB", {"Name": "table-dev", "Region": REGION}),
        resource("analytics/app", "Pinpoint", {"Id": "app", "Region": REGION}, {IN_APP: "p"}),
        resource("geo/map", "Map", {"Name": "map-dev", "Style": "VectorEsriStreets", "Region": REGION}, DEFAULT),
        resource("geo/places", "PlaceIndex", {"Name": "places-dev", "Region": REGION}, DEFAULT),
        resource("geo/fences", "GeofenceCollection", {"Name": "fences-dev", "Region": REGION}, DEFAULT),
        resource("interactions/bot", "Lex", {"BotName": "Bot_dev", "Region": REGION}),
        resource(
            "predictions/t", "Translate", {"region": REGION, "sourceLang": "en"}, {"convertType": "translateText"}
        ),
        resource("hosting/site", "S3AndCloudFront", {"HostingBucketName": "site", "Region": REGION, "WebsiteURL": "u"}),
    )


def graphql(default: str, *others: str, key: str | None = "da2-key") -> Entry:
    """A GraphQL API with these ways to authorize."""
    properties = {
        "AuthenticationType": default,
        "AdditionalAuthenticationProviders": [{"AuthenticationType": other} for other in others],
    }
    outputs = {"GraphQLAPIEndpointOutput": "https://g.example/graphql", **({"GraphQLAPIKeyOutput": key} if key else {})}
    template = {"GraphQLAPI": {"Type": "AWS::AppSync::GraphQLApi", "Properties": properties}}
    return resource("api/app", "AppSync", outputs, Resources=template)
