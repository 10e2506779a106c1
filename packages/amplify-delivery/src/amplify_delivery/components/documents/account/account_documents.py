"""Everything that a target account holds for one environment, as documents: roles, boundary, projects.

What `cdk bootstrap --trust` makes, and less of it: nobody outside the account gets credentials for it. The one way in
is `action_role.action_role`, for a CI `ci_roles.ci_roles`; the four projects do the work inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from amplify_delivery.components.documents.account.action_role import action_role
from amplify_delivery.components.documents.account.ci_roles import ci_roles
from amplify_delivery.components.documents.account.projects import project_policies, type_statements
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import CHECK, DEPLOY, PLAN, PROJECTS, EnvironmentNames
from amplify_delivery.components.documents.packing import INLINE_ROOM, managed, within
from amplify_delivery.components.documents.pipeline import buildspecs
from amplify_delivery.components.documents.rights.boundary import boundary
from amplify_delivery.components.documents.rights.types import execution_statements
from amplify_delivery.components.documents.statements import (
    Document,
    PolicyDocument,
    ProjectDocument,
    RoleDocument,
    Statement,
    document,
    service_trust,
    size,
)

DESCRIPTIONS = {
    "publish": "Brings an assembly's objects to the staging bucket",
    "plan": "Tells what a deployment would change; it can execute nothing",
    "deploy": "Deploys with the engine",
    "check": "Runs the pipeline's steps inside the account",
}


FOR_TYPES = "for the resource types in use"
SOME_KEY = "key/00000000-0000-0000-0000-000000000000"
"""Stands for a key whose ARN, which is random, only AWS knows: of the same length, so that sizes can be checked."""


@dataclass(frozen=True)
class AccountDocuments:
    """What to declare in a target account for one environment."""

    action_role: RoleDocument | None
    """What the pipeline comes in with; None where none does."""
    ci_roles: tuple[RoleDocument, ...]
    """In the order of `naming.CI_ROLES`; none where no CI comes in."""
    former_action_role: RoleDocument | None
    """The same under its former name, as long as the pipeline's definition names it (`EnvironmentNames.former`)."""
    execution: RoleDocument
    project_roles: tuple[RoleDocument, ...]
    """In the order of `naming.PROJECTS`."""
    policies: tuple[PolicyDocument, ...]
    """Managed policies of these roles: what depends on resource types does not fit into inline ones."""
    projects: tuple[ProjectDocument, ...]
    boundary: PolicyDocument

    @property
    def roles(self) -> tuple[RoleDocument, ...]:
        """All of them: whatever the account's stack makes."""
        actions = filter(None, (self.action_role, self.former_action_role))
        return (*actions, *self.ci_roles, self.execution, *self.project_roles)

    def managed_policy(self, arn: str) -> Document:
        """What the managed policy or boundary of that ARN says."""
        return next(policy.document for policy in (self.boundary, *self.policies) if policy.arn == arn)

    def inline_policy(self, role_arn: str, name: str) -> Document:
        """What the inline policy `name` of that role says."""
        return next(role.policies[name] for role in self.roles if role.arn == role_arn)


def account_documents(
    access: EnvironmentAccess, engine: buildspecs.EngineDownload | None = None, *, room: int = INLINE_ROOM
) -> AccountDocuments:
    """The documents of one environment. The same input gives the same text, everywhere. What has no `room` in the
    inline policies of a project's role, in characters, stands in its managed ones."""
    names, pipeline = access.names, access.pipeline
    inline, more = {}, {}
    for what in PROJECTS:
        inline[what], more[what] = _within(project_policies(access, what), what, room)
    rights = {"cloudformation": managed(names, "cloudformation", execution_statements(access), FOR_TYPES)}
    rights |= {
        what: managed(names, what, [*type_statements(access, what), *more[what]], FOR_TYPES) for what in PROJECTS
    }
    return AccountDocuments(
        action_role=action_role(replace(access, names=replace(names, former=False)), pipeline) if pipeline else None,
        former_action_role=action_role(access, pipeline) if names.former and pipeline else None,
        ci_roles=ci_roles(access),
        execution=_execution_role(access, rights["cloudformation"]),
        project_roles=tuple(_project_role(access, what, inline[what], rights[what]) for what in PROJECTS),
        policies=tuple(policy for group in rights.values() for policy in group),
        projects=tuple(_project(access, what, engine) for what in PROJECTS),
        boundary=boundary(access),
    )


def with_keys(access: EnvironmentAccess, arns: Sequence[str | None]) -> EnvironmentAccess:
    """`access` with the keys of state and staging area; ARNs, or only `key/ID` of one in its place."""
    state, staging = (arn and (arn if arn.startswith("arn:") else access.names.arn("kms", arn)) for arn in arns)
    return replace(access, state_key_arn=state, staging_key_arn=staging if access.staging_key else None)


def let_in_by(access: EnvironmentAccess) -> tuple[RoleDocument, ...]:
    """The roles that somebody outside of the account comes in with."""
    return (*((action_role(access, access.pipeline),) if access.pipeline else ()), *ci_roles(access))


def _within(
    policies: Mapping[str, Document], what: str, room: int
) -> tuple[Mapping[str, Document], Sequence[Statement]]:
    """The inline policies as far as IAM takes them, and the statements that it would not: names of an app and of an
    environment stand in nearly every line of them, and container images or a key of one's own add lines."""
    left = room - sum(size(policy) for name, policy in policies.items() if name != what)
    if size(policies[what]) <= left:
        return policies, ()
    kept, others = within(policies[what]["Statement"], left)
    return {**policies, what: document(kept)}, others


def _project_role(
    access: EnvironmentAccess, what: str, inline: Mapping[str, Document], rights: tuple[PolicyDocument, ...]
) -> RoleDocument:
    names = access.names
    sources = [names.project_arn(what)] if access.check_source_arn else []
    given = sorted(access.deploy_managed_policies) if what == "deploy" else []
    return RoleDocument(
        name=names.project_role(what),
        path=names.project_path,
        description=f"{DESCRIPTIONS[what]} ({names.prefix})",
        trust=service_trust("codebuild.amazonaws.com", names.account, sources),
        policies=inline,
        arn=names.project_role_arn(what),
        boundary=access.own_boundary,
        managed_policies=(*(policy.arn for policy in rights), *given),
    )


def _execution_role(access: EnvironmentAccess, rights: tuple[PolicyDocument, ...]) -> RoleDocument:
    names = access.names
    return RoleDocument(
        name=names.execution_role,
        path=names.path,
        description=f"CloudFormation makes the resources of {access.stack_name} with it",
        # Not the stack's ARN: with nested stacks, CloudFormation comes with the ARN of any of them.
        trust=service_trust("cloudformation.amazonaws.com", names.account),
        policies={},
        arn=names.execution_role_arn,
        boundary=access.own_boundary,
        managed_policies=tuple(policy.arn for policy in rights),
    )


def _project(access: EnvironmentAccess, what: str, engine: buildspecs.EngineDownload | None) -> ProjectDocument:
    names = access.names
    return ProjectDocument(
        name=names.project(what),
        description=f"{DESCRIPTIONS[what]} ({names.prefix})",
        role_arn=names.project_role_arn(what),
        buildspec=buildspecs.project(what, access.timeout(what), engine),
        image=access.build.image,
        compute_type=access.build.compute_type,
        timeout_minutes=access.timeout(what),
        queued_timeout_minutes=480,
        log_group=names.project_log_group(what),
        variables=_variables(names, what),
        privileged=access.images and what == "publish",
        environment_type=access.build.type,
        pull_credentials=access.build.pull_credentials,
        network=access.step_network if what == CHECK else None,
    )


def _variables(names: EnvironmentNames, what: str) -> dict[str, str]:
    """What a build is told: its environment, and where its state lies if it may read it."""
    state = {"PULUMI_BACKEND_URL": names.state_backend} if what in (PLAN, DEPLOY) else {}
    return {"ENVIRONMENT": names.environment, **state}
