"""What of a backend Amplify's migration to Gen 2 takes over, feature by feature. Pure.

Facts from Amplify's "Feature Parity" page (docs.amplify.aws, start/migrate-to-gen2/feature-matrix) and from the
services that the tool knows (amplify-cli, gen2-migration, KNOWN_RESOURCE_KEYS). Only what an export shows is told:
overrides and `@manyToMany` are compiled away in it. `amplify gen2-migration assess` is the tool's own word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from amplify_delivery.export import Export
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.model import AmplifyResource, ExportedStack

SOURCE = "https://docs.amplify.aws/react/start/migrate-to-gen2/feature-matrix/"
Level = Literal["supported", "by hand", "not"]


@dataclass(frozen=True)
class Readiness:
    """One feature of one resource: `supported` by the migration tool, to be written and moved `by hand`, or `not` to be
    had in Gen 2 as it is."""

    resource: str
    feature: str
    level: Level
    what: str = ""
    """What to do, where something is."""

    def to_json(self) -> dict[str, str]:
        """As `handover --json` gives it."""
        return asdict(self)


_SERVICES: Mapping[tuple[str, str], tuple[Level, str, str]] = {
    ("auth", "Cognito"): ("supported", "sign-in with Cognito", ""),
    ("auth", "Cognito-UserPool-Groups"): ("supported", "user pool groups", ""),
    ("storage", "S3"): ("supported", "S3 bucket", ""),
    ("storage", "DynamoDB"): ("supported", "DynamoDB table", ""),
    ("api", "AppSync"): ("supported", "GraphQL API and its models", "the schema stays text, as it is"),
    ("api", "API Gateway"): ("supported", "REST API", "made again with CDK, at another address"),
    ("api", "ElasticContainer"): ("not", "container API", "the migration tool does not know it: deliver it apart"),
    ("function", "Lambda"): ("supported", "function", ""),
    ("function", "LambdaLayer"): ("by hand", "Lambda layer", "name the layer's ARN in `defineFunction`"),
    ("analytics", "Kinesis"): ("supported", "Kinesis stream", ""),
    ("analytics", "Pinpoint"): ("by hand", "Pinpoint", "with CDK; endpoints and campaigns are not moved"),
    ("geo", "Map"): ("supported", "map", ""),
    ("geo", "PlaceIndex"): ("supported", "place index", ""),
    ("geo", "GeofenceCollection"): ("by hand", "geofences", "code is generated, the geofences are not moved"),
    ("interactions", "Lex"): ("by hand", "bot", "with CDK"),
    ("custom", "customCDK"): ("by hand", "custom resources (CDK)", "carry the CDK code over"),
    ("custom", "customCloudformation"): ("by hand", "custom resources (CloudFormation)", "with CfnInclude"),
    ("hosting", "S3AndCloudFront"): ("not", "hosting with S3 and CloudFront", "Amplify Hosting, or deliver it apart"),
    ("hosting", "amplifyhosting"): ("by hand", "Amplify Hosting", "connect a branch of the Gen 2 code"),
}
"""What the tool does with a service; what it does not know blocks it."""
_UNKNOWN: tuple[Level, str, str] = ("by hand", "", "the migration tool does not know it: write and move it yourself")


def readiness(export: Export) -> tuple[Readiness, ...]:
    """Every feature that the export shows, by resource."""
    found: list[Readiness] = []
    for resource in sorted(export.resources, key=lambda r: (r.category, r.name)):
        name = f"{resource.category}/{resource.name}"
        level, feature, what = _SERVICES.get((resource.category, resource.service), _UNKNOWN)
        if resource.category == "predictions":
            level, feature, what = "by hand", "predictions", "with CDK"
        found.append(Readiness(name, feature or f"{resource.category}: {resource.service}", level, what))
        stack = export.root.nested.get(resource.logical_id)
        if stack is not None and resource.category in _LOOKS:
            found += [Readiness(name, f, lv, w) for f, lv, w in _LOOKS[resource.category](resource, stack)]
    return tuple(found)


_Found = Iterator[tuple[str, Level, str]]


def _auth(resource: AmplifyResource, stack: ExportedStack) -> _Found:
    if resource.service != "Cognito":
        return
    given = stack.parameters
    if _is_set(given.get("hostedUIProviderMeta")) or _types(stack, "AWS::Cognito::UserPoolIdentityProvider"):
        yield "social sign-in", "by hand", "client ids and secrets become secrets of Gen 2; look at the generated code"
    if _is_set(given.get("oAuthMetadata")):
        yield "OAuth flows, scopes, redirects, domain", "by hand", "with CDK in `backend.ts`"
    if _is_set(given.get("triggers")) or _is_set(given.get("dependsOn")):
        yield "Lambda triggers", "supported", ""
    if _is_set(given.get("userpoolClientReadAttributes")) or _is_set(given.get("userpoolClientWriteAttributes")):
        yield "attributes that clients may read and write", "by hand", "with CDK in `backend.ts`"


def _api(resource: AmplifyResource, stack: ExportedStack) -> _Found:
    if resource.service == "API Gateway" and resource.name == "AdminQueries":
        yield "admin queries", "by hand", "with CDK"
    if resource.service != "AppSync":
        return
    everything = list(stack.walk())
    if any(_types(s, "AWS::OpenSearchService::Domain", "AWS::Elasticsearch::Domain") for _, s in everything):
        yield "@searchable", "not", "Zero-ETL from DynamoDB to OpenSearch; the index is made again"
    if any("PredictionsDirectiveStack" in path for path, _ in everything):
        yield "@predictions", "not", "call the AI services from a function"
    if any("AmplifyDataStore" in "".join(path) or "DataStore" in s.resources for path, s in everything):
        yield "DataStore (conflict detection)", "not", "front ends have to use another cache"
    text = canonical({name: item.get("Properties") for name, item in stack.resources.items()})
    for kind, name in ((b"OPENID_CONNECT", "OpenID Connect"), (b"AWS_LAMBDA", "a function")):
        if kind in text:
            yield f"authorisation by {name}", "by hand", "with CDK in `backend.ts`"
    custom = stack.nested.get("CustomResourcesjson")
    if custom is not None and _types(custom, "AWS::AppSync::Resolver"):
        yield "custom resolvers", "by hand", "with CDK or as JavaScript resolvers"


def _storage(resource: AmplifyResource, stack: ExportedStack) -> _Found:
    if resource.service == "S3" and b"LambdaConfigurations" in canonical(stack.template.get("Resources")):
        yield "trigger of the bucket", "supported", ""


def _function(_: AmplifyResource, stack: ExportedStack) -> _Found:
    for item in stack.resources.values():
        properties = item.get("Properties") or {}
        if item["Type"] == "AWS::Lambda::Function":
            runtime = properties.get("Runtime", "")
            if isinstance(runtime, str) and runtime and not runtime.startswith("nodejs"):
                yield f"runtime {runtime}", "by hand", "a custom function with CDK"
            if properties.get("Layers"):
                yield "layers", "by hand", "name their ARNs in `defineFunction`"
        if item["Type"] == "AWS::Events::Rule":
            yield "schedule", "supported", ""
    if b"secretsPathAmplifyAppId" in canonical(stack.template):
        yield "secrets", "by hand", "`npx ampx sandbox secret set`, or in the console"
    if "CustomLambdaExecutionPolicy" in stack.resources:
        yield "policies of its own", "by hand", "grant them in `backend.ts`"


_LOOKS: Mapping[str, Callable[[AmplifyResource, ExportedStack], _Found]] = {
    "auth": _auth,
    "api": _api,
    "storage": _storage,
    "function": _function,
}


def _types(stack: ExportedStack, *types: str) -> bool:
    return any(item["Type"] in types for item in stack.resources.values())


def _is_set(value: Any) -> bool:
    """Whether a parameter of the CLI says anything: many are given empty, some as empty JSON."""
    return value not in (None, "", "[]", "{}", [], {}, False, "false")
