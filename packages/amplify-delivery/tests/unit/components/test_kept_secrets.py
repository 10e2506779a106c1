"""The name of a secret that was deleted, and is made again while AWS still keeps it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components import kept_secrets
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing import PublishTarget

TARGET = PublishTarget("staging", "012345678901", "eu-west-1")
NAME, OURS = (
    "amplify-app-dev-1/authapp/hostedUIProviderCreds",
    "Parameter hostedUIProviderCreds of authapp in amplify-app-dev-1",
)
WHEN = datetime(2027, 1, 1, tzinfo=UTC)


class Secrets:
    """Secrets Manager with one secret, or what it says instead."""

    def __init__(self, answer: dict[str, Any] | str) -> None:
        self.answer, self.deleted = answer, list[dict[str, Any]]()

    def client(self, *_: Any, **__: Any) -> Secrets:
        return self

    def describe_secret(self, **_: Any) -> dict[str, Any]:
        if isinstance(self.answer, str):
            raise ClientError({"Error": {"Code": self.answer, "Message": ""}}, "DescribeSecret")
        return self.answer

    def delete_secret(self, **given: Any) -> None:
        self.deleted.append(given)


def freed(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | str, *, preview: bool = False) -> Secrets:
    secrets = Secrets(answer)
    monkeypatch.setattr(kept_secrets, "target_session", lambda _: secrets)
    kept_secrets.free(TARGET, NAME, OURS, lambda _: None, preview=preview)
    return secrets


def test_one_of_its_own_that_aws_still_keeps_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """CreateSecret is refused for 30 days else: `up` after `destroy`, or a release that goes back and comes again."""
    kept = {"Description": OURS, "DeletedDate": WHEN}
    assert freed(monkeypatch, kept).deleted == [{"SecretId": NAME, "ForceDeleteWithoutRecovery": True}]
    assert freed(monkeypatch, kept, preview=True).deleted == []


@pytest.mark.parametrize("answer", [{"Description": OURS}, "ResourceNotFoundException", "AccessDeniedException"])
def test_one_that_lives_or_is_not_there_or_not_ours_to_see_is_left_to_aws(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | str
) -> None:
    assert freed(monkeypatch, answer).deleted == []


@pytest.mark.parametrize("preview", [True, False])
def test_somebody_elses_is_nothing_to_delete(monkeypatch: pytest.MonkeyPatch, *, preview: bool) -> None:
    with pytest.raises(RefusedError, match="not this environment's") as caught:
        freed(monkeypatch, {"Description": "the shop's", "DeletedDate": WHEN}, preview=preview)
    assert f"aws secretsmanager restore-secret --secret-id {NAME} --region eu-west-1" in str(caught.value)
