"""The files by which the Amplify CLI sees an environment as its own. Pure.

Their forms are the CLI's (amplify-cli: `team-provider-info.json`, `amplify-meta.json`; `storeCurrentCloudBackend` and
`uploadStudioBackendFiles` of upload-current-cloud-backend.ts). `amplify pull` and `amplify env checkout` read the zip
from the deployment bucket, `amplify status` compares what is in it with the project's `amplify/backend`, and every
output that a front end is configured with stands in its `amplify-meta.json`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.export.model import AmplifyResource

ARCHIVE = "#current-cloud-backend.zip"
META = "amplify-meta.json"
BACKEND_CONFIG = "backend-config.json"
TEAM = "team-provider-info.json"
STUDIO = "studio-backend"
"""Folder of the deployment bucket with copies for Amplify Studio."""
STUDIO_FILES = frozenset({"cli.json", META, BACKEND_CONFIG, "schema.graphql", "transform.conf.json", "parameters.json"})
_PLUGIN = "awscloudformation"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every entry: equal backends give equal archives."""


@dataclass(frozen=True)
class Nested:
    """A nested stack of the root as it runs."""

    template_url: str
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Running:
    """A root stack as it runs. `nested` is by logical id."""

    name: str
    arn: str
    region: str
    environment: str
    outputs: Mapping[str, str]
    nested: Mapping[str, Nested]
    parameters: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    """Against termination."""


def provider(running: Running) -> dict[str, str]:
    """What both files say of the root stack."""
    outputs = running.outputs
    known = {
        "AuthRoleName": outputs.get("AuthRoleName", ""),
        "UnauthRoleArn": outputs.get("UnauthRoleArn", ""),
        "AuthRoleArn": outputs.get("AuthRoleArn", ""),
        "Region": running.region,
        "DeploymentBucketName": outputs.get("DeploymentBucketName", ""),
        "UnauthRoleName": outputs.get("UnauthRoleName", ""),
        "StackName": running.name,
        "StackId": running.arn,
    }
    return {key: value for key, value in known.items() if value}


def team_provider_info(running: Running, before: Mapping[str, Any]) -> dict[str, Any]:
    """`before` with the environment as it runs; what it knows of other environments, and of this one's categories
    (values of functions), stays."""
    environment = dict(before.get(running.environment) or {})
    environment[_PLUGIN] = {**(environment.get(_PLUGIN) or {}), **provider(running)}
    return {**before, running.environment: environment}


def meta(running: Running, resources: Iterable[AmplifyResource], before: Mapping[str, Any]) -> dict[str, Any]:
    """`before`, an amplify-meta.json, with what runs: the provider, and each resource's outputs and template."""
    found = {name: dict(of) if isinstance(of, Mapping) else of for name, of in before.items()}
    providers = dict(found.get("providers") or {})
    found["providers"] = {**providers, _PLUGIN: {**(providers.get(_PLUGIN) or {}), **provider(running)}}
    for resource in resources:
        nested = running.nested.get(resource.logical_id)
        category = found.setdefault(resource.category, {})
        entry = {"service": resource.service, "providerPlugin": _PLUGIN, **(category.get(resource.name) or {})}
        if nested is not None:
            entry["output"] = dict(sorted(nested.outputs.items()))
            entry["providerMetadata"] = {"s3TemplateURL": nested.template_url, "logicalId": resource.logical_id}
        category[resource.name] = entry
    return found


def archive(files: Mapping[str, bytes]) -> bytes:
    """`#current-cloud-backend.zip` of a backend's files by their paths below `amplify/backend`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in sorted(files.items()):
            file.writestr(zipfile.ZipInfo(name, _EPOCH), body, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def in_archive(data: bytes) -> dict[str, bytes]:
    """The files of such an archive. Raises `zipfile.BadZipFile`."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {info.filename: file.read(info) for info in file.infolist() if not info.is_dir()}


def document(value: Any) -> bytes:
    """A JSON file as the CLI writes it."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
