"""An export that another stack imports can't be taken away by an update, nor get another value; one that goes is gone.

MiniStack lets both, and keeps the export of an output that an update has taken away: whatever imports it is made, where
AWS says that there is none. On AWS the update of the stack that exports fails at its end, and is rolled back.
AWS: CloudFormation User Guide, "Get exported outputs from a deployed CloudFormation stack" ("you can't delete a stack
or modify an exported output value if another stack imports it"): `Export X cannot be deleted as it is in use by Y`,
`Export X cannot be updated as it is in use by Y` (linz/geostore issue 630).
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, stacks

from ._expect import expect, replace


def apply() -> None:
    """Look for whoever imports what is exported no more, in resources or outputs; without one, forget it."""
    resolve = expect(stacks, "_resolve_stack_outputs", "outputs_defs")
    imports = expect(handlers, "_imported_export_names", "stack", "stack_name")

    def resolve_stack_outputs(*args: Any) -> Any:
        outputs, exports = resolve(*args)
        own = args[-1]
        was = {n: e["Value"] for n, e in cloudformation._exports.items() if e["StackId"] == own}
        changed = [n for n, value in was.items() if n not in exports or exports[n]["Value"] != value]
        for name in changed:
            for stack in cloudformation._stacks.values():
                alive = "DELETE_COMPLETE" not in stack.get("StackStatus", "")
                if alive and stack.get("StackId") != own and name in imports(stack, stack["StackName"]):
                    what = "updated" if name in exports else "deleted"
                    raise ValueError(f"Export {name} cannot be {what} as it is in use by {stack['StackName']}")
        for name in changed:
            del cloudformation._exports[name]  # those with another value are published again
        return outputs, exports

    replace("_resolve_stack_outputs", resolve_stack_outputs, stacks)


def probe(aws: Any) -> bool:
    """An update that takes away an export that another stack imports, or gives it another value, is rolled back; one
    that nobody imports is gone."""
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
        and aws.update_stack(f"{name}-importing", {"Topic": topic}) == "UPDATE_COMPLETE"
        and aws.update_stack(name, {"Topic": topic}) == "UPDATE_COMPLETE"
        and aws.stack({"Topic": imported}, f"{name}-late") != "CREATE_COMPLETE"
    )
