"""A state machine without a name is called after its logical id: `LOGICALID-RANDOM`.

MiniStack calls it after its stack too, so that a right on names that begin with the stack's would do.
AWS: "CloudFormation will automatically use the logical resource name ... and append a random ID" (a user in
aws-lambda-power-tuning 220); so look the ARNs of state machines in reports on the AWS CDK.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

from ._expect import PatchError, expect, replace

TYPE = "AWS::StepFunctions::StateMachine"
_LONGEST = 27
"""How much of a logical id the name keeps."""
_naming: contextvars.ContextVar[bool] = contextvars.ContextVar("naming_a_machine", default=False)


def apply() -> None:
    """Leave the stack out of the name while such a resource is made or changed."""
    physical_name = expect(provisioners, "_physical_name", "stack_name", "logical_id")
    handlers = provisioners._RESOURCE_HANDLERS.get(TYPE)
    if not isinstance(handlers, dict) or not {"create", "update"} <= set(handlers):
        raise PatchError(f"{TYPE} has no create and update handler any more")

    def named(stack_name: str, logical_id: str, **more: Any) -> str:
        name = physical_name(stack_name, logical_id, **more)
        return f"{logical_id[:_LONGEST]}-{name.rpartition('-')[2]}" if _naming.get() else name

    def naming(handler: Callable[..., Any]) -> Callable[..., Any]:
        def handle(*args: Any, **kwargs: Any) -> Any:
            token = _naming.set(True)
            try:
                return handler(*args, **kwargs)
            finally:
                _naming.reset(token)

        handle.__wrapped__ = handler  # type: ignore[attr-defined]
        return handle

    replace("_physical_name", named, provisioners)
    provisioners._RESOURCE_HANDLERS[TYPE] = {
        **handlers,
        "create": naming(handlers["create"]),
        "update": naming(handlers["update"]),
    }


def probe(aws: Any) -> bool:
    """The name begins with the logical id."""
    name = aws.name("machine")
    role = aws.role(aws.owner, name, trusted="states.amazonaws.com")
    definition = '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'
    machine = {"Type": TYPE, "Properties": {"DefinitionString": definition, "RoleArn": role}}
    aws.stack({"Waiter": machine}, name)
    described = aws.query("cloudformation", Action="DescribeStackResources", StackName=name)
    return ":stateMachine:Waiter-" in described
