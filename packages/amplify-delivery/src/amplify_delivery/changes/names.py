"""Names that a backend gives to what it makes, as far as they are known before it is made. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.publishing.examination.computed import NAMES
from amplify_delivery.publishing.stack_state import Name


def names(stacks: Stacks, pseudo: Mapping[str, str]) -> tuple[Name, ...]:
    """The names of all resources that have one of their own, and that nobody else may have in the account (or, for a
    bucket, anywhere). `pseudo` are the pseudo parameters: names are made of the root stack's, the account and region.

    What is made of a nested stack's own name is nobody else's: CloudFormation puts random characters behind that.
    """
    return tuple(_names(stacks, pseudo))


def _names(stacks: Stacks, pseudo: Mapping[str, str]) -> Iterator[Name]:
    for path, resource in sorted(stacks.resolved_in(pseudo).resources.items()):
        rule = NAMES.get(resource.type)
        properties: Mapping[str, Any] = resource.properties if isinstance(resource.properties, Mapping) else {}
        name = properties.get(rule.property) if rule else None
        if isinstance(name, str) and not name.startswith("{{resolve:"):
            yield Name(resource.type, name, "/".join(path))
