"""Gen 2's amplify_outputs.json is valid against its public schema, version 1.4."""

from __future__ import annotations

from typing import Any

import pytest

from unit.client_config.backends import AUTH, backend, everything, graphql, resource, written
from unit.client_config.json_schema import problems


def test_a_backend_with_everything() -> None:
    found = written(everything(), "outputs")
    assert list(problems(found)) == []
    assert found.keys() == {"version", "auth", "data", "storage", "analytics", "notifications", "geo", "custom"}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"usernameAttributes": ["phone_number"], "mfaConfiguration": "ON", "mfaTypes": ["TOTP"]},
        {"requiredAttributes": ["email", "email", "custom:team"], "passwordPolicyMinLength": "8"},
        {"passwordPolicyMinLength": 4, "autoVerifiedAttributes": ["email", "phone_number"]},
    ],
)
def test_every_way_to_sign_in_fits_the_schema(parameters: dict[str, Any]) -> None:
    found = written(backend(resource("auth/app", "Cognito", AUTH, parameters)), "outputs")
    assert list(problems(found)) == []
    assert found["auth"]["username_attributes"]


def test_what_the_schema_requires_and_nobody_has_leaves_the_part_out() -> None:
    found = backend(
        resource("auth/app", "Cognito", {"IdentityPoolId": "only"}),
        resource("api/app", "AppSync", {}),
        resource("storage/files", "S3", {}),
        resource("analytics/app", "Pinpoint", {}),
    )
    assert written(found, "outputs") == {"version": "1.4"}


def test_a_way_to_authorize_that_is_computed_is_none_of_the_schemas() -> None:
    computed: Any = {"Fn::If": ["Guests", "API_KEY", "AWS_IAM"]}
    found = written(backend(graphql("API_KEY", computed, "AWS_IAM")), "outputs")
    assert list(problems(found)) == []
    assert found["data"]["authorization_types"] == ["AWS_IAM"]
    assert "data" not in written(backend(graphql(computed)), "outputs")


def test_the_validator_finds_what_is_wrong() -> None:
    right = written(backend(graphql("API_KEY")), "outputs")
    assert list(problems(right)) == []
    for wrong in (
        {**right, "version": "1.3"},
        {**right, "more": 1},
        {**right, "data": {**right["data"], "default_authorization_type": "NONE"}},
        {**right, "data": {"url": "u"}},
        {**right, "auth": {"aws_region": 1, "user_pool_id": "p", "user_pool_client_id": "c"}},
    ):
        assert len(list(problems(wrong))) >= 1
