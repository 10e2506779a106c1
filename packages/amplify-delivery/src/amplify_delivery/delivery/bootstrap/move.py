"""An environment that moves into its account, as it is told: before, afterwards, and where nothing is there to move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.adoption.own_place import Place
from amplify_delivery.delivery.bootstrap import own_areas
from amplify_delivery.errors import RefusedError


@dataclass(frozen=True)
class Move:
    """What is to be done: looked at, and not begun. `done`: nothing, it is there."""

    environment: str
    stack: str
    """The account's stack."""
    former: str
    """The backend that the state is in."""
    backend: str
    """The one that it comes into."""
    key: str
    place: Place
    root: str
    secrets: tuple[str, ...] = ()
    """Paths of the stack file's secrets."""
    done: bool = False
    moving: bool = False
    """Whether an earlier run has begun with the state."""

    def to_json(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "accountStack": self.stack,
            "from": self.former,
            "to": self.backend,
            "secretsProvider": self.key,
            "stagingBucket": self.place.bucket,
            "repository": self.place.repository,
            "rootStack": self.root,
            "secrets": list(self.secrets),
            "done": self.done,
        }


@dataclass(frozen=True)
class TakenOver:
    """What was done, with what comes next."""

    move: Move
    notes: tuple[str, ...]


def nothing_to_take_over(names: EnvironmentNames, former: str, place: Place | None, *, runs: bool) -> RefusedError:
    """Of a state in `former` that holds no `place`, or of whose environment no root stack `runs`. Pure."""
    environment, again = names.environment, own_areas.begin_again(names)
    if place and not runs:
        return RefusedError(
            f"the state of {environment} there holds no root stack: a first `up` has not come so far, and there is "
            "nothing to take over",
            where=former,
            remedy=f"nothing was changed. {again[0].upper()}{again[1:]}",
        )
    begun = f". Where that finds {names.staging_bucket} without a root stack that runs: {again}"
    return RefusedError(
        f"the state of {environment} there holds {'no staging area of its own' if runs else 'no root stack'}: there is "
        "nothing to take over",
        where=former,
        remedy="nothing was changed. Name the backend that `pulumi up` was used with (`--from BACKEND`, as in "
        f"PULUMI_BACKEND_URL). What does not run yet needs `amplify-delivery bootstrap {environment}` alone; "
        f"what `amplify push` has made, `amplify-delivery adopt {environment}` after it{'' if runs else begun}",
    )
