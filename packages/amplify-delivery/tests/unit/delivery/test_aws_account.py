"""An account and its clients."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.errors import ConfigError


def account(number: str) -> Account:
    """With credentials that are the account 444444444444's."""
    session = boto3.session.Session("id", "key", "token", "eu-west-1")

    def answer(**_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=200), {"Account": "444444444444", "Arn": "arn:aws:iam::444444444444:root"}

    session.events.register("before-call.sts.GetCallerIdentity", answer)
    return Account(number, "eu-west-1", session=session)


def test_credentials_of_another_account_are_refused() -> None:
    with pytest.raises(ConfigError, match="belong to account 444444444444"):
        account("555555555555")


def test_a_service_has_one_client_in_each_region() -> None:
    here = account("444444444444")
    there = here.at("us-east-1")
    assert here.client("ssm") is here.client("ssm") is there.at("eu-west-1").client("ssm")
    assert here.client("ssm") is not here.client("s3")
    assert there.client("ssm").meta.region_name == "us-east-1"
    assert here.client("ssm").meta.region_name == "eu-west-1"
