"""Pipelines and build projects of a template, made by the pipeline service. Runs inside the local AWS.

MiniStack has no `AWS::CodePipeline::Pipeline`, and keeps an `AWS::CodeBuild::Project` where the service, which answers
for CodeBuild, does not look. So a stack's create, update and delete of both are handed on to the service. Whether
whoever acts for the stack may do so was asked before (`patches.execution_role`); the service is called as the account.

AWS: without a `Name` a project is called after its logical id, `LOGICALID-RANDOM`, a pipeline after its stack too
(seen in users' reports: `PipelineBuildSynthCdkBuildProje-...`).
"""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Callable
from typing import Any

TYPES = ("AWS::CodeBuild::Project", "AWS::CodePipeline::Pipeline")
_LONGEST = 27
"""How much of a logical id a project's name keeps."""
Ask = Callable[[dict[str, Any]], dict[str, Any]]


def install(port: Callable[[], int | None], token: str) -> None:
    """Register the types; `port` says where the service listens, once it has joined."""
    from ministack.services.cloudformation import provisioners, stacks  # noqa: PLC0415 - when it is patched

    def ask(document: dict[str, Any]) -> dict[str, Any]:
        return _ask(port(), token, document)

    for resource_type in TYPES:
        provisioners._RESOURCE_HANDLERS[resource_type] = _handlers(resource_type, ask)
    blocks = stacks._runs_on_worker_thread
    # The service asks the local AWS back while it answers, so its event loop must not wait for it.
    stacks._runs_on_worker_thread = lambda name: name in TYPES or blocks(name)


def _handlers(resource_type: str, ask: Ask) -> dict[str, Any]:
    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        name = props.get("Name") or _made_up(resource_type, logical_id, stack_name)
        return name, ask(_document("create", resource_type, name, props, stack_name))

    def update(physical_id: str, old: Any, new: dict[str, Any], stack_name: str, **_: Any) -> tuple[str, Any]:
        name = new.get("Name") or physical_id
        if name == physical_id:
            return name, ask(_document("update", resource_type, name, new, stack_name))
        made = ask(_document("create", resource_type, name, new, stack_name))
        delete(physical_id, old)
        return name, made

    def delete(physical_id: str, props: dict[str, Any]) -> None:
        ask(_document("delete", resource_type, physical_id, props, ""))

    return {"create": create, "update": update, "delete": delete}


def _document(operation: str, resource_type: str, name: str, props: dict[str, Any], stack_name: str) -> dict[str, Any]:
    from ministack.core.responses import get_account_id, get_region  # noqa: PLC0415
    from ministack.services import cloudformation  # noqa: PLC0415

    account, stack = get_account_id(), cloudformation._stacks.get(stack_name) or {}
    role = str(stack.get("RoleARN") or "").rpartition("/")[2]
    arn = f"arn:aws:sts::{account}:assumed-role/{role}/AWSCloudFormation" if role else f"arn:aws:iam::{account}:root"
    return {
        "resource": resource_type,
        "operation": operation,
        "name": name,
        "properties": props,
        "tags": {tag["Key"]: tag["Value"] for tag in stack.get("Tags") or ()},
        "caller": {"access_key_id": account, "arn": arn, "account": account, "region": get_region()},
    }


def _made_up(resource_type: str, logical_id: str, stack_name: str) -> str:
    """The same every time, as MiniStack's are: an update that finds no name finds the resource."""
    suffix = hashlib.sha256(f"{stack_name}/{logical_id}".encode()).hexdigest()[:12]
    if resource_type == "AWS::CodeBuild::Project":
        return f"{logical_id[:_LONGEST]}-{suffix}"
    return f"{stack_name[:40]}-{logical_id[:40]}-{suffix}"


def _ask(port: int | None, token: str, document: dict[str, Any]) -> dict[str, Any]:
    """The attributes of the resource; raises ValueError, which fails it, with the service's sentence."""
    if port is None:
        raise ValueError(f"{document['resource']}: no pipeline service has joined the local AWS")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/", json.dumps(document), {"X-Pipelines-Token": token})
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(f"{answer.get('__type')}: {answer.get('message')}")
    return answer
