from __future__ import annotations

import json

from amplify_delivery.components.providers import Access, aws_native_provider, aws_provider
from unit.components.recorder import record

ROLE = "arn:aws:iam::012345678901:role/deploy"


def test_a_provider_works_in_its_own_account_only() -> None:
    provider = record(lambda: aws_provider("aws", Access("012345678901", "eu-west-1"))).one("pulumi:providers:aws")
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["012345678901"]
    assert provider.inputs["region"] == "eu-west-1"
    assert provider.inputs["skipCredentialsValidation"] == "false"
    assert "profile" not in provider.inputs
    assert "assumeRoles" not in provider.inputs


def test_a_role_goes_out_under_the_key_that_the_provider_reads() -> None:
    access = Access("012345678901", "eu-west-1", profile="work", role_arn=ROLE)
    provider = record(lambda: aws_provider("aws", access)).one("pulumi:providers:aws")
    assert json.loads(provider.inputs["assumeRoles"]) == [{"roleArn": ROLE, "sessionName": "amplify-delivery"}]
    assert provider.inputs["profile"] == "work"


def test_the_native_provider_checks_the_account_too() -> None:
    access = Access("012345678901", "eu-west-1", role_arn=ROLE)
    provider = record(lambda: aws_native_provider("native", access)).one("pulumi:providers:aws-native")
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["012345678901"]
    assert provider.inputs["skipCredentialsValidation"] == "false"
    assert json.loads(provider.inputs["assumeRole"])["roleArn"] == ROLE
