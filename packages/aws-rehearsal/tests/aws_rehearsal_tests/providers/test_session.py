"""The credentials of the stand-ins: as the providers' SDKs for Go find and keep them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws_rehearsal.providers.config import ProviderConfig
from aws_rehearsal.providers.errors import ProviderError
from aws_rehearsal.providers.session import AwsSession


class Sts:
    """Hands out sessions that last for `minutes`; with an `error` none."""

    def __init__(self) -> None:
        self.minutes, self.number = 0.5, 0
        self.error: Exception | None = None

    def assume_role(self, **_: str) -> dict[str, Any]:
        if self.error:
            raise self.error
        self.number += 1
        found = {"AccessKeyId": f"ASIA{self.number}", "SecretAccessKey": "s", "SessionToken": "t"}
        return {"Credentials": {**found, "Expiration": datetime.now(UTC) + timedelta(minutes=self.minutes)}}


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Sts:
    made = Sts()
    monkeypatch.setattr(AwsSession, "_make", lambda *_: made)
    return made


def configured() -> ProviderConfig:
    return ProviderConfig(
        {"region": "eu-west-1", "assumeRoles": [{"roleArn": "arn:aws:iam::333333333333:role/deployer"}]}
    )


def key(session: AwsSession) -> str:
    return str(vars(session)["_session"].get_credentials().get_frozen_credentials().access_key)


def test_an_assumed_role_that_ends_in_a_long_step_is_assumed_again(sts: Sts) -> None:
    """`stscreds.AssumeRoleProvider` in a cache of credentials, as aws-sdk-go-base makes it."""
    session = AwsSession(configured())
    assert sts.number == 1
    sts.minutes = 60
    assert (key(session), key(session)) == ("ASIA2", "ASIA2")


def test_a_role_that_cannot_be_assumed_is_told_at_once(sts: Sts) -> None:
    sts.error = ValueError("no")
    with pytest.raises(ProviderError, match="Cannot assume IAM Role"):
        AwsSession(configured())
