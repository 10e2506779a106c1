"""What is deployed: a root stack's status, its parameters, its template and those of all nested stacks. Reads only."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.errors import RefusedError
from amplify_delivery.export import RootStack
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.documents import parse_json, parse_yaml
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.publishing.stack_state import described

MASK = "****"
"""What CloudFormation gives back for a `NoEcho` parameter: its value is not known."""

LATER = "[chosen when it is deployed]"
"""Stands for a parameter's value that the deployment makes up."""

Published = Callable[[str], bytes | None]
"""The content that was published under a template's key; None if it cannot be had."""

_KEY = re.compile(r"templates/([0-9a-f]{64})\.json")
"""Where a template lies in the staging bucket; the key is made from its content."""
_NOT_TOLD = re.compile(r"[^\x00-\x3e\x40-\x7f]+")
"""Runs of what GetTemplate gives as `?`, and of `?` itself."""
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
    protected: bool = False
    """Whether it is protected against termination."""


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


def read(cloudformation: Any, stack: str, published: Published) -> Deployed:
    """Read the root stack called `stack`. GetTemplate gives a `?` for each character that is not ASCII: such a template
    is taken from what was published under the key that the deployed stacks name.

    Raises `RefusedError` while an operation changes it, and botocore's errors."""
    found = described(cloudformation, stack)
    if found is None:
        return Deployed()
    status = str(found["StackStatus"])
    if status in _EMPTY:
        return Deployed(status)
    if _changing(status):
        raise RefusedError(
            f"its state is {status}: what it will be is not known yet",
            where=stack,
            remedy="wait until that has ended, then run this again",
        )
    parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in found.get("Parameters", ())}
    told = _templates(cloudformation, found["StackId"])
    protected = bool(found.get("EnableTerminationProtection"))
    return Deployed(status, Stacks(_whole(told, parameters, published), parameters), protected)


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


def _whole(
    told: Mapping[Path, Mapping[str, Any]], parameters: Mapping[str, str], published: Published
) -> dict[Path, Mapping[str, Any]]:
    """The templates as they were given to CloudFormation, as far as that can be known."""

    def whole(path: Path) -> Mapping[str, Any]:
        template = told[path]
        key = _key(told, parameters, path) if b"?" in canonical(template) else None
        body = published(key.string) if key else None
        if not key or body is None or hashlib.sha256(body).hexdigest() != key[1]:
            return template
        given = parse_json(body)
        # The key alone proves nothing: somebody may have updated the stack by hand and left the parameter as it was.
        return given if _mangled(given) == _mangled(template) else template

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(told, pool.map(whole, told), strict=True))


def _key(told: Mapping[Path, Mapping[str, Any]], parameters: Mapping[str, str], path: Path) -> re.Match[str] | None:
    """The key of a stack's template: the root has it as a parameter, a nested stack in its address."""
    if not path:
        return _KEY.fullmatch(parameters.get(TEMPLATE_KEY, ""))
    nested = (told[path[:-1]].get("Resources") or {}).get(path[-1]) or {}
    found = _KEY.search(canonical((nested.get("Properties") or {}).get("TemplateURL")).decode())
    return found and _KEY.fullmatch(found[0])


def _mangled(template: Mapping[str, Any]) -> Any:
    """A template in the form in which what was given and what GetTemplate tells are equal. AWS does not say whether a
    character beyond 16 bits is one `?` or two, so any number of them counts as one."""
    return json.loads(_NOT_TOLD.sub("?", canonical(template).decode()))


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


def known(root: RootStack) -> dict[str, str]:
    """The root's parameters, without what only the deployment knows: the version of a secret."""
    return {**root.parameters, **dict.fromkeys((s.version_parameter for s in root.secrets), LATER)}


def with_deployed(parameters: Mapping[str, str], have: Mapping[str, str]) -> dict[str, str]:
    """`parameters`, with the deployed value of what cannot be compared: what only the deployment knows (that a secret
    changes, the engine's preview says), and what CloudFormation masks."""
    kept = {name for name, value in parameters.items() if value == LATER or have.get(name) == MASK}
    return {name: have.get(name, value) if name in kept else value for name, value in parameters.items()}
