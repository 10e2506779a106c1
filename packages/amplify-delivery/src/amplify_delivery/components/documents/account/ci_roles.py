"""The two roles that a CI's jobs come in with, where no CodePipeline does: they start builds of the environment's
projects, as the action role does (`action_role`), and nothing else.

There are two because an approval has to stand between them: whoever plans must not be able to deploy. And the artifact
has to get into the account: the planning one may put it where the projects read it, over nothing that is there.
"""

from amplify_delivery.components.documents.account.action_role import (
    OVERRIDE_KEYS,
    READ,
    START,
    STOP,
    denial,
    variables_denial,
)
from amplify_delivery.components.documents.account.project_stores import key_right
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import ARTIFACTS_PREFIX, CHECK, CI_ROLES, DEPLOY, PLAN, PUBLISH
from amplify_delivery.components.documents.statements import Document, RoleDocument, allow, deny, document
from amplify_delivery.components.documents.web_identity import WebIdentity

_STARTS = {PLAN: (PUBLISH, PLAN, CHECK), DEPLOY: (DEPLOY, CHECK)}
_LOCATION = "codebuild:source.location"
_NEVER = (*OVERRIDE_KEYS, "codebuild:artifacts.location", "codebuild:encryptionKey")
"""CodePipeline may set these two; nobody else has a reason to."""


def ci_roles(access: EnvironmentAccess) -> tuple[RoleDocument, ...]:
    """The roles of `access.ci`, of `naming.CI_ROLES`; none where no CI comes in."""
    return tuple(_role(access, access.ci, what) for what in CI_ROLES) if access.ci else ()


def _role(access: EnvironmentAccess, identity: WebIdentity, what: str) -> RoleDocument:
    names = access.names
    artifacts = {"artifacts": _artifacts(access)} if what == PLAN else {}
    projects = [names.project_arn(project) for project in _STARTS[what]]
    return RoleDocument(
        name=names.ci_role(what),
        path=names.path,
        description=f"Lets a CI's jobs start builds of {names.prefix} that {what}, and nothing else",
        trust=identity.trust(names, identity.planning if what == PLAN else identity.deploying),
        policies={
            "builds": document([allow("Builds", [START, STOP, READ], projects)]),
            "overrides": _overrides(access),
            **artifacts,
        },
        arn=names.ci_role_arn(what),
        boundary=access.own_boundary,
    )


def _overrides(access: EnvironmentAccess) -> Document:
    """As the action role's: what a build does stands in the project. Its source is an artifact that lies here."""
    bucket = access.names.staging_bucket
    places = [f"{place}/{ARTIFACTS_PREFIX}*" for place in (bucket, access.names.bucket_arn(bucket))]
    elsewhere: dict[str, dict[str, str | list[str]]] = {
        "Null": {_LOCATION: "false"},
        "StringNotLike": {_LOCATION: places},
    }
    return document([*map(denial, _NEVER), deny("SourceLocation", START, "*", elsewhere), variables_denial()])


def _artifacts(access: EnvironmentAccess) -> Document:
    """To put one there. The bucket's policy refuses it over another, and without saying so."""
    names = access.names
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    objects = f"{names.bucket_arn(names.staging_bucket)}/{ARTIFACTS_PREFIX}*"
    statements = [allow("Artifacts", "s3:PutObject", objects, own)]
    if access.staging_key:
        alias = names.staging_key_alias
        statements.append(key_right(access, "ArtifactsKey", "kms:GenerateDataKey", alias, through_s3=True))
    return document(statements)
