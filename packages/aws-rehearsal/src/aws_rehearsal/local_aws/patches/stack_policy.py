"""A stack policy protects resources from updates.

MiniStack keeps the policy and does not look at it.
AWS: CloudFormation User Guide, "Prevent updates to stack resources": with a policy everything is denied that no
statement allows, a Deny wins, and an update of a denied resource fails and rolls back.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, handlers, provisioners, stacks

from ._documents import several, statements_of
from ._expect import expect, replace
from .nested_stacks import TYPE as NESTED
from .nested_stacks import is_behind

_MODULES = (stacks, handlers, changesets)


def apply() -> None:
    """Ask the policy before a resource is modified or replaced, and before an update that removes one."""
    replacing = expect(provisioners, "_replacing_change", "resource_type", "old_props", "new_props")
    update = expect(stacks, "_update_resource", "resource_type", "physical_id", "old_props", "new_props")
    deploy = expect(stacks, "_deploy_stack_async", "stack_name", "stack_id", "template", "param_values")
    roll_back = expect(stacks, "_roll_back_operation", "stack_name", "stack_id", "stack", "operation")
    failed_operation = expect(stacks, "_failed_operation", "is_update", "previous_stack", "created", "failed_update")

    def update_resource(  # noqa: PLR0917 - as MiniStack has it
        resource_type: str,
        physical_id: str,
        old: dict[str, Any],
        new: dict[str, Any],
        stack_name: str,
        logical_id: str = "",
        *rest: Any,
    ) -> Any:
        stack = cloudformation._stacks.get(stack_name) or {}
        changes = old != new or (resource_type == NESTED and is_behind(physical_id, new, stack_name))
        if changes and stack.get("StackStatus") == "UPDATE_IN_PROGRESS":
            action = "Update:Replace" if replacing(resource_type, old, new) else "Update:Modify"
            refused = refusal(stack.get("_stack_policy"), action, logical_id, resource_type)
            if refused:
                raise ValueError(refused)
        return update(resource_type, physical_id, old, new, stack_name, logical_id, *rest)

    async def deploy_stack(
        stack_name: str, stack_id: str, template: Any, parameters: Any, *rest: Any, **kw: Any
    ) -> None:
        stack = cloudformation._stacks[stack_name]
        previous = (kw.get("previous_stack") or {}) if kw.get("is_update") else {}
        for logical_id, resource in previous.get("_resources", {}).items():
            if logical_id in template.get("Resources", {}):
                continue
            refused = refusal(stack.get("_stack_policy"), "Update:Delete", logical_id, resource["ResourceType"])
            if refused:
                stacks._add_event(
                    stack_id, stack_name, logical_id, resource["ResourceType"], "DELETE_FAILED", refused,
                    resource["PhysicalResourceId"],
                )  # fmt: skip
                operation = failed_operation(
                    True, previous, [], None, logical_id, [], False, template, parameters, False, [], []
                )
                await roll_back(stack_name, stack_id, stack, operation)
                return
        await deploy(stack_name, stack_id, template, parameters, *rest, **kw)

    replace("_update_resource", update_resource, stacks)
    replace("_deploy_stack_async", deploy_stack, *(m for m in _MODULES if hasattr(m, "_deploy_stack_async")))


def refusal(policy: str | None, action: str, logical_id: str, resource_type: str) -> str | None:
    """AWS's sentence if the policy denies `action` on the resource, None if it allows it or there is no policy."""
    if not policy:
        return None
    effects = {
        statement["Effect"]: number
        for number, statement in enumerate(statements_of(policy), 1)
        if _applies(statement, action, f"LogicalResourceId/{logical_id}", resource_type)
    }
    if "Deny" not in effects and "Allow" in effects:
        return None
    number = effects.get("Deny", 1)
    return (
        f"Action denied by stack policy: Statement [#{number}] does not allow [{action}] "
        f"for resource [LogicalResourceId/{logical_id}]"
    )


def _applies(statement: dict[str, Any], action: str, resource: str, resource_type: str) -> bool:
    types = [t for test in (statement.get("Condition") or {}).values() for t in several(test.get("ResourceType"))]
    return (
        _matches(statement, "Action", action)
        and _matches(statement, "Resource", resource)
        and (not types or any(fnmatchcase(resource_type, pattern) for pattern in types))
    )


def _matches(statement: dict[str, Any], key: str, value: str) -> bool:
    if f"Not{key}" in statement:
        return not any(fnmatchcase(value, pattern) for pattern in several(statement[f"Not{key}"]))
    return any(fnmatchcase(value, pattern) for pattern in several(statement.get(key)))


def probe(aws: Any) -> bool:
    """An update that a policy denies is rolled back."""
    deny = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}
    name = "probe-policy"
    aws.stack({"P": aws.parameter("one")}, name=name, StackPolicyBody=json.dumps(deny))
    return aws.update_stack(name, {"P": aws.parameter("two")}) == "UPDATE_ROLLBACK_COMPLETE"
