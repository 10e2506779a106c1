"""Publishing into a bucket of the local AWS: what is sent, how much at a time, and what refusals look like."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ClientError

from amplify_delivery.components.documents import staging
from amplify_delivery.components.documents.statements import document, to_json
from amplify_delivery.errors import AssemblyError, ExportRefused, PublishError
from amplify_delivery.export import Assembly, AssemblyObject
from amplify_delivery.export.manifests import manifest
from amplify_delivery.publishing import PublishReport, PublishTarget, aws_errors, publish, upload
from amplify_delivery.publishing.credentials import target_session
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal.local_aws.credentials import Credentials
from aws_rehearsal_tests.clock import Clock
from unit.places import REPOSITORY, TEST_ROOTS
from unit.publishing.conftest import assembly_of, rendered, spoiled
from unit.rows import hold

REGION = "eu-central-1"
ROOT = REPOSITORY


def root_of(assembly: Assembly) -> tuple[AssemblyObject, bytes]:
    """A root with one bucket in it for all tests, wherever it is published: nobody deploys it here, and cfn-lint looks
    at it once."""
    return rendered(assembly, f"app-dev-staging-444444444444-{REGION}-an")


class Place:
    """An account of the local AWS with a staging bucket, and this process logged in to it."""

    def __init__(self, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws, self.account = aws, random_account()
        self.admin = aws.make_admin(self.account)
        self.bucket = f"app-dev-staging-{self.account}-{REGION}-an"
        self.s3 = aws.client("s3", self.admin, REGION)
        self.s3.create_bucket(
            Bucket=self.bucket,
            BucketNamespace="account-regional",
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        self.target = PublishTarget(self.bucket, self.account, REGION)
        self.hooks: list[tuple[str, Callable[..., Any]]] = []
        self._monkeypatch = monkeypatch
        self.log_in(self.admin)
        monkeypatch.setattr(upload, "target_session", self._session)

    def log_in(self, credentials: Any) -> None:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            self._monkeypatch.delenv(name)
        for name, value in self.aws.environment(credentials, REGION).items():
            self._monkeypatch.setenv(name, value)

    def _session(self, target: PublishTarget, real: Callable[..., Any] = target_session) -> Any:
        session = real(target)
        for event, handler in self.hooks:
            session.events.register(event, handler)
        return session

    def publish(self, assembly: Assembly, progress: Callable[[str], None] = lambda _: None) -> PublishReport:
        return publish(assembly, [root_of(assembly)], self.target, progress)

    def writer(self) -> Any:
        """Credentials of a role that may write every object there is."""
        iam = self.aws.client("iam", self.admin, REGION)
        sts = self.aws.client("sts", self.admin, REGION)
        trust = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "sts:AssumeRole"}
        allowed = {"Effect": "Allow", "Action": ["s3:PutObject*", "s3:GetObject*"], "Resource": "*"}
        role = iam.create_role(RoleName="writer", AssumeRolePolicyDocument=to_json(document([trust])))["Role"]["Arn"]
        iam.put_role_policy(RoleName="writer", PolicyName="writes", PolicyDocument=to_json(document([allowed])))
        session = sts.assume_role(RoleArn=role, RoleSessionName="writer")["Credentials"]
        return Credentials(self.account, session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])

    def keys(self) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return {o["Key"] for page in pages for o in page.get("Contents", ())}


@pytest.fixture
def place(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, own_cache: Path, examined: Path) -> Place:
    """Templates are linted once: they are not what is tested here."""
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(examined))
    return Place(local_aws, monkeypatch)


def many(assembly: Assembly, count: int, size: int = 100) -> Assembly:
    """`assembly` with `count` more objects."""
    bodies = {f"vtl/{n:06}.vtl": (b"%d " % n).ljust(size, b"x") for n in range(count)}
    items = tuple(
        AssemblyObject(k, "vtl", len(b), hashlib.sha256(b).hexdigest(), "text/plain") for k, b in bodies.items()
    )
    return replace(
        assembly, objects=assembly.objects + items, reader=lambda k: bodies[k] if k in bodies else assembly.reader(k)
    )


def test_every_object_arrives_with_its_bytes_and_type(place: Place, full: Assembly) -> None:
    report = place.publish(full)
    root, body = root_of(full)
    described, described_as = manifest(full)
    assert place.keys() == {root.key, described.key, *(o.key for o in full.objects)}
    assert (report.uploaded, report.present) == (len(full.objects) + 2, 0)
    assert report.bytes == sum(o.size for o in full.objects) + len(body) + len(described_as)
    for item in full.objects:
        answer = place.s3.get_object(Bucket=place.bucket, Key=item.key)
        assert hashlib.sha256(answer["Body"].read()).hexdigest() == item.sha256
        assert answer["ContentType"] == item.content_type
    assert place.s3.get_object(Bucket=place.bucket, Key=root.key)["Body"].read() == body


def test_the_second_time_nothing_is_sent(place: Place, full: Assembly) -> None:
    place.publish(full)
    report = place.publish(full)
    assert (report.uploaded, report.present, report.bytes) == (0, len(full.objects) + 2, 0)
    # What is there is compared, one HEAD each: nothing is read, nothing written.
    assert report.requests == {"GetCallerIdentity": 1, "HeadObject": len(full.objects) + 2, "ListObjectsV2": 1}


def test_one_list_per_page_of_objects(place: Place, todo: Assembly) -> None:
    """A page of S3's has a thousand; here it has a hundred, so that fewer objects are several pages."""
    assembly = many(todo, 210)
    asked: list[dict[str, Any]] = []

    def shorter(params: dict[str, Any], **_: Any) -> None:
        asked.append(dict(params))
        params["MaxKeys"] = 100

    place.hooks = [("provide-client-params.s3.ListObjectsV2", shorter)]
    first = place.publish(assembly)
    assert first.requests["PutObject"] == len(assembly.objects) + 2
    asked.clear()
    again = place.publish(assembly)
    assert 200 < len(assembly.objects) + 2 < 300
    assert again.requests["ListObjectsV2"] == len(asked) == 3
    assert not any("MaxKeys" in params for params in asked), "pages are as long as S3 makes them"
    assert (again.uploaded, again.present) == (0, len(assembly.objects) + 2)


def test_only_what_changed_is_sent(place: Place) -> None:
    place.publish(assembly_of("todo-series/v1"))
    new = assembly_of("todo-series/v2")
    report = place.publish(new)
    # The manifest, the schema with the new field, the API's template that names it, the root that names the template.
    assert (report.uploaded, report.present) == (4, len(new.objects) - 2)


def test_twenty_or_more_are_in_flight(place: Place, todo: Assembly) -> None:
    lock, flying, most = threading.Lock(), 0, 0

    def leave(**_: Any) -> None:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.02)

    def arrive(**_: Any) -> None:
        nonlocal flying
        with lock:
            flying -= 1

    place.hooks = [("before-send.s3.PutObject", leave), ("after-call.s3.PutObject", arrive)]
    place.publish(many(todo, 200))
    assert 20 <= most <= upload.IN_FLIGHT


def test_objects_are_read_when_their_upload_starts(todo: Assembly) -> None:
    """So memory does not grow with their number."""
    lock, held, most = threading.Lock(), 0, 0
    assembly = many(todo, 500)

    class Slow:
        def put(self, item: AssemblyObject, body: bytes) -> bool:
            nonlocal held
            time.sleep(0.001)
            with lock:
                held -= 1
            return True

    def read(key: str) -> bytes:
        nonlocal held, most
        with lock:
            held += 1
            most = max(most, held)
        return assembly.reader(key)

    watched = replace(assembly, reader=read)
    uploads = [upload._Upload(o, upload._reader(watched, o.key)) for o in watched.objects]
    upload._Coordinator(Slow(), len(uploads), lambda _: None).run(uploads)  # type: ignore[arg-type]
    assert held == 0
    assert most <= upload.IN_FLIGHT


def test_large_objects_are_read_one_at_a_time(todo: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "LARGE", 10)
    lock, held, most = threading.Lock(), 0, 0

    class Slow:
        def put(self, item: AssemblyObject, body: bytes) -> bool:
            nonlocal held, most
            with lock:
                held += 1
                most = max(most, held)
            time.sleep(0.001)
            with lock:
                held -= 1
            return True

    uploads = [upload._Upload(o, upload._reader(todo, o.key)) for o in todo.objects]
    upload._Coordinator(Slow(), len(uploads), lambda _: None).run(uploads)  # type: ignore[arg-type]
    assert most == 1


def test_a_big_object_goes_up_at_once_with_its_checksum(place: Place, todo: Assembly) -> None:
    body = os.urandom(70_000_000)
    big = AssemblyObject("files/big", "file", len(body), hashlib.sha256(body).hexdigest())
    assembly = replace(todo, objects=(*todo.objects, big), reader=lambda k: body if k == big.key else todo.reader(k))
    report = place.publish(assembly)
    assert report.requests["PutObject"] == len(assembly.objects) + 2
    again = place.publish(assembly)
    assert (again.uploaded, again.requests.get("GetObject")) == (0, None)


# --- what lies there already ------------------------------------------------------------------------------------


def swapped(data: bytes) -> bytes:
    """Other bytes of the same number; of a zip, in an entry."""
    at = len(data) // 4
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def held(place: Place, item: AssemblyObject) -> bool:
    return bool(place.s3.list_objects_v2(Bucket=place.bucket, Prefix=item.key)["KeyCount"])


def of_kind(assembly: Assembly, kind: str) -> AssemblyObject:
    return next(o for o in assembly.objects if o.kind == kind)


@pytest.mark.parametrize("checksum", ["SHA256", "CRC32"])
def test_an_object_replaced_by_one_of_its_size_stops_the_delivery(place: Place, full: Assembly, checksum: str) -> None:
    """Of each kind; between two of them the bucket is as it was published."""
    place.publish(full)
    root, body = root_of(full)

    def stops(kind: str) -> None:
        item = root if kind == "root" else of_kind(full, kind)
        own = body if kind == "root" else full.read(item.key)
        replaced = swapped(own)
        place.s3.put_object(Bucket=place.bucket, Key=item.key, Body=replaced, ChecksumAlgorithm=checksum)
        with pytest.raises(PublishError, match=item.key) as error:
            place.publish(full)
        assert "nothing was deployed" in error.value.remedy
        # Nothing is written over it: who has put it there can be found out.
        assert place.s3.get_object(Bucket=place.bucket, Key=item.key)["Body"].read() == replaced
        place.s3.put_object(Bucket=place.bucket, Key=item.key, Body=own, ChecksumAlgorithm="SHA256")

    hold(stops, [("template",), ("vtl",), ("schema",), ("zip",), ("root",)])
    assert place.publish(full).uploaded == 0


def test_the_command_that_takes_a_foreign_object_away_works_as_printed(place: Place, todo: Assembly) -> None:
    place.s3.put_bucket_versioning(Bucket=place.bucket, VersioningConfiguration={"Status": "Enabled"})
    item = of_kind(todo, "template")
    place.s3.put_object(Bucket=place.bucket, Key=item.key, Body=b"half")
    with pytest.raises(PublishError, match=f"{item.key}: 4 bytes instead of {item.size:,}") as error:
        place.publish(todo)
    command = error.value.remedy.rpartition("take each away with `")[2].partition("`")[0].split()
    assert command[:3] == ["aws", "s3api", "delete-object"]
    given = dict(zip(command[3::2], command[4::2], strict=True))
    assert given.pop("--region") == REGION
    place.s3.delete_object(Bucket=given["--bucket"], Key=given["--key"])
    assert place.publish(todo).uploaded == len(todo.objects) + 2
    versions = place.s3.list_object_versions(Bucket=place.bucket, Prefix=item.key)["Versions"]
    assert {v["Size"] for v in versions} == {4, item.size}


def test_a_zip_with_the_same_entries_in_other_bytes_is_the_same(place: Place, full: Assembly) -> None:
    place.publish(full)
    item = of_kind(full, "zip")
    packed = BytesIO()
    with zipfile.ZipFile(BytesIO(full.read(item.key))) as old, zipfile.ZipFile(packed, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            info.date_time = (2001, 1, 1, 0, 0, 0)
            new.writestr(info, content, zipfile.ZIP_STORED)
    body = packed.getvalue()
    assert len(body) != item.size
    place.s3.put_object(Bucket=place.bucket, Key=item.key, Body=body, ChecksumAlgorithm="SHA256")
    report = place.publish(full)
    assert (report.uploaded, report.requests["GetObject"]) == (0, 1)
    assert place.s3.get_object(Bucket=place.bucket, Key=item.key)["Body"].read() == body


def test_what_has_no_checksum_of_the_whole_is_read(place: Place, full: Assembly) -> None:
    """As what an earlier version has put there in parts, or somebody with another tool."""
    item = of_kind(full, "template")
    upload = place.s3.create_multipart_upload(Bucket=place.bucket, Key=item.key, ChecksumAlgorithm="SHA256")["UploadId"]
    part = {"Bucket": place.bucket, "Key": item.key, "UploadId": upload, "PartNumber": 1}
    sent = place.s3.upload_part(**part, Body=full.read(item.key), ChecksumAlgorithm="SHA256")
    done = {"Parts": [{"PartNumber": 1, "ETag": sent["ETag"], "ChecksumSHA256": sent["ChecksumSHA256"]}]}
    place.s3.complete_multipart_upload(Bucket=place.bucket, Key=item.key, UploadId=upload, MultipartUpload=done)
    other = of_kind(full, "vtl")
    place.s3.put_object(Bucket=place.bucket, Key=other.key, Body=full.read(other.key), ChecksumAlgorithm="CRC32")
    report = place.publish(full)
    assert (report.present, report.requests["GetObject"]) == (2, 2)


def test_a_zip_that_is_not_what_its_key_says_is_not_published(place: Place, full: Assembly) -> None:
    item = of_kind(full, "zip")
    lying = replace(item, key=f"archives/{'0' * 64}.zip")
    objects = tuple(lying if o == item else o for o in full.objects)
    assembly = replace(
        full, objects=objects, reader=lambda k: full.reader(item.key) if k == lying.key else full.reader(k)
    )
    with pytest.raises(PublishError, match=f"{lying.key}: other entries"):
        upload._Coordinator(upload._Connection(place.target), 1, lambda _: None).run(
            [upload._Upload(lying, upload._reader(assembly, lying.key))]
        )
    assert place.keys() == set()


def test_nothing_is_overwritten_by_two_that_publish_at_once(place: Place, todo: Assembly) -> None:
    """Somebody else puts an object between our look and our upload: the same one is as good as ours, another one is
    found before the delivery goes on."""
    item = of_kind(todo, "vtl")

    def between(body: bytes) -> Callable[..., None]:
        def put(**_: Any) -> None:
            if not held(place, item):
                place.s3.put_object(Bucket=place.bucket, Key=item.key, Body=body, ChecksumAlgorithm="SHA256")

        return put

    place.hooks = [("before-send.s3.PutObject", between(swapped(todo.read(item.key))))]
    with pytest.raises(PublishError, match=f"{item.key}: other bytes"):
        place.publish(todo)
    place.s3.delete_object(Bucket=place.bucket, Key=item.key)
    there = len(place.keys())
    place.hooks = [("before-send.s3.PutObject", between(todo.read(item.key)))]
    report = place.publish(todo)
    assert (report.uploaded, report.present) == (len(todo.objects) + 1 - there, there + 1)


def test_a_conflict_is_tried_again(place: Place, todo: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3: "If a conflicting operation occurs during the upload S3 returns a 409 [...], retry the upload"."""
    Clock(monkeypatch, aws_errors)
    conflict = refusing("ConditionalRequestConflict", 409)
    once: Iterator[Callable[..., AWSResponse]] = iter([conflict])

    def refuse(request: AWSRequest, **more: Any) -> AWSResponse | None:
        answer = next(once, None)
        return answer(request, **more) if answer else None

    place.hooks = [("before-send.s3.PutObject", refuse)]
    assert place.publish(todo).uploaded == len(todo.objects) + 2
    place.s3.delete_object(Bucket=place.bucket, Key=of_kind(todo, "vtl").key)
    place.hooks = [("before-send.s3.PutObject", conflict)]
    with pytest.raises(PublishError, match="ConditionalRequestConflict") as error:
        place.publish(todo)
    assert "repeat" in error.value.remedy


def test_a_closed_bucket_takes_what_is_new_and_nothing_over_it(place: Place, todo: Assembly) -> None:
    """The policy of a staging area, for a role that may write whatever it likes."""
    place.s3.put_bucket_policy(Bucket=place.bucket, Policy=to_json(staging.bucket_policy(place.bucket, REGION)))
    assert place.publish(todo).uploaded == len(todo.objects) + 2
    place.s3.delete_object(Bucket=place.bucket, Key=of_kind(todo, "vtl").key)
    writer = place.aws.client("s3", place.writer(), REGION)
    for item in todo.objects:
        with pytest.raises(ClientError, match="AccessDenied"):
            writer.put_object(Bucket=place.bucket, Key=item.key, Body=b"other")
    there = of_kind(todo, "template").key
    with pytest.raises(ClientError, match="PreconditionFailed"):
        writer.put_object(Bucket=place.bucket, Key=there, Body=b"other", IfNoneMatch="*")
    with pytest.raises(ClientError, match="AccessDenied"):
        writer.copy_object(
            Bucket=place.bucket, Key=there, CopySource={"Bucket": place.bucket, "Key": todo.objects[0].key}
        )
    begun = writer.create_multipart_upload(Bucket=place.bucket, Key=there)["UploadId"]
    part = writer.upload_part(Bucket=place.bucket, Key=there, UploadId=begun, PartNumber=1, Body=b"other")
    done = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    with pytest.raises(ClientError, match="AccessDenied"):
        writer.complete_multipart_upload(Bucket=place.bucket, Key=there, UploadId=begun, MultipartUpload=done)
    # What is not ours there, the container API's own pipeline for one, is written as ever.
    writer.put_object(Bucket=place.bucket, Key="pipeline/artifact", Body=b"once")
    writer.put_object(Bucket=place.bucket, Key="pipeline/artifact", Body=b"twice")


def test_a_template_comes_after_all_that_it_names(place: Place, todo: Assembly) -> None:
    order: list[str] = []

    def note(request: AWSRequest, **_: Any) -> None:
        order.append(request.url.partition(f"{place.bucket}/")[2])

    place.hooks = [("before-send.s3.PutObject", note)]
    place.publish(todo)
    root, _ = root_of(todo)
    templates = {".".join(path): stack.template for path, stack in todo.root.walk()}
    others = [o.key for o in todo.objects if o.kind != "template"]
    at = order.index
    assert at(root.key) == len(order) - 1
    assert at(templates["apimytodoapp"]) == len(order) - 2
    assert max(map(at, others)) < min(at(t) for name, t in templates.items() if name)


def test_progress_counts_to_the_end(place: Place, todo: Assembly) -> None:
    said: list[str] = []
    place.publish(many(todo, 120), said.append)
    assert said[-1] == f"published {len(todo.objects) + 122} of {len(todo.objects) + 122} objects"


# --- what goes wrong --------------------------------------------------------------------------------------------


def refusing(code: str, status: int, message: str = "as asked by the test") -> Callable[..., AWSResponse]:
    """A hook that answers in S3's place."""

    def answer(request: AWSRequest, **_: Any) -> AWSResponse:
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        raw: Any = BytesIO(body)
        raw.stream = lambda amt=None, decode_content=None: iter([body])
        return AWSResponse(request.url, status, {"content-type": "application/xml"}, raw)

    return answer


def test_throttling_is_waited_for(place: Place, todo: Assembly) -> None:
    once: Iterator[Callable[..., AWSResponse]] = iter([refusing("SlowDown", 503)])

    def throttle(request: AWSRequest, **more: Any) -> AWSResponse | None:
        answer = next(once, None)
        return answer(request, **more) if answer else None

    place.hooks = [("before-send.s3.PutObject", throttle)]
    report = place.publish(todo)
    assert report.uploaded == len(todo.objects) + 2
    assert report.requests["PutObject"] == report.uploaded + 1


def test_the_first_refusal_stops_the_rest(place: Place, todo: Assembly) -> None:
    started: list[str] = []

    def refuse(request: AWSRequest, **more: Any) -> AWSResponse:
        started.append(request.url)
        return refusing("AccessDenied", 403)(request, **more)

    place.hooks = [("before-send.s3.PutObject", refuse)]
    with pytest.raises(PublishError, match="AWS says AccessDenied") as error:
        place.publish(many(todo, 1_000))
    assert len(started) <= upload.IN_FLIGHT
    assert "uploading " in error.value.message
    assert place.account in error.value.where
    assert "s3:PutObject" in error.value.remedy


def test_a_bucket_that_refuses(place: Place, todo: Assembly) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{place.bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    place.s3.put_bucket_policy(Bucket=place.bucket, Policy=policy)
    with pytest.raises(PublishError, match="AccessDenied"):
        place.publish(todo)
    place.s3.delete_bucket_policy(Bucket=place.bucket)
    assert place.publish(todo).uploaded == len(todo.objects) + 2


def test_a_bucket_that_is_not_there(place: Place, todo: Assembly) -> None:
    place.target = replace(place.target, bucket=f"gone-{place.account}")
    with pytest.raises(PublishError, match="NoSuchBucket") as error:
        place.publish(todo)
    assert "pulumi up" in error.value.remedy


def test_credentials_of_another_account(place: Place, todo: Assembly) -> None:
    other = random_account()
    place.log_in(place.aws.make_admin(other))
    with pytest.raises(PublishError, match=f"belong to account {other}") as error:
        place.publish(todo)
    assert "nothing was published" in error.value.message
    assert place.keys() == set()


def test_no_credentials(place: Place, todo: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(PublishError, match="Unable to locate credentials") as error:
        place.publish(todo)
    assert "log in" in error.value.remedy


def test_a_profile_that_is_not_there(place: Place, todo: Assembly) -> None:
    place.target = replace(place.target, profile="nobody")
    with pytest.raises(PublishError, match="nobody") as error:
        place.publish(todo)
    assert "~/.aws/config" in error.value.remedy


def test_credentials_that_have_ended(place: Place, todo: Assembly) -> None:
    place.hooks = [("before-send.s3.PutObject", refusing("ExpiredToken", 400))]
    with pytest.raises(PublishError, match="ExpiredToken") as error:
        place.publish(todo)
    assert "log in again" in error.value.remedy


def test_a_bucket_of_another_region(place: Place, todo: Assembly) -> None:
    def elsewhere(parsed: dict[str, Any], **_: Any) -> None:
        parsed["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] = "us-west-2"

    place.hooks = [("after-call.s3.ListObjectsV2", elsewhere)]
    with pytest.raises(PublishError, match="lies in us-west-2"):
        place.publish(todo)
    assert place.keys() == set()


def test_an_object_that_changed_on_disk(place: Place, todo: Assembly) -> None:
    altered = replace(todo, reader=lambda key: todo.reader(key) + (b" " if key.startswith("vtl/") else b""))
    with pytest.raises(AssemblyError, match=r"is not what assembly\.json says"):
        place.publish(altered)


def test_what_would_fail_is_not_published(place: Place, todo: Assembly) -> None:
    def misspell(template: dict[str, Any]) -> None:
        template["Resources"]["TodoTable"]["Type"] = "AWS::DynamoDB::Tabel"

    with pytest.raises(ExportRefused, match="AWS::DynamoDB::Tabel"):
        place.publish(spoiled(todo, ("apimytodoapp", "Todo"), misspell))
    assert place.keys() == set()


PUBLISH = """
import sys, time
sys.path += sys.argv[4:]
from amplify_delivery.publishing import PublishTarget, publish, upload
from unit.publishing.conftest import assembly_of
from functional.publishing.test_publish import many, root_of
assembly = many(assembly_of("todo"), 300)
put = upload._Connection.put
def slow(self, item, body):
    sent = put(self, item, body)
    print(item.key, flush=True)
    time.sleep(0.1)
    return sent
upload._Connection.put = slow
publish(assembly, [root_of(assembly)], PublishTarget(*sys.argv[1:4]))
"""


def test_a_publish_that_was_killed_is_simply_done_again(place: Place, todo: Assembly) -> None:
    arguments = [sys.executable, "-c", PUBLISH, place.bucket, place.account, REGION, *TEST_ROOTS]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(60):
            assert process.stdout.readline()
        process.kill()
    half = place.keys()
    assembly = many(todo, 300)
    assert 60 <= len(half) < len(assembly.objects)

    report = place.publish(assembly)
    assert (report.uploaded, report.present) == (len(assembly.objects) + 2 - len(half), len(half))
    for item in assembly.objects:
        answer = place.s3.head_object(Bucket=place.bucket, Key=item.key)
        assert answer["ContentLength"] == item.size


def test_ctrl_c_ends_at_once_and_cleanly(place: Place, todo: Assembly) -> None:
    arguments = [sys.executable, "-c", PUBLISH, place.bucket, place.account, REGION, *TEST_ROOTS]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(30):
            assert process.stdout.readline()
        process.send_signal(2)
        _, said = process.communicate()
    assert process.returncode != 0
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert place.publish(many(todo, 300)).present >= 30
