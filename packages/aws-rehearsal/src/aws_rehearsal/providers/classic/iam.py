"""`aws:iam/policy:Policy`.

Plays internal/service/iam/policy.go of terraform-provider-aws: the id is the ARN; another document is another version,
made first and then set as the default; AWS keeps five, so the oldest that is not the default goes before. Name, path
and description can't change. A policy that something else still has attached can't be deleted, and has then lost its
older versions.

Upstream waits five seconds between making a version and making it the default; nothing here needs the time.
"""

from __future__ import annotations

import json
import re
from typing import Any

from aws_rehearsal.providers.classic.tags import every_tag, tag_changes, tag_list
from aws_rehearsal.providers.errors import aws_error, error_code
from aws_rehearsal.providers.naming import automatic_name
from aws_rehearsal.providers.resource import TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Change, Prop, normal_json, normal_policy, out
from aws_rehearsal.providers.wire import Properties

MAX_VERSIONS = 5
"""Managed policy versions per policy: "IAM and AWS STS quotas"."""
_GONE = "NoSuchEntity"


class Policy(Resource):
    token = "aws:iam/policy:Policy"
    called = "IAM Policy"
    name_property = "name"
    name_length = 128
    name_blockers = ("namePrefix",)
    props = {
        "arn": out(),
        "attachmentCount": out("int"),
        "delayAfterPolicyCreationInMs": Prop("int"),
        "description": Prop(replaces=True),
        "name": Prop(replaces=True, computed=True, conflicts=("namePrefix",)),
        "namePrefix": Prop(replaces=True, computed=True, conflicts=("name",)),
        "path": Prop(replaces=True, default="/"),
        "policy": Prop("policy", required=True),
        "policyId": out(),
        "tags": TAGS,
        "tagsAll": out("map"),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        wrong = []
        for key, longest in (("name", 128), ("namePrefix", 102)):
            name = inputs.get(key)
            if isinstance(name, str):
                if not re.fullmatch(r"[\w+=,.@-]*", name, re.ASCII):
                    wrong.append((key, rf"invalid value for {key} (must match [\w+=,.@-])"))
                if len(name) > longest:
                    wrong.append((key, f"expected length of {key} to be in the range (0 - {longest}), got {name}"))
        policy = inputs.get("policy")
        if isinstance(policy, str) and not _is_object(policy):
            wrong.append(("policy", '"policy" contains an invalid JSON policy'))
        return wrong

    def unknown_after(self, found: list[Change]) -> set[str]:
        del found
        return {"attachmentCount"}

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("iam")
        name = inputs.get("name") or automatic_name(inputs["namePrefix"], b"", 128, separator="")
        tags = call.session.tags(inputs.get("tags"))
        request: dict[str, Any] = {
            "PolicyName": name,
            "Path": inputs["path"],
            "PolicyDocument": normal_json(inputs["policy"]),
            "Tags": tag_list(tags),
        }
        if inputs.get("description"):
            request["Description"] = inputs["description"]
        try:
            arn = str(client.create_policy(**request)["Policy"]["Arn"])
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating IAM Policy ({name})", error) from error
        return self._state(call, arn, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("iam")
        try:
            found = client.get_policy(PolicyArn=resource_id)["Policy"]
            version = client.get_policy_version(PolicyArn=resource_id, VersionId=found["DefaultVersionId"])
        except client.exceptions.ClientError as error:
            if error_code(error) == _GONE:
                return None
            raise aws_error(f"reading IAM Policy ({resource_id})", error) from error
        document = version["PolicyVersion"]["Document"]  # botocore has decoded it
        policy = document if isinstance(document, str) else json.dumps(document)
        # As upstream's PolicyToSet: an equivalent document is shown as it was written.
        old = olds.get("policy")
        every = every_tag(found.get("Tags", []))
        outputs = {
            **kept(olds, "delayAfterPolicyCreationInMs", "namePrefix"),
            "arn": found["Arn"],
            "attachmentCount": found.get("AttachmentCount", 0),
            "description": found.get("Description"),
            "name": found["PolicyName"],
            "path": found["Path"],
            "policy": old if old and normal_policy(old) == normal_policy(policy) else policy,
            "policyId": found["PolicyId"],
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
        }
        return found["Arn"], {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("iam")
        if "policy" in changed:
            self._prune(client, resource_id)
            try:
                made = client.create_policy_version(
                    PolicyArn=resource_id, PolicyDocument=normal_json(news["policy"]), SetAsDefault=False
                )
            except client.exceptions.ClientError as error:
                raise aws_error(f"creating IAM Policy ({resource_id})", error) from error
            try:
                version = made["PolicyVersion"]["VersionId"]
                client.set_default_policy_version(PolicyArn=resource_id, VersionId=version)
            except client.exceptions.ClientError as error:
                raise aws_error(f"setting Default Policy version for IAM Policy ({resource_id})", error) from error
        gone, tags = tag_changes(olds, call.session.tags(news.get("tags")))
        try:
            if gone:
                client.untag_policy(PolicyArn=resource_id, TagKeys=gone)
            if tags:
                client.tag_policy(PolicyArn=resource_id, Tags=tag_list(tags))
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating tags for IAM Policy ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def _prune(self, client: Any, arn: str) -> None:
        """Makes room for a version: the oldest goes, but never the default."""
        versions = _versions(client, arn)
        if len(versions) < MAX_VERSIONS:
            return
        spare = [version for version in versions if not version["IsDefaultVersion"]]
        # Made within the same second they are told apart by their numbers.
        oldest = min(spare, key=lambda version: (version["CreateDate"], int(version["VersionId"].lstrip("v"))))
        _delete_version(client, arn, oldest["VersionId"])

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("iam")
        for version in _versions(client, resource_id):
            if not version["IsDefaultVersion"]:
                _delete_version(client, resource_id, version["VersionId"])
        try:
            client.delete_policy(PolicyArn=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) != _GONE:
                raise aws_error(f"deleting IAM Policy ({resource_id})", error) from error


def _versions(client: Any, arn: str) -> list[dict[str, Any]]:
    """All versions; none if the policy is gone."""
    try:
        pages = client.get_paginator("list_policy_versions").paginate(PolicyArn=arn)
        return [version for page in pages for version in page["Versions"]]
    except client.exceptions.ClientError as error:
        if error_code(error) == _GONE:
            return []
        raise aws_error(f"reading IAM Policy ({arn}) versions", error) from error


def _delete_version(client: Any, arn: str, version: str) -> None:
    try:
        client.delete_policy_version(PolicyArn=arn, VersionId=version)
    except client.exceptions.ClientError as error:
        raise aws_error(f"deleting IAM Policy ({arn}) version ({version})", error) from error


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


TYPES = {Policy.token: Policy()}
