"""An account and its clients."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from amplify_delivery.delivery.account import aws_account
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.errors import ConfigError
from amplify_delivery.publishing import credentials


def session() -> boto3.session.Session:
    """With credentials that are the account 444444444444's."""
    made = boto3.session.Session("id", "key", "token", "eu-west-1")

    def answer(**_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=200), {"Account": "444444444444", "Arn": "arn:aws:iam::444444444444:root"}

    made.events.register("before-call.sts.GetCallerIdentity", answer)
    return made


def account(number: str) -> Account:
    return Account(number, "eu-west-1", session=session())


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


@pytest.mark.parametrize(
    ("profile", "role", "found"),
    [
        (None, None, {"AWS_REGION": "eu-west-1"}),
        ("theirs", None, {"AWS_REGION": "eu-west-1", **credentials.of_profile("theirs")}),
        (
            "theirs",
            "arn:aws:iam::444444444444:role/deployer",
            {
                "AWS_REGION": "eu-west-1",
                "AWS_ACCESS_KEY_ID": "id",
                "AWS_SECRET_ACCESS_KEY": "key",
                "AWS_SESSION_TOKEN": "token",
                "AWS_PROFILE": "",
            },
        ),
    ],
)
def test_a_process_renews_its_credentials_by_itself_wherever_it_finds_them(
    monkeypatch: pytest.MonkeyPatch, profile: str | None, role: str | None, found: dict[str, str]
) -> None:
    """Keys that were looked up for it would end in the middle of what it does. A role that was assumed here it cannot
    find."""
    monkeypatch.setattr(aws_account, "provider_session", lambda *_: session())
    there = Account("444444444444", "eu-west-1", profile, role)
    assert there.environment() == there.at("eu-west-1").environment() == found
