"""Triggers that a custom resource has set on a user pool, and that must be set again whenever the pool is updated.

Amplify sets Cognito's Lambda triggers beside the pool's template (amplify-cli, auth-trigger-cloudformation-template):
the function of a custom resource reads the pool and writes it back with a `LambdaConfig`. But an update of the pool
itself takes back what it does not send (Amazon Cognito API reference, UpdateUserPool), and then the custom resource
does not run again: its properties are the same. `amplify push` escapes that with a new `nonce` in every build. Here
the `nonce` is a digest of what the pool is to be, so that one update follows the other, and nothing follows nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.model import ExportedStack
from amplify_delivery.export.templates.expressions import Other, flatten
from amplify_delivery.export.templates.resolve import ResolvedTree, resolve

USER_POOL_STATE = "UserPoolState"
"""The parameter that holds the digest, where a template has such a custom resource."""

_POOL = "AWS::Cognito::UserPool"
_SETS = ("userpoolId", "lambdaConfig")
"""The properties by which such a custom resource is known; its type's name is the user's to choose."""


def pool_stack(root: ExportedStack, name: str) -> str | None:
    """The nested stack of the root with the user pool that nested stack `name` is given; None if there is none."""
    for value in root.wired(name).values():
        for segment in flatten(value):
            known = isinstance(segment, Other) and isinstance(segment.value, Mapping)
            target = segment.value.get("Fn::GetAtt") if known else None  # type: ignore[union-attr]
            stack = (
                target.split(".")[0]
                if isinstance(target, str)
                else next(iter(target), "")
                if isinstance(target, list)
                else ""
            )
            nested = root.nested.get(stack) if isinstance(stack, str) else None
            if nested is not None and any(item["Type"] == _POOL for item in nested.resources.values()):
                return nested.logical_id
    return None


def follow_pool(resources: dict[str, Mapping[str, Any]]) -> list[str]:
    """Make the `nonce` of what sets triggers the digest, in place; the logical ids of these custom resources."""
    names = [name for name, item in resources.items() if _sets_triggers(item)]
    for name in names:
        item = resources[name]
        resources[name] = {**item, "Properties": {**item["Properties"], "nonce": {"Ref": USER_POOL_STATE}}}
    return names


def _sets_triggers(item: Mapping[str, Any]) -> bool:
    custom = item["Type"].startswith("Custom::") or item["Type"] == "AWS::CloudFormation::CustomResource"
    return custom and all(name in (item.get("Properties") or {}) for name in _SETS)


def pool_state(template: Mapping[str, Any], parameters: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """A digest of everything by which CloudFormation would update the user pools of a stack that is called with
    `parameters`: their properties, those of what they refer to in it, and the tags, which reach every resource."""
    tree = resolve(template, parameters, lambda *_: ("", {}))
    pending = [path for path, item in tree.resources.items() if item.type == _POOL]
    found: dict[str, Any] = {}
    while pending:
        path = pending.pop()
        if path in tree.resources and "/".join(path) not in found:
            found["/".join(path)] = tree.resources[path].properties
            pending += _referred(tree.resources[path].properties, tree)
    return hashlib.sha256(canonical([found, dict(tags)])).hexdigest()[:32]


def _referred(value: Any, tree: ResolvedTree) -> Iterator[tuple[str, ...]]:
    """The paths of resources that resolved properties refer to."""
    if isinstance(value, list):
        for item in value:
            yield from _referred(item, tree)
        if value and all(isinstance(part, str) for part in value) and tuple(value) in tree.resources:
            yield tuple(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _referred(item, tree)
