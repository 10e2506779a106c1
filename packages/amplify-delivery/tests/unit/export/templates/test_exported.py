"""What a text, and a template, say of the environment in which an export was made: one row for each kind of literal."""

from __future__ import annotations

from typing import Any

import pytest

from amplify_delivery.export.templates.exported import Exported, template_literals
from unit.rows import each

EXPORTED = Exported("amplify-fullapp-dev-6c2af")
UUID = "46acac6f-21d1-433c-93b9-d9d908c696fc"
ROWS: list[tuple[str, str, bool]] = [
    ("orders-dev", "orders-dev", True),
    (f"us-east-1:{UUID}", f"us-east-1:{UUID}", True),
    ("us-east-1_AbCdEfGh1", "us-east-1_AbCdEfGh1", True),
    ("da2-abcdefghijklmnopqrstuvwxyz", "da2-abcdefghijklmnopqrstuvwxyz", True),
    (
        "https://abcdefghij.execute-api.us-east-1.amazonaws.com/x",
        "https://abcdefghij.execute-api.us-east-1.amazonaws.com",
        True,
    ),
    ("abc.appsync-api.us-east-1.amazonaws.com", "abc.appsync-api.us-east-1.amazonaws.com", True),
    ("https://abc.lambda-url.us-east-1.on.aws/", "https://abc.lambda-url.us-east-1.on.aws", True),
    ("my-app.auth.us-east-1.amazoncognito.com", "my-app.auth.us-east-1.amazoncognito.com", True),
    ("sqs.us-east-1.amazonaws.com/123456789012/jobs", "sqs.us-east-1.amazonaws.com/123456789012/jobs", True),
    ("search-x-abc.us-east-1.es.amazonaws.com", "search-x-abc.us-east-1.es.amazonaws.com", True),
    ("https://d111111abcdef8.cloudfront.net", "d111111abcdef8.cloudfront.net", True),
    ("my-app.s3-website-us-east-1.amazonaws.com", "my-app.s3-website-us-east-1.amazonaws.com", True),
    ("x.abc123.0001.use1.cache.amazonaws.com", "x.abc123.0001.use1.cache.amazonaws.com", True),
    ("/amplify/d1abc2def3/dev/AMPLIFY_hello_TOKEN", "/amplify/d1abc2def3/dev/AMPLIFY_hello_TOKEN", True),
    ("amplify-fullapp-dev-6c2af-x", "amplify-fullapp-dev-6c2af", True),
    ("arn:aws:sns:us-east-1:123456789012:news-dev", "arn:aws:sns:us-east-1:123456789012:news-dev", True),
    ("arn:aws:sns:us-east-1:123456789012:news", "arn:aws:sns:us-east-1:123456789012:news", False),
    ("subnet-0123456789abcdef0", "subnet-0123456789abcdef0", False),
    ("https://main.d1a2b3c4d5e6f7.amplifyapp.com/", "main.d1a2b3c4d5e6f7.amplifyapp.com", False),
    ("arn:aws:dynamodb:us-east-1:", "arn:aws:dynamodb:us-east-1:", False),
    ("https://dev.example.com/back", "https://dev.example.com/back", False),
    ("us-east-1", "us-east-1", False),
    ("123456789012", "123456789012", False),
]
"""A text, the literal in it, and whether that surely belongs to the environment."""


@each(ROWS)
def test_a_kind_of_literal(text: str, literal: str, certain: bool) -> None:
    (found,) = EXPORTED.literals(text)
    assert found.text.startswith(literal.removesuffix("/back"))
    assert found.certain is certain


@each(
    [
        (text,)
        for text in ("dev", "client-device", "dynamodb.us-east-1.amazonaws.com", "a-dev-b", "https://example.com/")
    ]
)
def test_what_says_nothing(text: str) -> None:
    assert EXPORTED.literals(text) == []


NAME = "orders-dev"
EVERYWHERE: list[tuple[str, dict[str, Any], str]] = [
    ("an output", {"Outputs": {"X": {"Value": NAME}}}, "Outputs.X.Value"),
    ("an output's name", {"Outputs": {"X": {"Value": "x", "Export": {"Name": NAME}}}}, "Outputs.X.Export"),
    ("a mapping", {"Mappings": {"M": {"any": {"name": NAME}}}}, "Mappings.M.any"),
    (
        "a variable",
        {"Resources": {"F": {"Properties": {"Environment": {"Variables": {"T": NAME}}}}}},
        "Resources.F.Environment",
    ),
    ("a list", {"Resources": {"F": {"Properties": {"Names": ["a", NAME]}}}}, "Resources.F.Names"),
    ("a joined text", {"Resources": {"F": {"Properties": {"N": {"Fn::Join": ["/", ["a", NAME]]}}}}}, "Resources.F.N"),
    (
        "what is composed with it",
        {"Resources": {"F": {"Properties": {"N": {"Fn::Sub": "${AWS::Region}-dev"}}}}},
        "Resources.F.N",
    ),
    (
        "a resolver",
        {"Resources": {"R": {"Properties": {"RequestMappingTemplate": f'#set($t = "{NAME}")'}}}},
        "Resources.R.RequestMappingTemplate",
    ),
    (
        "a definition",
        {"Resources": {"S": {"Properties": {"DefinitionString": f'{{"Resource": "{NAME}"}}'}}}},
        "Resources.S.DefinitionString",
    ),
    (
        "an OpenAPI body",
        {"Resources": {"A": {"Properties": {"Body": {"paths": {"/x": {"get": {"uri": NAME}}}}}}}},
        "Resources.A.Body",
    ),
    (
        "a schedule's input",
        {"Resources": {"E": {"Properties": {"Targets": [{"Input": f'{{"table":"{NAME}"}}'}]}}}},
        "Resources.E.Targets",
    ),
    (
        "a message to users",
        {"Resources": {"P": {"Properties": {"EmailVerificationMessage": "see us-east-1_AbCdEfGh1"}}}},
        "Resources.P.EmailVerificationMessage",
    ),
    (
        "code in a template",
        {"Resources": {"F": {"Properties": {"Code": {"ZipFile": "let p = 'us-east-1_AbCdEfGh1'"}}}}},
        "Resources.F.Code",
    ),
]


@each(EVERYWHERE)
def test_wherever_it_stands_in_a_template(_: str, template: dict[str, Any], place: str) -> None:
    assert [found for found, _ in template_literals(template, EXPORTED)] == [place]


@pytest.mark.parametrize("key", ["Description", "Metadata"])
def test_what_is_said_about_a_template_is_no_setting(key: str) -> None:
    assert list(template_literals({"Outputs": {"X": {key: NAME}}}, EXPORTED)) == []
