"""That what is to go lies where the stack file says that it is. Pure.

The engine destroys with the providers that its state holds, wherever the file points by now; what there is, and whether
it holds data, is looked for where the file points. The program, which would refuse that, is not run then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.engine import former_state
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery.errors import RefusedError

Place = tuple[str, str]
"""Account and region."""


def check(stack: str, resources: Iterable[Mapping[str, Any]], places: Mapping[str, Place]) -> None:
    """Raise `RefusedError` if the engine's state of `stack` was made for other accounts or regions than `places` are,
    which are known by the names under which the program remembers them. Where nothing was made, nothing can be lost."""
    resources = tuple(resources)
    former_state.check(stack, resources)
    if not any(r.get("custom") and not str(r.get("type")).startswith("pulumi:") for r in resources):
        return
    for name, found in (*_remembered(resources), *_roots(resources, places)):
        said = places.get(name)
        if said and said != found:
            raise RefusedError(
                f"it was deployed in account {found[0]}, {found[1]}; the stack file says {said[0]}, {said[1]}: whether "
                "what is there holds data would be asked of another place",
                where=stack,
                remedy="nothing was changed. Put `account` and `region` back (of an account's stack in the files of "
                "its environments), then repeat the command",
            )


def _remembered(resources: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, Place]]:
    """What the program has kept (`components.remembered`), by its name."""
    for resource in resources:
        facts = (resource.get("outputs") or {}).get("output") if str(resource.get("type")).endswith(":Stash") else None
        if isinstance(facts, Mapping) and facts.get("account") and facts.get("region"):
            yield str(resource.get("urn")).rpartition("::")[2], (str(facts["account"]), str(facts["region"]))


def _roots(resources: Iterable[Mapping[str, Any]], places: Mapping[str, Place]) -> Iterable[tuple[str, Place]]:
    """The backend's root stacks by their ARNs: of an environment, which has one place."""
    for resource in resources:
        place = of_stack(resource)
        if place and BACKEND in str(resource.get("urn")):
            yield from ((name, place) for name in places)


def of_stack(resource: Mapping[str, Any]) -> Place | None:
    """Where a stack of CloudFormation lies, by its ARN, `arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/...`; None
    for anything else, and where the state has its name only."""
    parts = str(resource.get("id")).split(":")
    return (parts[4], parts[3]) if resource.get("type") == ROOT_STACK and len(parts) > 5 else None
