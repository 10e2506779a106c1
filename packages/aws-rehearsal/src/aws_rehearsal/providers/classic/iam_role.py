"""`aws:iam/role:Role`, `aws:iam/rolePolicy:RolePolicy` and `aws:iam/rolePolicyAttachment:RolePolicyAttachment`.

Plays internal/service/iam/role.go, role_policy.go and role_policy_attachment.go of terraform-provider-aws: a role's id
is its name, an inline policy's `ROLE:NAME`, that of an attachment begins with the role's name and says no more. A read
of a role asks for all its inline and attached policies, whoever made them, and takes none of them for a difference
while the program declares none with the role; these two arguments (deprecated) are not played. A role loses the inline
policies that the last read found before it is deleted. A policy put under a name that is taken replaces the other.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

from aws_rehearsal.providers.classic.propagation import patiently
from aws_rehearsal.providers.classic.tags import every_tag, tag_changes, tag_list
from aws_rehearsal.providers.errors import ProviderError, aws_error, error_code
from aws_rehearsal.providers.naming import automatic_name
from aws_rehearsal.providers.resource import TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Prop, normal_json, normal_policy, out
from aws_rehearsal.providers.wire import Properties

_GONE = "NoSuchEntity"
_NAME = re.compile(r"[\w+=,.@-]*", re.ASCII)


class Role(Resource):
    token = "aws:iam/role:Role"
    called = "IAM Role"
    name_property = "name"
    name_length = 64
    name_blockers = ("namePrefix",)
    props = {
        "arn": out(),
        "assumeRolePolicy": Prop("policy", required=True),
        "createDate": out(),
        "description": Prop(),
        "forceDetachPolicies": Prop("bool", default=False),
        "inlinePolicies": Prop("any", computed=True),
        "managedPolicyArns": Prop("any", computed=True),
        "maxSessionDuration": Prop("int", default=3600),
        "name": Prop(replaces=True, computed=True, conflicts=("namePrefix",)),
        "namePrefix": Prop(replaces=True, computed=True, conflicts=("name",)),
        "path": Prop(replaces=True, default="/"),
        "permissionsBoundary": Prop(),
        "tags": TAGS,
        "tagsAll": out("map"),
        "uniqueId": out(),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        reason = "this stand-in does not play it: declare a RolePolicy or a RolePolicyAttachment"
        unplayed = [(key, reason) for key in ("inlinePolicies", "managedPolicyArns") if inputs.get(key)]
        return [*_wrong_names(inputs, 64, 38), *_no_document(inputs, "assumeRolePolicy"), *unplayed]

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("iam")
        name = inputs.get("name") or automatic_name(inputs["namePrefix"], b"", 64, separator="")
        request: dict[str, Any] = {
            "RoleName": name,
            "Path": inputs["path"],
            "AssumeRolePolicyDocument": normal_json(inputs["assumeRolePolicy"]),
            "MaxSessionDuration": inputs["maxSessionDuration"],
        }
        tags = tag_list(call.session.tags(inputs.get("tags")))
        optional = {"Description": "description", "PermissionsBoundary": "permissionsBoundary"}
        request |= {key: inputs[given] for key, given in optional.items() if inputs.get(given)}
        request |= {"Tags": tags} if tags else {}
        try:
            # A principal in the trust policy may be too new for IAM.
            patiently(lambda: client.create_role(**request), "MalformedPolicyDocument", "Invalid principal in policy")
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating IAM Role ({name})", error) from error
        return self._state(call, name, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("iam")
        try:
            found = client.get_role(RoleName=resource_id)["Role"]
        except client.exceptions.ClientError as error:
            if error_code(error) == _GONE:
                return None
            raise aws_error(f"reading IAM Role ({resource_id})", error) from error
        try:
            # A policy that goes in between takes no role with it.
            inline = [
                client.get_role_policy(RoleName=resource_id, PolicyName=name) for name in _inline(client, resource_id)
            ]
            attached = client.list_attached_role_policies(RoleName=resource_id)["AttachedPolicies"]
        except client.exceptions.ClientError as error:
            raise aws_error(f"reading inline policies for IAM role {resource_id}", error) from error
        every = every_tag(found.get("Tags", []))
        outputs = {
            "forceDetachPolicies": False,
            **kept(olds, "forceDetachPolicies", "namePrefix"),
            "arn": found["Arn"],
            "assumeRolePolicy": _as_written(olds.get("assumeRolePolicy"), found["AssumeRolePolicyDocument"]),
            "createDate": found["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": found.get("Description"),
            "inlinePolicies": [
                {"name": each["PolicyName"], "policy": _as_written(None, each["PolicyDocument"])} for each in inline
            ],
            "managedPolicyArns": [each["PolicyArn"] for each in attached],
            "maxSessionDuration": found.get("MaxSessionDuration", 3600),
            "name": found["RoleName"],
            "path": found["Path"],
            "permissionsBoundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
            "uniqueId": found["RoleId"],
        }
        return resource_id, {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("iam")
        try:
            self._update(client, resource_id, news, changed)
            gone, tags = tag_changes(olds, call.session.tags(news.get("tags")))
            if gone:
                client.untag_role(RoleName=resource_id, TagKeys=gone)
            if tags:
                client.tag_role(RoleName=resource_id, Tags=tag_list(tags))
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating IAM Role ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def _update(self, client: Any, name: str, news: Properties, changed: set[str]) -> None:
        if "assumeRolePolicy" in changed:
            trust = normal_json(news["assumeRolePolicy"])
            patiently(
                lambda: client.update_assume_role_policy(RoleName=name, PolicyDocument=trust),
                "MalformedPolicyDocument",
                "Invalid principal in policy",
            )
        if "description" in changed:
            client.update_role_description(RoleName=name, Description=news.get("description") or "")
        if "maxSessionDuration" in changed:
            client.update_role(RoleName=name, MaxSessionDuration=news["maxSessionDuration"])
        if "permissionsBoundary" in changed:
            if news.get("permissionsBoundary"):
                client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=news["permissionsBoundary"])
            else:
                client.delete_role_permissions_boundary(RoleName=name)

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("iam")
        try:
            client.list_instance_profiles_for_role(RoleName=resource_id)
            # What the state has, from the last read.
            for found in olds.get("inlinePolicies") or ():
                with contextlib.suppress(client.exceptions.NoSuchEntityException):
                    client.delete_role_policy(RoleName=resource_id, PolicyName=found["name"])
            if olds.get("forceDetachPolicies"):
                for attached in client.list_attached_role_policies(RoleName=resource_id)["AttachedPolicies"]:
                    client.detach_role_policy(RoleName=resource_id, PolicyArn=attached["PolicyArn"])
            client.delete_role(RoleName=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) != _GONE:
                raise aws_error(f"deleting IAM Role ({resource_id})", error) from error


class RolePolicy(Resource):
    token = "aws:iam/rolePolicy:RolePolicy"
    called = "IAM Role Policy"
    name_property = "name"
    name_length = 128
    name_blockers = ("namePrefix",)
    props = {
        "name": Prop(replaces=True, computed=True, conflicts=("namePrefix",)),
        "namePrefix": Prop(replaces=True, computed=True, conflicts=("name",)),
        "policy": Prop("policy", required=True),
        "role": Prop(required=True, replaces=True),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        return [*_wrong_names(inputs, 128, 102), *_no_document(inputs, "policy")]

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        name = inputs.get("name") or automatic_name(inputs["namePrefix"], b"", 128, separator="")
        resource_id = f"{inputs['role']}:{name}"
        return resource_id, self._put(call, resource_id, inputs)

    def _put(self, call: Call, resource_id: str, inputs: Properties) -> Properties:
        client = call.client("iam")
        role, _, name = resource_id.partition(":")
        try:
            client.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=normal_json(inputs["policy"]))
        except client.exceptions.ClientError as error:
            raise aws_error(f"putting IAM Role ({role}) Policy ({name})", error) from error
        return self._state(call, resource_id, inputs)[1]

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("iam")
        role, _, name = resource_id.partition(":")
        try:
            document = client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        except client.exceptions.ClientError as error:
            if error_code(error) == _GONE:
                return None
            raise aws_error(f"reading IAM Role Policy ({resource_id})", error) from error
        policy = _as_written(olds.get("policy"), document)
        return resource_id, {**kept(olds, "namePrefix"), "name": name, "policy": policy, "role": role}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        return self._put(call, resource_id, news)

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("iam")
        role, _, name = resource_id.partition(":")
        try:
            client.delete_role_policy(RoleName=role, PolicyName=name)
        except client.exceptions.ClientError as error:
            if error_code(error) != _GONE:
                raise aws_error(f"deleting IAM Role Policy ({resource_id})", error) from error


class RolePolicyAttachment(Resource):
    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    called = "IAM Role Policy Attachment"
    props = {
        "policyArn": Prop(required=True, replaces=True),
        "role": Prop(required=True, replaces=True),
    }

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client, role, arn = call.client("iam"), str(inputs["role"]), str(inputs["policyArn"])
        try:
            client.attach_role_policy(RoleName=role, PolicyArn=arn)
        except client.exceptions.ClientError as error:
            raise aws_error(f"attaching IAM Policy ({arn}) to IAM Role ({role})", error) from error
        resource_id = automatic_name(f"{role}-", b"", 128, separator="")
        call.has_id(resource_id)
        answer = self.read(call, resource_id, inputs)
        if answer is None:
            what = f"IAM Role ({role}) Policy Attachment ({arn})"
            raise ProviderError(f"reading {what}: couldn't find resource", "NOT_FOUND")
        return answer

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client, role, arn = call.client("iam"), str(olds["role"]), str(olds["policyArn"])
        try:
            pages = client.get_paginator("list_attached_role_policies").paginate(RoleName=role)
            attached = [each["PolicyArn"] for page in pages for each in page["AttachedPolicies"]]
        except client.exceptions.ClientError as error:
            if error_code(error) == _GONE:
                return None
            raise aws_error(f"reading IAM Role ({role}) Policy Attachment ({arn})", error) from error
        return (resource_id, {"policyArn": arn, "role": role}) if arn in attached else None

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client, role, arn = call.client("iam"), str(olds["role"]), str(olds["policyArn"])
        try:
            client.detach_role_policy(RoleName=role, PolicyArn=arn)
        except client.exceptions.ClientError as error:
            if error_code(error) != _GONE:
                raise aws_error(f"detaching IAM Policy ({arn}) from IAM Role ({role})", error) from error


def _inline(client: Any, role: str) -> list[str]:
    pages = client.get_paginator("list_role_policies").paginate(RoleName=role)
    return [name for page in pages for name in page["PolicyNames"]]


def _as_written(old: Any, document: Any) -> str:
    """As upstream's PolicyToSet: an equivalent document is shown as it was written. botocore has decoded it."""
    text = document if isinstance(document, str) else json.dumps(document)
    return str(old) if old and normal_policy(str(old)) == normal_policy(text) else text


def _wrong_names(inputs: Properties, longest: int, longest_prefix: int) -> list[tuple[str, str]]:
    wrong = []
    for key, limit in (("name", longest), ("namePrefix", longest_prefix)):
        name = inputs.get(key)
        if isinstance(name, str) and not _NAME.fullmatch(name):
            wrong.append((key, rf"invalid value for {key} (must match [\w+=,.@-])"))
        if isinstance(name, str) and len(name) > limit:
            wrong.append((key, f"expected length of {key} to be in the range (1 - {limit}), got {name}"))
    return wrong


def _no_document(inputs: Properties, key: str) -> list[tuple[str, str]]:
    text = inputs.get(key)
    if not isinstance(text, str):
        return []
    try:
        fits = isinstance(json.loads(text), dict)
    except ValueError:
        fits = False
    return [] if fits else [(key, f'"{key}" contains an invalid JSON policy')]


TYPES = {kind.token: kind() for kind in (Role, RolePolicy, RolePolicyAttachment)}
