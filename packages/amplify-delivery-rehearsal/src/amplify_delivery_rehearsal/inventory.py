"""What is in an account of the local AWS, read through CloudFormation's own API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STACK_TYPE = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Inventory:
    """The stacks of one account and region. `resources` maps (path of stack, logical id) to (type, physical id, time
    of the last change); only leaf resources."""

    stacks: int
    resources: Mapping[tuple[str, str], tuple[str, str, str]]
    outputs: Mapping[str, str]

    def by_service(self) -> dict[str, int]:
        """How many resources of each service, most first."""
        counts = Counter(kind.split("::")[1] for kind, _, _ in self.resources.values())
        return dict(counts.most_common())

    def touched_since(self, before: Inventory) -> list[str]:
        """Leaf resources that are new, gone, replaced, or changed at another time: STACK/LOGICALID each, sorted."""
        old, new = before.resources, self.resources
        return sorted(f"{path}{name}" for path, name in {*old, *new} if old.get((path, name)) != new.get((path, name)))


def take(cloudformation: Any, root: str) -> Inventory:
    """The inventory of the root stack called `root` and all its nested stacks."""
    resources: dict[tuple[str, str], tuple[str, str, str]] = {}
    pending, count = [("", root)], 0
    while pending:
        path, stack = pending.pop()
        count += 1
        for item in _resources(cloudformation, stack):
            name = item["LogicalResourceId"]
            if item["ResourceType"] == STACK_TYPE:
                pending.append((f"{path}{name}/", item["PhysicalResourceId"]))
            else:
                changed = str(item.get("LastUpdatedTimestamp", ""))
                resources[path, name] = (item["ResourceType"], item.get("PhysicalResourceId", ""), changed)
    described = cloudformation.describe_stacks(StackName=root)["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
    return Inventory(count, resources, outputs)


def _resources(cloudformation: Any, stack: str) -> list[dict[str, Any]]:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return [item for page in pages for item in page["StackResourceSummaries"]]
