"""The objects in S3 that properties name, which CloudFormation or the service reads with the rights of whoever acts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlparse

_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?")
_READERS: Mapping[str, tuple[str, ...]] = {
    "AWS::ApiGateway::RestApi": ("BodyS3Location",),
    "AWS::ApiGatewayV2::Api": ("BodyS3Location",),
    "AWS::Lambda::Function": ("Code",),
    "AWS::Lambda::LayerVersion": ("Content",),
    "AWS::StepFunctions::StateMachine": ("DefinitionS3Location",),
}


def objects(resource_type: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """ARNs of the objects that a create or an update of the resource reads."""
    found = list(_places(resource_type, properties))
    yield from (f"arn:aws:s3:::{bucket}/{key}" for bucket, key in dict.fromkeys(found) if bucket and key)


def _places(resource_type: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if resource_type == "AWS::CloudFormation::Stack":
        yield from filter(None, [template_place(str(properties.get("TemplateURL", "")))])
    if resource_type.startswith("AWS::AppSync::"):
        for name, value in properties.items():
            if name.endswith("S3Location") and str(value).startswith("s3://"):
                bucket, _, key = str(value).removeprefix("s3://").partition("/")
                yield bucket, key
    for name in _READERS.get(resource_type, ()):
        place = properties.get(name)
        if isinstance(place, Mapping):
            yield (
                str(place.get("S3Bucket") or place.get("Bucket") or ""),
                str(place.get("S3Key") or place.get("Key") or ""),
            )


def template_place(url: str) -> tuple[str, str] | None:
    """Bucket and key of an S3 URL, path-style or virtual-hosted; None for any other."""
    parts = urlparse(url)
    host = _HOST.fullmatch(parts.netloc)
    if parts.scheme != "https" or host is None:
        return None
    path = unquote(parts.path).removeprefix("/")
    bucket, key = (host["bucket"], path) if host["bucket"] else path.partition("/")[::2]
    return (bucket, key) if bucket and key else None
