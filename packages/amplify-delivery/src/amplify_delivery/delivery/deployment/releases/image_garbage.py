"""Container images that nothing needs any more: listed, and deleted only if asked.

Needed is what the running stack names, what the engine's state names, what the releases name that are kept to go back
to, and what is young. Only images that publishing has put there are looked at: under one tag, made from their digest.
`gc` holds the environment, so nobody deploys meanwhile; whoever publishes meanwhile puts a release's manifest there and
looks for its images once more then, and what such a manifest names is put back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amplify_delivery.delivery.deployment.releases.collecting import GRACE, Garbage, image_digests, named_meanwhile
from amplify_delivery.delivery.deployment.releases.running_images import State
from amplify_delivery.delivery.deployment.releases.staged import Staging
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.export.images.layout import MANIFESTS
from amplify_delivery.export.images.model import PREFIX, digests_in
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, may_be_done, suppressing, suppressing_all

_BATCH = 100
"""Images of one BatchDeleteImage or BatchGetImage (Amazon ECR API reference)."""
_TAG = re.compile(r"[a-z][a-z0-9-]{0,39}-([0-9a-f]{64})")
"""`AssemblyImage.tag`."""
_THERE = ("ImageAlreadyExistsException", "ImageTagAlreadyExistsException")
"""Codes of PutImage. A tag is made from its image's digest: one that is there is the image."""
_LACKING = dict.fromkeys(
    ACCESS_DENIED,
    "collecting images needs ecr:DescribeImages on the repository, and with `--delete` ecr:BatchGetImage, "
    "BatchDeleteImage and PutImage",
)


@dataclass(frozen=True)
class StoredImage:
    """An image that publishing has put into a repository; `size` is in bytes, compressed as it lies there."""

    tag: str
    digest: str
    size: int
    pushed: datetime

    def to_json(self) -> dict[str, Any]:
        return {"tag": self.tag, "digest": self.digest, "bytes": self.size}


@dataclass(frozen=True)
class ImageGarbage:
    """Of the images in a repository those that nothing needs, and how many are needed, or not ours."""

    images: tuple[StoredImage, ...] = ()
    others: int = 0

    @property
    def size(self) -> int:
        """Bytes; layers that images share are counted with each."""
        return sum(image.size for image in self.images)


def unneeded(there: Sequence[StoredImage], needed: Collection[str], now: datetime) -> tuple[StoredImage, ...]:
    """Those whose digests are not needed, and that are not young, by tag."""
    found = [image for image in there if image.digest not in needed and image.pushed < now - GRACE]
    return tuple(sorted(found, key=lambda image: image.tag))


def ours(details: Mapping[str, Any]) -> StoredImage | None:
    """The image of an answer of DescribeImages; None for one that publishing has not put there, or that somebody has
    given another tag."""
    tags: Sequence[str] = details.get("imageTags") or ()
    digest = str(details["imageDigest"])
    tag = str(tags[0]) if len(tags) == 1 else ""
    match = _TAG.fullmatch(tag)
    if match is None or PREFIX + match[1] != digest:
        return None
    return StoredImage(tag, digest, int(details.get("imageSizeInBytes") or 0), details["imagePushedAt"])


def look(target: Wanted, found: Garbage, state: State, now: datetime) -> ImageGarbage:
    """What is garbage of the images, as `found` is of the objects. Raises `RefusedError`, `StateError`. Amazon ECR is
    only asked where a release has images, the state only where some are not needed otherwise."""
    if not (target.assembly.images or found.digests):
        return ImageGarbage()
    there, number = [], 0
    for details in _described(target):
        number += 1
        if image := ours(details):
            there.append(image)
    images = unneeded(there, found.needed_digests, now)
    if images:
        named = digests_in(json.dumps(state()))
        images = tuple(image for image in images if image.digest not in named)
    return ImageGarbage(images, number - len(images))


def _described(target: Wanted) -> Iterator[Mapping[str, Any]]:
    """Every image with a tag; none where there is no repository."""
    own = {"registryId": target.config.account, "repositoryName": target.names.repository}
    what = f"listing the images of {target.names.repository}"
    with target.account.asking(what, _LACKING), suppressing("RepositoryNotFoundException"):
        pages = target.account.client("ecr").get_paginator("describe_images")
        for page in pages.paginate(**own, filter={"tagStatus": "TAGGED"}):
            yield from page["imageDetails"]


def collect(target: Wanted, found: Garbage, garbage: ImageGarbage) -> int:
    """Delete what is garbage; how many images. What a release names that has come meanwhile stays or comes back. Raises
    `FailedError`."""
    staging = Staging(target)
    named = _named_meanwhile(staging, found)
    images = [image for image in garbage.images if image.digest not in named]
    repository = _Repository(target)
    gone = repository.gone
    with target.account.changing(f"deleting in {target.names.repository}", _LACKING, lambda: bool(gone)):
        try:
            for first in range(0, len(images), _BATCH):
                repository.delete(images[first : first + _BATCH])
        finally:
            # Whatever has ended it: somebody counts on that.
            named = _named_meanwhile(staging, found) if gone else frozenset()
            back = [image for image in gone if image.digest in named]
            repository.put_back(back)
    return len(gone) - len(back)


def _named_meanwhile(staging: Staging, found: Garbage) -> frozenset[str]:
    """The digests of images in manifests that came or were announced since it was looked."""
    return image_digests(staging, named_meanwhile(staging, found))


class _Repository:
    """What of a repository is changed. Its methods raise botocore's errors, and `FailedError`."""

    def __init__(self, target: Wanted) -> None:
        self._name, self._ecr = target.names.repository, target.account.client("ecr")
        self._own = {"registryId": target.config.account, "repositoryName": self._name}
        self._environment = target.config.environment
        self._manifests: dict[str, Mapping[str, Any]] = {}
        self.gone: list[StoredImage] = []
        """What it has deleted, or may have: of an answer that was lost AWS's next one says "not found"."""

    def delete(self, images: Sequence[StoredImage]) -> None:
        """Delete them by their tags, so that one stays to which somebody gives another one now."""
        ids = [{"imageTag": image.tag} for image in images]
        answer = self._ecr.batch_get_image(**self._own, imageIds=ids, acceptedMediaTypes=list(MANIFESTS))
        kept = {i["imageId"]["imageTag"]: i for i in answer.get("images", ())}
        self._manifests |= kept
        there = [image for image in images if image.tag in kept]
        self.gone += there
        with suppressing_all() as refusal:
            answer = self._ecr.batch_delete_image(**self._own, imageIds=ids)
        if refusal.error:
            if not may_be_done(refusal.error):
                del self.gone[len(self.gone) - len(there) :]
            raise refusal.error
        refused = [f for f in answer.get("failures", ()) if f.get("failureCode") != "ImageNotFound"]
        left = {f["imageId"].get("imageTag") for f in refused}
        self.gone[len(self.gone) - len(there) :] = (image for image in there if image.tag not in left)
        if refused:
            kind = FailedError if self.gone else RefusedError
            raise kind(
                f"{refused[0]['imageId'].get('imageTag')} could not be deleted: "
                f"{refused[0].get('failureReason') or refused[0].get('failureCode')}",
                where=f"ECR repository {self._name}",
                remedy="what went before is gone; fix that, and repeat the command",
            )

    def put_back(self, images: Sequence[StoredImage]) -> None:
        """Put their manifests there again: the layers stay for a while. All are tried."""
        lost = [(image, reason) for image in images if (reason := self._put(image))]
        if lost:
            raise FailedError(
                "\n".join(
                    f"{image.tag} was deleted while a release that needs it was published: {reason}"
                    for image, reason in lost
                ),
                where=f"ECR repository {self._name}",
                remedy="publish that release again (in a pipeline retry PublishAssets, else `amplify-delivery publish "
                f"{self._environment}`); what runs does not need it",
            )

    def _put(self, image: StoredImage) -> str:
        """Put one there; why that was refused, empty if it is there."""
        kept = self._manifests[image.tag]
        # Whoever publishes may have pushed it again.
        with suppressing_all() as refusal, suppressing(*_THERE):
            self._ecr.put_image(
                **self._own,
                imageManifest=kept["imageManifest"],
                imageManifestMediaType=kept["imageManifestMediaType"],
                imageTag=image.tag,
                imageDigest=image.digest,
            )
        return refusal.said
