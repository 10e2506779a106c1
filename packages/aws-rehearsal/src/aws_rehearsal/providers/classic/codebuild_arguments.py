"""What `aws:codebuild/project:Project` accepts, and how its blocks and those of CodeBuild's API become each other.

The schema of internal/service/codebuild/project.go of terraform-provider-aws. The API names its fields as Pulumi does,
with one exception, so one walk over the schema plays upstream's expand and flatten functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_rehearsal.providers.resource import REGION, TAGS
from aws_rehearsal.providers.schema import Prop, out
from aws_rehearsal.providers.wire import Properties

_ENABLED = ("ENABLED", "DISABLED")
_COMPUTE = (
    "BUILD_GENERAL1_SMALL",
    "BUILD_GENERAL1_MEDIUM",
    "BUILD_GENERAL1_LARGE",
    "BUILD_GENERAL1_XLARGE",
    "BUILD_GENERAL1_2XLARGE",
    "BUILD_LAMBDA_1GB",
    "BUILD_LAMBDA_2GB",
    "BUILD_LAMBDA_4GB",
    "BUILD_LAMBDA_8GB",
    "BUILD_LAMBDA_10GB",
    "ATTRIBUTE_BASED_COMPUTE",
    "CUSTOM_INSTANCE_TYPE",
)
LAMBDA_ENVIRONMENTS = ("ARM_LAMBDA_CONTAINER", "LINUX_LAMBDA_CONTAINER")
_ENVIRONMENTS = (
    "WINDOWS_CONTAINER",
    "LINUX_CONTAINER",
    "LINUX_GPU_CONTAINER",
    "ARM_CONTAINER",
    "WINDOWS_SERVER_2019_CONTAINER",
    "WINDOWS_SERVER_2022_CONTAINER",
    *LAMBDA_ENVIRONMENTS,
    "LINUX_EC2",
    "ARM_EC2",
    "WINDOWS_EC2",
    "MAC_ARM",
)
_OWNER_ACCESS = Prop(choices=("NONE", "READ_ONLY", "FULL"))
_ARTIFACTS = {
    "artifactIdentifier": Prop(),
    "bucketOwnerAccess": _OWNER_ACCESS,
    "encryptionDisabled": Prop("bool", default=False),
    "location": Prop(),
    "name": Prop(),
    "namespaceType": Prop(choices=("NONE", "BUILD_ID")),
    "overrideArtifactName": Prop("bool", default=False),
    "packaging": Prop(choices=("NONE", "ZIP")),
    "path": Prop(),
    "type": Prop(required=True, choices=("CODEPIPELINE", "S3", "NO_ARTIFACTS")),
}
_SECONDARY_ARTIFACTS = {
    **_ARTIFACTS,
    "artifactIdentifier": Prop(required=True),
    "namespaceType": Prop(default="NONE", choices=("NONE", "BUILD_ID")),
    "packaging": Prop(default="NONE", choices=("NONE", "ZIP")),
}
_SOURCE = {
    "auth": Prop("object", fields={"resource": Prop(required=True), "type": Prop(required=True)}),
    "buildStatusConfig": Prop("object", fields={"context": Prop(), "targetUrl": Prop()}),
    "buildspec": Prop(),
    "gitCloneDepth": Prop("int"),
    "gitSubmodulesConfig": Prop("object", fields={"fetchSubmodules": Prop("bool", required=True)}),
    "insecureSsl": Prop("bool"),
    "location": Prop(),
    "reportBuildStatus": Prop("bool"),
    "type": Prop(
        required=True,
        choices=(
            "CODECOMMIT",
            "CODEPIPELINE",
            "GITHUB",
            "GITLAB",
            "GITLAB_SELF_MANAGED",
            "S3",
            "BITBUCKET",
            "GITHUB_ENTERPRISE",
            "NO_SOURCE",
        ),
    ),
}
_ENVIRONMENT = {
    "certificate": Prop(),
    "computeType": Prop(required=True, choices=_COMPUTE),
    "dockerServer": Prop(
        "object", fields={"computeType": Prop(required=True, choices=_COMPUTE), "securityGroupIds": Prop("list")}
    ),
    "environmentVariables": Prop(
        "list",
        fields={
            "name": Prop(required=True),
            "type": Prop(default="PLAINTEXT", choices=("PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER")),
            "value": Prop(required=True),
        },
    ),
    "fleet": Prop("object", fields={"fleetArn": Prop()}),
    "hostKernel": Prop(computed=True, choices=("LINUX_KERNEL_4", "LINUX_KERNEL_6", "LINUX_KERNEL_LATEST")),
    "image": Prop(required=True),
    "imagePullCredentialsType": Prop(default="CODEBUILD", choices=("CODEBUILD", "SERVICE_ROLE")),
    "privilegedMode": Prop("bool", default=False),
    "registryCredential": Prop(
        "object", fields={"credential": Prop(required=True), "credentialProvider": Prop(required=True)}
    ),
    "type": Prop(required=True, choices=_ENVIRONMENTS),
}
_LOGS = {
    "cloudwatchLogs": Prop(
        "object",
        fields={"groupName": Prop(), "status": Prop(default="ENABLED", choices=_ENABLED), "streamName": Prop()},
    ),
    "s3Logs": Prop(
        "object",
        fields={
            "bucketOwnerAccess": _OWNER_ACCESS,
            "encryptionDisabled": Prop("bool", default=False),
            "location": Prop(),
            "status": Prop(default="DISABLED", choices=_ENABLED),
        },
    ),
}
_CACHE = {
    "cacheNamespace": Prop(),
    "location": Prop(),
    "modes": Prop("list"),
    "type": Prop(default="NO_CACHE", choices=("NO_CACHE", "S3", "LOCAL")),
}
_BATCH = {
    "combineArtifacts": Prop("bool"),
    "restrictions": Prop("object", fields={"computeTypesAlloweds": Prop("list"), "maximumBuildsAllowed": Prop("int")}),
    "serviceRole": Prop(required=True),
    "timeoutInMins": Prop("int"),
}
_FILE_SYSTEM = {
    "identifier": Prop(),
    "location": Prop(),
    "mountOptions": Prop(),
    "mountPoint": Prop(),
    "type": Prop(default="EFS", choices=("EFS",)),
}
_VPC = {
    "securityGroupIds": Prop("set", required=True),
    "subnets": Prop("set", required=True),
    "vpcId": Prop(required=True),
}

PROPS: Mapping[str, Prop] = {
    "arn": out(),
    "artifacts": Prop("object", required=True, fields=_ARTIFACTS),
    "autoRetryLimit": Prop("int", computed=True),
    "badgeEnabled": Prop("bool", default=False),
    "badgeUrl": out(),
    "buildBatchConfig": Prop("object", fields=_BATCH),
    "buildTimeout": Prop("int", default=60),
    "cache": Prop("object", fields=_CACHE),
    "concurrentBuildLimit": Prop("int"),
    "description": Prop(computed=True),
    "encryptionKey": Prop(computed=True),
    "environment": Prop("object", required=True, fields=_ENVIRONMENT),
    "fileSystemLocations": Prop("set", fields=_FILE_SYSTEM),
    "logsConfig": Prop("object", fields=_LOGS),
    "name": Prop(replaces=True),
    "projectVisibility": Prop(default="PRIVATE", choices=("PUBLIC_READ", "PRIVATE")),
    "publicProjectAlias": out(),
    "queuedTimeout": Prop("int", default=480),
    "region": REGION,
    "resourceAccessRole": Prop(),
    "secondaryArtifacts": Prop("set", fields=_SECONDARY_ARTIFACTS),
    "secondarySourceVersions": Prop(
        "set", fields={"sourceIdentifier": Prop(required=True), "sourceVersion": Prop(required=True)}
    ),
    "secondarySources": Prop("set", fields={**_SOURCE, "sourceIdentifier": Prop(required=True)}),
    "serviceRole": Prop(required=True),
    "source": Prop("object", required=True, fields=_SOURCE),
    "sourceVersion": Prop(),
    "tags": TAGS,
    "tagsAll": out("map"),
    "vpcConfig": Prop("object", fields=_VPC),
}

_API_NAMES = {"computeTypesAlloweds": "computeTypesAllowed"}
"""Pulumi makes a plural of a list's name, whatever it is."""
_GIT = ("BITBUCKET", "GITHUB", "GITHUB_ENTERPRISE")
_GITLAB = ("GITLAB", "GITLAB_SELF_MANAGED")


def sent(key: str, value: Any) -> Any:
    """A property as the API takes it: without what is empty, and without what its kind of source refuses."""
    prop = PROPS[key]
    if not prop.fields:
        return value
    if key == "logsConfig":
        return _logs_sent(value or {})
    single = {
        "artifacts": _artifacts_sent,
        "secondaryArtifacts": _artifacts_sent,
        "source": _source_sent,
        "secondarySources": _source_sent,
    }.get(key, _without_empty)
    return single(value) if prop.kind == "object" else [single(item) for item in value]


def _without_empty(block: Properties) -> Properties:
    shaped = {key: _without_empty(value) if isinstance(value, dict) else value for key, value in block.items()}
    return {_API_NAMES.get(key, key): value for key, value in shaped.items() if value not in (None, "", [], {})}


def _artifacts_sent(block: Properties) -> Properties:
    shaped = _without_empty(block)
    if shaped["type"] == "NO_ARTIFACTS":
        shaped.pop("encryptionDisabled", None)  # "artifact type NO_ARTIFACTS should have null encryptionDisabled"
    return shaped


def _source_sent(block: Properties) -> Properties:
    shaped = _without_empty(block)
    kind = shaped["type"]
    if kind not in (*_GIT, *_GITLAB):
        shaped.pop("reportBuildStatus", None)
        shaped.pop("buildStatusConfig", None)
    if kind not in (*_GIT, "CODECOMMIT"):
        shaped.pop("gitSubmodulesConfig", None)
    return {"buildspec": "", "gitCloneDepth": 0, "insecureSsl": False, **shaped}


def _logs_sent(block: Properties) -> Properties:
    """Both kinds of logs, always: the one that is not given is said to be off, or on as by default."""
    return {
        "cloudWatchLogs": _without_empty(block.get("cloudwatchLogs") or {"status": "ENABLED"}),
        "s3Logs": _without_empty(block.get("s3Logs") or {"status": "DISABLED"}),
    }


def received(key: str, value: Any) -> Any:
    """A property as the state has it, from what the API says; None if it says nothing."""
    prop = PROPS[key]
    if not value:
        return None
    if key == "logsConfig":
        off = {"status": "DISABLED"}
        value = {"cloudwatchLogs": value.get("cloudWatchLogs") or off, "s3Logs": value.get("s3Logs") or off}
    return _shaped(value, prop)


def _shaped(value: Any, prop: Prop) -> Any:
    if not prop.fields:
        return bool(value) if prop.kind == "bool" else value
    if prop.kind != "object":
        return [_block(item, prop.fields) for item in value]
    return _block(value, prop.fields) if value else None


def _block(found: Properties, fields: Mapping[str, Prop]) -> Properties:
    shaped = {
        key: _shaped(found.get(_API_NAMES.get(key, key)), prop)
        for key, prop in fields.items()
        if found.get(_API_NAMES.get(key, key)) is not None or prop.kind == "bool"
    }
    return {key: value for key, value in shaped.items() if value is not None}
