"""What a backend that runs offers to a client.

Which output of which stack means what is amplify-cli's: `getResourceOutputs` (get-resource-outputs.ts),
`updateamplifyMetaFileWithStackOutputs` (aws-cfn.ts) and `createFrontendConfigsAtPath` of its front ends, 14.2.2. What
they take from the project's amplify-meta.json and no output has, an export has as parameters or in its templates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from amplify_delivery.client_config import sign_in
from amplify_delivery.client_config.declared import Declared, typed
from amplify_delivery.client_config.sign_in import Auth
from amplify_delivery.export.templates.literals import text

ADMIN_QUERIES = "AdminQueries"
"""The API by which administrators manage users: the only one that the CLI protects by the user pool."""
USER_POOLS = "AMAZON_COGNITO_USER_POOLS"
ENDPOINT = "GraphQLAPIEndpointOutput"
"""The output that a GraphQL API has: AppSync's, or that of a container (ecs-apigw-stack.ts)."""
WEB_SERVICES = ("API Gateway", "ElasticContainer")
"""The services that the CLI lists as REST APIs."""

Channel = Literal["APNS", "FCM", "InAppMessaging", "Email", "SMS"]
"""A channel of Pinpoint, as amplify-meta.json calls it."""

PlaceKind = Literal["Map", "PlaceIndex", "GeofenceCollection"]
"""A service of Amazon Location Service."""


@dataclass(frozen=True)
class Stack:
    """A nested stack of the root as DescribeStacks has it; without echo a parameter tells nothing, and is left out."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """A resource of Amplify that is deployed, with its stack's outputs."""

    category: str
    name: str
    service: str
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class GraphqlApi:
    """An AppSync API. Authorization types are AppSync's words."""

    name: str
    endpoint: str | None
    api_key: str | None
    authorization: str
    additional: tuple[str, ...]


@dataclass(frozen=True)
class RestApi:
    """An API of API Gateway, or a REST API of a container. `name` is Amplify's name of the resource, `api_name` the
    API's."""

    name: str
    api_name: str | None
    url: str | None
    authorization: str


@dataclass(frozen=True)
class Bucket:
    """The bucket of users' files."""

    name: str
    bucket: str | None
    region: str | None


@dataclass(frozen=True)
class Application:
    """An application of Amazon Pinpoint."""

    id: str | None
    region: str | None


@dataclass(frozen=True)
class Notifications:
    """The channels of an application that are on. Amplify turns all but in-app messages on by calls of its own, which
    no export holds."""

    application: Application
    channels: tuple[Channel, ...]


@dataclass(frozen=True)
class Place:
    """A map, place index or geofence collection of Amazon Location Service. `style` is a map's."""

    kind: PlaceKind
    name: str
    region: str
    is_default: bool
    style: str | None = None


@dataclass(frozen=True)
class Prediction:
    """A service of the category predictions. `kind` is identify, interpret, convert or infer, `type` what it does."""

    kind: str
    type: str
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Backend:
    """All that a client can use. `resources` are all that are deployed, in the order of the export; what is typed
    below is made of them."""

    region: str
    resources: tuple[Resource, ...]
    auth: Auth | None = None
    graphql: tuple[GraphqlApi, ...] = ()
    rest: tuple[RestApi, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    notifications: Notifications | None = None
    places: tuple[Place, ...] = ()
    predictions: tuple[Prediction, ...] = ()

    def of(self, category: str, service: str | None = None) -> list[Resource]:
        """The resources of a category, and of a service of it."""
        return [r for r in self.resources if r.category == category and service in (None, r.service)]

    @property
    def applications(self) -> list[Application]:
        """Pinpoint's, for analytics."""
        found = self.of("analytics", "Pinpoint")
        return [Application(r.outputs.get("Id"), r.outputs.get("Region")) for r in found]


def read_backend(declared: Sequence[Declared], stacks: Mapping[str, Stack], region: str) -> Backend:
    """What runs, of what was declared. `stacks` are the root's nested stacks by logical id; a resource without one is
    not deployed. `region` is the environment's."""
    running = [
        (_with_deployed(d, stacks[d.resource.logical_id].parameters), stacks[d.resource.logical_id].outputs)
        for d in declared
        if d.resource.logical_id in stacks
    ]
    return Backend(
        region=region,
        resources=tuple(Resource(*_key(d), outputs) for d, outputs in running),
        auth=_auth(running, region),
        graphql=tuple(_graphql(d, outputs) for d, outputs in running if d.resource.service == "AppSync"),
        rest=tuple(_rest(running)),
        buckets=tuple(
            Bucket(d.resource.name, outputs.get("BucketName"), outputs.get("Region"))
            for d, outputs in running
            if d.resource.category == "storage" and d.resource.service == "S3"
        ),
        notifications=_notifications(running),
        places=tuple(_places(running, region)),
        predictions=tuple(_predictions(running)),
    )


_Running = Sequence[tuple[Declared, Mapping[str, str]]]


def _key(declared: Declared) -> tuple[str, str, str]:
    resource = declared.resource
    return resource.category, resource.name, resource.service


def _with_deployed(declared: Declared, deployed: Mapping[str, str]) -> Declared:
    """With the parameters that the stack has. One that is the exported one keeps its JSON type."""
    exported = declared.parameters
    changed = {
        name: typed(name, value)
        for name, value in deployed.items()
        if exported.get(name) is None or text(exported[name]) != value
    }
    return Declared(declared.resource, declared.template, {**exported, **changed}) if changed else declared


def _auth(running: _Running, region: str) -> Auth | None:
    """There is one at most; the groups of its users are another resource's."""
    groups = [d for d, _ in running if d.resource.service == "Cognito-UserPool-Groups"]
    for declared, outputs in running:
        if declared.resource.service == "Cognito":
            return sign_in.read(declared.parameters, outputs, region, groups)
    return None


def _graphql(declared: Declared, outputs: Mapping[str, str]) -> GraphqlApi:
    properties = next(iter(declared.of_type("AWS::AppSync::GraphQLApi")), {})
    others = properties.get("AdditionalAuthenticationProviders")
    listed = [other for other in others if isinstance(other, Mapping)] if isinstance(others, list) else []
    return GraphqlApi(
        declared.resource.name,
        outputs.get(ENDPOINT),
        outputs.get("GraphQLAPIKeyOutput") or None,
        _literal(properties.get("AuthenticationType")),
        tuple(_literal(other.get("AuthenticationType", other)) for other in listed),
    )


def _rest(running: _Running) -> Iterator[RestApi]:
    for declared, outputs in running:
        resource = declared.resource
        # A container may be the site itself, of the category hosting, or serve GraphQL: the CLI lists neither.
        if resource.category != "api" or resource.service not in WEB_SERVICES or ENDPOINT in outputs:
            continue
        protected = resource.name == ADMIN_QUERIES if resource.service == "API Gateway" else _is_restricted(declared)
        yield RestApi(
            resource.name,
            outputs.get("ApiName"),
            outputs.get("RootUrl"),
            USER_POOLS if protected else "AWS_IAM",
        )


def _is_restricted(container: Declared) -> bool:
    """Whether a container's API asks for a user of the pool: the CLI writes it as a constant into a condition
    (base-api-stack.ts), `Fn::And: [{Fn::Equals: [true, true]}, ...]`."""
    conditions = container.template.get("Conditions") or {}
    condition = conditions.get("isAuthCondition")
    terms = condition.get("Fn::And") if isinstance(condition, Mapping) else None
    compared = [term.get("Fn::Equals") for term in terms or () if isinstance(term, Mapping)]
    return bool(compared) and compared[0] in ([True, True], ["true", "true"])


def _notifications(running: _Running) -> Notifications | None:
    """In-app messages are a policy of the application's stack (pinpoint-cloudformation-template.json)."""
    for declared, outputs in running:
        if (declared.resource.category, declared.resource.service) == ("analytics", "Pinpoint"):
            policy = declared.parameters.get("pinpointInAppMessagingPolicyName")
            if policy not in (None, "", "NONE"):
                return Notifications(Application(outputs.get("Id"), outputs.get("Region")), ("InAppMessaging",))
    return None


_KINDS: Mapping[str, PlaceKind] = {
    "Map": "Map",
    "PlaceIndex": "PlaceIndex",
    "GeofenceCollection": "GeofenceCollection",
}


def _places(running: _Running, region: str) -> Iterator[Place]:
    for declared, outputs in running:
        kind = _KINDS.get(declared.resource.service)
        if kind is not None:
            yield Place(
                kind,
                outputs.get("Name", ""),
                outputs.get("Region") or region,
                text(declared.parameters.get("isDefault", False)) == "true",
                outputs.get("Style"),
            )


_PREDICTIONS = ("identify", "interpret", "convert", "infer")


def _predictions(running: _Running) -> Iterator[Prediction]:
    """Each template of the category has a parameter that says what it does: `identifyType`, `convertType`..."""
    for declared, outputs in running:
        if declared.resource.category == "predictions":
            for kind in _PREDICTIONS:
                found = declared.parameters.get(f"{kind}Type")
                if isinstance(found, str) and found:
                    yield Prediction(kind, found, outputs)
                    break


def _literal(value: Any) -> str:
    """A property as text; one that is computed is told as it stands, so that nobody takes it for another."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
