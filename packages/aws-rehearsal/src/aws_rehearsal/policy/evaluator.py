"""IAM's decision over declared documents: identity, resource and trust policies, boundaries, explicit denials.

"Policy evaluation logic" in the IAM user guide, "Key policies" in the KMS developer guide. Not modelled, since nothing
here uses them: users, groups, session policies, service control policies, policy variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

from aws_rehearsal.policy.conditions import Context, conditions_hold, like, several

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Role:
    """A role as it stands in an account: `policies` are all of them, inline and managed."""

    arn: str
    trust: Document
    policies: tuple[Document, ...] = ()
    boundary: Document | None = None

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Those of all policies."""
        return statements_of(self.policies)

    @cached_property
    def limits(self) -> tuple[Statement, ...] | None:
        """Those of the boundary, if there is one."""
        return None if self.boundary is None else statements_of([self.boundary])


@dataclass(frozen=True)
class Principal:
    """Who asks: a role's ARN, an AWS service such as `codebuild.amazonaws.com`, or the ARN of the account's OIDC
    provider for the holder of a token that it vouches for, whose claims are keys of the request."""

    name: str

    @property
    def is_service(self) -> bool:
        return not self.name.startswith("arn:")

    @property
    def is_token(self) -> bool:
        return ":oidc-provider/" in self.name

    @property
    def account(self) -> str:
        return "" if self.is_service else self.name.split(":")[4]


@dataclass(frozen=True)
class Request:
    """One call: an action on a resource, with the keys that the service puts into the request's context."""

    principal: Principal
    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """All accounts' documents."""

    roles: Mapping[str, Role]
    resource_policies: Mapping[str, Document] = field(default_factory=dict)
    """By ARN; a bucket's covers its objects."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Accounts of buckets, by ARN: a bucket's ARN names none."""


@dataclass(frozen=True)
class Decision:
    """Allowed or not, and why."""

    allowed: bool
    reason: str


_WITH_TOKEN = "sts:AssumeRoleWithWebIdentity"  # noqa: S105 - an action
Verdict = Literal["allow", "deny", "nothing"]


def decide(world: World, request: Request) -> Decision:
    """What IAM would say."""
    owner = _owner(world, request)
    context = _context(request, owner)
    if request.action in ("sts:AssumeRole", _WITH_TOKEN):
        return _assume(world, request, context, owner)
    if request.principal.is_service:
        verdict, _ = _resource_verdict(world, request, context)
        return Decision(verdict == "allow", f"resource policy: {verdict}")
    identity = _identity(world.roles[request.principal.name], request, context)
    resource, direct = _resource_verdict(world, request, context)
    if "deny" in {identity, resource}:
        return Decision(False, "explicit deny")
    if owner != request.principal.account:
        both = identity == "allow" and resource == "allow"
        return Decision(both, f"across accounts: identity {identity}, resource {resource}")
    if request.action.startswith("kms:") and ":key/" in request.resource:
        # A key policy that names the account lets identity policies decide; without it they count for nothing.
        allowed = resource == "allow" and (direct or identity == "allow")
        return Decision(allowed, f"key policy {resource}, identity {identity}")
    allowed = identity == "allow" or (resource == "allow" and direct)
    return Decision(allowed, f"identity {identity}, resource {resource}")


def _assume(world: World, request: Request, context: Context, owner: str) -> Decision:
    role = world.roles.get(request.resource)
    if role is None:
        return Decision(False, "no such role")
    trust, direct = _by_principal(role.trust, request, context, resource=False)
    if trust != "allow":
        return Decision(False, f"trust: {trust}")
    if request.principal.is_token is not (request.action == _WITH_TOKEN):
        return Decision(False, "a token is for AssumeRoleWithWebIdentity, and nothing else is")
    if request.principal.is_service:
        return Decision(True, "trusted service")
    if request.principal.is_token:
        return Decision(True, "trusted token")
    identity = _identity(world.roles[request.principal.name], request, context)
    if identity == "allow":
        return Decision(True, "trust and identity allow")
    if identity == "nothing" and direct and owner == request.principal.account:
        return Decision(True, "trust names the role")
    return Decision(False, f"identity: {identity}")


def _identity(role: Role, request: Request, context: Context) -> Verdict:
    verdict = verdict_of(role.statements, request, context)
    if role.limits is None:
        return verdict
    limit = verdict_of(role.limits, request, context)
    if "deny" in {verdict, limit}:
        return "deny"
    return "allow" if verdict == limit == "allow" else "nothing"


def evaluate(documents: Iterable[Document], request: Request, context: Context) -> Verdict:
    """Identity policies taken together: a denial beats everything, then an allow counts."""
    return verdict_of(statements_of(documents), request, context)


def verdict_of(statements: Iterable[Statement], request: Request, context: Context) -> Verdict:
    """`evaluate` for whoever asks the same policies again and again: `statements` are those that `statements_of` gave
    once."""
    effects = {statement.effect for statement in statements if statement.applies(request, context)}
    return "deny" if "Deny" in effects else "allow" if "Allow" in effects else "nothing"


def _resource_verdict(world: World, request: Request, context: Context) -> tuple[Verdict, bool]:
    policy = world.resource_policies.get(request.resource) or world.resource_policies.get(_bucket(request.resource))
    return _by_principal(policy, request, context, resource=True) if policy else ("nothing", False)


def _by_principal(policy: Document, request: Request, context: Context, *, resource: bool) -> tuple[Verdict, bool]:
    """The verdict of a policy with principals, and whether the role itself is named, not only its account."""
    effects: set[str] = set()
    direct = False
    for statement in several(policy["Statement"]):
        named = _names(statement.get("Principal", {}), request.principal)
        if not named or not Statement(statement).applies(request, context, resource=resource):
            continue
        effects.add(statement["Effect"])
        direct = direct or (named == "itself" and statement["Effect"] == "Allow")
    return ("deny" if "Deny" in effects else "allow" if "Allow" in effects else "nothing"), direct


def _names(principal: Any, who: Principal) -> Literal["", "account", "itself"]:
    if principal == "*":
        return "itself"
    if who.is_service:
        return "itself" if who.name in several(principal.get("Service", [])) else ""
    if who.is_token:
        return "itself" if who.name in several(principal.get("Federated", [])) else ""
    found: Literal["", "account", "itself"] = ""
    for name in several(principal.get("AWS", [])):
        if name in {"*", who.name}:
            return "itself"
        if name == who.account or (name.endswith(":root") and name.split(":")[4] == who.account):
            found = "account"
    return found


class Statement:
    """A statement of a policy. A table asks a role's about the same few actions and resources again and again, so what
    fits its patterns is worked out once for each. Raises `NotImplementedError` for `NotAction`."""

    def __init__(self, statement: Mapping[str, Any]) -> None:
        if "NotAction" in statement:
            raise NotImplementedError("NotAction")
        self.effect: str = statement["Effect"]
        self._conditions: Mapping[str, Mapping[str, Any]] = statement.get("Condition", {})
        self._actions = tuple(several(statement["Action"]))
        self._all_but = "NotResource" in statement
        # A repository's policy has no such element: it speaks of its repository.
        self._resources = tuple(several(statement["NotResource"] if self._all_but else statement.get("Resource", "*")))
        self._of_action: dict[str, bool] = {}
        self._of_resource: dict[str, bool] = {}

    def applies(self, request: Request, context: Context, *, resource: bool = True) -> bool:
        """Whether it speaks of a request; without `resource` any resource is its own."""
        fits = self._of_action.get(request.action)
        if fits is None:
            fits = self._of_action[request.action] = _like_one(request.action, self._actions, ignore_case=True)
        if not fits:
            return False
        if resource:
            within = self._of_resource.get(request.resource)
            if within is None:
                within = _like_one(request.resource, self._resources) is not self._all_but
                self._of_resource[request.resource] = within
            if not within:
                return False
        return conditions_hold(self._conditions, context)


def statements_of(documents: Iterable[Document]) -> tuple[Statement, ...]:
    """All statements of policies."""
    return tuple(Statement(statement) for document in documents for statement in several(document["Statement"]))


@lru_cache(maxsize=1 << 16)
def _like_one(value: str, patterns: tuple[str, ...], *, ignore_case: bool = False) -> bool:
    """Kept, because worlds that differ in one document have the same statements in all others."""
    return any(like(value, pattern, ignore_case=ignore_case) for pattern in patterns)


def _owner(world: World, request: Request) -> str:
    """The resource's account; an action that knows no resource concerns the caller's own."""
    if request.resource == "*":
        return request.principal.account
    parts = request.resource.split(":")
    return parts[4] or world.owners.get(_bucket(request.resource), request.principal.account)


def _bucket(arn: str) -> str:
    return arn.split("/", 1)[0] if ":s3:::" in arn else arn


def _context(request: Request, owner: str) -> Context:
    """The global keys that every request has, under those that the case gives."""
    found: dict[str, str | tuple[str, ...]] = {"aws:SecureTransport": "true"}
    if not request.principal.is_service and not request.principal.is_token:
        found |= {"aws:PrincipalArn": request.principal.name, "aws:PrincipalAccount": request.principal.account}
        if request.resource != "*":
            found["aws:ResourceAccount"] = owner
    return found | dict(request.context)
