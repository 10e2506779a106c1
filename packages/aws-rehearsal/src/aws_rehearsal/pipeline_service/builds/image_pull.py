"""Whether a build's image can be pulled: nothing is, builds run on this machine, but the rights are asked for.

"Amazon ECR sample for CodeBuild": with credentials of the SERVICE_ROLE its role needs the rights on the repository,
with those of CODEBUILD the repository's policy has to let CodeBuild in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.gate import Caller, Gate

_ECR = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.[a-z.]+/([^:@]+)")
_ON_REPOSITORY = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")


def check_pull(gate: Gate, role: Credentials, environment: Mapping[str, Any]) -> None:
    """Raise `ActionError` as CodeBuild fails PROVISIONING. Other registries than ECR's are taken to be public. Policies
    of repositories are not read: whoever relies on one is refused, and a role of another account is not."""
    image = str(environment.get("image", ""))
    found = _ECR.match(image)
    if not found:
        return
    if environment.get("imagePullCredentialsType", "CODEBUILD") == "CODEBUILD":
        raise _unable(image, "the repository's policy does not let codebuild.amazonaws.com in")
    account, registry_region, repository = found.groups()
    arn = f"arn:aws:ecr:{registry_region}:{account}:repository/{repository}"
    caller = Caller(role.access_key_id, "", role.account, registry_region)
    for action, resource in (("ecr:GetAuthorizationToken", "*"), *((action, arn) for action in _ON_REPOSITORY)):
        denied = gate.denied(caller, action, resource, {"aws:RequestedRegion": registry_region})
        if denied:
            raise _unable(image, denied.message)


def _unable(image: str, why: str) -> ActionError:
    return ActionError(
        "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE", f"Unable to pull customer's container image {image}: {why}"
    )
