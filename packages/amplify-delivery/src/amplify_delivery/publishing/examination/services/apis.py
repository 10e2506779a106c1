"""Checks of APIs: a field of AppSync has one resolver of ten functions at most, a place of API Gateway's paths one
variable, and a REST API methods with integrations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import (
    Path,
    certain,
    is_open,
    same,
    target,
    unconditional,
)
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

RESOLVERS = Rule(
    "AD707",
    "refused",
    "A second resolver of one field of a GraphQL API.",
    "https://github.com/aws-amplify/amplify-studio/issues/953",
    "`Only one resolver is allowed per field`",
    remedy="remove one of them; one in CustomResources.json replaces Amplify's own only where the model's is "
    "switched off (`@model(queries: null)`)",
)

PATHS = Rule(
    "AD708",
    "refused",
    "Paths of a REST API with two variables of different names at one place, or that go on below one for all the rest "
    "(`{proxy+}`).",
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html",
    "`A sibling ({id}) of this resource already has a variable path part -- only one is allowed`, `Cannot create a "
    "child of a resource with a greedy path variable: {proxy+}`",
    remedy="give the variable one name in all paths that go on from there, and let nothing follow one for all the rest",
)

FUNCTIONS = Rule(
    "AD712",
    "refused",
    "A resolver of a GraphQL API that is made of more than ten functions: Amplify adds one for each relation and rule "
    "that it checks. Or one, or a function of one, with code in JavaScript and no Runtime, or the other way round.",
    "https://github.com/aws-amplify/amplify-category-api/issues/956",
    "`A resolver can only be composed of 10 functions`, `When code is used, the runtime is required`",
    remedy="give the model fewer relations or `@auth` rules on fields that are checked in one call, or put several "
    "checks into one resolver of your own; give code in JavaScript the Runtime APPSYNC_JS",
)

METHODS = Rule(
    "AD713",
    "refused",
    "A REST API that cannot be deployed: it has no method, a method without an integration, or is private and has no "
    "policy. A warning where it logs, and nothing gives the account a role for that.",
    "https://github.com/aws-amplify/amplify-flutter/issues/5913",
    "`The REST API doesn't contain any methods`, `No integration defined for method`, `Private REST API doesn't have a "
    "resource policy attached to it`",
    remedy="give every method of every path an x-amazon-apigateway-integration, the API a path (`amplify update api`), "
    "or a private one a Policy",
)
SIGN_IN = Rule(
    "AD716",
    "refused",
    "A way to sign in to a GraphQL API without its settings: a user pool, an OpenID Connect provider or a function "
    "that is not said, or the same way twice.",
    "https://docs.aws.amazon.com/appsync/latest/APIReference/API_CreateGraphqlApi.html",
    "`UserPoolConfig is required for AuthenticationType AMAZON_COGNITO_USER_POOLS`",
    remedy="give the way its settings (`amplify update api`), or remove it, and export again",
)
_SETTINGS = {
    "AMAZON_COGNITO_USER_POOLS": "UserPoolConfig",
    "AWS_LAMBDA": "LambdaAuthorizerConfig",
    "OPENID_CONNECT": "OpenIDConnectConfig",
}
_ONCE = ("API_KEY", "AWS_IAM", "AWS_LAMBDA")
"""Ways that an API has once."""
_MOST_FUNCTIONS = 10
_VERBS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"})


def second_resolvers(tree: Tree) -> Iterator[Finding]:
    """AD707: AppSync refuses the second, in the middle of the deployment."""
    first: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for path, resource in tree.resolved.resources.items():
        if resource.type != "AWS::AppSync::Resolver" or not unconditional(tree, path):
            continue
        properties = as_mapping(resource.properties)
        type_name, field = properties.get("TypeName"), properties.get("FieldName")
        if not isinstance(type_name, str) or not isinstance(field, str):
            continue
        before = first.setdefault((same(properties.get("ApiId")), type_name, field), path)
        if before != path:
            yield RESOLVERS.at(
                tree.file(path[:-1]),
                f"{path[-1]} resolves {type_name}.{field}, which {'/'.join(before)} resolves already",
                RESOLVERS.remedy,
            )


def variable_siblings(tree: Tree) -> Iterator[Finding]:
    """AD708: API Gateway refuses the second variable, when it imports the API."""
    for path, resource in tree.resolved.resources.items():
        if resource.type == "AWS::ApiGateway::RestApi":
            paths = as_mapping(as_mapping(as_mapping(resource.properties).get("Body")).get("paths"))
            for above, variables in _variables(paths).items():
                if len(variables) > 1:
                    yield PATHS.at(
                        tree.file(path[:-1]),
                        f"{path[-1]} has the variables {', '.join(sorted(variables))} below {above or '/'}",
                        PATHS.remedy,
                    )
            for greedy in (p for p in paths if re.search(r"\+\}/.", p)):
                told = f"{path[-1]} has the path {greedy}, which goes on below a variable for all the rest"
                yield PATHS.at(tree.file(path[:-1]), told, PATHS.remedy)


def _variables(paths: Mapping[str, Any]) -> dict[str, set[str]]:
    """The variables at each place of an API's paths."""
    places: dict[str, set[str]] = {}
    for path in paths:
        parts = path.strip("/").split("/")
        for depth, part in enumerate(parts):
            if part.startswith("{") and part.endswith("}"):
                places.setdefault("/".join(("", *parts[:depth])), set()).add(part)
    return places


def long_pipelines(tree: Tree) -> Iterator[Finding]:
    """AD712: AppSync refuses the resolver, in the middle of the deployment."""
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        if resource.type in ("AWS::AppSync::Resolver", "AWS::AppSync::FunctionConfiguration"):
            for problem in _of_code(properties):
                yield FUNCTIONS.at(tree.file(path[:-1]), f"{path[-1]} {problem}", FUNCTIONS.remedy)
        if resource.type == "AWS::AppSync::Resolver":
            functions = as_mapping(properties.get("PipelineConfig")).get("Functions")
            count = sum("Fn::If" not in as_mapping(f) for f in functions) if isinstance(functions, list) else 0
            if count > _MOST_FUNCTIONS:
                field = f"{properties.get('TypeName')}.{properties.get('FieldName')}"
                told = f"{path[-1]} resolves {field} with {count} functions, AppSync takes {_MOST_FUNCTIONS}"
                yield FUNCTIONS.at(tree.file(path[:-1]), told, FUNCTIONS.remedy)


def _of_code(properties: Mapping[str, Any]) -> Iterator[str]:
    """ "CreateResolver" and "CreateFunction" (AppSync API reference): each of the two needs the other."""
    written = [name for name in ("Code", "CodeS3Location") if certain(properties, name)]
    if written and "Runtime" not in properties:
        yield f"has {written[0]} and no Runtime: AppSync takes it for templates in VTL"
    elif certain(properties, "Runtime") and not {"Code", "CodeS3Location"} & properties.keys():
        yield "has a Runtime and no Code for it"


def undeployable_apis(tree: Tree) -> Iterator[Finding]:
    """AD713: API Gateway refuses the deployment of such an API. What may have methods as resources of their own is left
    to it."""
    deployed, apart = set[Path | None](), set[Path | None]()
    for resource in tree.resolved.resources.values():
        api = target(as_mapping(resource.properties).get("RestApiId"))
        if resource.type == "AWS::ApiGateway::Deployment":
            deployed.add(api)
        elif resource.type == "AWS::ApiGateway::Method":
            apart.add(api)
    yield from _logging(tree)
    for path, resource in tree.resolved.resources.items():
        if resource.type == "AWS::ApiGateway::RestApi" and path in deployed and not apart & {path, None}:
            for problem in (
                *_of_methods(as_mapping(resource.properties)),
                *_of_access(as_mapping(resource.properties)),
            ):
                yield METHODS.at(tree.file(path[:-1]), f"{path[-1]} {problem}", METHODS.remedy)


def _logging(tree: Tree) -> Iterator[Finding]:
    """ "Set up CloudWatch logging for REST APIs" (developer guide): with a role of the account, which another stack may
    have set."""
    resources = tree.resolved.resources
    if any(resource.type == "AWS::ApiGateway::Account" for resource in resources.values()):
        return
    for path, resource in resources.items():
        properties = as_mapping(resource.properties)
        if resource.type == "AWS::ApiGateway::Deployment":
            properties = as_mapping(properties.get("StageDescription"))
        elif resource.type != "AWS::ApiGateway::Stage":
            continue
        settings = properties.get("MethodSettings")
        levels = [properties.get("LoggingLevel")]
        levels += [as_mapping(s).get("LoggingLevel") for s in (settings if isinstance(settings, list) else ())]
        if {"ERROR", "INFO"} & {level for level in levels if isinstance(level, str)}:
            told = f"{path[-1]} logs calls, and nothing in the backend gives the account a role for that"
            yield replace(METHODS.at(tree.file(path[:-1]), told, _ROLE), severity="warning")


_ROLE = (
    "if the account has none (`aws apigateway get-account`), give it one: an AWS::ApiGateway::Account in a stack of "
    "its own"
)


def _of_access(properties: Mapping[str, Any]) -> Iterator[str]:
    """ "Private REST APIs in API Gateway" (developer guide): the policy says which endpoints may call it."""
    types = as_mapping(properties.get("EndpointConfiguration")).get("Types")
    body = properties.get("Body")
    in_body = not isinstance(body, Mapping) or "x-amazon-apigateway-policy" in body or is_open(body)
    elsewhere = "BodyS3Location" in properties or (body is not None and in_body)
    if isinstance(types, list) and "PRIVATE" in types and "Policy" not in properties and not elsewhere:
        yield "is private, and has no Policy"


def _of_methods(properties: Mapping[str, Any]) -> Iterator[str]:
    if "BodyS3Location" in properties or properties.get("CloneFrom") or isinstance(properties.get("Body"), str):
        return
    body = as_mapping(properties.get("Body"))
    paths = as_mapping(body.get("paths"))
    if any(key.startswith("Fn::") for key in (*body, *paths)):
        return  # only CloudFormation knows them
    methods = [(where, verb, as_mapping(item)) for where, several in paths.items() for verb, item in _methods(several)]
    if not methods and not any(key.startswith("Fn::") for several in paths.values() for key in as_mapping(several)):
        yield "has no method"
    for where, verb, method in methods:
        if "x-amazon-apigateway-integration" not in method and not any(key.startswith("Fn::") for key in method):
            yield f"has no integration for {verb.removeprefix('x-amazon-apigateway-').removesuffix('-method')} {where}"


def _methods(several: Any) -> Iterator[tuple[str, Any]]:
    for verb, item in as_mapping(several).items():
        if verb.lower() in _VERBS:
            yield verb, item


def unknown_sign_in(tree: Tree) -> Iterator[Finding]:
    """AD716: AppSync refuses the API."""
    for path, resource in tree.resolved.resources.items():
        if resource.type == "AWS::AppSync::GraphQLApi":
            for problem in dict.fromkeys(_of_ways(as_mapping(resource.properties))):
                yield SIGN_IN.at(tree.file(path[:-1]), f"{path[-1]} {problem}", SIGN_IN.remedy)


def _of_ways(properties: Mapping[str, Any]) -> Iterator[str]:
    more = properties.get("AdditionalAuthenticationProviders")
    ways = [properties, *map(as_mapping, more if isinstance(more, list) else ())]
    seen = set[str]()
    for way in ways:
        kind = way.get("AuthenticationType")
        if not isinstance(kind, str) or any(key.startswith("Fn::") for key in way):
            continue
        if kind in seen and kind in _ONCE:
            yield f"has the way to sign in {kind} twice"
        seen.add(kind)
        if kind in _SETTINGS and _SETTINGS[kind] not in way:
            yield f"signs in by {kind}, and has no {_SETTINGS[kind]}"
