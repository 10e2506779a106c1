"""A secret that a customer's key encrypts is told to whoever may use the key for it.

MiniStack writes down the key, and gives the value to everybody who may read the secret.
AWS: Secrets Manager asks KMS with the caller's rights: "If the secret is encrypted using a customer-managed key instead
of the AWS managed key aws/secretsmanager, then you also need kms:Decrypt permissions for that key" (Secrets Manager API
reference, GetSecretValue). The request comes through the service, and its encryption context names the secret ("How AWS
Secrets Manager uses AWS KMS" in the KMS developer guide).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import kms, secretsmanager

from . import _rights
from ._expect import expect, replace

ACTION = "kms:Decrypt"


def apply() -> None:
    """Ask before the value is told. What a stack refers to is asked for with the stack's role (`execution_role`)."""
    get = expect(secretsmanager, "_get_secret_value", "data")
    expect(secretsmanager, "_resolve", "secret_id")
    expect(secretsmanager, "error_response_json", "code", "message")

    def get_secret_value(data: dict[str, Any]) -> Any:
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        asked = needed(secret or {})
        if asked is not None:
            key, context = asked
            caller, region = _rights.caller_key.get(), get_region()
            denied = iam_evaluator.enforce(caller, ACTION, "kms", region, resource_arn=key, service_context=context)
            if denied is not None:
                return secretsmanager.error_response_json("AccessDeniedException", "Access to KMS is not allowed", 400)
        return get(data)

    replace("_get_secret_value", get_secret_value, secretsmanager)


def needed(secret: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The key's ARN, and what the request says of itself; None for a secret that AWS's own key encrypts."""
    found = kms._resolve_key(secret["KmsKeyId"]) if secret.get("KmsKeyId") else None
    if not found:
        return None
    context = {
        "kms:ViaService": f"secretsmanager.{get_region()}.amazonaws.com",
        "kms:EncryptionContext:SecretARN": secret["ARN"],
        "kms:EncryptionContextKeys": ["SecretARN", "SecretVersionId"],
    }
    return found["Arn"], context


def probe(aws: Any) -> bool:
    """Of two roles that may read a secret the one is told its value that may use its key, for that secret."""
    key = aws.json(aws.owner, "kms", "TrentService.CreateKey")["KeyMetadata"]["Arn"]
    made = aws.json(
        aws.owner,
        "secretsmanager",
        "secretsmanager.CreateSecret",
        Name=aws.name("with-a-key"),
        SecretString="x",
        KmsKeyId=key,
    )["ARN"]
    reads = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": made}

    def reader(name: str, *statements: dict[str, Any]) -> bool:
        role = aws.role(aws.owner, name)
        aws.put_policy(aws.owner, name, reads, *statements)
        session = aws.assume(role, aws.owner)
        return bool(
            aws.succeeds(lambda: aws.json(session, "secretsmanager", "secretsmanager.GetSecretValue", SecretId=made))
        )

    def decrypts(secret: str) -> dict[str, Any]:
        condition = {"StringEquals": {"kms:EncryptionContext:SecretARN": secret}}
        return {"Effect": "Allow", "Action": ACTION, "Resource": key, "Condition": condition}

    return (
        reader("secret-and-key", decrypts(made))
        and not reader("secret-alone")
        and not reader("another-secrets-key", decrypts(f"{made}x"))
    )
