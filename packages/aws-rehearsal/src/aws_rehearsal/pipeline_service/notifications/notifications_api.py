"""The operations of CodeStar Notifications' API on rules for pipelines.

Targets come into being with the first rule that names them, and stay until they are deleted. The first rule of an
account has the service's own role made, and is refused until that is there ("Using service-linked roles for AWS
CodeStar Notifications"; the sentence is AWS's, as aws-cdk issue 34406 has it). "AWS CodeStar Notifications API
reference"; the condition key `codestar-notifications:NotificationsForResource` as its service authorization reference
has it.
"""

from __future__ import annotations

import functools
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from aws_rehearsal.pipeline_service.errors import ServiceError, validation
from aws_rehearsal.pipeline_service.gate import Caller, Gate
from aws_rehearsal.pipeline_service.notifications.notification_rules import EVENT_TYPES, NotificationRule
from aws_rehearsal.pipeline_service.pages import page

Answer = dict[str, Any]
_TARGET_TYPES = ("SNS", "AWSChatbotSlack", "AWSChatbotMicrosoftTeams")
_SERVICE = "codestar-notifications.amazonaws.com"
_NO_ROLE_YET = (
    "AWS CodeStar Notifications could not create the AWS CloudWatch Events managed rule in your AWS account. If this "
    "is your first time creating a notification rule, the service-linked role for AWS CodeStar Notifications might not "
    "yet exist. Creation of this role might take up to 15 minutes. Until it exists, notification rule creation will "
    "fail. Wait 15 minutes, and then try again."
)
_SUBSCRIBED = "The target cannot be deleted because it is subscribed to one or more notification rules."


class NotificationsApi:
    """Rules of all accounts; `exists` says whether there is a resource of that ARN."""

    def __init__(self, gate: Gate, exists: Callable[[str], bool]) -> None:
        self._gate, self._exists = gate, exists
        self._lock = threading.Lock()
        self._rules: dict[str, NotificationRule] = {}
        self._targets: dict[tuple[str, str, str], str] = {}
        """Account, region and address of each target -> its type."""
        self._linked: set[str] = set()
        """Accounts in which the service has its role."""

    def handler(self, operation: str) -> Callable[[Answer, Caller], Answer] | None:
        """What carries an operation out, None if the service does not offer it."""
        found = _OPERATIONS.get(operation)
        return found and functools.partial(found, self)

    def rules_for(self, resource: str, event_type: str) -> list[NotificationRule]:
        """The enabled rules of a resource that name an event type."""
        with self._lock:
            return [
                rule
                for rule in self._rules.values()
                if rule.resource == resource and rule.status == "ENABLED" and event_type in rule.event_types
            ]

    def create(self, params: Answer, caller: Caller) -> Answer:
        resource, tags = params["Resource"], params.get("Tags") or {}
        context = _asked(tags)
        prefix = f"arn:aws:codestar-notifications:{caller.region}:{caller.account}:notificationrule/"
        self._authorize(caller, "CreateNotificationRule", f"{prefix}*", resource, context)
        if tags:
            # Tagging does not know what a rule is about.
            self._authorize(caller, "TagResource", f"{prefix}*", "", context)
        if resource.split(":")[3:5] != [caller.region, caller.account] or not self._exists(resource):
            raise ServiceError("ConfigurationException", f"There is no resource {resource} in this account and region")
        _check(params)
        self._need_role(caller)
        now = time.time()
        with self._lock:
            mine = [rule for rule in self._rules.values() if _place(rule) == _place(caller)]
            if any(rule.name == params["Name"] for rule in mine):
                raise ServiceError(
                    "ResourceAlreadyExistsException", f"A notification rule with the name {params['Name']} exists"
                )
            rule = NotificationRule(
                arn=f"{prefix}{uuid.uuid4().hex}",
                account=caller.account,
                region=caller.region,
                name=params["Name"],
                resource=resource,
                detail_type=params["DetailType"],
                event_types=tuple(params["EventTypeIds"]),
                targets=_targets(params),
                created_by=caller.arn,
                created=now,
                modified=now,
                status=params.get("Status", "ENABLED"),
                tags=dict(tags),
            )
            self._rules[rule.arn] = rule
            self._remember(rule)
        return {"Arn": rule.arn}

    def describe(self, params: Answer, caller: Caller) -> Answer:
        rule = self._rule(params, caller, "DescribeNotificationRule")
        return {
            "Arn": rule.arn,
            "Name": rule.name,
            "EventTypes": [
                {
                    "EventTypeId": event_type,
                    "ServiceName": "CodePipeline",
                    "EventTypeName": EVENT_TYPES[event_type],
                    "ResourceType": "Pipeline",
                }
                for event_type in rule.event_types
            ],
            "Resource": rule.resource,
            "Targets": [
                {"TargetAddress": address, "TargetType": kind, "TargetStatus": rule.statuses.get(address, "ACTIVE")}
                for kind, address in rule.targets
            ],
            "DetailType": rule.detail_type,
            "CreatedBy": rule.created_by,
            "Status": rule.status,
            "CreatedTimestamp": rule.created,
            "LastModifiedTimestamp": rule.modified,
            "Tags": rule.tags,
        }

    def update(self, params: Answer, caller: Caller) -> Answer:
        rule = self._rule(params, caller, "UpdateNotificationRule")
        _check(params)
        with self._lock:
            rule.name = params.get("Name", rule.name)
            rule.status = params.get("Status", rule.status)
            rule.detail_type = params.get("DetailType", rule.detail_type)
            rule.event_types = tuple(params.get("EventTypeIds", rule.event_types))
            if "Targets" in params:
                rule.targets, rule.statuses = _targets(params), {}
                self._remember(rule)
            rule.modified = time.time()
        return {}

    def delete(self, params: Answer, caller: Caller) -> Answer:
        rule = self._rules.get(params["Arn"])
        resource = rule.resource if rule else ""
        self._authorize(caller, "DeleteNotificationRule", params["Arn"], resource)
        if rule and _place(rule) == _place(caller):
            with self._lock:
                self._rules.pop(rule.arn, None)
        # One that is gone is no error.
        return {"Arn": params["Arn"]}

    def list_rules(self, params: Answer, caller: Caller) -> Answer:
        self._gate.require(caller, "codestar-notifications:ListNotificationRules", "*")
        filters = {item["Name"]: item["Value"] for item in params.get("Filters", ())}
        with self._lock:
            mine = [rule for rule in self._rules.values() if _place(rule) == _place(caller)]
        found = [{"Id": rule.arn.rpartition("/")[2], "Arn": rule.arn} for rule in mine if _passes(rule, filters)]
        return _capital(page("NotificationRules", found, _small(params)))

    def list_targets(self, params: Answer, caller: Caller) -> Answer:
        self._gate.require(caller, "codestar-notifications:ListTargets", "*")
        with self._lock:
            found = [
                {"TargetAddress": address, "TargetType": kind, "TargetStatus": "ACTIVE"}
                for (account, region, address), kind in self._targets.items()
                if (account, region) == _place(caller)
            ]
        return _capital(page("Targets", found, _small(params)))

    def delete_target(self, params: Answer, caller: Caller) -> Answer:
        self._gate.require(caller, "codestar-notifications:DeleteTarget", "*")
        address = params["TargetAddress"]
        with self._lock:
            naming = [
                rule
                for rule in self._rules.values()
                if _place(rule) == _place(caller) and address in (target for _, target in rule.targets)
            ]
            if naming and not params.get("ForceUnsubscribeAll"):
                raise validation(_SUBSCRIBED)
            for rule in naming:
                rule.targets = tuple(target for target in rule.targets if target[1] != address)
            self._targets.pop((*_place(caller), address), None)
        return {}

    def list_tags(self, params: Answer, caller: Caller) -> Answer:
        return {"Tags": self._rule(params, caller, "ListTagsForResource").tags}

    def tag(self, params: Answer, caller: Caller) -> Answer:
        rule = self._rule(params, caller, "TagResource", _asked(params["Tags"]))
        rule.tags |= params["Tags"]
        return {"Tags": rule.tags}

    def untag(self, params: Answer, caller: Caller) -> Answer:
        rule = self._rule(params, caller, "UntagResource", {"aws:TagKeys": list(params["TagKeys"])})
        rule.tags = {key: value for key, value in rule.tags.items() if key not in params["TagKeys"]}
        return {}

    def _rule(self, params: Answer, caller: Caller, operation: str, asked: Answer | None = None) -> NotificationRule:
        rule = self._rules.get(params["Arn"])
        context = {f"aws:ResourceTag/{key}": value for key, value in (rule.tags if rule else {}).items()}
        about = rule.resource if rule and operation not in ("TagResource", "UntagResource") else ""
        self._authorize(caller, operation, params["Arn"], about, {**context, **(asked or {})})
        if rule is None or _place(rule) != _place(caller):
            raise ServiceError("ResourceNotFoundException", f"There is no notification rule {params['Arn']}", 404)
        return rule

    def _authorize(
        self, caller: Caller, operation: str, arn: str, resource: str, context: Answer | None = None
    ) -> None:
        about = {"codestar-notifications:NotificationsForResource": resource} if resource else {}
        self._gate.require(caller, f"codestar-notifications:{operation}", arn, {**about, **(context or {})})

    def _need_role(self, caller: Caller) -> None:
        """The service's role in the account, which is being made when it is first needed, with the caller's right."""
        if caller.account not in self._linked:
            role = (
                f"arn:aws:iam::{caller.account}:role/aws-service-role/{_SERVICE}/AWSServiceRoleForCodeStarNotifications"
            )
            self._gate.require(caller, "iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": _SERVICE})
            self._linked.add(caller.account)
            raise ServiceError("ConfigurationException", _NO_ROLE_YET)

    def _remember(self, rule: NotificationRule) -> None:
        self._targets |= {(rule.account, rule.region, address): kind for kind, address in rule.targets}


def _place(of: NotificationRule | Caller) -> tuple[str, str]:
    return of.account, of.region


def _targets(params: Answer) -> tuple[tuple[str, str], ...]:
    return tuple((target["TargetType"], target["TargetAddress"]) for target in params["Targets"])


def _asked(tags: Answer) -> Answer:
    """The condition keys of tags that a request sets."""
    keys: Answer = {"aws:TagKeys": list(tags)} if tags else {}
    return {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, **keys}


def _check(params: Answer) -> None:
    for event_type in params.get("EventTypeIds", ()):
        if event_type not in EVENT_TYPES:
            raise validation(f"The event type {event_type} is not valid for a pipeline")
    for target in params.get("Targets", ()):
        if target.get("TargetType") not in _TARGET_TYPES:
            raise validation(f"The target type {target.get('TargetType')} is not one of {', '.join(_TARGET_TYPES)}")
        if not str(target.get("TargetAddress", "")).startswith("arn:"):
            raise validation(f"The target address {target.get('TargetAddress')} is not an ARN")


def _passes(rule: NotificationRule, filters: dict[str, str]) -> bool:
    known = {
        "CREATED_BY": [rule.created_by],
        "EVENT_TYPE_ID": rule.event_types,
        "RESOURCE": [rule.resource],
        "TARGET_ADDRESS": [address for _, address in rule.targets],
    }
    return all(value in known[name] for name, value in filters.items())


def _small(params: Answer) -> Answer:
    return {key[:1].lower() + key[1:]: value for key, value in params.items()}


def _capital(answer: Answer) -> Answer:
    return {key[:1].upper() + key[1:]: value for key, value in answer.items()}


_OPERATIONS: dict[str, Callable[[NotificationsApi, Answer, Caller], Answer]] = {
    "CreateNotificationRule": NotificationsApi.create,
    "DescribeNotificationRule": NotificationsApi.describe,
    "UpdateNotificationRule": NotificationsApi.update,
    "DeleteNotificationRule": NotificationsApi.delete,
    "ListNotificationRules": NotificationsApi.list_rules,
    "ListTargets": NotificationsApi.list_targets,
    "DeleteTarget": NotificationsApi.delete_target,
    "ListTagsForResource": NotificationsApi.list_tags,
    "TagResource": NotificationsApi.tag,
    "UntagResource": NotificationsApi.untag,
}
