"""Checks of GraphQL schemas: AppSync refuses a broken one, and a resolver on a field that is not there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.cache import ResultCache, version_of
from amplify_delivery.publishing.examination.tree import StackView, Tree
from amplify_delivery.publishing.examination.values import UNKNOWN, text, texts

SCHEMA = Rule(
    "AD705",
    "refused",
    "A GraphQL schema that is not valid.",
    "https://docs.aws.amazon.com/appsync/latest/devguide/designing-your-schema.html",
    "AppSync refuses the schema (graphql-core judges)",
    remedy="correct schema.graphql and export again",
)

RESOLVER = Rule(
    "AD706",
    "refused",
    "A resolver of a field that the schema does not have.",
    "https://docs.aws.amazon.com/appsync/latest/devguide/resolver-components.html",
    "AppSync refuses the resolver",
    remedy="correct the schema or the resolver and export again",
)

VERSION = version_of("publishing.examination.graphql_schema")
"""Part of the cache's key: another version of this module may answer differently."""

PRELUDE = """
scalar AWSDate scalar AWSTime scalar AWSDateTime scalar AWSTimestamp scalar AWSEmail scalar AWSJSON
scalar AWSURL scalar AWSPhone scalar AWSIPAddress
directive @aws_subscribe(mutations: [String!]!) on FIELD_DEFINITION
directive @aws_publish(subscriptions: [String!]!) on FIELD_DEFINITION
directive @aws_auth(cognito_groups: [String!]!) on FIELD_DEFINITION
directive @aws_api_key on FIELD_DEFINITION | OBJECT
directive @aws_iam on FIELD_DEFINITION | OBJECT
directive @aws_oidc on FIELD_DEFINITION | OBJECT
directive @aws_lambda on FIELD_DEFINITION | OBJECT
directive @aws_cognito_user_pools(cognito_groups: [String!]) on FIELD_DEFINITION | OBJECT
"""
"""The scalars and directives that every AppSync API has (AppSync Developer Guide, "Scalar types in
GraphQL" and "Directives")."""

_COMMAS = re.compile(r"\b((?:type|interface)\s+\w+\s+implements\s+)([\w&,\s]+?)(\s*[@{])")


def schema_problems(tree: Tree) -> Iterator[Finding]:
    """AD705: a schema that AppSync would refuse. AD706: a resolver of a type or field it does not have."""
    fields: dict[tuple[str, ...], dict[str, frozenset[str]]] = {}
    for view in tree.stacks:
        for logical_id, source, body in _schemas(view, tree):
            problems, types = _examine(body)
            for problem in problems:
                yield SCHEMA.at(
                    view.file,
                    f"{logical_id}: {problem} ({source})",
                    "correct schema.graphql and export again",
                )
            if not problems:
                known = fields.setdefault(view.path, {})
                for name, names in types.items():
                    known[name] = known.get(name, frozenset()) | frozenset(names)
    for view in tree.stacks:
        nearest = next((p for n in range(len(view.path), -1, -1) if (p := view.path[:n]) in fields), None)
        if nearest is not None:
            yield from _lost_resolvers(tree, view, fields[nearest])


def _schemas(view: StackView, tree: Tree) -> Iterator[tuple[str, str, str]]:
    """(logical id, where it stands, text) of the schemas of one stack."""
    for logical_id, properties in tree.resources(view, "AWS::AppSync::GraphQLSchema"):
        inline = properties.get("Definition")
        if isinstance(inline, str):
            yield logical_id, "inline Definition", inline
        for location in texts(properties.get("DefinitionS3Location", UNKNOWN)):
            key = tree.key_of(location)
            if key in tree.keys:
                yield logical_id, key, tree.assembly.read(key).decode("utf-8", "replace")


def _lost_resolvers(tree: Tree, view: StackView, types: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    for logical_id, properties in tree.resources(view, "AWS::AppSync::Resolver"):
        type_name = text(properties.get("TypeName", UNKNOWN))
        field_name = text(properties.get("FieldName", UNKNOWN))
        if UNKNOWN in type_name + field_name or field_name in types.get(type_name, ()):
            continue
        yield RESOLVER.at(
            view.file,
            f"{logical_id} resolves {type_name}.{field_name}, which the API's schema does not have",
            "correct the schema or the resolver and export again",
        )


def _examine(schema: str) -> tuple[list[str], dict[str, list[str]]]:
    """(problems, field names by type) of a schema; kept per content, for big ones take seconds."""
    cache = ResultCache("graphql")
    key = cache.key(VERSION, version("graphql-core"), hashlib.sha256(schema.encode()).hexdigest())
    known = cache.get(key)
    if isinstance(known, dict) and known.keys() == {"problems", "types"}:
        return known["problems"], known["types"]
    problems, types = examine_schema(schema)
    cache.put(key, {"problems": problems, "types": types})
    return problems, types


def examine_schema(schema: str) -> tuple[list[str], dict[str, list[str]]]:
    """What AppSync would refuse in `schema`, and the names of its types' fields.

    Unknown directives pass: AppSync ignores those that it does not know.
    """
    from graphql import (  # noqa: PLC0415 - only what is not known yet pays for it
        DocumentNode,
        GraphQLError,
        GraphQLInterfaceType,
        GraphQLObjectType,
        build_ast_schema,
        parse,
        validate_schema,
    )
    from graphql.validation import KnownDirectivesRule  # noqa: PLC0415
    from graphql.validation.rules.known_argument_names import KnownArgumentNamesOnDirectivesRule  # noqa: PLC0415
    from graphql.validation.rules.provided_required_arguments import (  # noqa: PLC0415
        ProvidedRequiredArgumentsOnDirectivesRule,
    )
    from graphql.validation.specified_rules import specified_sdl_rules  # noqa: PLC0415
    from graphql.validation.validate import validate_sdl  # noqa: PLC0415

    directives = (KnownDirectivesRule, KnownArgumentNamesOnDirectivesRule, ProvidedRequiredArgumentsOnDirectivesRule)
    rules = [r for r in specified_sdl_rules if r not in directives]
    try:
        prelude = parse(PRELUDE, no_location=True)
        document = parse(_with_ampersands(schema))
        whole = DocumentNode(definitions=prelude.definitions + document.definitions)
        errors: list[Any] = validate_sdl(whole, rules=rules)
        if errors:
            return _said(errors), {}
        misplaced = _misplaced(whole)
        if misplaced:
            return misplaced, {}
        built = build_ast_schema(whole, assume_valid_sdl=True)
        errors = [*validate_schema(built)]
        unheard = _unheard(whole)
    except GraphQLError as error:
        return _said([error]), {}
    types = {
        name: sorted(kind.fields)
        for name, kind in built.type_map.items()
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)) and not name.startswith("__")
    }
    return [*_said(errors), *unheard], types


def _unheard(document: Any) -> list[str]:
    """Subscriptions to mutations that give another type ("The subscription has an invalid output type"): "the return
    type of a subscription field must match" (AppSync Developer Guide, "Subscriptions")."""
    from graphql import SchemaDefinitionNode  # noqa: PLC0415

    named = {"mutation": "Mutation", "subscription": "Subscription"}
    for node in (d for d in document.definitions if isinstance(d, SchemaDefinitionNode)):
        named |= {o.operation.value: o.type.name.value for o in node.operation_types}
    mutations = {field.name.value: _named_type(field.type) for field in _fields(document, named["mutation"])}
    found: list[str] = []
    for field in _fields(document, named["subscription"]):
        kind = _named_type(field.type)
        for name in _heard(field):
            if mutations.get(name, kind) != kind:
                found.append(
                    f"Subscription.{field.name.value} gives {kind}, and hears {name}, which gives {mutations[name]}"
                    f"{_line(field)}"
                )
    return found


def _fields(document: Any, name: str) -> list[Any]:
    """The fields of a type, with those that extend it."""
    kinds = [d for d in document.definitions if hasattr(d, "fields") and getattr(d, "name", None) is not None]
    return [field for d in kinds if d.name.value == name for field in d.fields or ()]


def _heard(field: Any) -> list[str]:
    """The mutations that a subscription's field names."""
    given = [a.value for d in field.directives or () if d.name.value == "aws_subscribe" for a in d.arguments or ()]
    values = [value for one in given for value in getattr(one, "values", [one])]
    return [str(value.value) for value in values if hasattr(value, "value")]


def _misplaced(document: Any) -> list[str]:
    """Inputs where a type belongs, and types where an input belongs: of these, graphql-core builds no schema."""
    from graphql import (  # noqa: PLC0415
        InputObjectTypeDefinitionNode,
        InterfaceTypeDefinitionNode,
        ObjectTypeDefinitionNode,
        UnionTypeDefinitionNode,
    )

    of_outputs = (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode)
    defined = document.definitions
    outputs = {d.name.value for d in defined if isinstance(d, (*of_outputs, UnionTypeDefinitionNode))}
    inputs = {d.name.value for d in defined if isinstance(d, InputObjectTypeDefinitionNode)}
    outputs, inputs = outputs - inputs, inputs - outputs
    found: list[str] = []
    for node in (d for d in defined if isinstance(d, (*of_outputs, InputObjectTypeDefinitionNode))):
        wrong = outputs if isinstance(node, InputObjectTypeDefinitionNode) else inputs
        for field in node.fields or ():
            place = f"{node.name.value}.{field.name.value}"
            kind = _named_type(field.type)
            if kind in wrong:
                where = "an input belongs" if wrong is outputs else "a type belongs"
                found.append(f"{place} is of {kind}: {where} there{_line(field)}")
            for argument in getattr(field, "arguments", None) or ():
                if _named_type(argument.type) in outputs:
                    kind = _named_type(argument.type)
                    where = f"{place}({argument.name.value}:)"
                    found.append(f"{where} takes the type {kind}: an input belongs there{_line(argument)}")
    return found


def _named_type(node: Any) -> str:
    while not hasattr(node, "name"):
        node = node.type
    return str(node.name.value)


def _line(node: Any) -> str:
    return f" (line {node.loc.start_token.line})" if node.loc else ""


def _said(errors: list[Any]) -> list[str]:
    return [f"{e.message} (line {e.locations[0].line})" if e.locations else e.message for e in errors]


def _with_ampersands(schema: str) -> str:
    """`implements A, B`, the form of old, which AppSync still takes, in today's form."""
    return _COMMAS.sub(lambda m: m[1] + " & ".join(re.findall(r"\w+", m[2])) + m[3], schema)
