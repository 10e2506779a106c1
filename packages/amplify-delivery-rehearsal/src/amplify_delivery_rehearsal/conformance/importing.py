"""The import of a root stack, as `adopt` makes it, against the state that the plugin itself writes.

`adopt` has the engine import the running stack by its ARN, and completes what the provider does not read
(`amplify_delivery.delivery.adoption.state`). If that is what the provider would have written, the program's next update
finds nothing that differs but the template, and nothing that replaces the stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.adoption.state import completed
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery_rehearsal.conformance.plugin import Asked, Resource
from aws_rehearsal.providers.wire import Properties, plain

_TEMPLATE = frozenset({"templateBody", "templateUrl"})
"""What an adoption leaves to the first update: a stack that was pushed has another template, at another place."""


def differences(plugin: Asked, made: Resource) -> list[str]:
    """What the state of an adoption has otherwise than that of the stack `made`, which the plugin has written. Raises
    ProviderError."""
    adopted = Resource(plugin, made.token, made.name, made.id)
    if not adopted.refresh():
        return ["import: what was made is not found by its id"]
    root = _completed(adopted, plain(made.inputs).get("parameters") or {})
    adopted.inputs, adopted.state = root["inputs"], root["outputs"]
    own, theirs = _inputs(made.inputs), _inputs(adopted.inputs)
    found = [
        f"import: {key} is {theirs.get(key)!r} in the state, the plugin has written {own.get(key)!r}"
        for key in sorted({*own, *theirs})
        if own.get(key) != theirs.get(key)
    ]
    differs, replaces = adopted.diff(made.inputs)
    found += [f"import: {key} replaces the stack" for key in sorted(replaces)]
    return found + [f"import: {key} differs from what runs" for key in sorted(differs - _TEMPLATE - replaces)]


def _completed(adopted: Resource, parameters: Mapping[str, str]) -> Mapping[str, Any]:
    urn = f"urn:pulumi:dev::same::{BACKEND}${ROOT_STACK}::{adopted.name}"
    resource = {"urn": urn, "type": ROOT_STACK, "inputs": adopted.inputs, "outputs": adopted.state}
    (root,) = completed({"resources": [resource]}, parameters)["resources"]
    return dict(root)


def _inputs(properties: Properties) -> Properties:
    found: Properties = plain(properties)
    return {key: value for key, value in found.items() if not key.startswith("__") and key not in _TEMPLATE}
