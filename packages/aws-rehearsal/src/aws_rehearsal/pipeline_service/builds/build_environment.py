"""Environment variables of builds: where each value comes from, and which of them are secret.

"Environment variables in build environments" of the CodeBuild User Guide: those of the StartBuild call win over the
project's, the project's over the buildspec's. PARAMETER_STORE and SECRETS_MANAGER values are read with the project
role's credentials; they are masked in the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.builds.buildspec import Buildspec
from aws_rehearsal.pipeline_service.clients import Clients, failure_of
from aws_rehearsal.pipeline_service.errors import ActionError

Declared = dict[str, tuple[str, str]]
"""Name -> type (PLAINTEXT, PARAMETER_STORE, SECRETS_MANAGER) and value."""


def declared_variables(buildspec: Buildspec, *lists: Iterable[dict[str, Any]]) -> Declared:
    """All variables of a build; of `lists` (the project's, the call's) the later wins."""
    found: Declared = {name: ("PLAINTEXT", value) for name, value in buildspec.variables.items()}
    found |= {name: ("PARAMETER_STORE", value) for name, value in buildspec.parameters.items()}
    found |= {name: ("SECRETS_MANAGER", value) for name, value in buildspec.secrets.items()}
    for variables in lists:
        found |= {item["name"]: (item.get("type", "PLAINTEXT"), item["value"]) for item in variables}
    return found


def read_values(
    declared: Declared, clients: Clients, credentials: Credentials, region: str
) -> tuple[dict[str, str], set[str]]:
    """The values, and which of them are secret. Raises `ActionError` as CodeBuild fails DOWNLOAD_SOURCE."""
    values, secret = {}, set()
    for name, (kind, value) in declared.items():
        if kind == "PLAINTEXT":
            values[name] = value
            continue
        try:
            if kind == "PARAMETER_STORE":
                answer = clients.get("ssm", credentials, region).get_parameter(Name=value, WithDecryption=True)
                values[name] = answer["Parameter"]["Value"]
            else:
                values[name] = _secret(value, clients, credentials, region)
        except ClientError as error:
            failure = failure_of(error, f"Decrypted Variables Error: {name}")
            raise ActionError("Decrypted Variables Error", failure.message) from error
        secret.add(values[name])
    return values, {value for value in secret if value}


def _secret(reference: str, clients: Clients, credentials: Credentials, region: str) -> str:
    """A secret by `secret-id:json-key:version-stage:version-id`, of which all but the first may be missing."""
    if reference.startswith("arn:"):
        parts = reference.split(":")
        secret_id, rest = ":".join(parts[:7]), parts[7:]
        region = parts[3]
    else:
        secret_id, *rest = reference.split(":")
    key, stage, version = [*rest, "", "", ""][:3]
    asked = {"SecretId": secret_id} | ({"VersionStage": stage} if stage else {})
    answer = clients.get("secretsmanager", credentials, region).get_secret_value(
        **asked, **({"VersionId": version} if version else {})
    )
    text: str = answer["SecretString"]
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError) as error:
        raise ActionError("Decrypted Variables Error", f"the secret {secret_id} has no key {key}") from error
