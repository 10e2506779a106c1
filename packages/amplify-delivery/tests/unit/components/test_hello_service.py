"""The example's own service, `components/hello_service.py`."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.rights.handler_table import table
from amplify_delivery.components.providers import Access, aws_native_provider
from components.hello_service import HelloService, HelloServiceArgs
from unit.components.recorder import Recording, record
from unit.stacks.projects import HELLO_TYPES

NAMES = EnvironmentNames("app", "012345678901", "eu-west-1", "prod")


def make(**args: Any) -> Recording:
    def program() -> None:
        provider = aws_native_provider("native", Access(NAMES.account, NAMES.region))
        service = HelloService("hello", HelloServiceArgs(NAMES, **args), pulumi.ResourceOptions(providers=[provider]))
        pulumi.export("url", service.url)

    return record(program)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return make(graphql_endpoint="https://graphql")


def test_its_types_are_those_that_the_account_gives_rights_for(recording: Recording) -> None:
    assert recording.program_types == set(HELLO_TYPES)
    assert set(table()) >= recording.program_types


def test_its_names_are_the_environments(recording: Recording) -> None:
    assert recording.one("aws-native:lambda:Function").inputs["functionName"] == "app-prod-hello"
    assert recording.one("aws-native:iam:Role").inputs["roleName"] == "app-prod-hello"
    assert recording.one("aws-native:logs:LogGroup").inputs["logGroupName"] == "/aws/lambda/app-prod-hello"


def test_only_this_api_may_call_the_function(recording: Recording) -> None:
    permission = recording.one("aws-native:lambda:Permission").inputs
    assert permission["sourceArn"] == "arn:aws:execute-api:eu-west-1:012345678901:hello-apiId/*"
    assert permission["sourceAccount"] == NAMES.account


def test_it_is_told_what_the_backend_has(recording: Recording) -> None:
    variables = recording.one("aws-native:lambda:Function").inputs["environment"]["variables"]
    assert variables == {"ENVIRONMENT": "prod", "GRAPHQL_ENDPOINT": "https://graphql"}


def test_its_address_is_an_output(recording: Recording) -> None:
    assert recording.exports["url"] == "hello-apiEndpoint/"
    assert set(recording.outputs_of("amplify-delivery:index:HelloService")) == {"url", "function_arn"}


def test_its_role_carries_the_boundary_where_there_is_one(recording: Recording) -> None:
    assert "permissionsBoundary" not in recording.one("aws-native:iam:Role").inputs
    bounded = make(boundary_arn="arn:aws:iam::012345678901:policy/b").one("aws-native:iam:Role")
    assert bounded.inputs["permissionsBoundary"] == "arn:aws:iam::012345678901:policy/b"


def test_its_code_runs(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "prod")
    module: dict[str, object] = {}
    exec(recording.one("aws-native:lambda:Function").inputs["code"]["zipFile"], module)
    answer = module["handler"]({}, None)  # type: ignore[operator]
    assert answer["statusCode"] == 200
    assert '"environment": "prod"' in answer["body"]
