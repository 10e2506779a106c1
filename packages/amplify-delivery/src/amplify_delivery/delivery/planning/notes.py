"""What whoever approves a plan should know beside its steps. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amplify_delivery.changes.by_hand import by_hand, named
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.ordered.successors import not_open
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import ChangeResource, Step
from amplify_delivery.delivery.planning.same_bytes import SameBytes
from amplify_delivery.export.assembling.auth_roles import IDENTITY_POOL, auth_roles, setters

_BOUNDARY = "PermissionsBoundary"
_NAMED = 3
"""Roles that a note names; the plan lists all."""


def boundary_comes(steps: Sequence[Step], *, bootstrapped: bool) -> tuple[str, ...]:
    """That the account's permissions boundary comes to roles which are there already.

    CloudFormation may give it to them, and not remove it again; docs/decisions.md says why. In a stack that is not
    `bootstrapped` it may both: an organization's boundary comes and goes like any property.
    """
    if not bootstrapped:
        return ()
    roles = [step.place for step in steps if isinstance(step, ChangeResource) and _BOUNDARY in step.properties]
    if not roles:
        return ()
    named = ", ".join(roles[:_NAMED]) + (", ..." if len(roles) > _NAMED else "")
    return (
        f"roles that are there already get the account's permissions boundary ({len(roles)}: {named}). Should this "
        "update fail, CloudFormation may not remove it again, and an administrator continues the rollback without "
        "these roles (`aws cloudformation continue-update-rollback --resources-to-skip`): better deliver the "
        "environment once unchanged",
    )


def trust_gap(steps: Sequence[Step], wanted: Stacks, environment: str) -> tuple[str, ...]:
    """That an update of `environment` may take the auth roles' trust for a while: of a role whose template denies
    everybody, since the identity pool is not named there, or of what sets the trust beside it. docs/decisions.md says
    why."""
    root = wanted.templates[()]
    resources = root.get("Resources") or {}
    roles = set(auth_roles(resources)) if not wanted.parameters.get(IDENTITY_POOL) else set()
    touched = [s.place for s in steps if isinstance(s, ChangeResource) and s.place in {*roles, *setters(resources)}]
    if not setters(resources) or not touched:
        return ()
    remedy = (
        ". Where it matters, name the pool before (its id is the output IdentityPoolId of the auth stack): "
        f"`pulumi config set -s {environment} --path parameters.root.{IDENTITY_POOL} POOL_ID`"
        if IDENTITY_POOL in (root.get("Parameters") or {}) and not wanted.parameters.get(IDENTITY_POOL)
        else ""
    )
    return (
        f"{', '.join(touched)}: with that CloudFormation may write a trust that lets nobody in to the auth roles; "
        "`deploy` and `up` put it back at their end, and until then nobody gets new credentials of the identity pool"
        f"{remedy}",
    )


def updated_by_hand(deployed: Stacks | None) -> tuple[str, ...]:
    """Of the stacks that somebody has updated by hand: CloudFormation brings them back with any update of the root."""
    found = by_hand(deployed) if deployed else ()
    if not found:
        return ()
    return (
        f"updated by hand since they were delivered ({len(found)}: {named(found)}): the deployment puts this release's "
        "templates in the place of what was changed there. Whatever of it should stay belongs in the export",
    )


def closed_tables(deployed: Stacks | None) -> tuple[str, ...]:
    """Of tables to which nobody can write, since a deployment that gives them successors has begun and not ended."""
    return tuple(
        f"{'/'.join(path)}: a successor of this table was begun, and until that is in use everybody's writes are "
        "denied: go on at once (docs/planning.md, A table with other keys)"
        for path in (not_open(deployed) if deployed else ())
    )


def bytes_unread(same: SameBytes) -> tuple[str, ...]:
    """That bytes which run could not be read, and count as changed."""
    if not same.unread:
        return ()
    bucket, key = same.unread[0]
    return (
        f"{len(same.unread)} objects that run could not be read (s3://{bucket}/{key}"
        f"{', ...' if len(same.unread) > 1 else ''}): what reads them counts as changed. With s3:GetObject there, a "
        "plan says where only the place changes",
    )


def ignored(reasons: Mapping[str, str]) -> tuple[str, ...]:
    """Of each finding that the stack file overrules, with which reason."""
    return tuple(f"{id} does not count here (`lint.ignore`): {reason}" for id, reason in reasons.items())


def losses(steps: Sequence[Step], guard: Guard) -> tuple[str, ...]:
    """Of each step that loses data, who allows it, or that `deploy` will refuse it."""
    found = []
    for step in steps:
        if not step.loss:
            continue
        allowed = guard.allows(step)
        if allowed:
            found.append(f"the loss of {step.place} is allowed until {allowed.until}: {allowed.reason}")
        else:
            found.append(
                f"`deploy` refuses to lose {step.place}, unless the stack file allows it (`dataLoss`) until a day or "
                "for this plan's digest"
            )
    return tuple(found)


def unread(places: Sequence[str]) -> tuple[str, ...]:
    """Of what nobody can say whether it gives rights, because its text cannot be had."""
    if not places:
        return ()
    named = ", ".join(places[:_NAMED]) + (", ..." if len(places) > _NAMED else "")
    return (
        f"{len(places)} may give more rights than before, which a plan cannot tell ({named}): the schema or resolver "
        "that is deployed cannot be read, or the update itself makes the policy's text. Look at them yourself",
    )
