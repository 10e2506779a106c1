"""What a StartBuild call overrides in its project, and the condition keys by which a policy sees it. Pure.

"AWS CodeBuild condition keys" of the CodeBuild User Guide: the keys are named by the project's fields
(`codebuild:source.buildspec` for `buildspecOverride`), and exist in the request only if the field is given:
`{"Null": {"codebuild:source.buildspec": "false"}}` in a Deny forbids the override.
"""

from __future__ import annotations

import copy
from typing import Any

FIELDS: dict[str, tuple[str, ...]] = {
    "sourceTypeOverride": ("source", "type"),
    "sourceLocationOverride": ("source", "location"),
    "sourceAuthOverride": ("source", "auth"),
    "gitCloneDepthOverride": ("source", "gitCloneDepth"),
    "gitSubmodulesConfigOverride": ("source", "gitSubmodulesConfig"),
    "buildspecOverride": ("source", "buildspec"),
    "insecureSslOverride": ("source", "insecureSsl"),
    "reportBuildStatusOverride": ("source", "reportBuildStatus"),
    "buildStatusConfigOverride": ("source", "buildStatusConfig"),
    "secondarySourcesOverride": ("secondarySources",),
    "secondarySourcesVersionOverride": ("secondarySourceVersions",),
    "artifactsOverride": ("artifacts",),
    "secondaryArtifactsOverride": ("secondaryArtifacts",),
    "environmentTypeOverride": ("environment", "type"),
    "imageOverride": ("environment", "image"),
    "computeTypeOverride": ("environment", "computeType"),
    "certificateOverride": ("environment", "certificate"),
    "privilegedModeOverride": ("environment", "privilegedMode"),
    "registryCredentialOverride": ("environment", "registryCredential"),
    "imagePullCredentialsTypeOverride": ("environment", "imagePullCredentialsType"),
    "fleetOverride": ("environment", "fleet"),
    "hostKernelOverride": ("environment", "hostKernel"),
    "cacheOverride": ("cache",),
    "serviceRoleOverride": ("serviceRole",),
    "timeoutInMinutesOverride": ("timeoutInMinutes",),
    "queuedTimeoutInMinutesOverride": ("queuedTimeoutInMinutes",),
    "encryptionKeyOverride": ("encryptionKey",),
    "logsConfigOverride": ("logsConfig",),
    "autoRetryLimitOverride": ("autoRetryLimit",),
}
"""Parameter of StartBuild -> the project's field."""

_PROJECT_FIELDS = (
    "artifacts",
    "cache",
    "encryptionKey",
    "environment",
    "fileSystemLocations",
    "logsConfig",
    "secondaryArtifacts",
    "secondarySources",
    "serviceRole",
    "source",
    "timeoutInMinutes",
    "queuedTimeoutInMinutes",
    "vpcConfig",
    "concurrentBuildLimit",
)


def overridden(project: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The project as a build of this StartBuild call has it."""
    found = copy.deepcopy(project)
    for parameter, path in FIELDS.items():
        if parameter in params:
            target = found
            for name in path[:-1]:
                target = target.setdefault(name, {})
            target[path[-1]] = params[parameter]
    return found


def start_context(params: dict[str, Any]) -> dict[str, Any]:
    """The condition keys of a StartBuild call."""
    given = {".".join(path): params[parameter] for parameter, path in FIELDS.items() if parameter in params}
    if "environmentVariablesOverride" in params:
        given["environment.environmentVariables"] = params["environmentVariablesOverride"]
    return _keys(given)


def project_context(params: dict[str, Any]) -> dict[str, Any]:
    """The condition keys of a CreateProject or UpdateProject call."""
    return _keys({name: params[name] for name in _PROJECT_FIELDS if name in params})


def _keys(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        _add(found, f"codebuild:{name}", value)
    return found


def _add(found: dict[str, Any], key: str, value: Any) -> None:
    """A structure has a key of its own, to ask whether it is there, and one for each of its fields."""
    if isinstance(value, dict):
        found[key] = "true"
        for name, item in value.items():
            _add(found, f"{key}.{name}", item)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        found[key] = "true"
        for name in {name for item in value for name in item}:
            # One key with the values of all items ("...environmentVariables.name"), and where items have names one
            # per item ("...environmentVariables/NAME.value").
            found[f"{key}.{name}"] = [str(item[name]) for item in value if name in item]
        for item in value:
            found |= {f"{key}/{item['name']}.{name}": str(text) for name, text in item.items() if "name" in item}
    elif isinstance(value, list):
        found[key] = [str(item) for item in value]
    elif isinstance(value, bool):
        found[key] = str(value).lower()
    else:
        found[key] = str(value)
