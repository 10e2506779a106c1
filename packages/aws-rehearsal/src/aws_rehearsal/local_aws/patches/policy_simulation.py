"""IAM's simulator takes boundaries, condition keys and each resource into account, and knows who is not there.

MiniStack's evaluates a principal's own policies for the first resource, without its permissions boundary and without
the condition keys that are sent along; of a principal that is not there it says that all is denied.
AWS: IAM API reference, "SimulatePrincipalPolicy": `NoSuchEntity`; for each resource that is named an entry of
`ResourceSpecificResults`, with the keys that policies look at and nobody has given (`MissingContextValues`) and what
the boundary says. Trust policies, session policies and resources' own policies are not evaluated. Organizations and
groups are not played.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from ._expect import PatchError, expect, replace

_ACTION = "SimulatePrincipalPolicy"
_OWN_KEYS = ("aws:principal", "aws:user", "aws:currenttime", "aws:epochtime", "aws:securetransport")
"""What the simulator knows by itself."""


def apply() -> None:
    """Put our answer in the place of MiniStack's."""
    expect(iam, "_simulate_principal_policy", "p")
    tables = [
        value
        for value in vars(iam).values()
        if isinstance(value, dict) and value.get(_ACTION) is iam._simulate_principal_policy
    ]
    if len(tables) != 1:
        raise PatchError("MiniStack's IAM has no table of its operations any more")
    replace("_simulate_principal_policy", _simulate, iam)
    tables[0][_ACTION] = _simulate


def _simulate(p: Any) -> Any:
    who = iam._p(p, "PolicySourceArn") or ""
    layers = _layers(who)
    if layers is None:
        return iam._error(404, "NoSuchEntity", f"The principal {who} cannot be found.", ns="iam")
    actions = _members(p, "ActionNames")
    resources, context = _members(p, "ResourceArns"), _context(p)
    results = "".join(_result(who, layers, action, resources, context) for action in actions)
    body = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    return iam._xml(200, f"{_ACTION}Response", f"<{_ACTION}Result>{body}</{_ACTION}Result>", ns="iam")


def _members(p: Any, name: str) -> list[str]:
    found: list[str] = []
    while (value := iam._p(p, f"{name}.member.{len(found) + 1}")) is not None and value != "":
        found.append(str(value))
    return found


def _context(p: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    number = 1
    while name := iam._p(p, f"ContextEntries.member.{number}.ContextKeyName"):
        values = _members(p, f"ContextEntries.member.{number}.ContextKeyValues")
        found[str(name).lower()] = values[0] if len(values) == 1 else tuple(values)
        number += 1
    return found


def _layers(who: str) -> list[Any] | None:
    """The principal's policies, and its boundary if it has one; None if there is no such user or role."""
    kind, _, path = who.rpartition(":")[2].partition("/")
    name, account = path.rpartition("/")[2], get_account_id()
    stores = {"user": iam._users, "role": iam._roles}
    found = stores[kind].get_scoped(account, None, name) if kind in stores else None
    if found is None or found["Arn"] != who:
        return None
    gather = iam_evaluator._gather_user_policies if kind == "user" else iam_evaluator._gather_role_policies
    return [gather(name, account), *iam_evaluator._permissions_boundary(stores[kind], name, account)]


def _result(who: str, layers: list[Any], action: str, resources: list[str], context: Mapping[str, Any]) -> str:
    each = [(r, *_decided(who, layers, action, r, context)) for r in resources or ["*"]]
    decisions = [decision for _, decision, *_ in each]
    worst = next((d for d in ("explicitDeny", "implicitDeny") if d in decisions), "allowed")
    specific = "".join(
        f"<member><EvalResourceName>{_xml(resource)}</EvalResourceName>"
        f"<EvalResourceDecision>{decision}</EvalResourceDecision><MatchedStatements/>{_missing(keys)}{boundary}</member>"
        for resource, decision, keys, boundary in each
    )
    _, _, keys, boundary = each[0]
    return (
        f"<member><EvalActionName>{_xml(action)}</EvalActionName><EvalResourceName>*</EvalResourceName>"
        f"<EvalDecision>{worst}</EvalDecision><MatchedStatements/>"
        + (f"<ResourceSpecificResults>{specific}</ResourceSpecificResults>" if resources else _missing(keys) + boundary)
        + "</member>"
    )


def _decided(
    who: str, layers: list[Any], action: str, resource: str, context: Mapping[str, Any]
) -> tuple[str, list[str], str]:
    """The decision, the condition keys that are missing for it, and what the boundary says, as XML."""
    asked = iam_evaluator.EvalContext(
        principal_arn=who,
        principal_type="User" if ":user/" in who else "AssumedRole",
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=str(context.get("aws:requestedregion") or get_region()),
        secure_transport=True,
        service_context=dict(context),
    )
    decision = iam_evaluator.evaluate(asked, layers[0], *layers[1:]).decision
    named = {"Allow": "allowed", "Deny": "explicitDeny"}.get(decision, "implicitDeny")
    boundary = ""
    if len(layers) > 1:
        allows = iam_evaluator.evaluate(asked, layers[1]).decision == "Allow"
        said = f"<AllowedByPermissionsBoundary>{str(allows).lower()}</AllowedByPermissionsBoundary>"
        boundary = f"<PermissionsBoundaryDecisionDetail>{said}</PermissionsBoundaryDecisionDetail>"
    return named, _looked_at(layers, asked, context), boundary


def _looked_at(layers: list[Any], asked: Any, context: Mapping[str, Any]) -> list[str]:
    """The keys that statements on this action and resource look at, and that nobody has given."""
    keys = {
        key
        for layer in layers
        for document in layer
        for statement in document
        if iam_evaluator._action_matches(asked.action, statement.actions, statement.not_actions)
        and iam_evaluator._resource_matches(asked.resource_arn, statement.resources, statement.not_resources)
        for block in statement.conditions.values()
        for key in block
    }
    return sorted(k for k in keys if k.lower() not in context and not k.lower().startswith(_OWN_KEYS))


def _missing(keys: list[str]) -> str:
    return "<MissingContextValues>" + "".join(f"<member>{_xml(k)}</member>" for k in keys) + "</MissingContextValues>"


def _xml(text: str) -> str:
    return re.sub("[&<>]", lambda found: {"&": "&amp;", "<": "&lt;", ">": "&gt;"}[found[0]], text)


def probe(aws: Any) -> bool:
    """A condition counts with the key that is sent along; each resource has its decision; who is not there is said."""
    role = aws.role(aws.owner, "simulated", path="/probe/")
    condition = {"StringEquals": {"iam:PassedToService": "x.amazonaws.com"}}
    allowed = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": condition}
    aws.put_policy(aws.owner, "simulated", allowed)

    def ask(who: str, **more: str) -> str:
        given = {"ActionNames.member.1": "iam:PassRole", "PolicySourceArn": who, **more}
        return str(aws.query("iam", Action=_ACTION, **given))

    both = {"ResourceArns.member.1": role, "ResourceArns.member.2": f"{role}2"}
    entry = "ContextEntries.member.1.ContextKey"
    key = {
        f"{entry}Name": "iam:PassedToService",
        f"{entry}Type": "string",
        f"{entry}Values.member.1": "x.amazonaws.com",
    }
    decided = re.findall("<EvalResourceDecision>([^<]+)<", ask(role, **both, **key))
    return (
        decided == ["allowed", "implicitDeny"]
        and "<member>iam:PassedToService</member>" in ask(role, **both)
        and not aws.succeeds(lambda: ask(f"{role}3"))
    )
