"""GraphQL schemas that AppSync would refuse, and resolvers of what they do not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import Assembly
from amplify_delivery.publishing.examination import graphql_schema
from amplify_delivery.publishing.examination.graphql_schema import examine_schema, schema_problems
from unit.publishing.conftest import SOUND, assembly_of, spoiled, tree_of, with_object


@pytest.mark.parametrize("name", SOUND)
def test_real_schemas_are_sound(name: str) -> None:
    assert not list(schema_problems(tree_of(assembly_of(name))))


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ("type Query { a: Strin }", "Unknown type 'Strin'"),
        ("type Query { a: String", "Syntax Error"),
        ("type A { x: Int }", "Query root type must be provided"),
        ("type Query { a: Int } type Query { b: Int }", "There can be only one type named 'Query'"),
        ("interface I { x: Int } type Query implements I { a: Int }", "Interface field I.x expected but Query"),
        ("type Query { at: AWSDateTime! j: AWSJSON ip: AWSIPAddress }", ""),
        ('type Query { a: Int @aws_iam @aws_cognito_user_pools(cognito_groups: ["g"]) @unheard_of(x: 1) }', ""),
        ('type Query { a: Int } type Subscription { s: Int @aws_subscribe(mutations: ["m"]) }', ""),
        ("interface I { x: Int } interface J { x: Int } type Query implements I, J { x: Int }", ""),
    ],
)
def test_what_appsync_refuses_of_a_schema_is_found(schema: str, problem: str) -> None:
    problems, _ = examine_schema(schema)
    assert len(problems) == bool(problem)
    assert all(problem in p for p in problems)


def schema_key(assembly: Assembly) -> str:
    return next(o.key for o in assembly.objects if o.kind == "schema")


def test_a_broken_schema_names_its_stack_and_line(todo: Assembly) -> None:
    body = todo.read(schema_key(todo)) + b"\ntype Broken { x: Nowhere }\n"
    (finding,) = schema_problems(tree_of(with_object(todo, schema_key(todo), body)))
    assert finding.id == "AD705"
    assert finding.file.startswith("apimytodoapp (")
    assert "Unknown type 'Nowhere'. (line " in finding.message


def test_a_resolver_of_a_field_that_is_not_there(todo: Assembly) -> None:
    def rename(template: dict[str, Any]) -> None:
        resolver = next(r for r in template["Resources"].values() if r["Type"] == "AWS::AppSync::Resolver")
        resolver["Properties"]["FieldName"] = "nothing"

    (finding,) = schema_problems(tree_of(spoiled(todo, ("apimytodoapp", "Todo"), rename)))
    assert finding.id == "AD706"
    assert ".nothing, which the API's schema does not have" in finding.message


def test_a_schema_is_examined_once(todo: Assembly, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(schema_problems(tree_of(todo)))
    monkeypatch.setattr(graphql_schema, "examine_schema", lambda _: pytest.fail("examined again"))
    assert not list(schema_problems(tree_of(todo)))
    assert list(own_cache.glob("graphql/*/*.json"))
