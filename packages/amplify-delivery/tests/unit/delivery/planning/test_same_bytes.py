"""Where only the place of equal bytes changes, told from what really changes."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.delivery.planning import bytes_unread
from amplify_delivery.delivery.planning.same_bytes import Location, SameBytes, same_bytes
from amplify_delivery.export.archives import entries_digest

VTL = b"$util.toJson({})"
RUNNING = "amplify-app-main-abcde-deployment"


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def resolver(bucket: str, key: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::AppSync::Resolver",
        "Properties": {"RequestMappingTemplateS3Location": f"s3://{bucket}/{key}", **more},
    }


def function(bucket: str, key: str, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Bucket": bucket, "S3Key": key, **more}}}


def stacks(**resources: Any) -> Stacks:
    return Stacks({(): {"Resources": resources}}, {})


def compared(old: Stacks, new: Stacks, objects: dict[Location, bytes]) -> SameBytes:
    return same_bytes(plan_backend(old, new), old, new, objects.get)


def vtl_key(content: bytes) -> str:
    return f"vtl/{hashlib.sha256(content).hexdigest()}.vtl"


def test_a_mapping_template_that_lies_elsewhere_is_the_same() -> None:
    old = stacks(Same=resolver(RUNNING, "files/a.vtl"), Other=resolver(RUNNING, "files/b.vtl"))
    new = stacks(Same=resolver("staging", vtl_key(VTL)), Other=resolver("staging", vtl_key(VTL)))
    found = compared(old, new, {(RUNNING, "files/a.vtl"): VTL, (RUNNING, "files/b.vtl"): b"another"})
    assert found == SameBytes(frozenset({"Same"}))


def test_an_archive_is_compared_by_its_entries() -> None:
    code, again = packed(a=b"1", b=b"2"), packed(b=b"2", a=b"1")
    assert code != again
    key = f"archives/{entries_digest(code)}.zip"
    old, new = stacks(F=function(RUNNING, "builds/f.zip")), stacks(F=function("staging", key))
    assert compared(old, new, {(RUNNING, "builds/f.zip"): again}).places == {"F"}
    assert compared(old, new, {(RUNNING, "builds/f.zip"): packed(a=b"3", b=b"2")}).places == set()
    assert compared(old, new, {(RUNNING, "builds/f.zip"): b"no archive"}).places == set()


def test_what_cannot_be_read_counts_as_changed_and_is_told() -> None:
    old, new = stacks(R=resolver(RUNNING, "files/a.vtl")), stacks(R=resolver("staging", vtl_key(VTL)))
    assert compared(old, new, {}) == SameBytes(frozenset(), ((RUNNING, "files/a.vtl"),))


def test_another_change_beside_the_place_is_a_change_and_nothing_is_read_for_it() -> None:
    old = stacks(R=resolver(RUNNING, "a.vtl", Kind="UNIT"), F=function(RUNNING, "f.zip", S3ObjectVersion="1"))
    key = f"archives/{'0' * 64}.zip"
    new = stacks(R=resolver("staging", vtl_key(VTL), Kind="PIPELINE"), F=function("staging", key))
    assert compared(old, new, {(RUNNING, "a.vtl"): VTL}) == SameBytes()


def test_a_place_that_is_none_of_ours_proves_nothing() -> None:
    old, new = stacks(R=resolver(RUNNING, "a.vtl")), stacks(R=resolver("elsewhere", "b.vtl"))
    assert compared(old, new, {(RUNNING, "a.vtl"): VTL}) == SameBytes()


def test_that_bytes_could_not_be_read_is_told() -> None:
    assert bytes_unread(SameBytes(frozenset({"R"}))) == ()
    (note,) = bytes_unread(SameBytes(frozenset(), ((RUNNING, "a.vtl"), (RUNNING, "b.vtl"))))
    assert note.startswith(
        f"2 objects that run could not be read (s3://{RUNNING}/a.vtl, ...): what reads them counts as"
    )
