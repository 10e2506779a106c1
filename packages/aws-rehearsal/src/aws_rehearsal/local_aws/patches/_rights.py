"""Whether somebody who acts for a stack may make a call: MiniStack's own evaluation, without a request.

MiniStack decides on requests only; what a stack does is none. The policies of whoever acts are the same documents, its
boundary and the resource's own policy count as for a request, and the answer is AWS's sentence.
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import iam

from ._documents import several, statements_of

SESSION = "AWSCloudFormation"
"""The name of the session in which CloudFormation acts with a stack's role."""
_GLOBAL = ("cloudfront", "iam", "route53")
"""Services with one endpoint, in us-east-1."""

caller_key: contextvars.ContextVar[str] = contextvars.ContextVar("caller_key", default="")
"""The access key of the request that started what runs."""


class AccessDeniedError(ValueError):
    """AWS's sentence, with what follows it in brackets. As text it is what a stack shows as the resource's reason."""

    def __init__(self, sentence: str) -> None:
        super().__init__(
            f'Resource handler returned message: "{sentence}" '
            f"(RequestToken: {new_uuid()}, HandlerErrorCode: AccessDenied)"
        )
        self.sentence = sentence


class NoRoleError(ValueError):
    """The stack's role is gone, or no longer CloudFormation's to assume."""


@dataclass(frozen=True)
class Acting:
    """Somebody with rights; `layers` are its policies, then its boundary and other limits; none for an account's root,
    which may do everything."""

    arn: str
    account: str
    kind: str
    layers: tuple[tuple[str, ...], ...] | None
    keys: tuple[tuple[str, Any], ...] = ()
    """Condition keys that describe it, and the way that its calls take."""


def stack_role(role_arn: str) -> Acting | None:
    """CloudFormation with a stack's role; None if there is no such role."""
    return with_role(role_arn, SESSION)


def with_role(role_arn: str, session_name: str) -> Acting | None:
    """A service with the role that it was given; None if there is no such role."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    role = iam._roles.get_scoped(account, None, name)
    if role is None or role["Arn"] != role_arn:
        return None
    documents = [*(role.get("InlinePolicies") or {}).values()]
    documents += [_managed(arn, account) for arn in role.get("AttachedPolicies", [])]
    layers = [_texts(documents)]
    if role.get("PermissionsBoundary"):
        layers.append(_texts([_managed(role["PermissionsBoundary"], account)]))
    session = f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}"
    return Acting(session, account, "AssumedRole", tuple(layers))


def caller() -> Acting:
    """Whoever made the request; CloudFormation passes its rights on, and says so."""
    account = get_account_id()
    found = iam_evaluator.resolve_principal(caller_key.get(), account)
    if isinstance(found, iam_evaluator.AuthError):
        raise AccessDeniedError(found.message)
    if found.policies is None:
        return Acting(found.arn, found.account, found.type, None)
    layers = tuple(_remembered(layer) for layer in (found.policies, *found.limits))
    passed_on = {"aws:viaawsservice": "true", "aws:calledvia": ("cloudformation.amazonaws.com",)}
    return Acting(found.arn, found.account, found.type, layers, tuple({**found.keys, **passed_on}.items()))


def require(acting: Acting, action: str, resource: str, context: Mapping[str, Any]) -> None:
    """Raise `AccessDeniedError` unless the call is allowed."""
    if acting.layers is None:
        return
    policy = iam_evaluator._resource_policy(action.partition(":")[0], resource)
    if policy is None and _allowed_everywhere(acting.layers, action):
        return
    denied = _decide(acting, action, resource, context, policy)
    if denied is not None:
        raise AccessDeniedError(_sentence(acting, action, resource, denied))


def trusts_cloudformation(role_arn: str, stack_arn: str) -> bool:
    """Whether CloudFormation may assume the role for this stack."""
    return trusts("cloudformation.amazonaws.com", role_arn, stack_arn)


def trusts(service: str, role_arn: str, source_arn: str) -> bool:
    """Whether a service, by its principal, may assume the role for a resource of its own."""
    if not role_arn.startswith("arn:") or role_arn.count(":") < 5:
        return False
    account = role_arn.split(":")[4]
    role = iam._roles.get_scoped(account, None, role_arn.rpartition("/")[2])
    if role is None or role["Arn"] != role_arn:
        return False
    trust = role["AssumeRolePolicyDocument"]
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=get_region(),
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source_arn},
    )
    effects = {
        statement["Effect"]
        for statement in statements_of(trust)
        if _names_service(service, statement.get("Principal"))
        and iam_evaluator._action_matches("sts:AssumeRole", several(statement.get("Action")), [])
        and iam_evaluator._conditions_met(statement.get("Condition", {}), context)
    }
    return effects == {"Allow"}


def lets_in(service: str, action: str, resource: str, source_arn: str) -> bool:
    """Whether the resource's own policy lets a service make a call for a resource of its own."""
    found = iam_evaluator._resource_policy(action.partition(":")[0], resource)
    if found is None:
        return False
    policy, owner = found
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=str(owner),
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context={"aws:sourceaccount": get_account_id(), "aws:sourcearn": source_arn},
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")


def _names_service(service: str, principal: Any) -> bool:
    services = principal.get("Service") if isinstance(principal, dict) else principal
    return bool({"*", service} & set(several(services)))


# Documents: parsed once, and once for each action only those statements kept that speak of it.


def _managed(arn: str, account: str) -> Any:
    return iam_evaluator._resolve_managed_policy_document(arn, account)


def _texts(documents: Iterable[Any]) -> tuple[str, ...]:
    return tuple(d if isinstance(d, str) else json.dumps(d) for d in documents if d)


_parsed: dict[str, Any] = {}


def _remembered(policies: Any) -> tuple[str, ...]:
    """A name for parsed policies, under which `_statements` finds them; equal policies have the same."""
    name = repr(policies)
    _parsed.setdefault(name, policies)
    return (name,)


@lru_cache(maxsize=20_000)
def _statements(layer: tuple[str, ...], action: str) -> tuple[Any, ...]:
    documents = [
        document
        for text in layer
        for document in (_parsed[text] if text in _parsed else [iam_evaluator.parse_policy_document(text)])
    ]
    return tuple(
        statement
        for document in documents
        for statement in document
        if iam_evaluator._action_matches(action, statement.actions, statement.not_actions)
    )


@lru_cache(maxsize=20_000)
def _allowed_everywhere(layers: tuple[tuple[str, ...], ...], action: str) -> bool:
    """Every layer allows the action on everything without a condition, and none denies it: an administrator."""
    found = [_statements(layer, action) for layer in layers]
    return all(
        not any(s.effect == "Deny" for s in layer)
        and any(s.effect == "Allow" and "*" in s.resources and not s.conditions for s in layer)
        for layer in found
    )


def _decide(acting: Acting, action: str, resource: str, context: Mapping[str, Any], policy: Any) -> Any:
    """None if it is allowed, else MiniStack's result; `policy` is the resource's own and its owner, if it has one."""
    assert acting.layers is not None  # noqa: S101 - the root is never asked
    service = action.partition(":")[0]
    keys = {"aws:tagkeys": None, **{name.lower(): value for name, value in context.items()}}
    layers = [[list(_statements(layer, action))] for layer in acting.layers]
    if any(_asks_for_tags(layer[0]) for layer in layers):
        from ministack.services.tagging import resource_tags  # noqa: PLC0415 - it imports every service

        for name, value in (resource_tags(resource) or {}).items():
            keys.setdefault(f"aws:resourcetag/{name}".lower(), value)
    region = "us-east-1" if service in _GLOBAL else get_region()
    asked = iam_evaluator.EvalContext(
        principal_arn=acting.arn,
        principal_type=acting.kind,
        principal_account=acting.account,
        action=action,
        resource_arn=resource,
        region=region,
        secure_transport=True,
        service_context=keys,
        principal_keys=dict(acting.keys),
    )
    result = iam_evaluator.evaluate(asked, layers[0], *layers[1:])
    if policy is not None:
        required = service in iam_evaluator._POLICY_REQUIRED
        result = iam_evaluator.combine_resource_policy(
            result, asked, *policy, required=required, limits=tuple(layers[1:])
        )
    return None if result.decision == "Allow" else result


def _asks_for_tags(statements: Iterable[Any]) -> bool:
    return any(
        key.lower().startswith("aws:resourcetag/")
        for statement in statements
        for block in statement.conditions.values()
        for key in block
    )


def _sentence(acting: Acting, action: str, resource: str, denied: Any) -> str:
    if denied.decision == "Deny":
        where = "a resource-based" if denied.resource_policy_arn else "an identity-based"
        why = f"with an explicit deny in {where} policy"
    elif len(acting.layers or ()) > 1 and _granted(acting, action, resource):
        why = f"because no permissions boundary allows the {action} action"
    else:
        why = f"because no identity-based policy allows the {action} action"
    service = action.partition(":")[0].capitalize()
    return (
        f"User: {acting.arn} is not authorized to perform: {action} on resource: {resource} {why} "
        f"(Service: {service}, Status Code: 403, Request ID: {new_uuid()})"
    )


def _granted(acting: Acting, action: str, resource: str) -> bool:
    """The policies alone would allow it, conditions aside: then the boundary is what does not."""
    assert acting.layers is not None  # noqa: S101 - the root is never asked
    return any(
        s.effect == "Allow" and iam_evaluator._resource_matches(resource, s.resources, s.not_resources)
        for s in _statements(acting.layers[0], action)
    )
