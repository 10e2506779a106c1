"""What is deployed: a root stack's status, its parameters, its template and those of all nested stacks. Reads only."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.changes.stacks import MASK, Stacks
from amplify_delivery.changes.steps import Path
from amplify_delivery.export import RootStack
from amplify_delivery.export.assembly import AssemblyObject, canonical
from amplify_delivery.export.documents import parse_json, parse_yaml
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.publishing.stack_state import described, parameters_of
from amplify_delivery.publishing.stack_states import STATES, Place, begins_anew, busy, check_root

LATER = "[chosen when it is deployed]"
"""Stands for a parameter's value that the deployment makes up."""

Published = Callable[[str], bytes | None]
"""The content that was published under a template's key; None if it cannot be had."""

_NOT_TOLD = re.compile(r"[^\x00-\x3e\x40-\x7f]+")
"""Runs of what GetTemplate gives as `?`, and of `?` itself."""
LONGEST_UPDATE = 3 * 3600.0
"""Seconds that `AmplifyBackend` gives CloudFormation, and so what is waited for where the engine waits no more."""
_LONGEST_PAUSE = 15.0
"""Seconds between two looks at a stack that is changing."""
_TOLD_AGAIN = 300.0
"""Seconds until whoever waits is told again. CIs end a job that says nothing for ten minutes, or longer."""
_AT_ONCE = 8
"""Calls in flight. GetTemplate is throttled per account; the SDK tries again."""


@dataclass(frozen=True)
class Deployed:
    """A root stack as it is. Without one, `status` and `stacks` are None; `stacks` also where it is made again."""

    status: str | None = None
    stacks: Stacks | None = None
    protected: bool = False
    """Whether it is protected against termination."""
    ids: Mapping[Path, str] = field(default_factory=dict)
    """The ids of the root and of all nested stacks that its templates name."""


def settle(cloudformation: Any, stack: str, seconds: float, told: Callable[[str], None]) -> bool:
    """Wait until no operation changes the root stack any more; whether one did. At most so many seconds, then
    whatever reads it says so. Tells that it waits, and again while it does: whoever looks at a command that says
    nothing takes it for dead, and CIs end what is silent. Raises botocore's errors."""
    began = time.monotonic()
    deadline, tell, waiting = began + seconds, began, False
    pause = 0.5
    while (left := deadline - (now := time.monotonic())) > 0:
        found = described(cloudformation, stack)
        if found is None or not busy(str(found["StackStatus"])):
            break
        if not waiting:
            told(f"{stack} is {found['StackStatus']}: waiting until that has ended, {seconds / 60:.0f} minutes at most")
        elif now >= tell:
            told(f"{stack} is {found['StackStatus']} even after {(now - began) / 60:.0f} minutes")
        if not waiting or now >= tell:
            waiting, tell = True, now + _TOLD_AGAIN
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
    if begins_anew(status):
        return Deployed(status)
    check_root(Place(stack, ""), status)
    parameters = parameters_of(found)
    told, ids = _templates(cloudformation, found["StackId"])
    named = {path: stack for path, stack in ids.items() if not path or _names(told[path[:-1]], path[-1])}
    protected = bool(found.get("EnableTerminationProtection"))
    return Deployed(status, Stacks(_whole(told, parameters, published), parameters), protected, named)


def nested_states(cloudformation: Any, found: Deployed) -> dict[Path, tuple[str, str]]:
    """Id and state of each nested stack of what was read."""
    return states_of(cloudformation, {path: stack for path, stack in found.ids.items() if path})


def states_of(cloudformation: Any, nested: Mapping[Path, str]) -> dict[Path, tuple[str, str]]:
    """Id and state of each nested stack. One listing for all of them: CloudFormation throttles DescribeStacks.
    ListStacks tells of deleted stacks for 90 days; asked for all others, it does not tell of one that is gone."""
    if not nested:
        return {}
    living = [state for state in STATES if state != "DELETE_COMPLETE"]
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=living)
    states = {s["StackId"]: str(s["StackStatus"]) for page in pages for s in page["StackSummaries"]}
    return {path: (stack, states.get(stack, "DELETE_COMPLETE")) for path, stack in nested.items()}


def _templates(cloudformation: Any, root: str) -> tuple[dict[Path, Mapping[str, Any]], dict[Path, str]]:
    """The templates of a stack and of all below it, by path, and their ids; level by level, each level at once."""
    templates: dict[Path, Mapping[str, Any]] = {}
    ids: dict[Path, str] = {}
    level: dict[Path, str] = {(): root}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while level:
            bodies = dict(zip(level, pool.map(lambda s: template(cloudformation, s), level.values()), strict=True))
            templates |= bodies
            ids |= level
            parents = {path: stack for path, stack in level.items() if has_nested(bodies[path])}
            below = pool.map(lambda s: nested(cloudformation, s), parents.values())
            level = {
                (*path, name): child
                for path, children in zip(parents, below, strict=True)
                for name, child in children.items()
            }
    return templates, ids


def _whole(
    told: Mapping[Path, Mapping[str, Any]], parameters: Mapping[str, str], published: Published
) -> dict[Path, Mapping[str, Any]]:
    """The templates as they were given to CloudFormation, as far as that can be known."""

    stacks = Stacks(told, parameters)

    def whole(path: Path) -> Mapping[str, Any]:
        template = told[path]
        key = stacks.delivered_key(path) if b"?" in canonical(template) else None
        body = published(key) if key else None
        if body is None or AssemblyObject.of_template(body).key != key:
            return template
        given = parse_json(body)
        # The key alone proves nothing: somebody may have updated the stack by hand and left the parameter as it was.
        return given if _mangled(given) == _mangled(template) else template

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(told, pool.map(whole, told), strict=True))


def _mangled(template: Mapping[str, Any]) -> Any:
    """A template in the form in which what was given and what GetTemplate tells are equal. AWS does not say whether a
    character beyond 16 bits is one `?` or two, so any number of them counts as one."""
    return json.loads(_NOT_TOLD.sub("?", canonical(template).decode()))


def template(cloudformation: Any, stack: str) -> Mapping[str, Any]:
    """A stack's template as it was given, before macros."""
    body = cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    if isinstance(body, str):
        data = body.encode()
        body = parse_json(data) if body.lstrip().startswith("{") else parse_yaml(data)
    return dict(body)


def _names(template: Mapping[str, Any], nested: str) -> bool:
    return nested in (template.get("Resources") or {})


def has_nested(template: Mapping[str, Any]) -> bool:
    """Whether a template has nested stacks."""
    return any(item.get("Type") == STACK_TYPE for item in (template.get("Resources") or {}).values())


def nested(cloudformation: Any, stack: str) -> dict[str, str]:
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
