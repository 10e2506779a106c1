"""Coming into an account with the token of a CI's job."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.naming import CI_ROLES, EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.account.remote import process_credentials, tokens, visiting
from amplify_delivery.errors import RefusedError

NAMES = EnvironmentNames("todoapp", "333333333333", "eu-central-1", "prod")
CLAIMS = base64.urlsafe_b64encode(json.dumps({"sub": "repo:a/b", "aud": "sts.amazonaws.com"}).encode()).decode()


def come_in(monkeypatch: pytest.MonkeyPatch, refused: str = "") -> int:
    """As a job does; how often it has asked for a token."""
    fetched: list[int] = []

    def fetch() -> str:
        fetched.append(1)
        return f"head.{CLAIMS}.signature"

    def session(_: str, __: str, token: Any) -> Any:
        token()
        if refused:
            raise ClientError({"Error": {"Code": refused, "Message": "no"}}, "AssumeRoleWithWebIdentity")
        sts = SimpleNamespace(get_caller_identity=lambda: {"Account": NAMES.account, "Arn": "arn:aws:iam::3:role/ci"})
        return SimpleNamespace(client=lambda *_, **__: sts)

    monkeypatch.setattr(tokens, "source", lambda *_: tokens.Source("GitHub", fetch))
    monkeypatch.setattr(visiting, "token_session", session)
    config: Any = SimpleNamespace()
    role = next(iter(CI_ROLES))
    if refused:
        with pytest.raises(RefusedError, match=r"sub 'repo:a/b', aud 'sts\.amazonaws\.com'"):
            visiting.account(config, NAMES, role, {})
    else:
        assert visiting.account(config, NAMES, role, {}).account == NAMES.account
    return len(fetched)


def test_one_token_is_asked_for_also_to_tell_whose_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    assert come_in(monkeypatch) == 1
    assert come_in(monkeypatch, "AccessDenied") == 1


def test_without_a_token_the_stack_files_credentials_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other CI: `profile` and `roleArn` are the stack file's own."""
    config: Any = object()
    monkeypatch.setattr(Account, "of", lambda given: ["of the file", given])
    found: Any = visiting.account(config, NAMES, next(iter(CI_ROLES)), {"CI": "true"})
    assert found == ["of the file", config]


def test_whoever_asks_for_a_jobs_credentials_is_told_when_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no `Expiration` counts for ever, to every SDK, and a backend takes longer than a session."""
    asked: list[tuple[str, ...]] = []
    ends = "2026-11-30T12:00:00+00:00"
    session = {"access_key": "AKIA", "secret_key": "hush", "token": "long", "expiry_time": ends}

    def with_token(*given: str) -> dict[str, str]:
        asked.append(given)
        return session

    monkeypatch.setattr(process_credentials, "with_token", with_token)
    role = "arn:aws:iam::444444444444:role/shop-previews"
    variables = {"AWS_REGION": "eu-central-1", tokens.TOKEN_VARIABLE: "head.claims.signature"}
    assert process_credentials.credentials(role, variables) == {
        "Version": 1,
        "AccessKeyId": "AKIA",
        "SecretAccessKey": "hush",
        "SessionToken": "long",
        "Expiration": ends,
    }
    assert asked == [(role, "eu-central-1", "head.claims.signature")]
