"""A KMS key that is named by its alias is authorised as the key, and a policy may ask which aliases it has.

MiniStack evaluates a request for `alias/NAME` against an ARN of the alias, and knows no `kms:ResourceAliases`: a role
that may use a key by the name of its alias, since the key's own ARN is random, is refused.
AWS: "the resource is the KMS key", whatever names it (KMS Developer Guide, "Using aliases to control access to KMS
keys"); `kms:ResourceAliases` "controls access to a KMS key based on the aliases that are associated with the KMS key".
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import request_scope
from ministack.services import kms

from ._expect import expect, replace

_KEY = "kms:resourcealiases"


def apply() -> None:
    """Resolve the alias of a request, and answer the condition key; everything else as before."""
    extract = expect(iam_actions, "extract_resource_arn", "service")
    resolve = expect(iam_evaluator, "_resolve_condition_key", "key", "ctx")
    expect(kms, "_resolve_key", "key_id_or_arn")

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        found = extract(service, *rest, **more)
        if service == "kms" and isinstance(found, str) and ":alias/" in found:
            key = _key(found)
            return key["Arn"] if key else found
        return found

    def resolve_condition_key(key: str, ctx: Any) -> Any:
        if key.lower() == _KEY and _KEY not in ctx.service_context and ctx.resource_arn.startswith("arn:aws:kms:"):
            return aliases_of(ctx.resource_arn)
        return resolve(key, ctx)

    replace("extract_resource_arn", extract_resource_arn, iam_actions)
    replace("_resolve_condition_key", resolve_condition_key, iam_evaluator)


def aliases_of(key_arn: str) -> list[str] | None:
    """The names of a key's aliases, `alias/NAME` each; None if there is no such key or it has none."""
    key = _key(key_arn)
    if key is None:
        return None
    with request_scope(*_place(key_arn)):
        names = [alias for alias, target in kms._aliases.items() if target in (key["KeyId"], key["Arn"])]
    return [name.rpartition(":")[2] for name in names] or None


def _key(arn: str) -> Any:
    with request_scope(*_place(arn)):
        return kms._resolve_key(arn.split(":", 5)[5] if ":alias/" in arn else arn)


def _place(arn: str) -> tuple[str, str]:
    _, _, _, region, account, _ = arn.split(":", 5)
    return account, region


def probe(aws: Any) -> bool:
    """A role that may use a key with one alias uses it by that alias, and not by the other key's."""
    policy = {
        "Effect": "Allow",
        "Action": "kms:Encrypt",
        "Resource": f"arn:aws:kms:*:{aws.owner.account}:key/*",
        "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/mine"}},
    }
    role = aws.role(aws.owner, "alias-user")
    aws.put_policy(aws.owner, "alias-user", policy)
    for alias in ("alias/mine", "alias/other"):
        key = aws.json(aws.owner, "kms", "TrentService.CreateKey")["KeyMetadata"]["KeyId"]
        aws.json(aws.owner, "kms", "TrentService.CreateAlias", AliasName=alias, TargetKeyId=key)
    session = aws.assume(role, aws.owner)

    def encrypt(alias: str) -> Any:
        return aws.json(session, "kms", "TrentService.Encrypt", KeyId=alias, Plaintext="c2VjcmV0")

    return aws.succeeds(lambda: encrypt("alias/mine")) and not aws.succeeds(lambda: encrypt("alias/other"))
