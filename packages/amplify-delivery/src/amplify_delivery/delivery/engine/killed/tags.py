"""Whether what is there carries the tags that a killed run was about to give it: all of these are made with their tags
in one call. What carries others is somebody else's, whenever it was made.

An environment's provider gives none of its own (docs/decisions.md): these are the program's. Reads only, with what the
providers read of each type too; where the tags may not be read, the time decides (`by_time`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from amplify_delivery.components.names import partition
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine.killed.pending import CREATING, OURS, Answer, Foreign, Operation, There, same
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing

Tags = Mapping[str, Any]


def carried(account: Account, operation: Operation, provider: Mapping[str, Any], answer: Answer) -> Answer:
    """The same of a create, unless its tags say that it is not its own. `provider` are the inputs of its provider.
    Raises `RefusedError`."""
    look = LOOKS.get(operation.type)
    if not isinstance(answer, There) or operation.kind != CREATING or look is None:
        return answer
    sent = wanted(operation, provider)
    if not sent or any(component in operation.urn for component in OURS):
        return answer
    with account.asking(f"asking for the tags of {operation.what}"), suppressing(*ACCESS_DENIED) as refusal:
        found = look(account, answer.id)
    if refusal or same(sent, found):
        return answer
    return Foreign(f"what is there as {answer.id} has other tags: not its own")


def wanted(operation: Operation, provider: Mapping[str, Any]) -> Tags:
    """The tags that were sent: the resource's own over its provider's default tags. Those of aws-native are among the
    resource's inputs already."""
    own = operation.inputs.get("tags") or {}
    if isinstance(own, list):
        return _pairs(own, "key", "value")
    return {**_defaults(provider), **own} if isinstance(own, Mapping) else {}


def _defaults(provider: Mapping[str, Any]) -> Tags:
    """Objects among a provider's inputs are JSON in a text."""
    given = provider.get("defaultTags") or {}
    try:
        given = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        return {}
    tags = given.get("tags") if isinstance(given, Mapping) else None
    return tags if isinstance(tags, Mapping) else {}


def _pairs(tags: Iterable[Mapping[str, Any]], key: str = "Key", value: str = "Value") -> Tags:
    return {str(tag.get(key)): tag.get(value) for tag in tags}


def _role(account: Account, name: str) -> Tags:
    return _pairs(account.client("iam").get_role(RoleName=name)["Role"].get("Tags") or ())


def _policy(account: Account, arn: str) -> Tags:
    return _pairs(account.client("iam").get_policy(PolicyArn=arn)["Policy"].get("Tags") or ())


def _project(account: Account, arn: str) -> Tags:
    found = account.client("codebuild").batch_get_projects(names=[arn.rpartition("/")[2]])["projects"]
    return _pairs([tag for project in found for tag in project.get("tags") or ()], "key", "value")


def _key(account: Account, key: str) -> Tags:
    return _pairs(account.client("kms").list_resource_tags(KeyId=key)["Tags"], "TagKey", "TagValue")


def _parameter(account: Account, name: str) -> Tags:
    ssm = account.client("ssm")
    return _pairs(ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"])


def _log_group(account: Account, name: str) -> Tags:
    place = f"arn:{partition(account.region)}:logs:{account.region}:{account.account}"
    tags: Tags = (
        account.client("logs").list_tags_for_resource(resourceArn=f"{place}:log-group:{name}").get("tags") or {}
    )
    return tags


def _function(account: Account, name: str) -> Tags:
    tags: Tags = account.client("lambda").get_function(FunctionName=name).get("Tags") or {}
    return tags


def _api(account: Account, api: str) -> Tags:
    tags: Tags = account.client("apigatewayv2").get_api(ApiId=api).get("Tags") or {}
    return tags


def _notification_rule(account: Account, arn: str) -> Tags:
    tags: Tags = account.client("codestar-notifications").describe_notification_rule(Arn=arn).get("Tags") or {}
    return tags


LOOKS: Mapping[str, Callable[[Account, str], Tags]] = {
    "aws-native:apigatewayv2:Api": _api,
    "aws-native:iam:Role": _role,
    "aws-native:lambda:Function": _function,
    "aws-native:logs:LogGroup": _log_group,
    "aws:codebuild/project:Project": _project,
    "aws:codestarnotifications/notificationRule:NotificationRule": _notification_rule,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:kms/key:Key": _key,
    "aws:ssm/parameter:Parameter": _parameter,
}
"""By Pulumi type, with the id that is found. Those of the root stack, of buckets and secrets `existing` compares: there
they prove more."""
