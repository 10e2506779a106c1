"""Whether an environment's account lets the pipeline in, and nobody else, as AWS has stored it.

What IAM's simulator does not evaluate: it takes identity policies, permissions boundaries and service control policies,
and no trust policy at all, no session policy, no resource control policy, and a resource's policy only where it is sent
along, for IAM users ("SimulatePrincipalPolicy" in the IAM API reference). So the trust policy is read and compared with
the declared one, and the simulator is asked for the other half: whether the pipeline's role may assume the action role.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.statements import Document, same_policy
from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.export.documents import several


@dataclass(frozen=True)
class Trust:
    """A role that lets somebody in: its trust policy as IAM gives it back, None if there is no such role."""

    role: str
    """ARN."""
    found: Mapping[str, Any] | None


def judge(trust: Trust, declared: Document, make: str, environment: str) -> Line:
    """Line `trust`: what the action role's trust policy says, beside what it should."""
    if trust.found is None:
        return Line("trust", "error", f"there is no role {trust.role}: no pipeline comes in", f"{make} makes it")
    if same_policy(trust.found, declared):
        return Line("trust", "ok", f"{_name(trust.role)} trusts {', '.join(_trusted(declared))}, and nobody else")
    return Line(
        "trust",
        "error",
        f"{_name(trust.role)} trusts {', '.join(_trusted(trust.found)) or 'nobody'}, and should trust "
        f"{', '.join(_trusted(declared))}",
        f"{make} brings it to what the files say; who changed it, CloudTrail tells (UpdateAssumeRolePolicy). It is "
        f"role {trust.role} of {environment}",
    )


def _trusted(document: Mapping[str, Any]) -> list[str]:
    """Who is let in, shortly: the principal or the token's subject that a condition names, else the principal
    itself."""
    return [who for statement in several(document.get("Statement")) for who in _of(statement)]


def _of(statement: Mapping[str, Any]) -> Iterator[str]:
    if statement.get("Effect") != "Allow":
        return
    conditions = statement.get("Condition") or {}
    named = [
        str(value)
        for operator in conditions.values()
        for key, values in operator.items()
        if key.lower() == "aws:principalarn" or key.endswith(":sub")
        for value in several(values)
    ]
    principal = statement.get("Principal")
    principals = principal.values() if isinstance(principal, Mapping) else [principal]
    yield from named or [str(p) for value in principals for p in several(value)]


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


@dataclass(frozen=True)
class Decision:
    """What IAM's simulator says of one action on one resource (`*`: on everything).

    `organization` and `boundary` are whether service control policies and the permissions boundary allow it, None where
    there are none; `missing` are condition keys that the policies look at and that it was not given.
    """

    action: str
    resource: str
    allowed: bool
    organization: bool | None = None
    boundary: bool | None = None
    missing: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Why it is denied, for people."""
        if self.organization is False:
            return "a service control policy of the organization denies it"
        if self.boundary is False:
            return "the role's permissions boundary does not allow it"
        if self.missing:
            return f"its policies look at {', '.join(self.missing)}, which is known at run time only"
        return "no policy of its own allows it"


NOT_SIMULATED = "simulated without trust, session and resource policies, and without resource control policies"


def decided(subject: str, who: str, decisions: Iterable[Decision], remedy: str) -> Line:
    """A line for what `who` has to be allowed, resource by resource."""
    found = list(decisions)
    denied = [d for d in found if not d.allowed]
    open_ = [d for d in denied if d.missing and d.organization is not False and d.boundary is not False]
    closed = [d for d in denied if d not in open_]
    if closed:
        said = "; ".join(f"{d.action} on {d.resource}: {d.why}" for d in closed)
        return Line(subject, "error", f"{who} is denied {said}", remedy)
    if open_:
        said = "; ".join(f"{d.action} on {d.resource}: {d.why}" for d in open_)
        return Line(subject, "not known", f"whether {who} is allowed {said}", "a deployment tells")
    return Line(subject, "ok", f"{who} is allowed {len(found)} of {len(found)} ({NOT_SIMULATED})")


def organization(who: str, decisions: Iterable[Decision], place: Place) -> Line:
    """Line `organization`: which actions service control policies take from a role, whatever its own policies say."""
    found = list(decisions)
    denied = sorted({d.action for d in found if d.organization is False})
    if denied:
        return Line(
            "organization",
            "error",
            f"service control policies deny {who}: {', '.join(denied)}",
            f"whoever administers the organization lets account {place.account} do these in {place.region}, or the "
            "export does without them",
        )
    if all(d.organization is None for d in found):
        said = "no service control policy is known: the account is in no organization, or the simulator does not say"
        return Line("organization", "ok", said)
    return Line("organization", "ok", f"service control policies leave {who} its {len(found)} actions")


def developer(who: str, decisions: Iterable[Decision]) -> Line:
    """Line `rights`: whether she who deploys a personal stack may make what it is made of, everywhere."""
    found = list(decisions)
    denied = [d for d in found if not d.allowed]
    hard = sorted({d.action for d in denied if d.organization is False or d.boundary is False})
    if hard:
        return Line(
            "rights",
            "error",
            f"{who} is denied by a boundary or the organization: {', '.join(hard)}",
            "whoever administers the account or the organization lets you do these",
        )
    if denied:
        actions = sorted({d.action for d in denied})
        some = ", ".join(actions[:5]) + (f" and {len(actions) - 5} more" if len(actions) > 5 else "")
        return Line(
            "rights",
            "warning",
            f"{who} may not do these on every resource: {some}. Whether on those of this backend, a deployment tells",
            "ask for what is missing: `amplify-delivery rights STACK` lists all that the backend needs",
        )
    return Line("rights", "ok", f"{who} is allowed all {len(found)} actions that the backend needs ({NOT_SIMULATED})")
