"""What Amazon ECR's scan says of the container images that a deployment brings, where the stack file wants to know.

Basic scanning and Amazon Inspector's (a registry's own choice) answer in one form ("DescribeImageScanFindings" in the
Amazon ECR API reference). Images that run already are not asked about: what became known of them since is no reason to
keep another change back, nor is anything gained by it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import RefusedError
from amplify_delivery.export.images.model import AssemblyImage
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing
from amplify_delivery.stacks.config.images import SEVERITIES, ImageFindings

PATIENCE = 300.0
"""Seconds that scans of images which were just pushed may take, together."""
_PAUSE = 5.0
_RUNNING = frozenset({"IN_PROGRESS", "PENDING"})
_ENDED = frozenset({"COMPLETE", "ACTIVE"})
"""Of basic scanning, and of Inspector's, which goes on for ever."""
_NO_SCAN, _NO_IMAGE = "ScanNotFoundException", "ImageNotFoundException"
_SHOWN = 5
_LACKING = dict.fromkeys(
    ACCESS_DENIED,
    "in an account that was bootstrapped, `amplify-delivery bootstrap ENV` gives its projects the right; others need "
    "ecr:DescribeImageScanFindings on the repository, and with enhanced scanning inspector2:ListCoverage and "
    "inspector2:ListFindings",
)


@dataclass(frozen=True)
class Known:
    """What is known of an image: how its scan stands (`status` of Amazon ECR, or the code of its refusal), and its
    findings as (severity, id)."""

    status: str
    findings: tuple[tuple[str, str], ...] = ()


def check(target: Wanted, running: Collection[str], *, pause: Callable[[float], None] = time.sleep) -> tuple[str, ...]:
    """What to know of the images that do not run yet (`running` are digests of those that do). Raises `RefusedError`
    for findings that the stack file does not take, and where there is no telling."""
    wanted = target.config.image_findings
    new = [image for image in target.assembly.images if image.built and image.digest not in running]
    if wanted.refuse is None or not new:
        return ()
    notes, left = list[str](), PATIENCE
    for image in new:
        known = _known(target, image)
        while known.status in _RUNNING and left > 0:
            output.progress(f"waiting for the scan of image {image.name}")
            pause(_PAUSE)
            left -= _PAUSE
            known = _known(target, image)
        notes += _judged(image, known, wanted, target)
    return tuple(notes)


def _judged(image: AssemblyImage, known: Known, wanted: ImageFindings, target: Wanted) -> Iterator[str]:
    if known.status == _NO_IMAGE:
        yield f"image {image.name} is not published yet: what its scan finds is not known"
        return
    accepted = {a.id: a.reason for a in wanted.accepted}
    if known.status not in _ENDED:
        if known.status in accepted:
            yield f"the scan of image {image.name} is {known.status}: {accepted[known.status]}"
            return
        raise _not_told(image, known, target)
    grave = [f for f in known.findings if wanted.refuses(f[0])]
    yield from sorted({f"{name} in image {image.name}: {accepted[name]}" for _, name in grave if name in accepted})
    open_ = [f for f in grave if f[1] not in accepted]
    if open_:
        raise _refused(image, open_, target)


def _refused(image: AssemblyImage, found: Collection[tuple[str, str]], target: Wanted) -> RefusedError:
    ordered = sorted(found, key=lambda f: (SEVERITIES.index(f[0].lower()), f[1]))
    shown = ", ".join(f"{name} ({severity})" for severity, name in ordered[:_SHOWN])
    more = f" and {len(ordered) - _SHOWN} more" if ordered[_SHOWN:] else ""
    return RefusedError(
        f"the scan of image {image.name} has {output.counted(len(ordered), 'finding')}: {shown}{more}",
        where=target.config.environment,
        remedy="nothing was changed. Build it on a base that has them fixed; or accept one, with a reason, in "
        "`imageFindings.accepted` (docs/containers.md). All of them: `aws ecr describe-image-scan-findings "
        f"{_image(image, target)}`",
    )


def _not_told(image: AssemblyImage, known: Known, target: Wanted) -> RefusedError:
    if known.status in _RUNNING:
        return RefusedError(
            f"the scan of image {image.name} has not ended in {PATIENCE:.0f} s",
            where=target.config.environment,
            remedy="nothing was changed; repeat it in a few minutes (in a pipeline retry the action)",
        )
    if known.status == _NO_SCAN:
        return RefusedError(
            f"image {image.name} was never scanned",
            where=target.config.environment,
            # "Manual scans using enhanced scanning aren't supported"
            # (https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced.html).
            remedy=f"nothing was changed; `aws ecr start-image-scan {_image(image, target)}`, and repeat it. Where the "
            "registry is set to enhanced scanning, none is started by hand: have one of its filters name the "
            "repository, and repeat it in a few minutes",
        )
    return RefusedError(
        f"what is in image {image.name} is not known: its scan is {known.status}",
        where=target.config.environment,
        remedy=f"nothing was changed; `aws ecr describe-image-scan-findings {_image(image, target)}` says more. An "
        "image that Amazon ECR cannot scan is accepted, with a reason, by that word in `imageFindings.accepted`",
    )


def _image(image: AssemblyImage, target: Wanted) -> str:
    return f"{target.account.options} --repository-name {target.names.repository} --image-id imageDigest={image.digest}"


def _known(target: Wanted, image: AssemblyImage) -> Known:
    own = {"registryId": target.config.account, "repositoryName": target.names.repository}
    asking = target.account.asking(f"reading what the scan of image {image.name} found", _LACKING)
    with asking, suppressing(_NO_SCAN, _NO_IMAGE) as refusal:
        pages = target.account.client("ecr").get_paginator("describe_image_scan_findings")
        status, found = "", list[tuple[str, str]]()
        for page in pages.paginate(**own, imageId={"imageDigest": image.digest}):
            status = str(page["imageScanStatus"]["status"])
            found += _findings(page.get("imageScanFindings") or {})
        return Known(status, tuple(found))
    return Known(refusal.code)


def _findings(page: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for found in page.get("findings") or ():
        yield str(found.get("severity", "UNDEFINED")), str(found.get("name", ""))
    for found in page.get("enhancedFindings") or ():
        named = (found.get("packageVulnerabilityDetails") or {}).get("vulnerabilityId") or found.get("title", "")
        # Inspector closes findings of packages that are gone.
        if found.get("status", "ACTIVE") == "ACTIVE":
            yield str(found.get("severity", "UNDEFINED")), str(named)
