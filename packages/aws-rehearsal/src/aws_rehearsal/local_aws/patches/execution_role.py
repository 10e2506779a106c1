"""What a stack does, it does with its role's rights, or with its caller's.

MiniStack makes, changes and deletes every resource of a stack as the account's root. The patch asks for each call of
the type's handler first (`handlers`), on the resource by its name, with the role's policies and boundary; roles that
properties name must be passed, templates and files in S3 be read (the root's template by the caller); a nested stack
gets the role on by PassRole. A denial fails that resource, and the operation with it. A role that is not there, or does
not trust CloudFormation, is refused before anything begins.

AWS: CloudFormation User Guide, "AWS CloudFormation service role": "CloudFormation uses the role's credentials to make
calls on your behalf. CloudFormation always uses this role for all future operations on the stack"; without one "a
temporary session that's generated from your user credentials"; "handlers" in the CloudFormation CLI user guide.

What stays different: all calls are asked for before the first is made, so that what a handler had done before a denied
call is not there to be rolled back.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.calls import Call, Operation, calls
from handlers.locations import template_place
from handlers.subject import NEW, Subject
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import cloudformation, iam, secretsmanager, ssm
from ministack.services.cloudformation import engine, helpers, provisioners, stacks
from ministack.services.cloudformation import handlers as actions

from . import _rights, secret_keys
from ._expect import PatchError, expect, replace
from .key_aliases import key_arn
from .nested_stacks import holders, is_behind

_NESTED = "AWS::CloudFormation::Stack"
_BOUNDARY = "iam:PermissionsBoundary"
_TAKE_FROM_ROLES = ("iam:DeleteRolePolicy", "iam:DetachRolePolicy")
_STARTS = ("CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet", "ExecuteChangeSet")


@dataclass
class _Started:
    """An operation on a stack: who acts in it, and what was refused to it before anything was made."""

    acting: _rights.Acting
    denied: str = ""


_deploying: contextvars.ContextVar[str] = contextvars.ContextVar("deploying", default="")
"""The name of the stack whose resources are being made."""
_looking_up: contextvars.ContextVar[bool] = contextvars.ContextVar("looking_up", default=False)
"""Whether values of a stack's parameters are found out."""
_replacing: contextvars.ContextVar[Subject | None] = contextvars.ContextVar("replacing", default=None)
"""What an update handler may replace by itself: it then deletes the old one."""
_started: contextvars.ContextVar[_Started | None] = contextvars.ContextVar("started", default=None)
"""The operation on a stack that runs, with all that is nested in it."""


def apply() -> None:
    """Ask before each create, update and delete of a resource, and look at the role before an operation starts."""
    provision = expect(stacks, "_provision_resource", "resource_type", "logical_id", "props", "stack_name")
    update = expect(
        stacks, "_update_resource", "resource_type", "physical_id", "old_props", "new_props", "stack_name", "logical_id"
    )
    delete = expect(stacks, "_delete_resource", "resource_type", "physical_id", "props", "stack_name", "logical_id")
    predecessor = expect(provisioners, "_delete_predecessor", "delete_fn")
    replaces = expect(provisioners, "_replacing_change", "resource_type", "old_props", "new_props")

    def provision_resource(resource_type: str, logical_id: str, props: Any, stack_name: str) -> Any:
        _require("create", subject_of(resource_type, logical_id, stack_name, props))
        return provision(resource_type, logical_id, props, stack_name)

    def update_resource(resource_type: str, physical_id: str, old: Any, new: Any, *rest: Any) -> Any:
        stack_name, logical_id = rest[:2]
        if old == new and not (resource_type == _NESTED and is_behind(physical_id, new, stack_name)):
            return update(resource_type, physical_id, old, new, *rest)
        before = subject_of(resource_type, logical_id, stack_name, old, physical_id)
        if replaces(resource_type, old, new):
            _require("create", subject_of(resource_type, logical_id, stack_name, new))
        else:
            _require("update", subject_of(resource_type, logical_id, stack_name, new, physical_id), old)
        token = _replacing.set(before)
        try:
            return update(resource_type, physical_id, old, new, *rest)
        finally:
            _replacing.reset(token)

    def delete_resource(
        resource_type: str, physical_id: str, props: Any, stack_name: str = "", logical_id: str = ""
    ) -> Any:
        _require("delete", subject_of(resource_type, logical_id, stack_name, props, physical_id))
        return delete(resource_type, physical_id, props, stack_name, logical_id)

    def delete_predecessor(delete_fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        replaced = _replacing.get()

        def delete_if_allowed(*args: Any, **kwargs: Any) -> Any:
            if replaced is not None:
                _require("delete", replaced)
            return delete_fn(*args, **kwargs)

        return predecessor(delete_if_allowed, *args, **kwargs)

    replace("_provision_resource", provision_resource, stacks)
    replace("_update_resource", update_resource, stacks)
    replace("_delete_resource", delete_resource, stacks)
    replace("_delete_predecessor", delete_predecessor, provisioners)
    _ask_for_dynamic_references()
    _ask_for_transforms()
    _remember_callers()
    _look_at_roles()


def _ask_for_dynamic_references() -> None:
    """`{{resolve:...}}` is read with the rights of whoever makes the resource ("Dynamic references", user guide)."""
    deploy = expect(
        stacks, "_deploy_stack_async", "stack_name", "stack_id", "template", "param_values", "disable_rollback", "tags"
    )
    resolve = expect(engine, "_resolve_dynamic_reference", "literal")

    async def deploy_stack(stack_name: str, *args: Any, **kwargs: Any) -> None:
        token = _deploying.set(stack_name)
        try:
            await deploy(stack_name, *args, **kwargs)
        finally:
            _deploying.reset(token)

    def resolve_dynamic_reference(literal: str) -> Any:
        stack_name = _deploying.get()
        if stack_name:
            acting = _acting(stack_name)
            for call in _reads(literal.removeprefix("{{resolve:").removesuffix("}}")):
                ask(acting, call)
        return resolve(literal)

    replace("_deploy_stack_async", deploy_stack, *holders("_deploy_stack_async"))
    replace("_resolve_dynamic_reference", resolve_dynamic_reference, engine)
    _ask_for_stored_parameters()


def _ask_for_stored_parameters() -> None:
    """A parameter of the type `AWS::SSM::Parameter::Value<...>` is looked up with the rights of whoever makes the stack
    ("AccessDenied. User doesn't have permission to call ssm:GetParameters": aws-cross-account-cicd-pipeline issue 33,
    of CloudFormation's role)."""
    parameters = expect(engine, "_resolve_parameters", "template", "provided_params", "previous_params")
    value = expect(ssm, "resolve_parameter_value", "name_or_arn", "version", "decrypt")

    def resolve_parameters(template: Any, *args: Any, **kwargs: Any) -> Any:
        token = _looking_up.set(True)
        try:
            return parameters(template, *args, **kwargs)
        finally:
            _looking_up.reset(token)

    def resolve_parameter_value(name: str, *args: Any, **kwargs: Any) -> Any:
        acting = _looks_up()
        if acting is not None:
            for call in _reads(f"ssm:{name}"):
                ask(acting, call)
        return value(name, *args, **kwargs)

    replace("_resolve_parameters", resolve_parameters, engine, *holders("_resolve_parameters"))
    replace("resolve_parameter_value", resolve_parameter_value, ssm)


def _looks_up() -> _rights.Acting | None:
    """Who acts for the stack whose parameters are looked up; None for any other reader."""
    if not _looking_up.get():
        return None
    started = _started.get()
    return started.acting if started is not None else _acting(_deploying.get()) if _deploying.get() else None


def _ask_for_transforms() -> None:
    """Expanding a template is a change set on its transform (user guide, "Macros": IAM policies), made by whoever acts
    for the stack."""
    expand = expect(engine, "_apply_transforms", "template", "provided_params")
    declared = expect(engine, "declared_transforms", "template")
    if not hasattr(engine, "_SAM_TRANSFORM"):
        raise PatchError("CloudFormation's engine has no _SAM_TRANSFORM any more")

    def apply_transforms(template: Any, *args: Any, **kwargs: Any) -> Any:
        started = _started.get()
        if started is not None and engine._SAM_TRANSFORM in declared(template):
            name = engine._SAM_TRANSFORM.rpartition("::")[2]
            transform = f"arn:aws:cloudformation:{get_region()}:aws:transform/{name}"
            try:
                ask(started.acting, Call("cloudformation:CreateChangeSet", transform))
            except _rights.AccessDeniedError as denied:
                started.denied = denied.sentence
                raise
        return expand(template, *args, **kwargs)

    replace("_apply_transforms", apply_transforms, engine, actions)


def _reads(reference: str) -> list[Call]:
    service, _, rest = reference.partition(":")
    here = f"{get_region()}:{get_account_id()}"
    if service == "secretsmanager":
        # A secret's ARN ends with six characters more than its name.
        named = ":".join(rest.split(":")[:7]) if rest.startswith("arn:") else rest.partition(":")[0]
        secret = secretsmanager._secrets.get(named.rpartition(":secret:")[2]) or {}
        arn = secret.get("ARN") or (
            named if named.startswith("arn:") else f"arn:aws:secretsmanager:{here}:secret:{named}-{NEW}"
        )
        key = secret_keys.needed(secret)
        used = [Call(secret_keys.ACTION, key[0], key[1])] if key else []
        return [Call("secretsmanager:GetSecretValue", arn), *used]
    name = rest.partition(":")[0].removeprefix("/")
    return [Call("ssm:GetParameters", f"arn:aws:ssm:{here}:parameter/{name}")]


def _remember_callers() -> None:
    pin = expect(iam_evaluator, "pin_request_caller", "headers", "query_params")

    def pin_request_caller(headers: dict[str, str], query_params: dict[str, Any] | None = None) -> None:
        pin(headers, query_params)
        _rights.caller_key.set(extract_access_key_id(headers or {}, query_params or {}) or "")

    replace("pin_request_caller", pin_request_caller, iam_evaluator)


def _look_at_roles() -> None:
    missing = [name for name in _STARTS if name not in actions._ACTION_HANDLERS]
    if missing:
        raise PatchError(f"CloudFormation has no {', '.join(missing)} any more")
    for name in _STARTS:
        actions._ACTION_HANDLERS[name] = _with_a_role_that_is_there(actions._ACTION_HANDLERS[name])


def _with_a_role_that_is_there(action: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def start(params: Any) -> Any:
        name = helpers._p(params, "StackName")
        stack = actions._resolve_stack(name) if name else None
        given = helpers._p(params, "RoleARN")
        role = given or (stack or {}).get("RoleARN")
        arn = (stack or {}).get("StackId") or f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{name}/x"
        if role and not _rights.trusts_cloudformation(role, arn):
            return helpers._error("ValidationError", f"Role {role} is invalid or cannot be assumed")
        place = template_place(helpers._p(params, "TemplateURL") or "")
        if place is not None:
            try:
                _rights.require(_rights.caller(), "s3:GetObject", "arn:aws:s3:::{}/{}".format(*place), {})
            except _rights.AccessDeniedError as denied:
                return helpers._error("ValidationError", f"S3 error: {denied.sentence}")
        if given and stack is not None and helpers._p(params, "Action") == "DeleteStack":
            stack["RoleARN"] = given
        return _as_whoever_acts(action, params, role)

    return start


def _as_whoever_acts(action: Callable[[Any], Any], params: Any, role: str | None) -> Any:
    acting = _rights.stack_role(role) if role else _rights.caller()
    if acting is None:
        raise _rights.NoRoleError(f"Role {role} is invalid or cannot be assumed")
    started = _Started(acting)
    token = _started.set(started)
    try:
        answer = action(params)
    finally:
        _started.reset(token)
    return helpers._error("AccessDenied", started.denied, 403) if started.denied else answer


def subject_of(
    resource_type: str, logical_id: str | None, stack_name: str | None, props: Any, physical_id: str = ""
) -> Subject:
    """A resource of a stack, as CloudFormation's handler calls for it are told (`handlers`)."""
    return Subject(
        resource_type,
        logical_id or "",
        stack_name or "",
        get_account_id(),
        get_region(),
        props if isinstance(props, Mapping) else {},
        physical_id or "",
        {tag["Key"]: tag["Value"] for tag in (cloudformation._stacks.get(stack_name) or {}).get("Tags") or ()},
        _role_arn,
    )


def _role_arn(name: str) -> str:
    role = iam._roles.get(name)
    return str(role["Arn"]) if role else f"arn:aws:iam::{get_account_id()}:role/{name}"


def _require(operation: Operation, subject: Subject, old: Mapping[str, Any] | None = None) -> None:
    """Raise AWS's sentence for the first call that whoever acts for the stack may not make."""
    role = _role_of(subject.stack_name)
    acting = _acting(subject.stack_name)
    if acting.layers is None:
        return
    if role and subject.resource_type == _NESTED:
        ask(acting, Call("iam:PassRole", role, {"iam:PassedToService": "cloudformation.amazonaws.com"}))
    for call in calls(operation, subject, old):
        ask(acting, call, {"cloudformation:RoleArn": role} if role and subject.resource_type == _NESTED else {})


def _role_of(stack_name: str) -> str:
    return (cloudformation._stacks.get(stack_name) or {}).get("RoleARN") or ""


def _acting(stack_name: str) -> _rights.Acting:
    role = _role_of(stack_name)
    acting = _rights.stack_role(role) if role else _rights.caller()
    if acting is None:
        raise _rights.NoRoleError(f"Role {role} is invalid or cannot be assumed")
    return acting


def ask(acting: _rights.Acting, call: Call, more: Mapping[str, Any] | None = None) -> None:
    """Raise `_rights.AccessDeniedError` unless whoever acts may make a call; `more` are condition keys beside it."""
    context = {**call.context, **(more or {})}
    if call.action.startswith("kms:") and ":alias/" in call.resource and not call.action.endswith("Alias"):
        call = Call(call.action, key_arn(call.resource))
    if call.action.startswith("iam:") and _BOUNDARY not in context and ":role/" in call.resource:
        role = iam._roles.get(call.resource.rpartition("/")[2])
        if role is None and call.action in _TAKE_FROM_ROLES:
            return  # a nested stack's clean-up has deleted a replaced role already, see `nested_stacks`
        if (role or {}).get("PermissionsBoundary"):
            context[_BOUNDARY] = role["PermissionsBoundary"]
    _rights.require(acting, call.action, call.resource, context)


def probe(aws: Any) -> bool:
    """A role that may write parameters makes a stack of one, and with it no queue."""
    role = aws.role(aws.owner, "probe-execution-rights", trusted="cloudformation.amazonaws.com")
    allowed = {"Effect": "Allow", "Action": "ssm:*", "Resource": f"arn:aws:ssm:*:{aws.owner.account}:parameter/*"}
    aws.put_policy(aws.owner, "probe-execution-rights", allowed)
    parameter = {"P": aws.parameter("value", Name=aws.name("execution"))}
    return (
        aws.stack(parameter, aws.name("may"), RoleARN=role) == "CREATE_COMPLETE"
        and aws.stack({"Q": {"Type": "AWS::SQS::Queue"}}, aws.name("may-not"), RoleARN=role) == "ROLLBACK_COMPLETE"
    )
