"""`parameters` of an environment's stack file: plain values as CloudFormation takes them, and the names of secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config.reader import is_secure

SecretKey = tuple[str, str]
"""A secret parameter: (logical id of the nested stack, parameter)."""


def from_json(text: str, where: str) -> dict[str, dict[str, Any]]:
    """Pulumi hands an object over as JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    _check_parameters(value, where)
    return {nested: dict(parameters) for nested, parameters in value.items()}


def _check_parameters(value: Any, where: str) -> None:
    shape = "nested stack -> parameter -> value"
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in value.values()):
        raise ConfigError(
            f"parameters is not of the form {shape}",
            where=where,
            remedy="`pulumi config set --path 'parameters.NESTED_STACK.PARAMETER' VALUE`",
        )


def split(
    value: Any, known: frozenset[SecretKey], where: str
) -> tuple[dict[str, dict[str, str]], frozenset[SecretKey]]:
    """The plain values as strings, and the names of the secret ones. A stack that is left without plain values goes, if
    it has secrets; else it stays, so that its name is checked."""
    _check_parameters(value, where)
    plain: dict[str, dict[str, str]] = {}
    secrets: set[SecretKey] = set()
    for nested, parameters in value.items():
        if is_secure(parameters):
            raise ConfigError(f"parameters.{nested} is one secret", where=where, remedy="make each value a secret")
        leaves = {}
        for parameter, leaf in parameters.items():
            if is_secure(leaf):
                secrets.add((nested, parameter))
            else:
                leaves[parameter] = as_text(leaf, f"parameters.{nested}.{parameter}", where)
        if leaves or not any(stack == nested for stack, _ in (*secrets, *known)):
            plain[nested] = leaves
    return plain, frozenset(secrets)


def as_text(leaf: Any, key: str, where: str) -> str:
    """A value as CloudFormation takes it: booleans in lower case, lists joined with commas."""
    if isinstance(leaf, bool):
        return "true" if leaf else "false"
    if isinstance(leaf, list):
        return ",".join(as_text(item, key, where) for item in leaf)
    if isinstance(leaf, (str, int, float)):
        return str(leaf)
    raise ConfigError(f"{key} is not text", where=where, remedy="CloudFormation parameters are strings")


def in_plain(parameters: Any) -> dict[SecretKey, str]:
    """The values that stand in plain in a stack file."""
    if not isinstance(parameters, Mapping):
        return {}
    return {
        (nested, parameter): as_text(leaf, parameter, "")
        for nested, leaves in parameters.items()
        if isinstance(leaves, Mapping)
        for parameter, leaf in leaves.items()
        if isinstance(leaf, str) or (isinstance(leaf, list) and all(isinstance(item, str) for item in leaf))
    }
