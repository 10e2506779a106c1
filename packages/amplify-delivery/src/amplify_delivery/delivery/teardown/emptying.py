"""Emptying what its service deletes only when it is empty: buckets with all versions, repositories."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.publishing.aws_errors import suppressing

_IMAGES = 100
"""What BatchDeleteImage takes at once. A page of S3's versions is as long as DeleteObjects takes."""
_NEVER = threading.Event()


@dataclass
class _Begun:
    """Whether anything is deleted already."""

    it_has: bool = False


_GONE = ("NoSuchBucket", "RepositoryNotFoundException")


def bucket(account: Account, name: str, stopped: threading.Event = _NEVER) -> None:
    """Delete every object in every version, every delete marker and every upload that broke off. A bucket that is not
    there is empty. Raises `FailedError`, also as soon as `stopped` is set; `RefusedError` where nothing is deleted."""
    s3, owner = account.client("s3"), {"Bucket": name, "ExpectedBucketOwner": account.account}
    begun = _Begun()
    with _refusals(account, f"emptying bucket {name}", begun):
        for page in s3.get_paginator("list_object_versions").paginate(**owner):
            _go_on(account, name, stopped)
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            objects = [{"Key": o["Key"], "VersionId": o["VersionId"]} for o in found]
            if objects:
                answer = s3.delete_objects(**owner, Delete={"Objects": objects, "Quiet": True})
                errors = [(e["Key"], e["Code"]) for e in answer.get("Errors", ())]
                begun.it_has = begun.it_has or len(errors) < len(objects)
                _check(account, name, errors, begun)
        for page in s3.get_paginator("list_multipart_uploads").paginate(**owner):
            for upload in page.get("Uploads", ()):
                with suppressing("NoSuchUpload"):
                    s3.abort_multipart_upload(**owner, Key=upload["Key"], UploadId=upload["UploadId"])
                begun.it_has = True


def delete_bucket(account: Account, name: str) -> None:
    """Delete a bucket with all that it holds; one that is not there is gone. Raises `FailedError`."""
    bucket(account, name)
    with _refusals(account, f"deleting bucket {name}", _Begun(it_has=True)):
        account.client("s3").delete_bucket(Bucket=name, ExpectedBucketOwner=account.account)


def repository(account: Account, name: str, stopped: threading.Event = _NEVER) -> None:
    """Delete every image of an ECR repository. One that is not there is empty. Raises `FailedError`, also as soon as
    `stopped` is set; `RefusedError` where nothing is deleted."""
    ecr = account.client("ecr")
    own = {"repositoryName": name, "registryId": account.account}
    begun = _Begun()
    with _refusals(account, f"emptying repository {name}", begun):
        found: list[dict[str, str]] = []
        for page in ecr.get_paginator("list_images").paginate(**own):
            found += page["imageIds"]
        # By digest: then all tags of an image go with it.
        left = list(dict.fromkeys(image["imageDigest"] for image in found))
        while left:
            _go_on(account, name, stopped)
            failures = []
            for at in range(0, len(left), _IMAGES):
                some = [{"imageDigest": digest} for digest in left[at : at + _IMAGES]]
                failures += ecr.batch_delete_image(**own, imageIds=some).get("failures", ())
            failed = [(f["imageId"].get("imageDigest", ""), f["failureReason"]) for f in failures]
            begun.it_has = begun.it_has or len(failed) < len(left)
            if len(failed) == len(left):
                _check(account, name, failed, begun)
            left = [digest for digest, _ in failed]  # an image of an index goes after the index


def _go_on(account: Account, name: str, stopped: threading.Event) -> None:
    if stopped.is_set():
        raise FailedError(
            "interrupted while it was emptied: what is deleted stays deleted",
            where=f"{name} in account {account.account} ({account.region})",
            remedy="repeat the command to go on",
        )


def _check(account: Account, name: str, errors: list[tuple[str, str]], begun: _Begun) -> None:
    if errors:
        what, why = errors[0]
        raise (FailedError if begun.it_has else RefusedError)(
            f"{what} cannot be deleted: {why}" + (f"; nor can {len(errors) - 1} others" if errors[1:] else ""),
            where=f"{name} in account {account.account} ({account.region})",
            remedy="see what keeps it (a policy, an object lock), then repeat the command",
        )


@contextlib.contextmanager
def _refusals(account: Account, what: str, begun: _Begun) -> Iterator[None]:
    with account.changing(what, begun=lambda: begun.it_has), suppressing(*_GONE):
        yield
