"""Checks of APIs: a field of AppSync has one resolver, a place of API Gateway's paths one variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import same, unconditional
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

RESOLVERS = Rule(
    "AD707",
    "refused",
    "A second resolver of one field of a GraphQL API.",
    "https://github.com/aws-amplify/amplify-studio/issues/953",
    "`Only one resolver is allowed per field`",
    remedy="take one of them away; one in CustomResources.json replaces Amplify's own only where the model's is "
    "switched off (`@model(queries: null)`)",
)

PATHS = Rule(
    "AD708",
    "refused",
    "Paths of a REST API with two variables of different names at one place.",
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html",
    "`A sibling ({id}) of this resource already has a variable path part -- only one is allowed`",
    remedy="give the variable one name in all paths that go on from there",
)


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


def _variables(paths: Mapping[str, Any]) -> dict[str, set[str]]:
    """The variables at each place of an API's paths."""
    places: dict[str, set[str]] = {}
    for path in paths:
        parts = path.strip("/").split("/")
        for depth, part in enumerate(parts):
            if part.startswith("{") and part.endswith("}"):
                places.setdefault("/".join(("", *parts[:depth])), set()).add(part)
    return places
