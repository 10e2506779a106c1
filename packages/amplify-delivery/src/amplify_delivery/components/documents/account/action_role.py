"""The action role of a target account, the one way into it, which only the pipeline's role may assume.

It starts, stops and reads builds of the environment's four projects. What a build does stands in the project; so
`StartBuild` is denied as soon as it carries an override that would change that. "AWS CodeBuild condition keys" in the
CodeBuild user guide and "Actions, resources, and condition keys for AWS CodeBuild" in the service authorization
reference.

AWS has no condition key for these parameters of `StartBuild`, so nothing can deny them:

- `debugSessionEnabled`: harmless, because a session needs `ssmmessages` rights that no project role has;
- `sourceTypeOverride`, `sourceVersion`, `secondarySourcesVersionOverride`, `gitCloneDepthOverride`,
  `gitSubmodulesConfigOverride`, `reportBuildStatusOverride`: they choose what is read, and whatever is read must match
  the digest before anything of it runs;
- `timeoutInMinutesOverride`, `queuedTimeoutInMinutesOverride`: they end a build sooner or later, at most 36 hours;
- `hostKernelOverride`, `idempotencyToken`: they change nothing that runs with the role.

The digest itself is a variable: whoever holds the action role can pass another one, and with it other code. An action
role does not protect against the pipeline, only against everybody else.

What CodePipeline itself sends with `StartBuild` is not documented. If it sends something that is denied here, no action
of a pipeline runs in the account: then the account's file takes that one name out of the list (`allowed_overrides`).
"""

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import PROJECTS, PipelineNames
from amplify_delivery.components.documents.statements import (
    Document,
    RoleDocument,
    Statement,
    allow,
    deny,
    document,
    role_trust,
)

BUILD_VARIABLES = ("ARTIFACT_DIGEST", "COMMIT_ID", "EXECUTION_ID", "PLAN_DIGEST", "STEP_NAME")
"""The only environment variables that a build may be started with: none that a shell, Python or an SDK obeys."""

OVERRIDE_KEYS = (
    "codebuild:autoRetryLimit",
    "codebuild:cache",
    "codebuild:environment.certificate",
    "codebuild:environment.computeType",
    "codebuild:environment.fleet.fleetArn",
    "codebuild:environment.image",
    "codebuild:environment.imagePullCredentialsType",
    "codebuild:environment.privilegedMode",
    "codebuild:environment.registryCredential",
    "codebuild:environment.type",
    "codebuild:logsConfig",
    "codebuild:secondaryArtifacts",
    "codebuild:secondarySources",
    "codebuild:serviceRole",
    "codebuild:source.auth.resource",
    "codebuild:source.auth.type",
    "codebuild:source.buildStatusConfig.context",
    "codebuild:source.buildStatusConfig.targetUrl",
    "codebuild:source.buildspec",
    "codebuild:source.insecureSsl",
)
"""Condition keys that are there if and only if `StartBuild` carries the override. Not in this list, because
CodePipeline may set them itself: the source's and the artifacts' location and the key, which must be the pipeline's."""

_LOCATIONS = ("codebuild:artifacts.location", "codebuild:source.location")
_KEY, _VARIABLES = "codebuild:encryptionKey", "codebuild:environment.environmentVariables.name"
DENIED_OVERRIDES = tuple(
    sorted(key.removeprefix("codebuild:") for key in (*OVERRIDE_KEYS, *_LOCATIONS, _KEY, _VARIABLES))
)
"""The names under which the account's file (`allowedOverrides`) takes a denial away. AWS documents neither which of
them CodePipeline sends nor that it sends none; all that this project has been tried with is its own rehearsal."""

START, STOP, READ = "codebuild:StartBuild", "codebuild:StopBuild", "codebuild:BatchGetBuilds"


def action_role(access: EnvironmentAccess, pipeline: PipelineNames) -> RoleDocument:
    """The action role of an environment's CodePipeline actions."""
    names = access.names
    return RoleDocument(
        name=names.action_role,
        path=names.path,
        description=f"Lets {pipeline.pipeline} start builds of {names.prefix}, and nothing else",
        trust=role_trust(pipeline.role_arn()),
        policies=_policies(access, pipeline),
        arn=names.action_role_arn,
        boundary=access.own_boundary,
    )


def _policies(access: EnvironmentAccess, pipeline: PipelineNames) -> dict[str, Document]:
    overrides = _overrides(access, pipeline)
    return {"builds": _builds(access), **({"overrides": overrides} if overrides["Statement"] else {})}


def _project_arns(access: EnvironmentAccess) -> list[str]:
    return [access.names.project_arn(what) for what in PROJECTS]


def _builds(access: EnvironmentAccess) -> Document:
    return document([allow("Builds", [START, STOP, READ], _project_arns(access))])


def _overrides(access: EnvironmentAccess, pipeline: PipelineNames) -> Document:
    """One statement per key: several keys in one condition must all be there before it denies.

    They deny for every project, not only for the four: it says more with less, and a role has 10,240 characters.
    """
    allowed = {f"codebuild:{name}" for name in access.allowed_overrides}
    denials = [denial(key) for key in OVERRIDE_KEYS if key not in allowed]
    bucket = pipeline.artifact_bucket(access.names.region)
    locations = [f"{bucket}/*", f"{access.names.bucket_arn(bucket)}/*", access.names.bucket_arn(bucket), bucket]
    for key in (key for key in _LOCATIONS if key not in allowed):
        denials.append(deny(_sid(key), START, "*", {"Null": {key: "false"}, "StringNotLike": {key: locations}}))
    if _KEY not in allowed:
        ours = [pipeline.arn("kms", what, region=access.names.region) for what in ("key/*", "alias/*")]
        denials.append(deny(_sid(_KEY), START, "*", {"Null": {_KEY: "false"}, "StringNotLike": {_KEY: ours}}))
    if _VARIABLES not in allowed:
        denials.append(variables_denial())
    return document(denials)


def denial(key: str) -> Statement:
    """Denies StartBuild with that override."""
    return deny(_sid(key), START, "*", {"Null": {key: "false"}})  # "false": the request has the key


def variables_denial() -> Statement:
    """Denies StartBuild with other variables than `BUILD_VARIABLES`."""
    return deny("Variables", START, "*", {"ForAnyValue:StringNotEquals": {_VARIABLES: BUILD_VARIABLES}})


def _sid(key: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in key.removeprefix("codebuild:").split("."))
