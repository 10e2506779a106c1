"""`aws:kms/key:Key` and `aws:kms/alias:Alias`.

Plays internal/service/kms/key.go and alias.go of terraform-provider-aws: a key's id is its key id, deleting schedules
its deletion (30 days unless `deletionWindowInDays` says otherwise), an alias' name starts with `alias/`.
"""

from __future__ import annotations

import re
from typing import Any

from aws_rehearsal.providers.classic.propagation import until_gone
from aws_rehearsal.providers.classic.tags import tag_changes, tag_list
from aws_rehearsal.providers.errors import aws_error, error_code
from aws_rehearsal.providers.naming import automatic_name
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Prop, normal_policy, out
from aws_rehearsal.providers.wire import Properties

_KEPT = ("bypassPolicyLockoutSafetyCheck", "deletionWindowInDays", "rotationPeriodInDays", "xksKeyId")
_GONE = ("PendingDeletion", "PendingReplicaDeletion", "Unavailable")


class Key(Resource):
    token = "aws:kms/key:Key"
    called = "KMS Key"
    props = {
        "arn": out(),
        "bypassPolicyLockoutSafetyCheck": Prop("bool", default=False),
        "customKeyStoreId": Prop(replaces=True),
        "customerMasterKeySpec": Prop(default="SYMMETRIC_DEFAULT", replaces=True),
        "deletionWindowInDays": Prop("int"),
        "description": Prop(computed=True),
        "enableKeyRotation": Prop("bool", default=False),
        "isEnabled": Prop("bool", default=True),
        "keyId": out(),
        "keyUsage": Prop(
            default="ENCRYPT_DECRYPT",
            replaces=True,
            choices=("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"),
        ),
        "multiRegion": Prop("bool", computed=True, replaces=True),
        "policy": Prop("policy", computed=True),
        "region": REGION,
        "rotationPeriodInDays": Prop("int", computed=True),
        "tags": TAGS,
        "tagsAll": out("map"),
        "xksKeyId": Prop(replaces=True),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        wrong = []
        for key, lowest, highest in (("deletionWindowInDays", 7, 30), ("rotationPeriodInDays", 90, 2560)):
            days = inputs.get(key)
            if isinstance(days, int) and not lowest <= days <= highest:
                wrong.append((key, f"expected {key} to be in the range ({lowest} - {highest}), got {days}"))
        if isinstance(inputs.get("rotationPeriodInDays"), int) and inputs.get("enableKeyRotation") is False:
            wrong.append(("rotationPeriodInDays", "rotation_period_in_days requires enable_key_rotation"))
        return wrong

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("kms")
        tags = call.session.tags(inputs.get("tags"))
        request: dict[str, Any] = {
            "BypassPolicyLockoutSafetyCheck": bool(inputs.get("bypassPolicyLockoutSafetyCheck")),
            "KeySpec": inputs["customerMasterKeySpec"],
            "KeyUsage": inputs["keyUsage"],
            "MultiRegion": bool(inputs.get("multiRegion")),
            "Tags": [{"TagKey": key, "TagValue": value} for key, value in tags.items()],
        }
        for key, name in (("description", "Description"), ("policy", "Policy")):
            if inputs.get(key):
                request[name] = inputs[key]
        try:
            key_id = str(client.create_key(**request)["KeyMetadata"]["KeyId"])
        except client.exceptions.ClientError as error:
            raise aws_error("creating KMS Key", error) from error
        call.has_id(key_id)
        try:
            self._rotate(client, key_id, inputs)
            if not inputs["isEnabled"]:
                client.disable_key(KeyId=key_id)
        except client.exceptions.ClientError as error:
            raise aws_error("creating KMS Key", error) from error
        return self._state(call, key_id, inputs)

    def _rotate(self, client: Any, key_id: str, inputs: Properties) -> None:
        if inputs["enableKeyRotation"]:
            days = (
                {"RotationPeriodInDays": inputs["rotationPeriodInDays"]} if inputs.get("rotationPeriodInDays") else {}
            )
            client.enable_key_rotation(KeyId=key_id, **days)
        elif inputs["customerMasterKeySpec"] == "SYMMETRIC_DEFAULT":
            client.disable_key_rotation(KeyId=key_id)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("kms")
        try:
            found = client.describe_key(KeyId=resource_id)["KeyMetadata"]
            if found["KeyState"] in _GONE:
                return None
            policy = client.get_key_policy(KeyId=resource_id, PolicyName="default")["Policy"]
            rotation = _rotation(client, resource_id, found)
            tags = client.list_resource_tags(KeyId=resource_id)["Tags"]
        except client.exceptions.ClientError as error:
            if error_code(error) == "NotFoundException":
                return None
            raise aws_error(f"reading KMS Key ({resource_id})", error) from error
        every = {tag["TagKey"]: tag["TagValue"] for tag in tags if not tag["TagKey"].startswith("aws:")}
        # As upstream's SecondJSONUnlessEquivalent: an equivalent document is shown as it was written.
        old_policy = olds.get("policy")
        if old_policy and normal_policy(old_policy) == normal_policy(policy):
            policy = old_policy
        outputs = {
            **kept(olds, *_KEPT),
            "arn": found["Arn"],
            "customerMasterKeySpec": found.get("KeySpec") or found.get("CustomerMasterKeySpec"),
            "description": found.get("Description", ""),
            "enableKeyRotation": bool(rotation.get("KeyRotationEnabled")),
            "isEnabled": bool(found.get("Enabled")),
            "keyId": found["KeyId"],
            "keyUsage": found.get("KeyUsage"),
            "multiRegion": bool(found.get("MultiRegion")),
            "policy": policy,
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
        }
        if rotation.get("RotationPeriodInDays"):
            outputs["rotationPeriodInDays"] = rotation["RotationPeriodInDays"]
        return found["KeyId"], {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("kms")
        try:
            if "isEnabled" in changed and news["isEnabled"]:
                client.enable_key(KeyId=resource_id)  # before the rest: a disabled key refuses changes
            if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
                self._rotate(client, resource_id, news)
            if "description" in changed:
                client.update_key_description(KeyId=resource_id, Description=news.get("description") or "")
            if "policy" in changed:
                client.put_key_policy(KeyId=resource_id, PolicyName="default", Policy=news["policy"])
            if "isEnabled" in changed and not news["isEnabled"]:
                client.disable_key(KeyId=resource_id)
            gone, tags = tag_changes(olds, call.session.tags(news.get("tags")))
            if gone:
                client.untag_resource(KeyId=resource_id, TagKeys=gone)
            if tags:
                client.tag_resource(KeyId=resource_id, Tags=tag_list(tags, "TagKey", "TagValue"))
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating KMS Key ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("kms")
        days = olds.get("deletionWindowInDays")
        try:
            client.schedule_key_deletion(KeyId=resource_id, **({"PendingWindowInDays": days} if days else {}))
        except client.exceptions.ClientError as error:
            if error_code(error) not in ("NotFoundException", "KMSInvalidStateException"):
                raise aws_error(f"deleting KMS Key ({resource_id})", error) from error
        until_gone(lambda: _lives(client, resource_id), {"NotFoundException"})


def _lives(client: Any, key_id: str) -> bool:
    return client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] not in _GONE


def _rotation(client: Any, key_id: str, found: Properties) -> Properties:
    """Only symmetric keys of KMS' own material can rotate; the others refuse the question."""
    if found.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        return {}
    status: Properties = client.get_key_rotation_status(KeyId=key_id)
    return status


class Alias(Resource):
    token = "aws:kms/alias:Alias"
    called = "KMS Alias"
    props = {
        "arn": out(),
        "name": Prop(replaces=True, computed=True, conflicts=("namePrefix",)),
        "namePrefix": Prop(replaces=True, computed=True, conflicts=("name",)),
        "region": REGION,
        "targetKeyArn": out(),
        "targetKeyId": Prop(required=True),
    }
    name_property = "name"
    name_length = 256
    name_blockers = ("namePrefix",)
    name_prefix = "alias/"

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        name = inputs.get("name")
        if isinstance(name, str) and not re.fullmatch(r"alias/[0-9A-Za-z_/-]+", name):
            return [("name", "name must begin with 'alias/' and be comprised of only [0-9A-Za-z_/-]")]
        return []

    def changes(self, olds: Properties, found: list[Any]) -> list[Any]:
        """A target may be written as key id or as ARN (`suppressEquivalentTargetKeyARNOrID`)."""
        return [
            change for change in found if not (change.property == "targetKeyId" and self._same_target(olds, change))
        ]

    def _same_target(self, olds: Properties, change: Any) -> bool:
        return isinstance(change.new, str) and str(olds.get("targetKeyArn", "")).endswith(f"key/{_key_id(change.new)}")

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("kms")
        name = inputs.get("name") or automatic_name(inputs["namePrefix"], b"", 256, separator="")
        try:
            client.create_alias(AliasName=name, TargetKeyId=inputs["targetKeyId"])
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating KMS Alias ({name})", error) from error
        return self._state(call, name, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("kms")
        for page in client.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == resource_id and alias.get("TargetKeyId"):
                    arn = alias["AliasArn"].rsplit(":", 1)[0] + f":key/{alias['TargetKeyId']}"
                    target = olds.get("targetKeyId")
                    if not target or _key_id(target) != alias["TargetKeyId"]:
                        target = alias["TargetKeyId"]
                    found = {"arn": alias["AliasArn"], "name": resource_id, "targetKeyArn": arn, "targetKeyId": target}
                    return resource_id, {**kept(olds, "namePrefix"), **found}
        return None

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("kms")
        try:
            client.update_alias(AliasName=resource_id, TargetKeyId=news["targetKeyId"])
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating KMS Alias ({resource_id})", error) from error
        answer = self.read(call, resource_id, news)
        return answer[1] if answer else news

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("kms")
        try:
            client.delete_alias(AliasName=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) != "NotFoundException":
                raise aws_error(f"deleting KMS Alias ({resource_id})", error) from error


def _key_id(target: str) -> str:
    return target.rsplit("key/", 1)[-1]


TYPES = {Key.token: Key(), Alias.token: Alias()}
