"""Emptying repositories and buckets: batches, what is refused, what is gone already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.teardown import emptying
from amplify_delivery.errors import DeployError


class Paginator:
    def __init__(self, pages: list[dict[str, Any]]) -> None:
        self._pages = pages

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield from self._pages


class Service:
    """S3 and ECR with these pages and answers; remembers what it was asked to delete."""

    def __init__(self, **pages: Any) -> None:
        self.account, self.region, self.place = "222222222222", "eu-west-1", "here"
        self.pages, self.deleted, self.answers = pages, list[Any](), list[Any]()

    def client(self, _: str) -> Service:
        return self

    def get_paginator(self, operation: str) -> Paginator:
        return Paginator(self.pages.get(operation, []))

    def delete_objects(self, **given: Any) -> Any:
        return self._delete(given)

    def batch_delete_image(self, **given: Any) -> Any:
        return self._delete(given)

    def abort_multipart_upload(self, **given: Any) -> Any:
        return self._delete(given)

    def _delete(self, given: Any) -> Any:
        self.deleted.append(given)
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer

    def changing(self, what: str, **given: Any) -> AbstractContextManager[None]:
        return Account.changing(self, what, **given)  # type: ignore[arg-type]


def images(number: int) -> dict[str, Any]:
    return {"imageIds": [{"imageDigest": f"sha256:{n}", "imageTag": f"t{n}"} for n in range(number)]}


def test_versions_markers_and_broken_uploads_of_the_owners_bucket() -> None:
    versions = {
        "Versions": [{"Key": "a", "VersionId": "1", "Size": 3}],
        "DeleteMarkers": [{"Key": "a", "VersionId": "2"}],
    }
    uploads = {"Uploads": [{"Key": "b", "UploadId": "u"}]}
    s3: Any = Service(list_object_versions=[versions, {}], list_multipart_uploads=[uploads])
    emptying.bucket(s3, "bucket")
    objects, upload = s3.deleted
    assert objects["Delete"]["Objects"] == [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}]
    assert (upload["Key"], upload["UploadId"]) == ("b", "u")
    assert {d["ExpectedBucketOwner"] for d in s3.deleted} == {"222222222222"}


def test_an_upload_that_has_ended_meanwhile() -> None:
    s3: Any = Service(list_multipart_uploads=[{"Uploads": [{"Key": k, "UploadId": "u"} for k in "ab"]}])
    s3.answers = [ClientError({"Error": {"Code": "NoSuchUpload", "Message": "no"}}, "AbortMultipartUpload")]
    emptying.bucket(s3, "bucket")
    assert [d["Key"] for d in s3.deleted] == ["a", "b"]


def test_an_object_that_cannot_be_deleted_is_named() -> None:
    s3: Any = Service(list_object_versions=[{"Versions": [{"Key": k, "VersionId": "1"} for k in "ab"]}])
    s3.answers = [{"Errors": [{"Key": k, "Code": "AccessDenied"} for k in "ab"]}]
    with pytest.raises(DeployError, match="a cannot be deleted: AccessDenied; nor can 1 others") as caught:
        emptying.bucket(s3, "bucket")
    assert caught.value.where == "bucket in account 222222222222 (eu-west-1)"


def test_images_go_by_digest_a_hundred_at_a_time() -> None:
    ecr: Any = Service(list_images=[images(150), images(50)])
    emptying.repository(ecr, "app/prod")
    assert [len(d["imageIds"]) for d in ecr.deleted] == [100, 50]
    assert ecr.deleted[0]["imageIds"][0] == {"imageDigest": "sha256:0"}
    assert {d["registryId"] for d in ecr.deleted} == {"222222222222"}


def test_images_of_an_index_go_after_it() -> None:
    ecr: Any = Service(list_images=[images(2)])
    ecr.answers = [{"failures": [{"imageId": {"imageDigest": "sha256:0"}, "failureReason": "referenced by an index"}]}]
    emptying.repository(ecr, "app/prod")
    assert [len(d["imageIds"]) for d in ecr.deleted] == [2, 1]


def test_images_that_stay_are_named() -> None:
    ecr: Any = Service(list_images=[images(1)])
    failure = {"imageId": {"imageDigest": "sha256:0"}, "failureReason": "in use"}
    ecr.answers = [{"failures": [failure]}]
    with pytest.raises(DeployError, match="sha256:0 cannot be deleted: in use"):
        emptying.repository(ecr, "app/prod")


def test_what_is_gone_is_empty_and_what_is_forbidden_is_an_error() -> None:
    def failing(code: str) -> Any:
        s3 = Service(list_multipart_uploads=[{"Uploads": [{"Key": "a", "UploadId": "u"}]}])
        s3.answers = [ClientError({"Error": {"Code": code}}, "ListObjectVersions")]
        return s3

    emptying.bucket(failing("NoSuchBucket"), "bucket")
    with pytest.raises(DeployError, match=r"emptying bucket bucket: .*AccessDenied"):
        emptying.bucket(failing("AccessDenied"), "bucket")
