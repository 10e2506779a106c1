"""What an earlier release has left, read by its keys."""

from __future__ import annotations

import io
from typing import Any

from botocore.exceptions import ClientError

from amplify_delivery.changes.published import earlier, own
from amplify_delivery.publishing.target import PublishTarget
from unit.components.backends import assembly_of, folder

ASSEMBLY = assembly_of(folder("mytodoapp"))
TARGET = PublishTarget("staging", "444444444444", "eu-central-1")


class Store:
    """S3 with these objects; it remembers what it was asked for."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects
        self.asked: list[tuple[str, str, str]] = []

    def get_object(self, **request: str) -> dict[str, Any]:
        self.asked.append((request["Bucket"], request["Key"], request["ExpectedBucketOwner"]))
        if request["Bucket"] not in self.objects:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[request["Bucket"]])}


def test_this_release_knows_its_own() -> None:
    key = ASSEMBLY.objects[0].key
    assert own(ASSEMBLY)([key, "vtl/none"]) == {key: ASSEMBLY.read(key)}
    store = Store()
    assert earlier(ASSEMBLY, TARGET, store)([key]) == {key: ASSEMBLY.read(key)}
    assert store.asked == []


def test_an_earlier_one_is_read_from_the_staging_bucket_or_where_another_tool_has_put_it() -> None:
    store = Store(staging=b"ours", deployment=b"theirs")
    key, there, denied = f"vtl/{'0' * 64}.vtl", "s3://deployment/a/b.vtl", "s3://other/a/b.vtl"
    found = earlier(ASSEMBLY, TARGET, store)([key, there, denied])
    assert found == {key: b"ours", there: b"theirs"}
    assert {owner for _, _, owner in store.asked} == {TARGET.account}


def test_what_only_the_deployment_knows_is_not_asked_for() -> None:
    store = Store()
    unknown = ["s3://${AWS::Region}-bucket/x", "s3://bucket/${api/Key}/x", "https://example.org/x", "s3://B/x"]
    assert earlier(ASSEMBLY, TARGET, store)(unknown) == {}
    assert store.asked == []
