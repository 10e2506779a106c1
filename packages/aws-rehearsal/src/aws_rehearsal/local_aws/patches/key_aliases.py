"""A KMS key that is named by its alias is authorised as the key, and a policy may ask which aliases it has.

MiniStack evaluates a request for `alias/NAME` against an ARN of the alias, and knows no `kms:ResourceAliases`: a role
that may use a key by the name of its alias, since the key's own ARN is random, is refused.
AWS: "the resource is the KMS key", whatever names it (KMS Developer Guide, "Using aliases to control access to KMS
keys"); `kms:ResourceAliases` "controls access to a KMS key based on the aliases that are associated with the KMS key".

An alias counts for that key some time after it was made, or turned, and so does a tag: "It might take up to five
minutes for tag and alias changes to affect KMS key authorization. Recent changes might be visible in API operations
before they affect authorization" (same guide, "ABAC for AWS KMS"). Here it is `LOCAL_AWS_ALIAS_DELAY` seconds, by
default none. AWS does not say whether tags that a key is made with count at once: here they do not.

And who makes an alias needs the right on the alias and on its key ("Controlling access to aliases", same guide), where
MiniStack asks for neither by name.
"""

from __future__ import annotations

import os
import time
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import request_scope
from ministack.services import kms, tagging

from ._expect import expect, json_body, replace

_KEY = "kms:resourcealiases"
_stamped: dict[str, float] = {}
"""When an alias, by its ARN, began to name its key: on the monotonic clock."""
_tagged: dict[tuple[str, str], float] = {}
"""When a tag of a key, by the key's ARN and the tag's name, got its value: as above."""
_TARGET = "rehearsal:TargetKey"
"""Carries the key of a new alias from where the request's body is known to where it is authorised."""


def apply() -> None:
    """Resolve the alias of a request, and answer the condition key; everything else as before.

    Long: the functions that are put in the place of the server's share what they have seen of a request.
    """
    extract = expect(iam_actions, "extract_resource_arn", "service")
    resolve = expect(iam_evaluator, "_resolve_condition_key", "key", "ctx")
    context_of = expect(iam_actions, "request_tag_context", "service", "iam_action", "body", "params")
    enforce = expect(iam_evaluator, "enforce", "access_key_id", "iam_action", "service", "region", "resource_arn")
    expect(kms, "_resolve_key", "key_id_or_arn")
    stamp = expect(kms, "_stamp_alias", "alias_arn", "created")
    create_key = expect(kms, "_create_key", "data")
    tag_resource = expect(kms, "_tag_resource", "data")
    tags_of = expect(tagging, "resource_tags", "arn")

    def stamp_alias(alias_arn: str, created: bool) -> Any:
        _stamped[alias_arn] = time.monotonic()
        return stamp(alias_arn, created)

    def stamped(data: dict[str, Any], answer: Any, key_id: str) -> Any:
        key = kms._resolve_key(key_id) if data.get("Tags") else None
        if key:
            for tag in data["Tags"]:
                _tagged[key["Arn"], tag["TagKey"]] = time.monotonic()
        return answer

    def create_tagged(data: dict[str, Any]) -> Any:
        answer = create_key(data)
        return stamped(data, answer, json_body(answer[2]).get("KeyMetadata", {}).get("KeyId", ""))

    def tag(data: dict[str, Any]) -> Any:
        return stamped(data, tag_resource(data), data.get("KeyId", ""))

    def resource_tags(arn: str) -> dict[str, str] | None:
        since = _since()
        found = tags_of(arn)
        return (
            {name: value for name, value in found.items() if _tagged.get((arn, name), since) <= since}
            if found
            else found
        )

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        found = extract(service, *rest, **more)
        if service == "kms" and found == "*" and (alias := json_body(rest[3]).get("AliasName")):
            return f"arn:aws:kms:{rest[5]}:{rest[6]}:{alias}"
        if service == "kms" and isinstance(found, str) and ":alias/" in found:
            key = _key(found)
            return key["Arn"] if key else found
        return found

    def resolve_condition_key(key: str, ctx: Any) -> Any:
        if key.lower() == _KEY and _KEY not in ctx.service_context and ctx.resource_arn.startswith("arn:aws:kms:"):
            return aliases_of(ctx.resource_arn)
        return resolve(key, ctx)

    def request_tag_context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found = context_of(service, iam_action, body, params)
        target = json_body(body).get("TargetKeyId") if iam_action == "kms:CreateAlias" else None
        return {**found, _TARGET: target} if target else found

    def enforce_on_both(access_key_id: str, iam_action: str, service: str, region: str, **more: Any) -> Any:
        denied = enforce(access_key_id, iam_action, service, region, **more)
        context = {**(more.get("service_context") or {})}
        target = context.pop(_TARGET, None)
        key = kms._resolve_key(target) if target and denied is None else None
        if key is None:
            return denied
        return enforce(
            access_key_id,
            iam_action,
            service,
            region,
            **{**more, "resource_arn": key["Arn"], "service_context": context},
        )

    replace("_stamp_alias", stamp_alias, kms)
    replace("_create_key", create_tagged, kms)
    replace("_tag_resource", tag, kms)
    replace("resource_tags", resource_tags, tagging)
    replace("request_tag_context", request_tag_context, iam_actions)
    replace("enforce", enforce_on_both, iam_evaluator)
    replace("extract_resource_arn", extract_resource_arn, iam_actions)
    replace("_resolve_condition_key", resolve_condition_key, iam_evaluator)


def key_arn(alias_arn: str) -> str:
    """The ARN of the key that an alias names; the alias's own if it names none."""
    key = _key(alias_arn)
    return str(key["Arn"]) if key else alias_arn


def aliases_of(key_arn: str) -> list[str] | None:
    """The names of a key's aliases, `alias/NAME` each; None if there is no such key or it has none."""
    key = _key(key_arn)
    if key is None:
        return None
    with request_scope(*_place(key_arn)):
        since = _since()
        names = [
            alias
            for alias, target in kms._aliases.items()
            if target in (key["KeyId"], key["Arn"]) and _stamped.get(alias, since) <= since
        ]
    return [name.rpartition(":")[2] for name in names] or None


def _since() -> float:
    """What was given after that does not count yet."""
    return time.monotonic() - float(os.environ.get("LOCAL_AWS_ALIAS_DELAY") or 0)


def _key(arn: str) -> Any:
    with request_scope(*_place(arn)):
        return kms._resolve_key(arn.split(":", 5)[5] if ":alias/" in arn else arn)


def _place(arn: str) -> tuple[str, str]:
    _, _, _, region, account, _ = arn.split(":", 5)
    return account, region


def probe(aws: Any) -> bool:
    """A role that may use a key with one alias uses it by that alias, and not by the other key's; and one that may make
    one alias for tagged keys makes that, for those."""
    owner, everything = aws.owner, f"arn:aws:kms:*:{aws.owner.account}"
    use = {
        "Effect": "Allow",
        "Action": "kms:Encrypt",
        "Resource": f"{everything}:key/*",
        "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/mine"}},
    }
    on_key = {
        "Effect": "Allow",
        "Action": "kms:CreateAlias",
        "Resource": f"{everything}:key/*",
        "Condition": {"StringEquals": {"aws:ResourceTag/app": "mine"}},
    }
    on_alias = {"Effect": "Allow", "Action": "kms:CreateAlias", "Resource": f"{everything}:alias/new"}
    role = aws.role(owner, "alias-user")
    aws.put_policy(owner, "alias-user", use, on_key, on_alias)

    def key(*tags: dict[str, str]) -> str:
        return str(aws.json(owner, "kms", "TrentService.CreateKey", Tags=list(tags))["KeyMetadata"]["KeyId"])

    def name(by: Any, alias: str, target: str) -> Any:
        return aws.json(by, "kms", "TrentService.CreateAlias", AliasName=alias, TargetKeyId=target)

    for alias in ("alias/mine", "alias/other"):
        name(owner, alias, key())
    session = aws.assume(role, owner)

    def encrypt(alias: str) -> Any:
        return aws.json(session, "kms", "TrentService.Encrypt", KeyId=alias, Plaintext="c2VjcmV0")

    tagged, bare = key({"TagKey": "app", "TagValue": "mine"}), key()
    return (
        aws.succeeds(lambda: encrypt("alias/mine"))
        and not aws.succeeds(lambda: encrypt("alias/other"))
        and not aws.succeeds(lambda: name(session, "alias/new", bare))
        and not aws.succeeds(lambda: name(session, "alias/another", tagged))
        and aws.succeeds(lambda: name(session, "alias/new", tagged))
    )
