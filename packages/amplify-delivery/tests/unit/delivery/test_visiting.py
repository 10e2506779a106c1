"""Coming into an account with the token of a CI's job."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.naming import CI_ROLES, EnvironmentNames
from amplify_delivery.delivery.remote import tokens, visiting
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
