"""A KMS key of another account can be used by its ARN, if its key policy and the caller's own policies allow.

MiniStack looks keys up in the caller's account only: "key not found", so that no artifact encrypted with the
tooling account's key can be read in a target account.
AWS: KMS Developer Guide, "Allowing users in other accounts to use a KMS key": both policies must allow.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import kms

from ._expect import expect, replace


def apply() -> None:
    """Look a key ARN up in the account it names, and evaluate its policy as that account's."""
    resolve = expect(kms, "_resolve_key", "key_id_or_arn")
    expect(kms, "key_policy_for_arn", "resource_arn")

    def resolve_key(key_id_or_arn: Any) -> Any:
        owner = _foreign_owner(key_id_or_arn)
        if owner is None:
            return resolve(key_id_or_arn)
        with request_scope(owner, get_region()):
            return resolve(key_id_or_arn)

    def key_policy_for_arn(resource_arn: str) -> tuple[str, str] | None:
        key = resolve_key(resource_arn)
        return (key.get("Policy") or "", key["Arn"].split(":")[4]) if key else None

    replace("_resolve_key", resolve_key, kms)
    replace("key_policy_for_arn", key_policy_for_arn, kms)


def _foreign_owner(reference: Any) -> str | None:
    """The account of a key or alias ARN that is not the caller's; None for any other reference.

    A key works in its own region only, so an ARN of another region stays unknown.
    """
    if not isinstance(reference, str) or not reference.startswith("arn:aws:kms:"):
        return None
    _, _, _, region, account, _ = reference.split(":", 5)
    return account if account != get_account_id() and region == get_region() else None


def probe(aws: Any) -> bool:
    """A role of another account, allowed by key policy and by its own, gets the plaintext back."""
    reader = aws.role(aws.guest, "key-reader", allow="kms:Decrypt")
    policy = aws.document(
        {"Effect": "Allow", "Principal": {"AWS": aws.owner.root_arn}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": reader}, "Action": "kms:Decrypt", "Resource": "*"},
    )
    owner = aws.owner
    key = aws.json(owner, "kms", "TrentService.CreateKey", Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    text = aws.json(owner, "kms", "TrentService.Encrypt", KeyId=key, Plaintext="c2VjcmV0")["CiphertextBlob"]
    session = aws.assume(reader, aws.guest)
    return aws.succeeds(lambda: aws.json(session, "kms", "TrentService.Decrypt", KeyId=key, CiphertextBlob=text))
