"""What is deployed: a root stack's status, its parameters, its template and those of all nested stacks. Reads only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from amplify_export.documents import parse_json, parse_yaml
from amplify_export.errors import DeployError
from amplify_export.model import STACK_TYPE
from delivery.planning import Stacks
from delivery.planning.steps import Path
from publishing.standing import described

MASK = "****"
"""What CloudFormation gives back for a `NoEcho` parameter: its value is not known."""

_EMPTY = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_COMPLETE")
"""States of a stack that has no resources."""
_LONGEST_PAUSE = 15.0
"""Seconds between two looks at a stack that is changing."""
_AT_ONCE = 8
"""Calls in flight. GetTemplate is throttled per account; the SDK tries again."""


@dataclass(frozen=True)
class Deployed:
    """A root stack as it is. Without one, `status` and `stacks` are None; `stacks` also while it has no resources."""

    status: str | None = None
    stacks: Stacks | None = None


def settle(cloudformation: Any, stack: str, seconds: float, told: Callable[[str], None]) -> bool:
    """Wait until no operation changes the root stack any more; whether one did. At most so many seconds, then
    whatever reads it says so. Raises botocore's errors."""
    deadline = time.monotonic() + seconds
    pause, waiting = 0.5, False
    while (left := deadline - time.monotonic()) > 0:
        found = described(cloudformation, stack)
        if found is None or not _changing(str(found["StackStatus"])):
            break
        if not waiting:
            told(f"{stack} is {found['StackStatus']}: waiting until that has ended, {seconds / 60:.0f} minutes at most")
            waiting = True
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return waiting


def read(cloudformation: Any, stack: str) -> Deployed:
    """Read the root stack called `stack`. Raises `DeployError` while an operation changes it, and botocore's errors."""
    found = described(cloudformation, stack)
    if found is None:
        return Deployed()
    status = str(found["StackStatus"])
    if status in _EMPTY:
        return Deployed(status)
    if _changing(status):
        raise DeployError(
            f"its state is {status}: what it will be is not known yet",
            where=stack,
            remedy="wait until that has ended, then run this again",
        )
    parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in found.get("Parameters", ())}
    return Deployed(status, Stacks(_templates(cloudformation, found["StackId"]), parameters))


def _changing(status: str) -> bool:
    return status.endswith("_IN_PROGRESS") and status not in _EMPTY


def _templates(cloudformation: Any, root: str) -> dict[Path, Mapping[str, Any]]:
    """The templates of a stack and of all below it, by path; level by level, each level at once."""
    templates: dict[Path, Mapping[str, Any]] = {}
    level: dict[Path, str] = {(): root}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while level:
            bodies = dict(zip(level, pool.map(lambda s: _template(cloudformation, s), level.values()), strict=True))
            templates |= bodies
            parents = {path: stack for path, stack in level.items() if _has_nested(bodies[path])}
            below = pool.map(lambda s: _nested(cloudformation, s), parents.values())
            level = {
                (*path, name): child
                for path, children in zip(parents, below, strict=True)
                for name, child in children.items()
            }
    return templates


def _template(cloudformation: Any, stack: str) -> Mapping[str, Any]:
    """A stack's template as it was given, before macros."""
    body = cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    if isinstance(body, str):
        data = body.encode()
        body = parse_json(data) if body.lstrip().startswith("{") else parse_yaml(data)
    return dict(body)


def _has_nested(template: Mapping[str, Any]) -> bool:
    return any(item.get("Type") == STACK_TYPE for item in (template.get("Resources") or {}).values())


def _nested(cloudformation: Any, stack: str) -> dict[str, str]:
    """The ids of a stack's nested stacks by logical id, of those that are there."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        item["LogicalResourceId"]: item["PhysicalResourceId"]
        for page in pages
        for item in page["StackResourceSummaries"]
        if item["ResourceType"] == STACK_TYPE
        and item.get("PhysicalResourceId")
        and item["ResourceStatus"] != "DELETE_COMPLETE"
    }
