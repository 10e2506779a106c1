"""How many resources an operation on nested stacks makes: CloudFormation takes 2,500, MiniStack any number.

AWS: CloudFormation User Guide, "Understand CloudFormation quotas", "Nested stacks": "Maximum number of CloudFormation
resources a nested stack can create, update, or delete per operation", 2500; "Limit on the number of resources in a
single stack operation exceeded" (amplify-cli 13491). Counted is what is made: what an update or a deletion touches
beside it is not. `LOCAL_AWS_OPERATION_LIMIT` sets another limit, for whoever tries rights and not quotas.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudformation

_made: dict[str, tuple[str, int]] = {}
"""When the last operation of a root stack began, and how many resources it makes, by the root's id."""
_counting = threading.Lock()


def count(parent: Mapping[str, Any], template: Mapping[str, Any], conditions: Mapping[str, Any]) -> None:
    """Count the resources of a nested stack that `parent` is to make. Raises ValueError, as AWS refuses the stack."""
    root = _root(parent)
    began = str(root.get("LastUpdatedTime") or root.get("CreationTime"))
    limit = int(os.environ.get("LOCAL_AWS_OPERATION_LIMIT") or 2500)
    with _counting:
        known, made = _made.get(root["StackId"], ("", 0))
        if known != began:
            creating = root.get("StackStatus") == "CREATE_IN_PROGRESS"
            made = len((root.get("_template") or {}).get("Resources") or {}) if creating else 0
        made += sum(conditions.get(r.get("Condition"), True) for r in (template.get("Resources") or {}).values())
        _made[root["StackId"]] = began, made
    if made > limit:
        raise ValueError("Limit on the number of resources in a single stack operation exceeded")


def _root(stack: Mapping[str, Any]) -> Mapping[str, Any]:
    root_id = stack.get("RootId")
    return next((s for s in cloudformation._stacks.values() if s["StackId"] == root_id), stack)
