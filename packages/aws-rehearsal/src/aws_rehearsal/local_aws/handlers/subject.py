"""A resource of a stack as a handler sees it, and what CloudFormation calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NEW = "new"
"""In the place of an id that is not drawn yet: none that a policy could name."""
RANDOM = "1QAZ2WSX3EDC4"
PARTITION = "aws"


@dataclass(frozen=True)
class Subject:
    """A resource of a stack, as a handler sees it."""

    resource_type: str
    logical_id: str
    stack_name: str
    account: str
    region: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    physical_id: str = ""
    """Empty as long as there is none."""
    stack_tags: Mapping[str, str] = field(default_factory=dict)
    """The stack's tags, which CloudFormation puts on whatever takes tags."""
    role_arn: Callable[[str], str] | None = None
    """The ARN of a role of the account by its name, which does not tell its path."""

    def text(self, name: str) -> str:
        """A property as text; empty if it is not there."""
        found = self.properties.get(name)
        return "" if found is None else str(found)

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """An ARN in the resource's account and region unless said otherwise."""
        where = self.region if region is None else region
        return f"arn:{PARTITION}:{service}:{where}:{self.account if account is None else account}:{resource}"

    def name(self, given: str = "", limit: int = 128) -> str:
        """What the resource is or will be called: its id, the name in the property `given`, or one made up."""
        return self.physical_id or (self.text(given) if given else "") or made_up(self, limit)

    def role(self, name: str) -> str:
        """The ARN of a role of this account."""
        if name.startswith("arn:"):
            return name
        return self.role_arn(name) if self.role_arn else self.arn("iam", f"role/{name}", region="")


def made_up(subject: Subject, limit: int) -> str:
    """`STACK-LOGICALID-RANDOM`: 24 characters of each of the first two where 64 are all there is ("Resource attribute
    reference" and "Name type", CloudFormation user guide; the cut as seen there)."""
    room = limit - len(RANDOM) - 2
    stack, logical_id = subject.stack_name, subject.logical_id
    if len(stack) + len(logical_id) > room:
        logical_id = logical_id[: room // 2]
        stack = stack[: room // 2]
    return f"{stack}-{logical_id}-{RANDOM}"
