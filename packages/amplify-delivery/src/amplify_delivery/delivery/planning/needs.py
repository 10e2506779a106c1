"""Which resource types a deployment makes, changes or deletes, and for which of them the account has not given the
rights. Pure.

The backend's resources are made with CloudFormation's execution role, what the program adds beside them with the rights
of `deploy` itself: two lists in what the account's stack has recorded
(`amplify_delivery.components.documents.rights.prepared`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import AddResource, ChangeResource, RemoveResource, ReplaceResource, Step
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.rights.own_names import denied_name, denied_parameter, denied_reads
from amplify_delivery.components.documents.rights.prepared import Prepared
from amplify_delivery.components.documents.rights.pulumi_types import PROVIDERS, ROOT_STACK
from amplify_delivery.components.documents.rights.run_time import given_actions, unknown_policies
from amplify_delivery.components.documents.rights.scopes import NAMED_AFTER_LOGICAL_ID
from amplify_delivery.components.documents.rights.serverless import types_of
from amplify_delivery.delivery.planning.program import BACKEND, OPERATIONS, ProgramStep
from amplify_delivery.export.templates.resolve import IN_STORE

Needs = Mapping[str, Sequence[str]]
"""Types, each with the places of the resources that need it."""

_OWN_RIGHTS = frozenset(
    {ROOT_STACK, "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretVersion:SecretVersion"}
)
"""What `AmplifyBackend` itself makes with rights that `deploy` has in every account."""
_PAGES = frozenset(
    {
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    }
)
"""What `AmplifyBackend` makes for verification pages, each called by its bucket, a page as `BUCKET/PATH`."""


_POLICY = "AWS::IAM::ManagedPolicy"
_BOUNDED = frozenset({"aws-native:iam:Role", "aws:iam/role:Role", "aws-native:iam:User", "aws:iam/user:User"})
"""What `deploy` may make and change with the account's permissions boundary only (the condition of its rights)."""
_WANTED = OPERATIONS.keys() - {"delete", "delete-replaced"}


@dataclass(frozen=True)
class Lacking:
    """What the account has not given rights for."""

    backend: Needs
    """Types of the export."""
    removed: Needs
    """Types that are deployed, and removed or replaced by another; the export may have no more of them."""
    program: Needs
    """Pulumi types of what the program makes beside the backend."""
    unclear: Needs
    """Pulumi types of which only AWS can say whether the rights suffice."""
    pages: tuple[str, ...] = ()
    """Buckets of verification pages."""

    def __bool__(self) -> bool:
        """Whether the deployment would fail."""
        return bool(self.backend or self.removed or self.program or self.pages)


@dataclass(frozen=True)
class Identity:
    """With which credentials the environment is deployed, as its stack file says."""

    profile: str | None = None
    role_arn: str | None = None

    def is_of(self, provider: Mapping[str, Any]) -> bool:
        """Whether a provider with these inputs has the same rights."""
        # Objects among a provider's inputs are JSON in a text.
        roles = json.dumps([provider.get(key) for key in ("assumeRole", "assumeRoles")]).replace("\\", "")
        same_role = f'"{self.role_arn}"' in roles if self.role_arn else '"arn:' not in roles
        others = any(provider.get(key) for key in ("accessKey", "assumeRoleWithWebIdentity"))
        return same_role and not others and (provider.get("profile") or None) == self.profile


def lacking(
    prepared: Prepared,
    wanted: Stacks | None,
    deployed: Stacks | None,
    steps: Iterable[Step],
    program: Needs,
    *,
    pages: Iterable[str] = (),
) -> Lacking:
    """What `prepared` has no rights for of what the deployment of `wanted`, and of `program` beside it, needs.

    All types of the wanted templates count, also where nothing of them changes now: a rollback or new tags of the stack
    reach every resource. Of what is deployed only that counts which goes. Without `wanted` the backend does not count:
    it is made with another role. `pages` are the buckets of verification pages that the program changes.
    """
    answers = {token: prepared.allows_program(token) for token in program}
    return Lacking(
        backend=_without_rights(prepared, _backend_needs(wanted) if wanted else {}),
        removed=_without_rights(prepared, _removal_needs(deployed, steps) if wanted and deployed else {}),
        program={token: places for token, places in program.items() if answers[token] is False},
        unclear={token: places for token, places in program.items() if answers[token] is None},
        pages=tuple(sorted(set(pages) - prepared.pages)),
    )


def named_policies(wanted: Stacks, prefix: str) -> Needs:
    """Customer managed policies of `wanted` that have a name of their own: whoever makes a backend's policies may make
    those only whose names begin with the stack's (`prefix`), as CloudFormation names them."""
    found: dict[str, list[str]] = {}
    for path, resource in wanted.resolved.resources.items():
        name = (resource.properties or {}).get("ManagedPolicyName") if resource.type == _POLICY else None
        if name and not (isinstance(name, str) and name.startswith(prefix)):
            found.setdefault(f"{_POLICY} {name}", []).append("/".join(path))
    return found


def nameless(wanted: Stacks) -> Needs:
    """Resources of `wanted` without a name that CloudFormation calls after their logical ids alone, so that no right
    tells them from another environment's; those of Amplify's container API apart."""
    found: dict[str, list[str]] = {}
    for path, resource in wanted.resolved.resources.items():
        naming, own = NAMED_AFTER_LOGICAL_ID.get(resource.type, ("", ""))
        if naming and not (resource.properties or {}).get(naming) and not (own and path[-1].startswith(own)):
            found.setdefault(resource.type, []).append("/".join(path))
    return found


def misnamed(wanted: Stacks, deployed: Stacks | None, steps: Iterable[Step], access: EnvironmentAccess) -> Needs:
    """What `steps` make, change or delete under a name that the execution role of `access` has no right to, by type
    and name. What is deployed already and stays as it is does not count: nobody asks for it."""
    names = access.names
    pseudo = {"AWS::AccountId": names.account, "AWS::Region": names.region, "AWS::StackName": access.stack_name}
    new = wanted.resolved_in(pseudo).resources
    old = deployed.resolved_in(pseudo).resources if deployed else {}
    found: dict[str, set[str]] = {}
    for step in steps:
        if isinstance(step, AddResource | ChangeResource):
            sides = [new]
        elif isinstance(step, ReplaceResource) or (isinstance(step, RemoveResource) and not step.kept):
            sides = [new, old]
        else:
            continue
        for resource in filter(None, (side.get(step.path) for side in sides)):
            name = denied_name(resource.type, resource.properties or {}, access)
            if name is not None:
                found.setdefault(f"{resource.type} {name}", set()).add(step.place)
    return {what: sorted(places) for what, places in sorted(found.items())}


def unreadable(wanted: Stacks, steps: Iterable[Step], access: EnvironmentAccess) -> Needs:
    """The secrets, and parameters of Parameter Store, that CloudFormation reads for what `steps` make or change, and
    that the execution role of `access` has no right to, with the resources, or parameters of stacks, that name them."""
    names = access.names
    pseudo = {"AWS::AccountId": names.account, "AWS::Region": names.region, "AWS::StackName": access.stack_name}
    resolved = wanted.resolved_in(pseudo)
    touched = [s.path for s in steps if isinstance(s, AddResource | ChangeResource | ReplaceResource)]
    found: dict[str, set[str]] = {}
    for path in touched:
        resource = resolved.resources.get(path)
        for name in denied_reads(resource.properties if resource else None, access):
            found.setdefault(name, set()).add("/".join(path))
    for stack in {path[:depth] for path in touched for depth in range(len(path))}:
        given = resolved.stacks[stack].parameters if stack in resolved.stacks else {} if stack else wanted.parameters
        for parameter, declared in (wanted.templates.get(stack, {}).get("Parameters") or {}).items():
            name = given.get(parameter, declared.get("Default"))
            stored = str(declared.get("Type")).startswith(IN_STORE) and isinstance(name, str)
            if stored and denied_parameter(str(name), access):
                found.setdefault(name, set()).add("/".join((*stack, parameter)))
    return {name: sorted(places) for name, places in sorted(found.items())}


def beyond_boundary(prepared: Prepared, wanted: Stacks) -> Needs:
    """The actions that policies of `wanted` give to its roles, and the account's boundary does not let pass. The
    deployment succeeds; the code is denied them."""
    given = given_actions(_resources(wanted))
    return {action: places for action, places in given.items() if not prepared.lets_pass(action)}


def unread_policies(wanted: Stacks) -> Needs:
    """The policies that roles of `wanted` attach by their ARNs, and that nobody has compared with the boundary."""
    return unknown_policies(_resources(wanted))


def _resources(stacks: Stacks) -> Iterator[tuple[str, str, Any]]:
    """Place, type and properties of each."""
    for path, resource in stacks.resolved.resources.items():
        yield "/".join(path), resource.type, resource.properties


def program_needs(previewed: Sequence[ProgramStep], identity: Identity) -> Needs:
    """The AWS types of what a preview would change beside the backend, with `identity`."""
    return _by_token(step for step in _beside_backend(previewed, identity) if not _leaves(step))


def without_boundary(previewed: Sequence[ProgramStep], identity: Identity, boundary: str) -> Needs:
    """What a preview would make or change beside the backend that needs the permissions boundary of that ARN and has
    none, or another. What is known only when it is made is not told."""

    def lacks(step: ProgramStep) -> bool:
        value = step.inputs.get("permissionsBoundary")
        return value is None or (str(value).startswith("arn:") and value != boundary)

    steps = [s for s in _beside_backend(previewed, identity) if s.type in _BOUNDED and s.operation in _WANTED]
    return _by_token(step for step in steps if lacks(step))


def _beside_backend(previewed: Sequence[ProgramStep], identity: Identity) -> Iterator[ProgramStep]:
    """The AWS resources that a preview would change beside the backend, with `identity`.

    What has a provider of other credentials (a DNS zone in another account) is made with another role's rights.
    """
    providers = {s.urn: s.inputs for s in previewed if s.type.startswith("pulumi:providers:") and s.inputs}
    for step in previewed:
        provider = providers.get(step.provider.rpartition("::")[0])
        if (
            step.operation in OPERATIONS
            and step.custom
            and step.type.split(":")[0] in PROVIDERS
            and not (BACKEND in step.urn and step.type in _OWN_RIGHTS | _PAGES)
            and (provider is None or identity.is_of(provider))
        ):
            yield step


def _leaves(step: ProgramStep) -> bool:
    """Whether it is only given up, and stays in AWS: that needs no rights."""
    return step.operation == "delete" and step.kept


def _by_token(steps: Iterable[ProgramStep]) -> Needs:
    found: dict[str, set[str]] = {}
    for step in steps:
        found.setdefault(step.type, set()).add(step.urn.rpartition("::")[2])
    return {token: sorted(places) for token, places in sorted(found.items())}


def page_buckets(previewed: Iterable[ProgramStep]) -> frozenset[str]:
    """The buckets of verification pages that a preview would change."""
    return frozenset(
        step.urn.rpartition("::")[2].partition("/")[0]
        for step in previewed
        if step.operation in OPERATIONS and BACKEND in step.urn and step.type in _PAGES
    )


def _backend_needs(wanted: Stacks) -> Needs:
    return _by_type(
        (kind, (*path, name))
        for path, template in wanted.templates.items()
        for name, resource in (template.get("Resources") or {}).items()
        for kind in types_of(resource)
    )


def _removal_needs(deployed: Stacks, steps: Iterable[Step]) -> Needs:
    gone = [s for s in steps if isinstance(s, ReplaceResource) or (isinstance(s, RemoveResource) and not s.kept)]
    return _by_type((str(deployed.resource(s.path).get("Type", s.type)), s.path) for s in gone)


def _by_type(resources: Iterable[tuple[str, tuple[str, ...]]]) -> Needs:
    found: dict[str, list[str]] = {}
    for kind, path in resources:
        found.setdefault(kind, []).append("/".join(path))
    return {kind: sorted(places) for kind, places in sorted(found.items())}


def _without_rights(prepared: Prepared, needs: Needs) -> Needs:
    return {kind: places for kind, places in needs.items() if not prepared.allows_backend(kind)}
