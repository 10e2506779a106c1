"""A template without resources, or with a reference to nothing, is refused; so are parameters that it does not declare
or whose values are too long.

Nothing is also a resource whose condition does not hold, where what refers to it is used.

MiniStack passes an unresolved reference on as text and drops parameters that the template does not declare.
AWS: CloudFormation refuses the call: "Template format error: At least one Resources member must be defined.",
"Template format error: Unresolved resource dependencies [X] in the Resources block of the template",
"Parameters: [X] do not exist in the template" (User Guide, "Troubleshooting CloudFormation"). A parameter's value has
4,096 bytes at most ("Understand CloudFormation quotas").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers

from ._expect import expect, replace

_PSEUDO = "AWS::"
_MAX_VALUE = 4_096


def apply() -> None:
    """Check templates where MiniStack checks their types, and parameters where it resolves them."""
    expect(engine, "_intrinsic_references", "value")
    supported = expect(engine, "validate_template_support", "template", "conditions", "params")
    resolve = expect(engine, "_resolve_parameters", "template", "provided_params", "previous_params")

    def validate_template_support(template: dict[str, Any], conditions: Any, params: Any = None) -> None:
        supported(template, conditions, params=params)
        if not template.get("Transform"):
            _require_resolvable(template, conditions or {})

    def resolve_parameters(template: dict[str, Any], provided: list[dict[str, Any]], *rest: Any) -> Any:
        unknown = sorted({p["Key"] for p in provided if "Key" in p} - set(template.get("Parameters") or {}))
        if unknown:
            raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
        for given in provided:
            if len(str(given.get("Value", "")).encode()) > _MAX_VALUE:
                raise ValueError(f"Parameter {given.get('Key')} exceeds the limit of {_MAX_VALUE} bytes")
        return resolve(template, provided, *rest)

    replace("validate_template_support", validate_template_support, engine, handlers, changesets)
    replace("_resolve_parameters", resolve_parameters, engine, handlers, changesets)


def _require_resolvable(template: dict[str, Any], conditions: dict[str, bool]) -> None:
    resources = template.get("Resources") or {}
    if not resources:
        raise ValueError("Template format error: At least one Resources member must be defined.")
    left_out = {name for name, entry in resources.items() if conditions.get(entry.get("Condition")) is False}
    declared = set(resources) | set(template.get("Parameters") or {})
    for block in ("Resources", "Outputs"):
        entries = template.get(block) or {}
        missing = set(_references(entries)) - declared
        used = {n: e for n, e in entries.items() if conditions.get(e.get("Condition")) is not False}
        missing |= left_out & set(_values({n: _taken(e, conditions) for n, e in used.items()}))
        unresolved = sorted(name for name in missing if not name.startswith(_PSEUDO))
        if unresolved:
            raise ValueError(
                f"Template format error: Unresolved resource dependencies [{', '.join(unresolved)}] "
                f"in the {block} block of the template"
            )


def _references(block: dict[str, Any]) -> Iterator[str]:
    """What resources (their properties, not their metadata) and outputs refer to, and wait for."""
    yield from _values(block)
    for entry in block.values():
        after = entry.get("DependsOn") or []
        yield from [after] if isinstance(after, str) else after


def _values(block: dict[str, Any]) -> Iterator[str]:
    for entry in block.values():
        yield from (name for name, _ in engine._intrinsic_references([entry.get("Properties"), entry.get("Value")]))


def _taken(value: Any, conditions: dict[str, bool]) -> Any:
    """`value` with nothing but the branches of its `Fn::If` that are taken."""
    if isinstance(value, list):
        return [_taken(item, conditions) for item in value]
    if not isinstance(value, dict):
        return value
    branches = value.get("Fn::If") if len(value) == 1 else None
    if isinstance(branches, list) and len(branches) == 3 and isinstance(conditions.get(branches[0]), bool):
        return _taken(branches[1 if conditions[branches[0]] else 2], conditions)
    return {key: _taken(item, conditions) for key, item in value.items()}


def probe(aws: Any) -> bool:
    """A template with a reference to nothing is refused, and a value that is too long, of a nested stack, too."""
    nothing = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Nothing"}}}}
    chosen = aws.template({"Item": aws.parameter({"Ref": "Text"})}, Parameters={"Text": {"Type": "String"}})

    def ends(size: int) -> str:
        child = aws.nested(chosen)
        child["Properties"]["Parameters"] = {"Text": "x" * size}
        return str(aws.stack({"Child": child}))

    return not aws.succeeds(lambda: aws.create_stack(nothing)) and (ends(4_096), ends(4_097)) == (
        "CREATE_COMPLETE",
        "ROLLBACK_COMPLETE",
    )
