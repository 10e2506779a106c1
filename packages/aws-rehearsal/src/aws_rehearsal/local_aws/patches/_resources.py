"""One place to look at a resource's properties before a stack creates or updates it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ministack.services.cloudformation import stacks

from ._expect import expect, replace

Properties = dict[str, Any]
Prepare = Callable[[Properties, Properties | None], Properties]
"""Takes the new properties, and the old ones on an update; gives those to use, or raises ValueError."""


def before_create_or_update(resource_types: Collection[str], prepare: Prepare) -> None:
    """Have `prepare` look at every resource of these types; its ValueError fails the resource.

    These two functions are what a stack calls; what MiniStack's handlers call among each other stays untouched.
    """
    provision = expect(stacks, "_provision_resource", "resource_type", "logical_id", "props", "stack_name")
    update = expect(stacks, "_update_resource", "resource_type", "physical_id", "old_props", "new_props")

    def provision_resource(resource_type: str, logical_id: str, props: Properties, stack_name: str) -> Any:
        if resource_type in resource_types:
            props = prepare(props, None)
        return provision(resource_type, logical_id, props, stack_name)

    def update_resource(resource_type: str, physical_id: str, old: Properties, new: Properties, *rest: Any) -> Any:
        if resource_type in resource_types and old != new:
            new = prepare(new, old)
        return update(resource_type, physical_id, old, new, *rest)

    replace("_provision_resource", provision_resource, stacks)
    replace("_update_resource", update_resource, stacks)


def before_delete(resource_type: str, check: Callable[[str], None]) -> None:
    """Have `check` look at every physical id of this type before a stack deletes it; its ValueError fails that."""
    delete = expect(stacks, "_delete_resource", "resource_type", "physical_id", "props")

    def delete_resource(found_type: str, physical_id: str, *rest: Any) -> Any:
        if found_type == resource_type:
            check(physical_id)
        return delete(found_type, physical_id, *rest)

    replace("_delete_resource", delete_resource, stacks)
