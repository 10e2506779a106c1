"""What of a backend a platform's files do not hold, in words: nothing is left out silently.

The places in the files are amplify-cli's and Gen 2's (javascript.py, native.py, gen2.py). Which outputs a
service's stack has is that of the templates of amplify-cli 14.2.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from amplify_delivery.client_config.backend import ENDPOINT, Backend, Resource
from amplify_delivery.client_config.rendering import FILES, Platform
from amplify_delivery.client_config.sign_in import Auth
from amplify_delivery.findings import listed

_PREDICTIONS = frozenset(
    ("Translate", "Polly", "Transcribe", "Rekognition", "RekognitionAndTextract", "Comprehend", "SageMaker")
)
_EVERYWHERE = frozenset(("Cognito", "AppSync", "API Gateway", "ElasticContainer", "S3", "Pinpoint"))
_WEB = frozenset(("DynamoDB", "Lex", "S3AndCloudFront", "Map", "PlaceIndex", "GeofenceCollection"))
_NATIVE = frozenset(("DynamoDB", "Lex", "Map", "PlaceIndex"))
_SERVED: Mapping[Platform, frozenset[str]] = {
    "javascript": _EVERYWHERE | _WEB | _PREDICTIONS,
    "android": _EVERYWHERE | _NATIVE | _PREDICTIONS,
    "ios": _EVERYWHERE | _NATIVE | _PREDICTIONS,
    "flutter": _EVERYWHERE | {"DynamoDB", "Lex"},
    "outputs": _EVERYWHERE | {"Map", "PlaceIndex", "GeofenceCollection"} | _PREDICTIONS,
    "outputs-dart": _EVERYWHERE | {"Map", "PlaceIndex", "GeofenceCollection"} | _PREDICTIONS,
}
"""The services that have a place in the files of a platform."""
_NOT_A_CLIENTS = frozenset(("Lambda", "LambdaLayer", "Cognito-UserPool-Groups"))
"""Services that a client never calls: what it may know of them stands with another resource."""
_ONE_ONLY = ("AppSync", "S3", "Pinpoint", "S3AndCloudFront")
"""Services of which the CLI makes one: some of the files' places know one only."""

_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "AppSync": (ENDPOINT,),
    "API Gateway": ("ApiName", "RootUrl"),
    "S3": ("BucketName", "Region"),
    "DynamoDB": ("Name", "Region"),
    "Pinpoint": ("Id", "Region"),
    "Map": ("Name", "Style", "Region"),
    "PlaceIndex": ("Name", "Region"),
    "GeofenceCollection": ("Name", "Region"),
    "Lex": ("BotName", "Region"),
    "S3AndCloudFront": ("HostingBucketName", "Region"),
    **dict.fromkeys(_PREDICTIONS, ("region",)),
}
"""The outputs of a service's stack that its place is made of."""
_WORTH_KNOWING = (
    "kinesisStreamId",
    "Name",
    "BotName",
    ENDPOINT,
    "CloudFrontSecureURL",
    "WebsiteURL",
    "region",
    "Region",
)
"""Outputs that a client needs if its configuration does not hold them."""
_AUTHORIZATIONS = ("AMAZON_COGNITO_USER_POOLS", "API_KEY", "AWS_IAM", "AWS_LAMBDA", "OPENID_CONNECT")


def left_out(backend: Backend, platform: Platform) -> tuple[str, ...]:
    """Sentences on what runs and has no place in the platform's files, and on outputs that a stack should have."""
    return (
        *_without_a_place(backend, platform),
        *_without_an_output(backend, platform),
        *_sign_in(backend, platform),
        *_graphql(backend),
        *_analytics(backend, platform),
    )


def _without_a_place(backend: Backend, platform: Platform) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for resource in backend.resources:
        seen[resource.service] += 1
        if resource.service in _NOT_A_CLIENTS:
            continue
        if resource.category == "custom":
            if resource.outputs:
                yield f"{_place(resource)}: its outputs ({listed(resource.outputs)}) stand in no file of a client"
        elif not _is_served(resource, platform):
            told = {name: resource.outputs[name] for name in _WORTH_KNOWING if resource.outputs.get(name)}
            if told and not {"region", "Region"} & told.keys():
                told["Region"] = backend.region
            values = f"; write into your code what it needs: {_values(told)}" if told else ""
            yield f"{_place(resource)}: {_service(resource)} has no place in {_files(platform)}{values}"
        elif resource.service in _ONE_ONLY and seen[resource.service] > 1:
            yield f"{_place(resource)}: {_files(platform)} does not hold a second {_service(resource)} everywhere"


def _is_served(resource: Resource, platform: Platform) -> bool:
    if resource.service == "ElasticContainer":
        return resource.category == "api" and ENDPOINT not in resource.outputs
    return resource.service in _SERVED[platform]


def _without_an_output(backend: Backend, platform: Platform) -> Iterator[str]:
    for resource in backend.resources:
        if _is_served(resource, platform):
            missing = [name for name in _OUTPUTS.get(resource.service, ()) if not resource.outputs.get(name)]
            if missing:
                yield _missing(_place(resource), missing)


def _sign_in(backend: Backend, platform: Platform) -> Iterator[str]:
    """The stack of the category auth: which outputs it has depends on what was chosen."""
    auth, found = backend.auth, backend.of("auth", "Cognito")
    if auth is not None and found:
        place, outputs = _place(found[0]), found[0].outputs
        client = "AppClientIDWeb" if platform in ("javascript", "outputs", "outputs-dart") else "AppClientID"
        if not (auth.user_pool_id or auth.identity_pool_id):
            yield _missing(place, ["UserPoolId", "IdentityPoolId"])
        elif auth.user_pool_id and not outputs.get(client):
            yield _missing(place, [client])
        elif not auth.user_pool_id and platform.startswith("outputs"):
            yield (
                f"{place}: an identity pool without a user pool has no place in {_files(platform)}; write its id into "
                f"your code: {auth.identity_pool_id}"
            )
        if outputs.get("OAuthMetadata") and auth.oauth is None:
            yield f"{place}: its output OAuthMetadata is not a JSON object, so the hosted UI's settings are missing"
        if auth.oauth and not auth.domain:
            yield f"{place}: its stack has no output HostedUIDomain, so the hosted UI has no address"
        if platform.startswith("outputs"):
            yield from _sign_in_of_gen_1(place, auth, platform)


def _sign_in_of_gen_1(place: str, auth: Auth, platform: Platform) -> Iterator[str]:
    """What Gen 2's schema knows no more."""
    if auth.federated:
        yield (
            f"{place}: providers that the identity pool knows itself ({listed(auth.federated)}) have no place in "
            f"{_files(platform)}; write into your code what it needs: {_values(auth.federated)}"
        )
    if auth.custom:
        yield (
            f"{place}: challenges of your own have no place in {_files(platform)}: name the flow (CUSTOM_AUTH) where "
            "your code signs in"
        )


def _graphql(backend: Backend) -> Iterator[str]:
    for api in backend.graphql:
        ways = (api.authorization, *api.additional)
        computed = [way for way in ways if way not in _AUTHORIZATIONS]
        if computed:
            yield (
                f"api/{api.name}: its template computes a way to authorize ({listed(computed)}): write the one that "
                "this environment has into your code"
            )
        if "API_KEY" in ways and not api.api_key:
            yield f"api/{api.name}: it takes an API key, and its stack has no output GraphQLAPIKeyOutput: there is none"


def _analytics(backend: Backend, platform: Platform) -> Iterator[str]:
    """The CLI's files for native apps take whatever stands first in the category for Pinpoint."""
    found = backend.of("analytics")
    if platform in ("android", "ios", "flutter") and found and found[0].service != "Pinpoint":
        missing = [f"write {app.id}, region {app.region}, into it" for app in backend.applications[:1]]
        yield (
            f"{_place(found[0])}: it stands first in its category, where {_files(platform)} has Pinpoint's "
            "application, as the CLI writes it: the plugin awsPinpointAnalyticsPlugin has no `appId`; "
            f"{''.join(missing) or 'leave it out'}"
        )


def _missing(place: str, outputs: Collection[str]) -> str:
    return f"{place}: its stack has no output {listed(outputs)}, so the settings made of it are missing"


def _place(resource: Resource) -> str:
    return f"{resource.category}/{resource.name}"


def _service(resource: Resource) -> str:
    if resource.service == "ElasticContainer":
        return "a container that serves GraphQL" if resource.category == "api" else "a container that is the site"
    return resource.service


def _values(told: Mapping[str, str]) -> str:
    return listed([f"{name} {value}" for name, value in told.items()])


def _files(platform: Platform) -> str:
    return FILES[platform][0]
