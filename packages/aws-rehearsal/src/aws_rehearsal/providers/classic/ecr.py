"""`aws:ecr/repository:Repository`, `repositoryPolicy:RepositoryPolicy` and `lifecyclePolicy:LifecyclePolicy`.

Plays internal/service/ecr/repository.go, repository_policy.go and lifecycle_policy.go of terraform-provider-aws: all
three ids are the repository's name. Name and encryption can't change, a repository with images goes only with
`forceDelete`, and another lifecycle policy is a replacement, since that resource has no update.
"""

from __future__ import annotations

import json
from typing import Any

from aws_rehearsal.providers.classic.propagation import patiently, until_gone
from aws_rehearsal.providers.classic.tags import every_tag, tag_changes, tag_list
from aws_rehearsal.providers.errors import aws_error, error_code
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Change, Prop, normal_json, normal_policy, out, policy_that_is_no_json
from aws_rehearsal.providers.wire import UNKNOWN, Properties

_NO_REPOSITORY = "RepositoryNotFoundException"
_WITH_EXCLUSIONS = ("MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")


class Repository(Resource):
    token = "aws:ecr/repository:Repository"
    called = "ECR Repository"
    name_property = "name"
    name_length = 256
    name_lower = True
    props = {
        "arn": out(),
        "encryptionConfigurations": Prop(
            "list",
            replaces=True,
            fields={"encryptionType": Prop(default="AES256", choices=("AES256", "KMS", "KMS_DSSE")), "kmsKey": Prop()},
        ),
        "forceDelete": Prop("bool"),
        "imageScanningConfiguration": Prop("object", fields={"scanOnPush": Prop("bool", required=True)}),
        "imageTagMutability": Prop(default="MUTABLE", choices=("MUTABLE", "IMMUTABLE", *_WITH_EXCLUSIONS)),
        "imageTagMutabilityExclusionFilters": Prop(
            "list", fields={"filter": Prop(required=True), "filterType": Prop(required=True, choices=("WILDCARD",))}
        ),
        "name": Prop(replaces=True),
        "region": REGION,
        "registryId": out(),
        "repositoryUrl": out(),
        "tags": TAGS,
        "tagsAll": out("map"),
    }

    def changes(self, olds: Properties, found: list[Change]) -> list[Change]:
        """A block that the program leaves out, and a key that ECR has chosen, are no differences."""
        return [change for change in found if not self._suppressed(olds, change)]

    def _suppressed(self, olds: Properties, change: Change) -> bool:
        if change.property in ("encryptionConfigurations", "imageScanningConfiguration") and not change.new:
            return True
        if change.property != "encryptionConfigurations" or not isinstance(change.new, list):
            return False
        before = [item["encryptionType"] for item in olds.get("encryptionConfigurations") or ()]
        after = [item.get("encryptionType") for item in change.new if isinstance(item, dict) and not item.get("kmsKey")]
        return bool(before) and before == after

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("ecr")
        name = inputs["name"]
        request: dict[str, Any] = {
            "repositoryName": name,
            "imageTagMutability": inputs["imageTagMutability"],
            "tags": tag_list(call.session.tags(inputs.get("tags"))),
        }
        for encryption in inputs.get("encryptionConfigurations") or ():
            request["encryptionConfiguration"] = {key: value for key, value in encryption.items() if value}
        if inputs.get("imageScanningConfiguration"):
            request["imageScanningConfiguration"] = inputs["imageScanningConfiguration"]
        if inputs.get("imageTagMutabilityExclusionFilters"):
            request["imageTagMutabilityExclusionFilters"] = inputs["imageTagMutabilityExclusionFilters"]
        try:
            client.create_repository(**request)
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating ECR Repository ({name})", error) from error
        return self._state(call, name, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("ecr")
        try:
            found = client.describe_repositories(repositoryNames=[resource_id])["repositories"][0]
            tags = client.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
        except client.exceptions.ClientError as error:
            if error_code(error) == _NO_REPOSITORY:
                return None
            raise aws_error(f"reading ECR Repository ({resource_id})", error) from error
        encryption, every = found.get("encryptionConfiguration"), every_tag(tags)
        outputs = {
            **kept(olds, "forceDelete"),
            "arn": found["repositoryArn"],
            "encryptionConfigurations": [
                {"encryptionType": encryption["encryptionType"], "kmsKey": encryption.get("kmsKey", "")}
            ]
            if encryption
            else [],
            "imageScanningConfiguration": {
                "scanOnPush": bool((found.get("imageScanningConfiguration") or {}).get("scanOnPush"))
            },
            "imageTagMutability": found["imageTagMutability"],
            "imageTagMutabilityExclusionFilters": found.get("imageTagMutabilityExclusionFilters", []),
            "name": found["repositoryName"],
            "registryId": found["registryId"],
            "repositoryUrl": found["repositoryUri"],
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
        }
        return resource_id, outputs

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("ecr")
        place = {"repositoryName": resource_id, "registryId": olds["registryId"]}
        try:
            if changed & {"imageTagMutability", "imageTagMutabilityExclusionFilters"}:
                filters = news.get("imageTagMutabilityExclusionFilters")
                more = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
                client.put_image_tag_mutability(**place, imageTagMutability=news["imageTagMutability"], **more)
            if "imageScanningConfiguration" in changed:
                scanning = news.get("imageScanningConfiguration") or {"scanOnPush": False}
                client.put_image_scanning_configuration(**place, imageScanningConfiguration=scanning)
            gone, tags = tag_changes(olds, call.session.tags(news.get("tags")))
            if gone:
                client.untag_resource(resourceArn=olds["arn"], tagKeys=gone)
            if tags:
                client.tag_resource(resourceArn=olds["arn"], tags=tag_list(tags))
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating ECR Repository ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("ecr")
        try:
            client.delete_repository(
                repositoryName=resource_id, registryId=olds["registryId"], force=bool(olds.get("forceDelete"))
            )
        except client.exceptions.ClientError as error:
            if error_code(error) == "RepositoryNotEmptyException":
                doing = f"ECR Repository ({resource_id}) not empty, consider using force_delete"
                raise aws_error(doing, error) from error
            if error_code(error) != _NO_REPOSITORY:
                raise aws_error(f"deleting ECR Repository ({resource_id})", error) from error
        until_gone(lambda: client.describe_repositories(repositoryNames=[resource_id]), {_NO_REPOSITORY})


class RepositoryPolicy(Resource):
    token = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    called = "ECR Repository Policy"
    props = {
        "policy": Prop("policy", required=True),
        "region": REGION,
        "registryId": out(),
        "repository": Prop(required=True, replaces=True),
    }
    _gone = (_NO_REPOSITORY, "RepositoryPolicyNotFoundException")

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        return policy_that_is_no_json(inputs, "JSON")

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        self._put(call, inputs, "creating")
        return self._state(call, inputs["repository"], inputs)

    def _put(self, call: Call, inputs: Properties, doing: str) -> None:
        client, name = call.client("ecr"), inputs["repository"]
        try:
            # A principal may be too new for ECR.
            patiently(
                lambda: client.set_repository_policy(repositoryName=name, policyText=normal_json(inputs["policy"])),
                "InvalidParameterException",
                "Invalid repository policy provided",
            )
        except client.exceptions.ClientError as error:
            raise aws_error(f"{doing} ECR Repository Policy ({name})", error) from error

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("ecr")
        try:
            found = client.get_repository_policy(repositoryName=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) in self._gone:
                return None
            raise aws_error(f"reading ECR Repository Policy ({resource_id})", error) from error
        policy, old = found["policyText"], olds.get("policy")
        return resource_id, {
            "policy": old if old and normal_policy(old) == normal_policy(policy) else policy,
            "registryId": found["registryId"],
            "repository": found["repositoryName"],
        }

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        self._put(call, news, "updating")
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("ecr")
        try:
            client.delete_repository_policy(repositoryName=resource_id, registryId=olds["registryId"])
        except client.exceptions.ClientError as error:
            if error_code(error) not in self._gone:
                raise aws_error(f"deleting ECR Repository Policy ({resource_id})", error) from error


class LifecyclePolicy(Resource):
    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    called = "ECR Lifecycle Policy"
    props = {
        "policy": Prop("json", required=True, replaces=True),
        "region": REGION,
        "registryId": out(),
        "repository": Prop(required=True, replaces=True),
    }
    _gone = (_NO_REPOSITORY, "LifecyclePolicyNotFoundException")

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        return policy_that_is_no_json(inputs, "JSON")

    def changes(self, olds: Properties, found: list[Change]) -> list[Change]:
        """Rules in another order, and tags of a rule in another order, are the same policy."""
        return [change for change in found if not self._equivalent(olds, change)]

    def _equivalent(self, olds: Properties, change: Change) -> bool:
        if change.property != "policy" or change.new in (None, UNKNOWN):
            return False
        return bool(_in_order(olds.get("policy", "{}")) == _in_order(change.new))

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client, name = call.client("ecr"), inputs["repository"]
        try:
            client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=normal_json(inputs["policy"]))
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating ECR Lifecycle Policy ({name})", error) from error
        return self._state(call, name, inputs)

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("ecr")
        try:
            found = client.get_lifecycle_policy(repositoryName=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) in self._gone:
                return None
            raise aws_error(f"reading ECR Lifecycle Policy ({resource_id})", error) from error
        policy, old = found["lifecyclePolicyText"], olds.get("policy")
        return resource_id, {
            "policy": old if old and _in_order(old) == _in_order(policy) else normal_json(policy),
            "registryId": found["registryId"],
            "repository": found["repositoryName"],
        }

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("ecr")
        try:
            client.delete_lifecycle_policy(repositoryName=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) not in self._gone:
                raise aws_error(f"deleting ECR Lifecycle Policy ({resource_id})", error) from error


def _in_order(policy: str) -> Any:
    """A lifecycle policy with its rules by priority and the tags of each sorted (`equivalentLifecyclePolicyJSON`)."""
    try:
        document = json.loads(policy)
    except ValueError:
        return policy
    for rule in document.get("rules", []):
        selection = rule.get("selection", {})
        for key in ("tagPatternList", "tagPrefixList"):
            tags = sorted(selection.pop(key, None) or [])
            if tags:
                selection[key] = tags
    return {"rules": sorted(document.get("rules", []), key=lambda rule: rule.get("rulePriority", 0))}


TYPES = {kind.token: kind() for kind in (Repository, RepositoryPolicy, LifecyclePolicy)}
