"""`aws:secretsmanager/secret:Secret`, `secretVersion:SecretVersion` and the function `getSecretVersion`.

Plays internal/service/secretsmanager/secret.go, secret_version.go and secret_version_data_source.go of
terraform-provider-aws: a secret's id is its ARN, deleting it waits for the recovery window (30 days; 0 deletes at
once), and creating one is tried again while another of its name waits for its deletion. A version's id is
`ARN|VERSION`, and another text is another version: a replacement. The value of a write-only text is never asked for:
its version is looked for in the secret's list (pull request 44876). What the function reads is a secret again.
"""

from __future__ import annotations

import base64
import uuid
from datetime import UTC
from typing import Any

from aws_rehearsal.providers import wire
from aws_rehearsal.providers.classic.propagation import patiently, until_gone
from aws_rehearsal.providers.classic.tags import tag_changes, tag_list
from aws_rehearsal.providers.errors import ProviderError, aws_error, error_code, error_message
from aws_rehearsal.providers.naming import automatic_name
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Prop, out
from aws_rehearsal.providers.wire import Properties

_KEPT = ("forceOverwriteReplicaSecret", "namePrefix", "recoveryWindowInDays")
_GONE = ("ResourceNotFoundException",)
_CURRENT = "AWSCURRENT"
_UNPLAYED = ("replicas", "type")


class Secret(Resource):
    token = "aws:secretsmanager/secret:Secret"
    called = "Secrets Manager Secret"
    name_property = "name"
    name_length = 512
    name_blockers = ("namePrefix",)
    props = {
        "arn": out(),
        "description": Prop(),
        "forceOverwriteReplicaSecret": Prop("bool", default=False),
        "kmsKeyId": Prop(),
        "name": Prop(replaces=True, computed=True, conflicts=("namePrefix",)),
        "namePrefix": Prop(replaces=True, computed=True, conflicts=("name",)),
        "policy": Prop("policy", computed=True),
        "recoveryWindowInDays": Prop("int", default=30),
        "region": REGION,
        **{key: Prop("any") for key in _UNPLAYED},
        "tags": TAGS,
        "tagsAll": out("map"),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        wrong = [(key, f"the stand-in plays no {key} of a secret") for key in _UNPLAYED if key in inputs]
        days = inputs.get("recoveryWindowInDays")
        if isinstance(days, int) and days != 0 and not 7 <= days <= 30:
            wrong.append(("recoveryWindowInDays", f"expected 0 or a value in the range (7 - 30), got {days}"))
        return wrong

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("secretsmanager")
        name = inputs.get("name") or automatic_name(inputs["namePrefix"], b"", 512, separator="")
        tags = call.session.tags(inputs.get("tags"))
        request: dict[str, Any] = {"Name": name, "Tags": [{"Key": key, "Value": text} for key, text in tags.items()]}
        for key, own in (("description", "Description"), ("kmsKeyId", "KmsKeyId")):
            if inputs.get(key):
                request[own] = inputs[key]
        try:
            made = patiently(
                lambda: client.create_secret(**request), "InvalidRequestException", "scheduled for deletion"
            )
            arn = str(made["ARN"])
            if inputs.get("policy"):
                client.put_resource_policy(SecretId=arn, ResourcePolicy=inputs["policy"])
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating Secrets Manager Secret ({name})", error) from error
        return self._state(call, arn, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("secretsmanager")
        try:
            found = client.describe_secret(SecretId=resource_id)
            policy = client.get_resource_policy(SecretId=resource_id).get("ResourcePolicy")
        except client.exceptions.ClientError as error:
            if error_code(error) in _GONE:
                return None
            raise aws_error(f"reading Secrets Manager Secret ({resource_id})", error) from error
        if found.get("DeletedDate"):
            return None
        every = {tag["Key"]: tag["Value"] for tag in found.get("Tags", []) if not tag["Key"].startswith("aws:")}
        outputs = {
            **kept(olds, *_KEPT),
            "arn": found["ARN"],
            "description": found.get("Description"),
            "kmsKeyId": found.get("KmsKeyId"),
            "name": found["Name"],
            "policy": policy or "",
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
        }
        return found["ARN"], {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("secretsmanager")
        gone, tags = tag_changes(olds, call.session.tags(news.get("tags")))
        try:
            if changed & {"description", "kmsKeyId"}:
                request = {"SecretId": resource_id, "Description": news.get("description") or ""}
                client.update_secret(**request, **({"KmsKeyId": news["kmsKeyId"]} if news.get("kmsKeyId") else {}))
            if "policy" in changed and news.get("policy"):
                client.put_resource_policy(SecretId=resource_id, ResourcePolicy=news["policy"])
            if gone:
                client.untag_resource(SecretId=resource_id, TagKeys=gone)
            if tags:
                client.tag_resource(SecretId=resource_id, Tags=tag_list(tags))
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating Secrets Manager Secret ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("secretsmanager")
        days = olds.get("recoveryWindowInDays", 30)
        how: dict[str, Any] = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        try:
            client.delete_secret(SecretId=resource_id, **how)
        except client.exceptions.ClientError as error:
            if error_code(error) not in _GONE:
                raise aws_error(f"deleting Secrets Manager Secret ({resource_id})", error) from error
        until_gone(lambda: not client.describe_secret(SecretId=resource_id).get("DeletedDate"), _GONE)


class SecretVersion(Resource):
    token = "aws:secretsmanager/secretVersion:SecretVersion"
    called = "Secrets Manager Secret Version"
    props = {
        "arn": out(),
        "hasSecretStringWo": out("bool"),
        "region": REGION,
        "secretArn": out(),
        "secretBinary": Prop(secret=True, replaces=True, conflicts=("secretString", "secretStringWo")),
        "secretId": Prop(required=True, replaces=True),
        "secretString": Prop(secret=True, replaces=True, conflicts=("secretBinary", "secretStringWo")),
        "secretStringWo": Prop(secret=True, write_only=True, conflicts=("secretBinary", "secretString")),
        "secretStringWoVersion": Prop("int", replaces=True),
        "versionId": out(),
        "versionStages": Prop("set", computed=True),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        both = ("secretStringWo", "secretStringWoVersion")
        return [
            (key, '"' + key + '": all of `secret_string_wo,secret_string_wo_version` must be specified')
            for key in both
            if key in inputs and any(other not in inputs for other in both)
        ]

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("secretsmanager")
        request: dict[str, Any] = {"SecretId": inputs["secretId"], "ClientRequestToken": str(uuid.uuid4())}
        if inputs.get("secretBinary"):
            request["SecretBinary"] = base64.b64decode(inputs["secretBinary"])
        else:
            request["SecretString"] = inputs.get("secretString") or inputs.get("secretStringWo") or ""
        if inputs.get("versionStages"):
            request["VersionStages"] = inputs["versionStages"]
        try:
            answer = client.put_secret_value(**request)
        except client.exceptions.ClientError as error:
            raise aws_error(f"putting Secrets Manager Secret ({inputs['secretId']}) value", error) from error
        return self._state(call, f"{inputs['secretId']}|{answer['VersionId']}", inputs)

    def _state(self, call: Call, resource_id: str, known: Properties) -> tuple[str, Properties]:
        call.has_id(resource_id)
        answer = self.read(call, resource_id, known)
        if answer is None:
            raise ProviderError(f"reading Secrets Manager Secret Version ({resource_id}): not found", "NOT_FOUND")
        return answer

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("secretsmanager")
        secret_id, _, version = resource_id.partition("|")
        write_only = _is_write_only(olds)
        try:
            found = _listed(client, secret_id, version) if write_only else _valued(client, secret_id, version)
        except client.exceptions.ClientError as error:
            if error_code(error) in (*_GONE, "InvalidRequestException"):
                return None
            raise aws_error(f"reading Secrets Manager Secret Version ({resource_id})", error) from error
        if found is None:
            return None
        outputs: Properties = {
            "arn": found["ARN"],
            "hasSecretStringWo": write_only,
            "secretArn": found["ARN"],
            "secretId": secret_id,
            "versionId": version,
            "versionStages": found.get("VersionStages", []),
        }
        if write_only:
            outputs |= kept(olds, "secretStringWoVersion")
        elif "SecretString" in found:
            outputs["secretString"] = found["SecretString"]
        else:
            outputs["secretBinary"] = base64.b64encode(found["SecretBinary"]).decode()
        return resource_id, outputs

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("secretsmanager")
        secret_id, _, version = resource_id.partition("|")
        old, new = set(olds.get("versionStages") or ()), set(news.get("versionStages") or ())
        try:
            for stage in sorted(new - old):
                moved = _holder(client, secret_id, stage) if stage == _CURRENT else None
                source = {"RemoveFromVersionId": moved} if moved else {}
                client.update_secret_version_stage(
                    SecretId=secret_id, VersionStage=stage, MoveToVersionId=version, **source
                )
            self._drop_stages(client, secret_id, version, old - new)
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating Secrets Manager Secret Version ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def _drop_stages(self, client: Any, secret_id: str, version: str, stages: set[str]) -> None:
        for stage in sorted(stages - {_CURRENT}):  # AWSCURRENT can only be moved, never taken off
            client.update_secret_version_stage(SecretId=secret_id, VersionStage=stage, RemoveFromVersionId=version)

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        """A version without stages is deprecated; one that is current goes with its secret."""
        client = call.client("secretsmanager")
        secret_id, _, version = resource_id.partition("|")
        look = _listed if _is_write_only(olds) else _valued
        try:
            self._drop_stages(client, secret_id, version, set(olds.get("versionStages") or ()))
            look(client, secret_id, version)
        except client.exceptions.ClientError as error:
            if error_code(error) not in (*_GONE, "InvalidRequestException"):
                raise aws_error(f"deleting Secrets Manager Secret Version ({resource_id})", error) from error


def _is_write_only(olds: Properties) -> bool:
    return bool(olds.get("hasSecretStringWo") or "secretStringWoVersion" in olds)


def _valued(client: Any, secret_id: str, version: str) -> dict[str, Any]:
    """A version with its value."""
    found: dict[str, Any] = client.get_secret_value(SecretId=secret_id, VersionId=version)
    return found


def _listed(client: Any, secret_id: str, version: str) -> dict[str, Any] | None:
    """A version without its value; None if the secret has no such one."""
    answer = client.list_secret_version_ids(SecretId=secret_id, IncludeDeprecated=True)
    fitting = (item for item in answer.get("Versions", []) if item["VersionId"] == version)
    return next(({"ARN": answer["ARN"], **item} for item in fitting), None)


def _holder(client: Any, secret_id: str, stage: str) -> str | None:
    """The version that has a stage now."""
    versions = client.list_secret_version_ids(SecretId=secret_id).get("Versions", [])
    return next((item["VersionId"] for item in versions if stage in item.get("VersionStages", [])), None)


def get_secret_version(call: Call, arguments: Properties) -> Properties:
    """The value of a secret, by default the current one."""
    client = call.client("secretsmanager")
    secret_id, stage = arguments["secretId"], arguments.get("versionStage") or _CURRENT
    version = arguments.get("versionId")
    which = {"VersionId": version} if version else {"VersionStage": stage}
    resource_id = f"{secret_id}|{version or stage}"
    try:
        found = client.get_secret_value(SecretId=secret_id, **which)
    except client.exceptions.ClientError as error:
        if error_code(error) in _GONE or "was deleted" in error_message(error):
            raise ProviderError(
                f"reading Secrets Manager Secret Version ({resource_id}): couldn't find resource", "NOT_FOUND"
            ) from error
        raise aws_error(f"reading Secrets Manager Secret Version ({resource_id})", error) from error
    return {
        "arn": found["ARN"],
        "createdDate": found["CreatedDate"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "id": resource_id,
        "region": call.region,
        "secretArn": found["ARN"],
        "secretBinary": wire.Secret(found.get("SecretBinary", b"").decode()),
        "secretId": secret_id,
        "secretString": wire.Secret(found.get("SecretString", "")),
        "versionId": found["VersionId"],
        "versionStage": stage,
        "versionStages": found.get("VersionStages", []),
    }


INVOKES = {"aws:secretsmanager/getSecretVersion:getSecretVersion": get_secret_version}
TYPES = {Secret.token: Secret(), SecretVersion.token: SecretVersion()}
