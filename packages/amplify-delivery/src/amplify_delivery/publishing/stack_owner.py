"""Whose a root stack is that the engine's state does not hold: told before anything is planned on top of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any

from amplify_delivery.errors import RefusedError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.publishing.stack_states import Place, Way, meaning

_AMPLIFY = frozenset({"AuthRole", "UnauthRole", "DeploymentBucket"})
"""Resources of every root stack that the Amplify CLI makes (amplify-cli, `root-cloudformation-stack.json`)."""
_CDK = frozenset({"BootstrapVersion", "CDKMetadata"})
"""A parameter and a resource that CDK adds to every stack; an environment can do without either."""


class Owner(Enum):
    """Who has made a stack, as far as it tells."""

    DELIVERY = "another Pulumi stack of Amplify Delivery has made it, or this one, whose state was lost"
    AMPLIFY = "`amplify push` has made it"
    CDK = "the CDK construct AmplifyExportedBackend has made it"
    OTHER = "it is not a backend of Amplify"


def owner(template: Mapping[str, Any]) -> Owner:
    """Who has made a root stack, by its template."""
    parameters, resources = template.get("Parameters") or {}, template.get("Resources") or {}
    if is_delivered(parameters):
        return Owner.DELIVERY
    if not resources.keys() >= _AMPLIFY:
        return Owner.OTHER
    return Owner.CDK if _CDK & {*parameters, *resources} else Owner.AMPLIFY


def is_delivered(parameters: Collection[str]) -> bool:
    """Whether Amplify Delivery has deployed a root stack with these parameters: only our roots have this one."""
    return TEMPLATE_KEY in parameters


def is_held(found: Mapping[str, Any], ids: Collection[str]) -> bool:
    """Whether a stack, as DescribeStacks has it, is one of those whose `ids` the engine's state holds: its ARN, or the
    name by which it was imported."""
    return str(found["StackId"]) in ids or str(found["StackName"]) in ids


def check(place: Place, status: str, template: Mapping[str, Any]) -> None:
    """Raise `RefusedError` for a root stack that the engine's state does not hold, unless there is nothing in it."""
    if meaning(status).deliver in (Way.CLEAR, Way.MAKE):
        return
    whose = owner(template)
    raise RefusedError(
        f"the stack is there already, in state {status}, and the engine's state of {place.environment} does not hold "
        f"it: {whose.value}",
        where=place.name,
        remedy=f"nothing was changed. {_what(whose, place)}",
    )


def _what(whose: Owner, place: Place) -> str:
    adopt = f"`amplify-delivery adopt {place.environment}`"
    other = (
        f"a copy beside it needs another environment: `pulumi config set -s {place.environment} environment NAME` (2 "
        "to 10 lower-case letters and digits)"
    )
    if whose is Owner.OTHER:
        return other[0].upper() + other[1:]
    if whose is Owner.DELIVERY:
        lost = f"`amplify-delivery adopt {place.environment} --state-lost`"
        return (
            "Use the state that knows it: `pulumi whoami -v` says which is used here (of a bootstrapped environment it "
            f"lies in its account). If that is lost, and nobody else delivers it any more, {lost} takes it over, data "
            f"and all; {other}"
        )
    return f"{adopt} takes it over in place, data and all; {other}"
