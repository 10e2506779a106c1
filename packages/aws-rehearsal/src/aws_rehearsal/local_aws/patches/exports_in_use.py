"""An export that another stack imports can't be taken away by an update, nor get another value.

MiniStack lets it. On AWS the update of the stack that exports fails at its end, and is rolled back.
AWS: CloudFormation User Guide, "Get exported outputs from a deployed CloudFormation stack" ("you can't delete a stack
or modify an exported output value if another stack imports it"): `Export X cannot be deleted as it is in use by Y`,
`Export X cannot be updated as it is in use by Y` (linz/geostore issue 630).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, stacks

from ._expect import expect, replace


def apply() -> None:
    """Look for whoever imports what is exported no more."""
    resolve = expect(stacks, "_resolve_stack_outputs", "outputs_defs")

    def resolve_stack_outputs(*args: Any) -> Any:
        outputs, exports = resolve(*args)
        own = args[-1]
        was = {n: e["Value"] for n, e in cloudformation._exports.items() if e["StackId"] == own}
        changed = [n for n, value in was.items() if n not in exports or exports[n]["Value"] != value]
        for name in changed:
            for stack in cloudformation._stacks.values():
                alive = "DELETE_COMPLETE" not in stack.get("StackStatus", "")
                if alive and stack.get("StackId") != own and name in _imports(stack):
                    what = "updated" if name in exports else "deleted"
                    raise ValueError(f"Export {name} cannot be {what} as it is in use by {stack['StackName']}")
        return outputs, exports

    replace("_resolve_stack_outputs", resolve_stack_outputs, stacks)


def _imports(stack: dict[str, Any]) -> set[str]:
    """The names that a stack imports, as it is deployed."""
    resources, parameters = stack.get("_resources") or {}, stack.get("_resolved_params") or {}
    mappings = (stack.get("_template") or {}).get("Mappings") or {}
    found = set()
    for name in _arguments((stack.get("_template") or {}).get("Resources")):
        where = (stack["StackName"], stack["StackId"])
        found.add(str(engine._resolve_refs(copy.deepcopy(name), resources, parameters, {}, mappings, *where)))
    return found


def _arguments(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if "Fn::ImportValue" in value:
            yield value["Fn::ImportValue"]
        for inner in value.values():
            yield from _arguments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _arguments(inner)


def probe(aws: Any) -> bool:
    """An update that takes away an export that another stack imports, or gives it another value, is rolled back."""
    name = aws.name("exports-in-use")
    topic = {"Type": "AWS::SNS::Topic", "Properties": {}}
    export = {"Out": {"Value": "x", "Export": {"Name": name}}}
    aws.stack({"Topic": topic}, name, Outputs=export)
    imported = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": name}}}
    aws.stack({"Topic": imported}, f"{name}-importing")
    changed = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "other"}}
    other = {"Out": {"Value": "y", "Export": {"Name": name}}}
    return (
        aws.update_stack(name, {"Topic": changed}) == "UPDATE_ROLLBACK_COMPLETE"
        and aws.update_stack(name, {"Topic": changed}, Outputs=other) == "UPDATE_ROLLBACK_COMPLETE"
        and aws.update_stack(name, {"Topic": changed}, Outputs=export) == "UPDATE_COMPLETE"
    )
