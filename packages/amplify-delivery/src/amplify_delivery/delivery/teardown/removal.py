"""What of an account's or a pipeline's stack is removed, and what stays in it: decided from the engine's state alone.

What cannot be made again stays, with everything that the engine needs to go on with it and everything that keeps it
safe: a state bucket is kept with its policy, its encryption and its key. Copies go: what lies in a staging area can be
published again, and artifacts serve no pipeline but their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.errors import ConfigError

BUCKET = "aws:s3/bucket:Bucket"
REPOSITORY = "aws:ecr/repository:Repository"
KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
LOG_GROUP = "aws-native:logs:LogGroup"

_ACCOUNT = "amplify-delivery:index:TargetAccount"
_PIPELINE = "amplify-delivery:index:DeliveryPipeline"
_STAGING = "amplify-delivery:index:StagingArea"

Resource = Mapping[str, Any]
"""A resource in the engine's state, as `pulumi stack export` writes it."""

_WHY = {
    BUCKET: "the engine's state of {0}, its plans and outputs, and their earlier versions",
    KEY: "nothing of that state can be read without it",
    ALIAS: "the name by which that key is known",
    LOG_GROUP: "who planned and deployed what in {0}, and when",
    REPOSITORY: "images that functions of {0} may run",
}


@dataclass(frozen=True, order=True)
class Kept:
    """Something that stays in the stack, and why."""

    environment: str
    type: str
    physical_id: str
    why: str

    def to_json(self) -> dict[str, str]:
        return {
            "environment": self.environment,
            "type": self.type,
            "physical_id": self.physical_id,
            "why": self.why,
        }


@dataclass(frozen=True, order=True)
class Holder:
    """A bucket or a repository, which its service deletes only when it is empty."""

    type: str
    name: str
    region: str


def environments_in(resources: Iterable[Resource]) -> tuple[str, ...]:
    """The environments that an account's stack has made a place for."""
    return tuple(sorted(name_of(r) for r in resources if r["type"] == _ACCOUNT))


def check_all_named(resources: Iterable[Resource], named: Iterable[str], where: str, *, ending: str = "") -> None:
    """Raise `ConfigError` if an account's stack (`resources`) has made a place for an environment that its file at
    `where` does not name any more: of one that is deployed the roles would go, and nobody would know where it is.
    `ending` tells how one goes."""
    missing = sorted(set(environments_in(resources)) - set(named))
    if missing:
        raise ConfigError(
            f"the account was bootstrapped for {', '.join(missing)} too, which this file does not name",
            where=where,
            remedy=f"name all of them in `environments` again; nothing was changed{ending.format(missing[0])}",
        )


def irreplaceable(resources: Iterable[Resource], environment: EnvironmentNames) -> tuple[Resource, ...]:
    """What cannot be made again of an environment's place: state, the key to it, audit log and images, each with what
    belongs to it."""
    names = {f"{environment.environment}-state", environment.audit_log_group.strip("/"), environment.repository}
    return tuple(
        r
        for r in resources
        if _of(r, _ACCOUNT)
        and name_of(r) in names
        and name_of({"urn": str(r.get("parent"))}) == environment.environment
    )


def kept(resources: Iterable[Resource], environment: EnvironmentNames) -> list[Kept]:
    """The same for people, without what only belongs to another."""
    return sorted(
        Kept(environment.environment, r["type"], str(r["id"]), _WHY[r["type"]].format(environment.environment))
        for r in irreplaceable(resources, environment)
        if r["type"] in _WHY
    )


def staged(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The staging areas of an account's stack."""
    return tuple(r for r in resources if f"{_STAGING}$" in r["urn"])


def stores(resources: Iterable[Resource], stack: str) -> dict[str, tuple[Resource, ...]]:
    """The artifact stores of a pipeline's stack by region: the bucket, its key, and what belongs to them."""
    own = [r for r in resources if _of(r, _PIPELINE)]
    regions = sorted(name_of(r).removeprefix(f"{stack}-") for r in own if r["type"] in (BUCKET, KEY))
    return {region: tuple(r for r in own if name_of(r) == f"{stack}-{region}") for region in dict.fromkeys(regions)}


def holders(resources: Iterable[Resource], region: str) -> list[Holder]:
    """What has to be emptied of these; in `region` unless the state says where."""
    return sorted(
        Holder(r["type"], str(r["id"]), str((r.get("outputs") or {}).get("region") or region))
        for r in resources
        if r["type"] in (BUCKET, REPOSITORY) and r.get("id")
    )


def all_but(resources: Iterable[Resource], staying: Iterable[Resource]) -> tuple[Resource, ...]:
    """All resources without those that stay and what those need."""
    everything = tuple(resources)
    needed = closure(everything, (r["urn"] for r in staying))
    return tuple(r for r in everything if r["urn"] not in needed)


def closure(resources: Iterable[Resource], urns: Iterable[str]) -> frozenset[str]:
    """`urns` and all that they need, at any depth: parents, providers, dependencies."""
    by_urn = {r["urn"]: r for r in resources}
    found: set[str] = set()
    pending = list(urns)
    while pending:
        urn = pending.pop()
        if urn and urn not in found:
            found.add(urn)
            pending += _needs(by_urn.get(urn, {}))
    return frozenset(found)


def dependents(resources: Iterable[Resource], going: Collection[Resource]) -> tuple[Resource, ...]:
    """Those that need one of `going`, and do not go."""
    urns = {r["urn"] for r in going}
    return tuple(r for r in resources if r["urn"] not in urns and urns.intersection(_needs(r)))


def name_of(resource: Resource) -> str:
    """A resource's name in the program."""
    return str(resource["urn"]).rpartition("::")[2]


def _of(resource: Resource, component: str) -> bool:
    """Whether it is a child of a component of that type, at any depth."""
    return f"::{component}$" in resource["urn"]


def _needs(resource: Resource) -> Iterator[str]:
    yield str(resource.get("parent") or "")
    yield str(resource.get("provider") or "").rpartition("::")[0]
    yield from resource.get("dependencies") or ()
    for urns in (resource.get("propertyDependencies") or {}).values():
        yield from urns or ()
    yield str(resource.get("deletedWith") or "")
