"""Asks AWS for what a program has made beside the backend with aws-native, by its name or its place in an API.

Cloud Control goes on with a request whose caller is gone; so it is waited for first. Its identifiers, which the engine
keeps as ids, are those of the resource schemas' `primaryIdentifier`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from amplify_delivery.components.documents.rights.pulumi_types import cloudformation_type
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine.killed.pending import Answer, Foreign, Gone, Operation, There, Unknown, same
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing

Asker = Callable[[Account, Operation, frozenset[str]], Answer]
"""What has become of a create, given the ids that the state holds. Raises botocore's errors."""


_SECONDS = 1800.0
"""How long the provider waits for Cloud Control by default."""
_PAUSE = 2.0
_GOING_ON = {"Operations": ["CREATE"], "OperationStatuses": ["PENDING", "IN_PROGRESS"]}


def absent(look: Callable[[], object], missing: str) -> bool:
    """Whether AWS answers that there is no such thing. Raises botocore's errors."""
    with suppressing(missing) as gone:
        look()
    return bool(gone)


def settle(account: Account, operation: Operation) -> None:
    """Wait until Cloud Control makes nothing of the type any more ("Managing resource operation requests" in its user
    guide). Whoever may not ask goes on: an account that was bootstrapped before. Raises botocore's errors."""
    kind = cloudformation_type(operation.type)
    deadline, waiting = time.monotonic() + operation.seconds(_SECONDS), False
    while time.monotonic() < deadline:
        pages = account.client("cloudcontrol").get_paginator("list_resource_requests")
        with suppressing(*ACCESS_DENIED) as refusal:
            requests = [
                r
                for page in pages.paginate(ResourceRequestStatusFilter=_GOING_ON)
                for r in page["ResourceRequestStatusSummaries"]
            ]
        if refusal or not any(request.get("TypeName") == kind for request in requests):
            return
        if not waiting:
            output.progress(f"{operation.what}: Cloud Control is still at work, for a run that was killed")
            waiting = True
        time.sleep(_PAUSE)


def _role(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name, found = str(operation.inputs.get("roleName")), dict[str, Any]()
    if absent(lambda: found.update(account.client("iam").get_role(RoleName=name)["Role"]), "NoSuchEntity"):
        return Gone()
    if not same(operation.inputs.get("description"), found.get("Description")):
        return Foreign(f"the role {name} that is there has another description: not its own")
    return There(name, made=found.get("CreateDate"))


def _function(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name, found = str(operation.inputs.get("functionName")), dict[str, Any]()

    def look() -> None:
        found.update(account.client("lambda").get_function(FunctionName=name)["Configuration"])

    if absent(look, "ResourceNotFoundException"):
        return Gone()
    if not same(operation.inputs.get("role"), found.get("Role")):
        return Foreign(f"the function {name} that is there runs with another role: not its own")
    return There(name)


def _log_group(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name = str(operation.inputs.get("logGroupName"))
    pages = account.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    found = [group for page in pages for group in page["logGroups"] if group["logGroupName"] == name]
    if not found:
        return Gone()
    milliseconds = found[0].get("creationTime")
    return There(name, made=datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None)


def _permission(account: Account, operation: Operation, known: frozenset[str]) -> Answer:
    """A statement of the function's policy: its id is made up."""
    function, found = str(operation.inputs.get("functionName")), dict[str, Any]()
    look = account.client("lambda")
    if absent(lambda: found.update(look.get_policy(FunctionName=function)), "ResourceNotFoundException"):
        return Gone()
    inputs = operation.inputs
    sent = {"Action": inputs.get("action"), "Principal": {"Service": inputs.get("principal")}}
    ids = [
        f"{function}|{statement['Sid']}"
        for statement in json.loads(found["Policy"])["Statement"]
        if same(sent, statement) and str(inputs.get("sourceArn") or "") in json.dumps(statement.get("Condition") or {})
    ]
    return one(ids, known)


def _api(account: Account, operation: Operation, known: frozenset[str]) -> Answer:
    """Names of APIs are no keys: of several, none of which the state holds, nobody can tell."""
    name = operation.inputs.get("name")
    made = {str(api["ApiId"]): api.get("CreatedDate") for api in _items(account, "get_apis") if api.get("Name") == name}
    answer = one([*made], known)
    return There(answer.id, made=made[answer.id]) if isinstance(answer, There) else answer


def _part(operation: str, key: str, sent: str, told: str) -> Asker:
    """The asker for a part of an API: of those that `operation` lists, the one whose `told` is what was `sent`."""

    def ask(account: Account, of: Operation, known: frozenset[str]) -> Answer:
        api = str(of.inputs.get("apiId"))
        found: list[Any] = []
        if absent(lambda: found.extend(_items(account, operation, ApiId=api)), "NotFoundException"):
            return Gone()
        return one([f"{api}|{item[key]}" for item in found if same(of.inputs.get(sent), item.get(told))], known)

    return ask


def _items(account: Account, operation: str, **arguments: str) -> Iterator[dict[str, Any]]:
    for page in account.client("apigatewayv2").get_paginator(operation).paginate(**arguments):
        yield from page["Items"]


def one(ids: list[str], known: frozenset[str]) -> Answer:
    """The one of these ids that the state does not hold; of several nobody can tell."""
    new = [id for id in ids if id not in known]
    if len(new) > 1:
        return Unknown(f"there are {len(new)} like it: {', '.join(new)}")
    return There(new[0]) if new else Gone()


def _pipeline(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name, found = str(operation.inputs.get("name")), dict[str, Any]()

    def look() -> None:
        found.update(account.client("codepipeline").get_pipeline(name=name)["pipeline"])

    if absent(look, "PipelineNotFoundException"):
        return Gone()
    if not same(operation.inputs.get("roleArn"), found.get("roleArn")):
        return Foreign(f"the pipeline {name} that is there has another role: not its own")
    return There(name)


ASKERS: Mapping[str, Asker] = {
    "aws-native:apigatewayv2:Api": _api,
    "aws-native:apigatewayv2:Integration": _part(
        "get_integrations", "IntegrationId", "integrationUri", "IntegrationUri"
    ),
    "aws-native:apigatewayv2:Route": _part("get_routes", "RouteId", "routeKey", "RouteKey"),
    "aws-native:apigatewayv2:Stage": _part("get_stages", "StageName", "stageName", "StageName"),
    "aws-native:codepipeline:Pipeline": _pipeline,
    "aws-native:iam:Role": _role,
    "aws-native:lambda:Function": _function,
    "aws-native:lambda:Permission": _permission,
    "aws-native:logs:LogGroup": _log_group,
}
"""By Pulumi type."""
