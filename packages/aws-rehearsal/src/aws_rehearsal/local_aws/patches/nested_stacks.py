"""A nested stack is a stack: created, updated, rolled back and deleted like any other.

MiniStack has a second, shorter way for nested stacks, which forgets the attributes of unchanged resources on an
update (the next `Fn::GetAtt` fails), leaves the finished resources of a failed create behind for ever, deletes
resources with `DeletionPolicy: Retain`, reports a child as deleted whose resources were not, does not resolve
dynamic references and validates no template. The patch sends nested stacks MiniStack's own way for stacks.

AWS: CloudFormation User Guide, "Embed stacks within other stacks using nested stacks"; a failed create rolls
back all of its nested stacks ("Stack failure options"); attribute reference `DeletionPolicy`: `Retain` outlives even
the rollback of a create, `RetainExceptOnCreate` does not; `{{resolve:secretsmanager:...}}` in `Parameters` of an
`AWS::CloudFormation::Stack` is resolved before it is passed on.

An update of the parent looks into every nested stack, also behind an unchanged `TemplateURL`: what differs there from
what the parent says, because the object is another one or somebody updated the nested stack itself, is updated (User
Guide, `ResourceChangeDetail`: "Changes to a nested stack's template aren't visible to CloudFormation until you run an
update on the parent stack").

What stays different: a child that replaced a resource deletes the old one when the child is done, AWS when the
root is.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
from collections.abc import Coroutine
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid, now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import engine, handlers, helpers, provisioners, stacks

from . import _operation_size
from ._expect import PatchError, expect, replace

TYPE = "AWS::CloudFormation::Stack"
_KEPT_FOR_ROLLBACK = ("_resources", "_template", "_template_body", "_resolved_params", "_conditions")
_REPORTED = ("Parameters", "Tags", "Outputs")

_retain_except_on_create: contextvars.ContextVar[bool] = contextvars.ContextVar("retain", default=False)


def apply() -> None:
    """Take over creating, updating and deleting nested stacks, and deleting a stack whose child failed."""
    for name in ("create", "update", "delete"):
        if name not in provisioners._RESOURCE_HANDLERS.get(TYPE, {}):
            raise PatchError(f"nested stacks have no {name!r} handler any more")
    expect(provisioners, "_cfn_nested_stack_deploy", "logical_id", "props", "parent_stack_name")
    expect(stacks, "_roll_back_operation", "stack_name", "stack_id", "stack", "operation")
    deploy = expect(
        stacks, "_deploy_stack_async", "stack_name", "stack_id", "template", "param_values", "disable_rollback", "tags"
    )
    delete = expect(stacks, "_delete_stack_async", "stack_name", "stack_id", "retain_resources", "force")

    update = expect(stacks, "_update_resource", "resource_type", "physical_id", "old_props", "new_props", "stack_name")
    no_updates = expect(handlers, "_stack_has_no_updates", "stack", "template", "param_values", "tags")

    def update_resource(resource_type: str, physical_id: str, old: Any, new: Any, *rest: Any) -> Any:
        if resource_type == TYPE and old == new and is_behind(physical_id, new, rest[0]):
            return _update(physical_id, old, new, rest[0])
        return update(resource_type, physical_id, old, new, *rest)

    def stack_has_no_updates(stack: dict[str, Any], *args: Any) -> bool:
        return bool(no_updates(stack, *args)) and not _has_behind(stack)

    async def deploy_stack(*args: Any, **kwargs: Any) -> None:
        _retain_except_on_create.set(kwargs.get("retain_except_on_create", False))
        await deploy(*args, **kwargs)

    async def delete_stack(stack_name: str, stack_id: str, *args: Any, **kwargs: Any) -> None:
        # What failed last may use what was made before it, so it goes first.
        for child in _unlisted_children(stack_name):
            cloudformation._stacks[stack_name]["StackStatus"] = "DELETE_IN_PROGRESS"
            await delete_stack(child["StackName"], child["StackId"])
        await delete(stack_name, stack_id, *args, **kwargs)

    # The change sets' module asks `handlers` and `stacks` for these when it needs them.
    replace("_deploy_stack_async", deploy_stack, *holders("_deploy_stack_async"))
    replace("_delete_stack_async", delete_stack, *holders("_delete_stack_async"))
    replace("_update_resource", update_resource, stacks)
    replace("_stack_has_no_updates", stack_has_no_updates, handlers)
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}


def holders(name: str) -> list[Any]:
    """The modules of MiniStack's that hold this function."""
    from ministack.services.cloudformation import changesets  # noqa: PLC0415

    return [module for module in (stacks, handlers, changesets) if hasattr(module, name)]


def _create(logical_id: str, props: dict[str, Any], parent_name: str) -> tuple[str, dict[str, str]]:
    parent = cloudformation._stacks.get(parent_name) or {}
    template, body, parameters = _read(props, parent_name)
    _operation_size.count(parent, template, engine._evaluate_conditions(template, parameters))
    name = f"{parent_name}-{logical_id}-{new_uuid().replace('-', '')[:12].upper()}"
    stack_id = f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{name}/{new_uuid()}"
    child = {
        "StackName": name,
        "StackId": stack_id,
        "CreationTime": now_iso(),
        "LastUpdatedTime": now_iso(),
        "DisableRollback": parent.get("DisableRollback", False),
        "ParentId": parent.get("StackId", ""),
        "RootId": parent.get("RootId") or parent.get("StackId", ""),
        "RoleARN": parent.get("RoleARN", ""),
        "StackStatusReason": "",
        "Outputs": [],
        "_resources": {},
        "_region": get_region(),
        "_parent_stack_name": parent_name,
    }
    _describe(child, props, template, body, parameters)
    cloudformation._stacks[name] = child
    cloudformation._stack_events[stack_id] = []
    _start(child, "CREATE_IN_PROGRESS")
    _run(
        stacks._deploy_stack_async(
            name,
            stack_id,
            template,
            parameters,
            child["DisableRollback"],
            child["Tags"],
            retain_except_on_create=_retain_except_on_create.get(),
        )
    )
    if child["StackStatus"] != "CREATE_COMPLETE":
        reason = _reason(child, "create")
        if not child["DisableRollback"]:
            _finish_delete(child)
        raise ValueError(f"Embedded stack {stack_id} was not successfully created: {reason}")
    return stack_id, _outputs(child)


def _update(physical_id: str, _old: dict[str, Any], props: dict[str, Any], parent_name: str) -> tuple[str, Any]:
    child = _find(physical_id)
    if child is None:
        raise ValueError(f"Stack with id {physical_id} does not exist")
    template, body, parameters = _read(props, parent_name)
    reverting = (cloudformation._stacks.get(parent_name) or {}).get("StackStatus") == "UPDATE_ROLLBACK_IN_PROGRESS"
    if reverting and _same(child, template, parameters):
        child["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"  # its own failure has rolled it back already
        return physical_id, _outputs(child)
    _require_same_types(child, template)
    previous = {key: copy.deepcopy(child.get(key)) for key in _KEPT_FOR_ROLLBACK + _REPORTED}
    child["LastUpdatedTime"] = now_iso()
    child["StackStatusReason"] = ""
    _pass_role_on(child)
    _describe(child, props, template, body, parameters)
    _start(child, "UPDATE_IN_PROGRESS")
    _run(
        stacks._deploy_stack_async(
            child["StackName"],
            child["StackId"],
            template,
            parameters,
            False,
            child["Tags"],
            is_update=True,
            previous_stack=previous,
            retain_except_on_create=_retain_except_on_create.get(),
        )
    )
    if child["StackStatus"] != "UPDATE_COMPLETE":
        raise ValueError(
            f"Embedded stack {physical_id} was not successfully updated. "
            f"Currently in {child['StackStatus']} with reason: {_reason(child, 'update')}"
        )
    if reverting:
        child["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    return physical_id, _outputs(child)


def is_behind(physical_id: str, props: dict[str, Any], parent_name: str) -> bool:
    """Whether a nested stack, or one below it, is not what its parent says it is."""
    child = _find(physical_id)
    if child is None:
        return False
    try:
        template, _, parameters = _read(props, parent_name)
    except ValueError:
        return True  # the update says what is wrong
    return not _same(child, template, parameters) or _has_behind(child)


def _has_behind(stack: dict[str, Any]) -> bool:
    return any(
        resource.get("ResourceType") == TYPE
        and is_behind(resource["PhysicalResourceId"], resource.get("Properties") or {}, stack["StackName"])
        for resource in (stack.get("_resources") or {}).values()
    )


def _require_same_types(child: dict[str, Any], template: dict[str, Any]) -> None:
    """AWS refuses the update of a stack that gives a logical id to another type."""
    before, after = ((t or {}).get("Resources") or {} for t in (child.get("_template"), template))
    changed = sorted(
        name for name in before.keys() & after.keys() if before[name].get("Type") != after[name].get("Type")
    )
    if changed:
        raise ValueError(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(changed)}]"
        )


def _delete(physical_id: str, _props: dict[str, Any]) -> None:
    child = _find(physical_id)
    if child is None or child["StackStatus"] == "DELETE_COMPLETE":
        return
    name, stack_id = child["StackName"], child["StackId"]
    _pass_role_on(child)
    if _made_by_what_is_rolled_back(child):
        operation = stacks._failed_operation(
            False, None, list(child["_resources"]), None, None, [], False, child["_template"],
            child["_resolved_params"], _retain_except_on_create.get(), child["Tags"], [],
        )  # fmt: skip
        _run(stacks._roll_back_operation(name, stack_id, child, operation))
        if child["StackStatus"] == "ROLLBACK_COMPLETE":
            _finish_delete(child)
            return
    _run(stacks._delete_stack_async(name, stack_id))
    if child["StackStatus"] != "DELETE_COMPLETE":
        raise ValueError(
            f"Embedded stack {stack_id} was not successfully deleted: {child.get('StackStatusReason', '')}"
        )


def _pass_role_on(child: dict[str, Any]) -> None:
    """The child is changed and deleted with the role that its parent has now."""
    parent = cloudformation._stacks.get(child["_parent_stack_name"])
    if parent is not None:
        child["RoleARN"] = parent.get("RoleARN", "")


def _made_by_what_is_rolled_back(child: dict[str, Any]) -> bool:
    """Whether the running operation made this child: then `RetainExceptOnCreate` does not retain."""
    parent = cloudformation._stacks.get(child["_parent_stack_name"]) or {}
    return parent.get("StackStatus") in ("ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")


def _read(props: dict[str, Any], parent_name: str) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """The child's template, its text and its resolved parameters; raises ValueError as AWS refuses them."""
    url = props.get("TemplateURL")
    if not url:
        raise ValueError("Properties validation failed: required key [TemplateURL] not found")
    body, refused = helpers._resolve_template({"TemplateURL": [url]})
    if refused is not None or not body:
        raise ValueError(f"S3 error: The specified key does not exist: {url}")
    template = engine._apply_transforms(engine._parse_template(body), [])
    provisioners._check_nested_stack_capabilities(parent_name, template)
    given = props.get("Parameters") or {}
    if any(isinstance(value, (list, dict)) for value in given.values()):
        raise ValueError("Value of property Parameters must be an object with String (or simple type) properties")
    parameters = engine._resolve_parameters(
        template, [{"Key": key, "Value": _text(value)} for key, value in given.items()]
    )
    conditions = engine._evaluate_conditions(template, parameters)
    engine.validate_template_support(template, conditions, params=parameters)
    return template, body, parameters


def _text(value: Any) -> str:
    """A parameter's value as CloudFormation passes it on: a JSON true is "true", not Python's "True"."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _describe(
    child: dict[str, Any], props: dict[str, Any], template: dict[str, Any], body: str, parameters: dict[str, Any]
) -> None:
    """Write into the child's record what DescribeStacks reports and what the next update compares with."""
    child["Description"] = template.get("Description", "")
    child["Capabilities"] = provisioners._inherited_capabilities(child["_parent_stack_name"])
    child["Parameters"] = [
        {"ParameterKey": key, "ParameterValue": value["Value"], "NoEcho": value["NoEcho"]}
        for key, value in parameters.items()
    ]
    child["Tags"] = [
        {"Key": key, "Value": value}
        for key, value in provisioners._tag_map(props.get("Tags")).items()
        if not key.startswith("aws:")
    ]
    child.setdefault("_template", template)
    child.setdefault("_resolved_params", parameters)
    child["_template_body"] = body
    child["_conditions"] = engine._evaluate_conditions(template, parameters)


def _start(child: dict[str, Any], status: str) -> None:
    child["StackStatus"] = status
    stacks._add_event(child["StackId"], child["StackName"], child["StackName"], TYPE, status, "", child["StackId"])


def _finish_delete(child: dict[str, Any]) -> None:
    """The record of a child whose resources are gone already."""
    child["_resources"] = {}
    child["Outputs"] = []
    _start(child, "DELETE_COMPLETE")


def _run(operation: Coroutine[Any, Any, None]) -> None:
    """Run a stack operation to its end on this thread; nested stacks are handled on threads of their own."""

    async def on_its_own() -> None:
        # What the parent set around this resource must not reach the child's resources.
        provisioners._RETAIN_REPLACED.set(False)
        provisioners._DEFERRED_PREDECESSOR_DELETES.set(None)
        provisioners._NAME_SEED.set("")
        await operation

    asyncio.run(on_its_own())


def _find(physical_id: str) -> dict[str, Any] | None:
    return next((s for s in cloudformation._stacks.values() if physical_id in (s["StackId"], s["StackName"])), None)


def _unlisted_children(parent_name: str) -> list[dict[str, Any]]:
    """Children a stack does not list among its resources, since creating them failed and nothing rolled back."""
    resources = (cloudformation._stacks.get(parent_name) or {}).get("_resources", {}).values()
    listed = {resource.get("PhysicalResourceId") for resource in resources}
    return [
        stack
        for stack in cloudformation._stacks.values()
        if stack.get("_parent_stack_name") == parent_name
        and stack["StackStatus"] != "DELETE_COMPLETE"
        and stack["StackId"] not in listed
    ]


def _same(child: dict[str, Any], template: dict[str, Any], parameters: dict[str, Any]) -> bool:
    return bool(child.get("_template") == template and child.get("_resolved_params") == parameters)


def _outputs(child: dict[str, Any]) -> dict[str, str]:
    return {f"Outputs.{output['OutputKey']}": output["OutputValue"] for output in child.get("Outputs", [])}


def _reason(child: dict[str, Any], verb: str) -> str:
    """AWS's sentence for a child that failed: it names the resources; why they failed stands in the child's events."""
    status = f"{verb.upper()}_FAILED"
    events = cloudformation._stack_events.get(child["StackId"], [])
    started = max(
        (i for i, e in enumerate(events) if e["ResourceStatus"] == f"{verb.upper()}_IN_PROGRESS" and _own(e)), default=0
    )
    failed = [
        e["LogicalResourceId"] for e in events[started:] if e["ResourceStatus"].endswith("_FAILED") and not _own(e)
    ]
    if failed:
        return f"The following resource(s) failed to {verb}: [{', '.join(dict.fromkeys(failed))}]. "
    return child.get("StackStatusReason") or next(
        (e["ResourceStatusReason"] for e in reversed(events) if e["ResourceStatus"] == status), "unknown"
    )


def _own(event: dict[str, Any]) -> bool:
    return bool(event["LogicalResourceId"] == event["StackName"])


def probe(aws: Any) -> bool:
    """A child keeps the attributes of an unchanged resource, a failed create leaves no bucket behind, and the parent's
    update brings back a child that was updated by itself."""
    bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate"}
    arn = {"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Bucket", "Arn"]}}}}
    first = aws.template({"Bucket": bucket}, **arn)
    second = aws.template({"Bucket": bucket, "More": aws.parameter("more")}, **arn)
    name = aws.name("nested")
    created = aws.stack({"Child": aws.nested(first)}, name)
    updated = aws.update_stack(name, {"Child": aws.nested(second)})

    named = {**bucket, "Properties": {"BucketName": aws.name("left-behind")}}
    failing = {**aws.parameter("a value", Type="NoSuchType"), "DependsOn": "Bucket"}
    failed = aws.stack({"Child": aws.nested(aws.template({"Bucket": named, "Failing": failing}))}, aws.name("failed"))
    gone = not aws.succeeds(lambda: aws.s3(aws.owner, "GET", f"/{aws.name('left-behind')}"))
    ended = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "ROLLBACK_COMPLETE", True)
    return (created, updated, failed, gone) == ended and _brought_back(aws)


def _brought_back(aws: Any) -> bool:
    name = aws.name("by-hand")
    aws.stack({"Child": aws.nested(aws.template({"P": aws.parameter("delivered")}))}, name)
    answer = aws.query("cloudformation", Action="DescribeStackResource", StackName=name, LogicalResourceId="Child")
    child = answer.partition("<PhysicalResourceId>")[2].partition("<")[0]
    aws.update_stack(child, {"P": aws.parameter("by hand")})
    again = {"Action": "UpdateStack", "StackName": name, "UsePreviousTemplate": "true"}
    accepted = aws.succeeds(lambda: aws.query("cloudformation", **again))
    aws.settled(name)
    return accepted and "delivered" in aws.query("cloudformation", Action="GetTemplate", StackName=child)
