"""What a scan has found in an image of Amazon ECR, for whoever may ask both services that it comes from.

MiniStack answers no DescribeImageScanFindings, and knows no setting of a registry. There are no packages here to look
for, so nothing is ever found.
AWS: a repository that scans what is pushed answers with a scan that has ended, another one with ScanNotFoundException
(Amazon ECR API reference). Where the registry is set to enhanced scanning, Amazon Inspector's findings are asked for
with the rights of the caller: "is not authorized to perform: inspector2:ListFindings on resource:
arn:aws:inspector2:REGION:ACCOUNT:/findings/list" (https://github.com/alexjurkiewicz/ecr-scan-image/issues/19); the
actions are those of https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced-iam.html.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import ecr

from ._expect import expect, json_body, replace

_ENHANCED, _BASIC = "ENHANCED", "BASIC"
_ASKED = {"inspector2:ListFindings": "/findings/list", "inspector2:ListCoverage": "/coverage/list"}
"""Actions, and what they are asked on."""
_configurations: dict[tuple[str, str], dict[str, Any]] = {}
"""By account and region."""


def apply() -> None:
    """Answer what MiniStack does not."""
    handle = expect(ecr, "handle_request", "method", "path", "headers", "body", "query_params")

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action == "DescribeImageScanFindings":
            return _scanned(json_body(body), extract_access_key_id(headers, query_params) or "")
        if action == "PutRegistryScanningConfiguration":
            return _configured(json_body(body))
        if action == "GetRegistryScanningConfiguration":
            return _answer({"registryId": get_account_id(), "scanningConfiguration": _configuration()})
        return await handle(method, path, headers, body, query_params)

    replace("handle_request", handle_request, ecr)


def _configuration() -> dict[str, Any]:
    return _configurations.get((get_account_id(), get_region()), {"scanType": _BASIC, "rules": []})


def _configured(data: dict[str, Any]) -> Any:
    found = {"scanType": data.get("scanType", _BASIC), "rules": data.get("rules", [])}
    _configurations[get_account_id(), get_region()] = found
    return _answer({"registryScanningConfiguration": found})


def _scanned(data: dict[str, Any], access_key: str) -> Any:
    name, identity = str(data.get("repositoryName", "")), data.get("imageId") or {}
    if name not in ecr._repositories:
        told = f"The repository with name '{name}' does not exist"
        return error_response_json("RepositoryNotFoundException", told, 400)
    image = ecr._find_image(name, identity)
    if image is None:
        return error_response_json("ImageNotFoundException", f"The image with {identity} does not exist", 400)
    enhanced = _configuration()["scanType"] == _ENHANCED
    if enhanced and (denied := _denied(access_key)):
        return error_response_json("AccessDeniedException", denied, 400)
    if not enhanced and not ecr._repositories[name].get("imageScanningConfiguration", {}).get("scanOnPush"):
        return error_response_json("ScanNotFoundException", f"Image scan does not exist for {identity}", 400)
    status = (
        ("ACTIVE", "Continuous scan is selected for image.") if enhanced else ("COMPLETE", "The scan was completed.")
    )
    return _answer(
        {
            "registryId": get_account_id(),
            "repositoryName": name,
            "imageId": {"imageDigest": image["imageDigest"]},
            "imageScanStatus": dict(zip(("status", "description"), status, strict=True)),
            "imageScanFindings": {"enhancedFindings" if enhanced else "findings": [], "findingSeverityCounts": {}},
        }
    )


def _denied(access_key: str) -> str:
    """What the caller may not ask Amazon Inspector; empty if nothing."""
    for action, what in _ASKED.items():
        arn = f"arn:aws:inspector2:{get_region()}:{get_account_id()}:{what}"
        if iam_evaluator.enforce(access_key, action, "inspector2", get_region(), resource_arn=arn) is not None:
            return f"not authorized to perform: {action} on resource: {arn}"
    return ""


def _answer(content: dict[str, Any]) -> Any:
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()


def probe(aws: Any) -> bool:
    """Of an image in a registry with enhanced scanning a role is told who may ask Amazon Inspector, too."""
    target = "AmazonEC2ContainerRegistry_V20150921"
    aws.json(aws.owner, "ecr", f"{target}.CreateRepository", repositoryName="probe/scanned")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"})
    aws.json(
        aws.owner,
        "ecr",
        f"{target}.PutImage",
        repositoryName="probe/scanned",
        imageManifest=manifest,
        imageTag="one",
    )

    def asks(name: str, *actions: str) -> bool:
        role = aws.role(aws.owner, name)
        aws.put_policy(aws.owner, name, {"Effect": "Allow", "Action": [*actions], "Resource": "*"})
        session = aws.assume(role, aws.owner)
        return bool(
            aws.succeeds(
                lambda: aws.json(
                    session,
                    "ecr",
                    f"{target}.DescribeImageScanFindings",
                    repositoryName="probe/scanned",
                    imageId={"imageTag": "one"},
                )
            )
        )

    asked = "ecr:DescribeImageScanFindings"

    def configured(kind: str) -> None:
        aws.json(aws.owner, "ecr", f"{target}.PutRegistryScanningConfiguration", scanType=kind, rules=[])

    configured(_ENHANCED)
    try:
        return asks("scan-reader", asked, *_ASKED) and not asks("scan-half-reader", asked)
    finally:
        configured(_BASIC)
