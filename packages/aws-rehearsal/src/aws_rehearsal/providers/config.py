"""A provider's configuration as the engine sends it: strings, with everything that is not a string as JSON inside.

Follows the `Provider` resource of the pulumi-aws and pulumi-aws-native SDKs (`pulumi.runtime.to_json` on each such
argument).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_rehearsal.providers.errors import ProviderError
from aws_rehearsal.providers.wire import UNKNOWN, Properties, plain

_STRINGS = (
    "accessKey",
    "customCaBundle",
    "ec2MetadataServiceEndpoint",
    "ec2MetadataServiceEndpointMode",
    "httpProxy",
    "httpsProxy",
    "noProxy",
    "profile",
    "region",
    "retryMode",
    "roleArn",
    "s3UsEast1RegionalEndpoint",
    "secretKey",
    "stsRegion",
    "tagPolicyCompliance",
    "sharedCredentialsFile",
    "token",
)
_JSON = (
    "allowedAccountIds",
    "assumeRole",
    "assumeRoles",
    "assumeRoleWithWebIdentity",
    "autoNaming",
    "defaultTags",
    "endpoints",
    "forbiddenAccountIds",
    "ignoreTags",
    "insecure",
    "maxRetries",
    "s3UsePathStyle",
    "sharedConfigFiles",
    "sharedCredentialsFiles",
    "skipCredentialsValidation",
    "skipGetEc2Platforms",
    "skipMetadataApiCheck",
    "skipRegionValidation",
    "skipRequestingAccountId",
    "tokenBucketRateLimiterCapacity",
    "useDualstackEndpoint",
    "useFipsEndpoint",
    "userAgents",
)
_PROTOCOL = ("version", "pluginDownloadURL")


@dataclass(frozen=True)
class ProviderConfig:
    """Typed access to what the stand-ins act on; everything else is accepted and has no meaning locally."""

    values: Mapping[str, Any]

    @classmethod
    def read(cls, properties: Properties) -> ProviderConfig:
        """Raises ProviderError for an unknown key or a value that is not the JSON it has to be."""
        values: dict[str, Any] = {}
        for key, value in plain(properties).items():
            if value is None or key in _PROTOCOL:
                continue
            if key in _STRINGS:
                values[key] = value
            elif key in _JSON:
                values[key] = _json(key, value)
            else:
                raise ProviderError(
                    f"could not validate provider configuration: Invalid or unknown key {key!r}", "INVALID_ARGUMENT"
                )
        return cls(values)

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        return str(value) if value else None

    def flag(self, key: str) -> bool:
        return self.values.get(key) in (True, "true")

    def names(self, key: str) -> list[str]:
        return [str(item) for item in self.values.get(key) or []]

    @property
    def default_tags(self) -> dict[str, str]:
        block = self.values.get("defaultTags") or {}
        return dict(block.get("tags", {} if "tags" in block else block) or {})

    @property
    def roles(self) -> list[dict[str, Any]]:
        """Roles to assume, in order. The key must be `roleArn`: a plain dictionary in a Python program arrives with
        `role_arn`, which the real provider does not know either."""
        roles = self.values.get("assumeRoles") or self.values.get("assumeRole") or []
        roles = [roles] if isinstance(roles, dict) else list(roles)
        if not roles and self.values.get("roleArn"):
            roles = [{"roleArn": self.values["roleArn"]}]
        for role in roles:
            unknown = sorted(set(role) - _ROLE_KEYS)
            if unknown:
                raise ProviderError(f"assumeRoles: Invalid or unknown key {unknown[0]!r}", "INVALID_ARGUMENT")
            if not role.get("roleArn"):
                raise ProviderError("assumeRoles: roleArn is required", "INVALID_ARGUMENT")
        return roles

    def endpoint(self, service: str) -> str | None:
        """The endpoint set for a service, under the SDK's key (`cloudformation`, `s3`, `sts` ...)."""
        blocks = self.values.get("endpoints") or []
        for block in [blocks] if isinstance(blocks, dict) else blocks:
            if block.get(service):
                return str(block[service])
        return None


_ROLE_KEYS = {
    "duration", "externalId", "policy", "policyArns", "roleArn", "sessionName", "sourceIdentity", "tags",
    "transitiveTagKeys",
}  # fmt: skip


def _json(key: str, value: Any) -> Any:
    if not isinstance(value, str) or value is UNKNOWN:
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ProviderError(
            f"could not unmarshal provider configuration {key!r}: {error}", "INVALID_ARGUMENT"
        ) from error
