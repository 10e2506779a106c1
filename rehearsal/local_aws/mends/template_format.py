"""A template without resources, or with a reference to nothing, is refused; so are parameters it does not declare.

MiniStack passes an unresolved reference on as text and drops parameters that the template does not declare.
AWS: CloudFormation refuses the call: "Template format error: At least one Resources member must be defined.",
"Template format error: Unresolved resource dependencies [X] in the Resources block of the template",
"Parameters: [X] do not exist in the template" (User Guide, "Troubleshooting CloudFormation").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers

from ._expect import expect, replace

_PSEUDO = "AWS::"


def apply() -> None:
    """Check templates where MiniStack checks their types, and parameters where it resolves them."""
    expect(engine, "_intrinsic_references", "value")
    supported = expect(engine, "validate_template_support", "template", "conditions", "params")
    resolve = expect(engine, "_resolve_parameters", "template", "provided_params", "previous_params")

    def validate_template_support(template: dict[str, Any], conditions: Any, params: Any = None) -> None:
        supported(template, conditions, params=params)
        if not template.get("Transform"):
            _require_resolvable(template)

    def resolve_parameters(template: dict[str, Any], provided: list[dict[str, Any]], *rest: Any) -> Any:
        unknown = sorted({p["Key"] for p in provided if "Key" in p} - set(template.get("Parameters") or {}))
        if unknown:
            raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
        return resolve(template, provided, *rest)

    replace("validate_template_support", validate_template_support, engine, handlers, changesets)
    replace("_resolve_parameters", resolve_parameters, engine, handlers, changesets)


def _require_resolvable(template: dict[str, Any]) -> None:
    resources = template.get("Resources") or {}
    if not resources:
        raise ValueError("Template format error: At least one Resources member must be defined.")
    known = set(resources) | set(template.get("Parameters") or {})
    for block in ("Resources", "Outputs"):
        used = set(_references(template.get(block) or {}))
        missing = sorted(name for name in used - known if not name.startswith(_PSEUDO))
        if missing:
            raise ValueError(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
                f"in the {block} block of the template"
            )


def _references(block: dict[str, Any]) -> Iterator[str]:
    """What resources (their properties, not their metadata) and outputs refer to, and wait for."""
    for entry in block.values():
        yield from (name for name, _ in engine._intrinsic_references([entry.get("Properties"), entry.get("Value")]))
        after = entry.get("DependsOn") or []
        yield from [after] if isinstance(after, str) else after


def probe(aws: Any) -> bool:
    """A template with a reference to nothing is refused."""
    return not aws.succeeds(
        lambda: aws.create_stack(
            {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Nothing"}}}}
        )
    )
