"""Push an assembly's container images into an environment's ECR repository: those that are not there.

Each has a tag made from its digest. Tags are immutable there, so that a tag which is there is the image; and whatever
has a tag is not expired by the repository's lifecycle policy. Whether it is there, Amazon ECR's API says without a
login; the registry itself is only asked for what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from amplify_delivery.errors import PublishError, midway
from amplify_delivery.export.assembly import Assembly
from amplify_delivery.export.images.layout import MANIFESTS, read_manifest
from amplify_delivery.export.images.model import AssemblyImage
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing, told_as
from amplify_delivery.publishing.credentials import ca_bundle, client_config, target_session
from amplify_delivery.publishing.registry import Registry, TagTakenError
from amplify_delivery.publishing.target import PublishTarget

_REMEDIES = {
    **dict.fromkeys(
        ACCESS_DENIED,
        "in an account that was bootstrapped before there were images, `amplify-delivery bootstrap ENV` gives its "
        "projects the rights; others need ecr:BatchGetImage on the repository, and ecr:GetAuthorizationToken to push",
    ),
    "RepositoryNotFoundException": "in an account that a pipeline delivers to, `amplify-delivery bootstrap ENV` makes "
    "it; a personal stack makes it with `amplify-delivery up ENV`",
}
_BATCH = 100
"""Images of one BatchGetImage (Amazon ECR API reference)."""


@dataclass(frozen=True)
class PushReport:
    """What became of the images. `bytes` counts those of blobs that were sent."""

    pushed: int = 0
    present: int = 0
    bytes: int = 0

    def __add__(self, again: PushReport) -> PushReport:
        """What became of them when they were looked for once more."""
        return PushReport(self.pushed + again.pushed, self.present - again.pushed, self.bytes + again.bytes)


def push(assembly: Assembly, target: PublishTarget, progress: Callable[[str], None]) -> PushReport:
    """`push_images` with the credentials of the target's stack."""
    with told_as(PublishError, "connecting", str(target), _REMEDIES):
        session = target_session(target)
    return push_images(
        assembly, target, lambda: session.client("ecr", config=client_config()), progress, ca_bundle(session)
    )


def push_images(
    assembly: Assembly,
    target: PublishTarget,
    client: Callable[[], Any],
    progress: Callable[[str], None],
    verify: str | bool = True,
) -> PushReport:
    """Make every image of `assembly` be in the target's repository. `client` makes a client of ECR in the target's
    account, where there are images; `verify` is as botocore takes it.

    Raises `AssemblyError` for an image that is not built or was altered, before anything is sent; `PublishError` when
    the registry refuses something. An image is only there once all of it is.
    """
    if not assembly.images:
        return PushReport()
    if target.repository is None:
        raise PublishError(
            "the assembly has container images, and there is no repository for them",
            where=str(target),
            remedy="`amplify-delivery bootstrap ENV` makes the account's repository",
        )
    ecr = client()
    present = _present(assembly.images, target, ecr)
    missing = [image for image in assembly.images if image.name not in present]
    if not missing:
        return PushReport(present=len(present))
    manifests = [(image, read_manifest(assembly.layout_of(image), image)) for image in missing]
    registry = _registry(target, ecr, verify)
    with midway(lambda: registry.sent > 0):
        for image, manifest in manifests:
            progress(f"pushing image {image.name} ({image.size:,} bytes) to {target.repository}")
            try:
                registry.push(assembly.layout_of(image), manifest, image.tag)
            except TagTakenError as error:
                # Somebody else was faster. If it is another image, this raises.
                if not _present([image], target, ecr):
                    what = (
                        f"{error.message}. It is not an image that could be deployed, but perhaps an index of several"
                    )
                    raise PublishError(what, where=error.where, remedy=_delete(image.tag, target)) from None
    return PushReport(len(missing), len(present), registry.sent)


def absent(images: Sequence[AssemblyImage], target: PublishTarget, ecr: Any) -> list[str]:
    """The names of those of `images` that are not in the target's repository; all of them where there is none. Raises
    botocore's errors, and `PublishError` for a tag that means another image."""
    present: set[str] = set()
    with suppressing("RepositoryNotFoundException"):
        present = _found(images, target, ecr)
    return sorted(image.name for image in images if image.name not in present)


def _present(images: Sequence[AssemblyImage], target: PublishTarget, ecr: Any) -> set[str]:
    """The names of those images that are there. Raises `PublishError` for a tag that means another image."""
    with told_as(PublishError, "looking which images are there", f"ECR repository {target.repository}", _REMEDIES):
        return _found(images, target, ecr)


def _found(images: Sequence[AssemblyImage], target: PublishTarget, ecr: Any) -> set[str]:
    """The same, with botocore's errors as they are."""
    own = {"registryId": target.account, "repositoryName": target.repository}
    wanted: dict[str, AssemblyImage] = {image.tag: image for image in images if image.built}
    tags = sorted(wanted)
    found: dict[str, str] = {}
    for first in range(0, len(tags), _BATCH):
        ids = [{"imageTag": tag} for tag in tags[first : first + _BATCH]]
        # Without these ECR may answer with a manifest of another type, which has another digest.
        answer = ecr.batch_get_image(**own, imageIds=ids, acceptedMediaTypes=list(MANIFESTS))
        found |= {i["imageId"]["imageTag"]: i["imageId"]["imageDigest"] for i in answer.get("images", ())}
    for tag, digest in found.items():
        if digest != wanted[tag].digest:
            raise PublishError(
                f"{tag} is {digest}, another image: somebody else has put it there",
                where=f"ECR repository {target.repository} (account {target.account}, {target.region})",
                remedy=_delete(tag, target),
            )
    return {wanted[tag].name for tag in found}


def _delete(tag: str, target: PublishTarget) -> str:
    return (
        f"look who has put it there, then `aws ecr batch-delete-image {target.options} --repository-name "
        f"{target.repository} --image-ids imageTag={tag}`, and repeat"
    )


def _registry(target: PublishTarget, ecr: Any, verify: str | bool) -> Registry:
    """The registry of the target's account, with a login of twelve hours ("Private registry authentication")."""
    with told_as(PublishError, "logging in to the registry", f"ECR of account {target.account}", _REMEDIES):
        (given,) = ecr.get_authorization_token()["authorizationData"]
    authorization = f"Basic {given['authorizationToken']}"
    return Registry(str(given["proxyEndpoint"]).rstrip("/"), str(target.repository), authorization, verify)
