"""Cloud Control reads a resource by its type's handler, with its caller's rights.

The stand-in for pulumi-aws-native reads a resource by asking for the drift of the stack that stands in for it
(`cloud_control`), which MiniStack looks for as the account's root.
AWS: "GetResource" in the Cloud Control API Reference; "handlers" in the CloudFormation CLI user guide: a read handler
has permissions of its own, such as `logs:GetDataProtectionPolicy` for a log group; AccessDeniedException names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.calls import reads
from ministack.services.cloudformation import handlers as actions
from ministack.services.cloudformation import helpers

from . import _rights
from ._expect import PatchError
from .cloud_control import PREFIX
from .execution_role import ask, subject_of

_ACTION = "DetectStackResourceDrift"


def apply() -> None:
    """Ask for each call of the read handler first, for these stacks only."""
    if _ACTION not in actions._ACTION_HANDLERS:
        raise PatchError(f"CloudFormation has no {_ACTION} any more")
    original = actions._ACTION_HANDLERS[_ACTION]

    def detect(params: Any) -> Any:
        stack = actions._resolve_stack(helpers._p(params, "StackName"))
        name, logical_id = str((stack or {}).get("StackName")), helpers._p(params, "LogicalResourceId")
        record = ((stack or {}).get("_resources") or {}).get(logical_id)
        if name.startswith(PREFIX) and record:
            try:
                _ask_to_read(name, logical_id, record)
            except _rights.AccessDeniedError as error:
                return helpers._error("AccessDeniedException", str(error), 400)
        return original(params)

    actions._ACTION_HANDLERS[_ACTION] = detect


def _ask_to_read(stack_name: str, logical_id: str, record: Mapping[str, Any]) -> None:
    acting = _rights.caller()
    read = subject_of(
        record["ResourceType"],
        logical_id,
        stack_name,
        record.get("Properties") or {},
        record.get("PhysicalResourceId", ""),
    )
    for call in reads(read):
        ask(acting, call)


def probe(aws: Any) -> bool:
    """Who may use Cloud Control reads a log group with its handler's rights, and not without one of them."""
    name = aws.name("native-reads")
    group = {"Resource": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}}
    aws.stack(group, f"{PREFIX}{name}")
    reader = aws.role(aws.owner, "native-reader")
    session = aws.assume(reader, aws.owner)

    def readable(*denied: str) -> bool:
        refused = [{"Effect": "Deny", "Action": action, "Resource": "*"} for action in denied]
        aws.put_policy(aws.owner, "native-reader", {"Effect": "Allow", "Action": "*", "Resource": "*"}, *refused)
        drift = {"Action": _ACTION, "StackName": f"{PREFIX}{name}", "LogicalResourceId": "Resource"}
        return bool(aws.succeeds(lambda: aws.query("cloudformation", session, **drift)))

    return readable() and not readable("logs:GetDataProtectionPolicy")
