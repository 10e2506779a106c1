"""An API's schema made executable: AppSync's own scalars, its directives, and which field is open to whom.

AppSync Developer Guide, "Scalar types in AWS AppSync" and "Authorization".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import graphql
from appsync.access import Rule, rules

_DIRECTIVES = """
directive @aws_subscribe(mutations: [String!]!) on FIELD_DEFINITION
directive @aws_auth(cognito_groups: [String!]) on FIELD_DEFINITION | OBJECT
directive @aws_cognito_user_pools(cognito_groups: [String!]) on FIELD_DEFINITION | OBJECT
directive @aws_api_key on FIELD_DEFINITION | OBJECT
directive @aws_iam on FIELD_DEFINITION | OBJECT
directive @aws_oidc on FIELD_DEFINITION | OBJECT
directive @aws_lambda on FIELD_DEFINITION | OBJECT
"""
_DATE = r"[+-]?\d{4}-\d{2}-\d{2}"
_OFFSET = r"(?:Z|[+-]\d{2}:\d{2}(?::\d{2})?)"
_CLOCK = r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
_TEXTS = {
    "AWSDate": rf"{_DATE}{_OFFSET}?",
    "AWSTime": rf"{_CLOCK}{_OFFSET}?",
    "AWSDateTime": rf"{_DATE}T{_CLOCK}{_OFFSET}",
    "AWSEmail": r"[^@\s]+@[^@\s]+",
    "AWSURL": r"[A-Za-z][A-Za-z0-9+.-]*:\S+",
    "AWSPhone": r"\+?[0-9 ()-]+",
    "AWSIPAddress": r"[0-9A-Fa-f.:]+(?:/\d{1,3})?",
}
"""Scalars that are strings of a form."""
_OTHERS = ("AWSJSON", "AWSTimestamp")


@lru_cache(maxsize=64)
def executable(definition: str) -> graphql.GraphQLSchema:
    """The schema that a definition describes; raises `GraphQLError`."""
    declared = set(re.findall(r"^scalar\s+(\w+)", definition, re.MULTILINE))
    scalars = "".join(f"scalar {name}\n" for name in (*_TEXTS, *_OTHERS) if name not in declared)
    schema = graphql.build_schema(f"{definition}\n{scalars}{_DIRECTIVES}", assume_valid_sdl=True)
    for name, form in _TEXTS.items():
        _read_as(schema, name, _of_form(name, form))
    _read_as(schema, "AWSTimestamp", _seconds)
    _read_as(schema, "AWSJSON", _from_json)
    kind: Any = schema.type_map["AWSJSON"]
    kind.serialize = _to_json
    return schema


@lru_cache(maxsize=8192)
def rules_of(schema: graphql.GraphQLSchema, type_name: str, field_name: str) -> tuple[Rule, ...]:
    """Who may read a field: its own directives, else its type's."""
    kind = schema.type_map.get(type_name)
    field = kind.fields.get(field_name) if isinstance(kind, graphql.GraphQLObjectType) else None
    if kind is None or field is None:
        return ()
    return rules(_directives([field.ast_node])) or rules(_directives([kind.ast_node, *kind.extension_ast_nodes]))


def _directives(nodes: Iterable[Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for node in nodes:
        for directive in node.directives if node is not None else ():
            arguments = {a.name.value: graphql.value_from_ast_untyped(a.value) for a in directive.arguments}
            yield directive.name.value, arguments


def _read_as(schema: graphql.GraphQLSchema, name: str, read: Callable[[Any], Any]) -> None:
    kind: Any = schema.type_map[name]
    kind.parse_value = read
    kind.parse_literal = lambda node, variables=None: read(graphql.value_from_ast_untyped(node, variables))


def _of_form(name: str, form: str) -> Callable[[Any], Any]:
    pattern = re.compile(form)

    def read(value: Any) -> Any:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise graphql.GraphQLError(f"Unable to parse `{value}` as a valid {name}.")
        return value

    return read


def _seconds(value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        raise graphql.GraphQLError(f"Unable to parse `{value}` as a valid AWSTimestamp.")
    return value


def _from_json(value: Any) -> Any:
    """Templates see what the text says: it is "loaded in the resolver mapping templates as maps, lists, or scalar
    values rather than as the literal input strings"."""
    try:
        return json.loads(value)
    except (TypeError, ValueError) as error:
        raise graphql.GraphQLError(f"Unable to parse `{value}` as valid JSON.") from error


def _to_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
