"""A colleague's `amplify push` over a backend that is delivered from here. Pure.

The CLI updates the root stack with templates of its own, by addresses in the deployment bucket: of what was delivered
nothing is left but the resources. What it brought is real, and the next deployment would undo it unless it is in the
export; what it undid of ours, the deployment puts back. Both are steps of the plan like any other: here they are told
apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.stateful import CLOUDFORMATION_TYPES
from amplify_delivery.changes.steps import AddResource, ChangeResource, RemoveResource, ReplaceResource, Step
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.templates.boundary import PROPERTY as BOUNDARY

_CLI = frozenset({"AuthRole", "UnauthRole", "DeploymentBucket"})
"""Resources of every root template of the CLI (amplify-cli, root-cloudformation-stack.json)."""
_TRUST = "AssumeRolePolicyDocument"
_SHUT = (
    "The CLI's template lets nobody in to the auth roles: until this deployment no user of the app, and no guest, gets "
    "new credentials of AWS"
)
_OURS: Mapping[str, str] = {
    BOUNDARY: "the permissions boundary",
    "DeletionPolicy": "how it is kept on a failed create",
    "UpdateReplacePolicy": "how it is kept when it is replaced",
    "Expires": "the expiry",
    _TRUST: "the auth roles' trust in the template",
    "nonce": "when the triggers are set",
}
"""Properties that an assembly has otherwise than the export, and what they are."""
_REMADE = ("AWS::ApiGateway::Deployment", "AWS::ApiGateway::GatewayResponse")
"""What each push of a REST API makes again, under another logical id."""
_TEXTS = frozenset({"RequestMappingTemplate", "ResponseMappingTemplate"})
"""Texts of resolvers. In the CLI's stand names of the environment, in ours references to them: that they differ does
not say that somebody has changed them."""
_NAMED = 5


def pushed_since(deployed: Stacks | None, roots: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the CLI has updated what was delivered from here: the engine's state (of `roots`, stacks of
    CloudFormation) remembers our root template, and the one that runs is the CLI's. What was only adopted so far was
    never delivered."""
    if deployed is None or TEMPLATE_KEY in deployed.parameters:
        return False
    return (deployed.templates[()].get("Resources") or {}).keys() >= _CLI and any(map(_is_ours, roots))


def _is_ours(resource: Mapping[str, Any]) -> bool:
    sides = (resource.get("inputs") or {}, resource.get("outputs") or {})
    return any(TEMPLATE_KEY in (side.get("parameters") or {}) for side in sides)


def notes(
    deployed: Stacks | None, roots: Iterable[Mapping[str, Any]], steps: Sequence[Step], same: Collection[str]
) -> tuple[str, ...]:
    """What whoever approves the plan should know of a push: that there was one, what of it the deployment undoes, and
    what of ours it has undone. Nothing if there was none. `same` are the places of steps that only move bytes."""
    if not pushed_since(deployed, roots):
        return ()
    theirs = [step.place for step in steps if step.place not in same and _is_theirs(step)]
    texts = sum(map(_is_text, steps))
    undoes = (
        f"this deployment undoes whatever of it is not in the export ({len(theirs)}: {_named(theirs)}). What should "
        "stay: `amplify pull`, `amplify export`, commit, and plan again"
        if theirs
        else "nothing that it brought is missing in the export"
    )
    if texts:
        undoes += (
            f". Not counted: resolvers whose text differs ({texts}), perhaps only in names of the environment, which "
            "are references here"
        )
    found = [
        "`amplify push` has updated this backend since it was delivered from here: its templates are the Amplify CLI's "
        f"again, and {undoes}"
    ]
    undone = _ours(steps)
    if undone:
        ours = ", ".join(f"{what} ({count})" for what, count in undone.items())
        shut = f". {_SHUT}" if _OURS[_TRUST] in undone else ""
        told = "the push has undone these parts of the delivery, and this deployment puts them back: "
        found.append(f"{told}{ours}{shut}")
    made = [step.place for step in steps if isinstance(step, AddResource) and step.type in CLOUDFORMATION_TYPES]
    if made:
        found.append(
            f"this deployment makes what holds data, and is empty then ({len(made)}: {_named(made)}). What of it was "
            "delivered before the push, the push has deleted with its data: the Amplify CLI does not know of what is "
            "delivered from here, and asks nobody. Look for a backup before you approve"
        )
    return tuple(found)


def _is_theirs(step: Step) -> bool:
    if isinstance(step, RemoveResource):
        return step.type not in _REMADE
    return (
        isinstance(step, (ChangeResource, ReplaceResource))
        and not _is_text(step)
        and bool({*step.properties} - _OURS.keys())
    )


def _is_text(step: Step) -> bool:
    """Whether a resolver's texts are all that differs, one of them in the template itself."""
    found = {*step.properties} if isinstance(step, ChangeResource) else set()
    return bool(found & _TEXTS) and found <= _TEXTS | {f"{name}S3Location" for name in _TEXTS}


def _ours(steps: Sequence[Step]) -> dict[str, int]:
    """Of how many resources which property of ours comes back."""
    found = dict.fromkeys(_OURS.values(), 0)
    for step in steps:
        for name in step.properties if isinstance(step, ChangeResource) else ():
            if name in _OURS:
                found[_OURS[name]] += 1
    return {what: count for what, count in found.items() if count}


def _named(places: Sequence[str]) -> str:
    return ", ".join([*places[:_NAMED], *([f"and {len(places) - _NAMED} more"] if places[_NAMED:] else [])])
