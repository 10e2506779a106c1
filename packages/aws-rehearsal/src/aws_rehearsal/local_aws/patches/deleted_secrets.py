"""The name of a deleted secret stays taken until its recovery window is over, and AWS says why.

MiniStack says of one that waits for its deletion that it exists, as of any other: the provider, which asks again while
AWS is still deleting, would give up at once.
AWS: Secrets Manager API Reference, CreateSecret is refused with InvalidRequestException: "You can't create this secret
because a secret with this name is already scheduled for deletion" (terraform-provider-aws pull request 5583).
"""

from __future__ import annotations

from typing import Any

from ministack.services import secretsmanager

from ._expect import expect, replace

_SAYS = "You can't create this secret because a secret with this name is already scheduled for deletion."


def apply() -> None:
    """Look whether the secret of that name is a deleted one."""
    create = expect(secretsmanager, "_create_secret", "data")
    expect(secretsmanager, "error_response_json", "code", "message")

    def create_secret(data: dict[str, Any]) -> Any:
        there = secretsmanager._secrets.get(data.get("Name"))
        if there is not None and there.get("DeletedDate"):
            return secretsmanager.error_response_json("InvalidRequestException", _SAYS, 400)
        return create(data)

    replace("_create_secret", create_secret, secretsmanager)


def probe(aws: Any) -> bool:
    """A deleted secret's name is refused in AWS's words, and free once the secret is deleted for good."""
    name = aws.name("deleted")

    def secret(action: str, **members: Any) -> Any:
        return aws.json(aws.owner, "secretsmanager", f"secretsmanager.{action}", **members)

    secret("CreateSecret", Name=name, SecretString="x")
    secret("DeleteSecret", SecretId=name, RecoveryWindowInDays=7)
    said = aws.refusal(lambda: secret("CreateSecret", Name=name, SecretString="x"))
    secret("DeleteSecret", SecretId=name, ForceDeleteWithoutRecovery=True)
    return _SAYS in said and aws.succeeds(lambda: secret("CreateSecret", Name=name, SecretString="x"))
