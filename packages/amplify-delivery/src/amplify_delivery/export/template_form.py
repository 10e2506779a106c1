"""The form that a document must have to be a template, so that the rest of the package may rely on it.

What a template means is for the checks, for cfn-lint and for CloudFormation; here it is only whether sections,
parameters, resources and outputs are there in their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amplify_delivery.export.model import STACK_TYPE

_SECTIONS = ("Parameters", "Resources", "Conditions", "Mappings", "Outputs")
_LOOP, _INCLUDED = "Fn::ForEach::", "Fn::Transform"
KNOWN_TO_AWS = "known to CloudFormation only"
"""In what is said of a template that has the right form, and a section that nobody here can read."""

MAX_TEMPLATE_DEPTH = 200
"""Nesting of values in a template. Real ones stay under 30; beyond this, walking them would not be safe."""


def template_problem(data: Any) -> str | None:
    """Why `data` cannot be taken as a CloudFormation template, or None."""
    if not isinstance(data, dict):
        return "a template must be an object"
    for section in _SECTIONS:
        entries = data.get(section, {})
        if not isinstance(entries, dict):
            return f"{section} must be an object"
        made = next((name for name in entries if name.startswith(_LOOP) or name == _INCLUDED), None)
        if made:
            return f"{made} in {section}: what it makes is {KNOWN_TO_AWS}"
    for name, item in data.get("Parameters", {}).items():
        if not isinstance(item, dict) or not isinstance(item.get("Type"), str):
            return f"parameter {name} has no Type"
        if not isinstance(item.get("AllowedValues", []), list):
            return f"parameter {name}: AllowedValues must be a list"
    for name, item in data.get("Resources", {}).items():
        problem = _resource_problem(item)
        if problem:
            return f"resource {name}{problem}"
    for name, item in data.get("Outputs", {}).items():
        if not isinstance(item, dict) or "Value" not in item:
            return f"output {name} has no Value"
    if _too_deep(data):
        return "nested too deeply"
    return None


def _resource_problem(item: Any) -> str | None:
    if not isinstance(item, dict) or not isinstance(item.get("Type"), str):
        return " has no Type"
    properties = item.get("Properties", {})
    if not isinstance(properties, dict):
        return ": Properties must be an object"
    if item["Type"] == STACK_TYPE and not isinstance(properties.get("Parameters", {}), dict):
        return ": Parameters must be an object"
    depends = item.get("DependsOn", [])
    if not isinstance(depends, str) and not (isinstance(depends, list) and all(isinstance(d, str) for d in depends)):
        return ": DependsOn must be a name or a list of names"
    return None


def _too_deep(data: Mapping[str, Any]) -> bool:
    level: list[Any] = [data]
    for _ in range(MAX_TEMPLATE_DEPTH):
        level = [
            value
            for item in level
            for value in (item.values() if isinstance(item, dict) else item)
            if isinstance(value, (dict, list))
        ]
        if not level:
            return False
    return True
