"""Publishing into a bucket of the local AWS: what is sent, how much at a time, and what refusals look like."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse

from amplify_export import Assembly, AssemblyObject
from amplify_export.errors import AssemblyError, ExportRefused, PublishError
from publishing import PublishReport, PublishTarget, publish, upload
from rehearsal.local_aws import LocalAws, random_account
from tests.publishing.conftest import assembly_of, rendered, spoiled

REGION = "eu-central-1"
ROOT = Path(__file__).resolve().parents[2]


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

    def _session(self, target: PublishTarget, real: Callable[..., Any] = upload.target_session) -> Any:
        session = real(target)
        for event, handler in self.hooks:
            session.events.register(event, handler)
        return session

    def publish(self, assembly: Assembly, progress: Callable[[str], None] = lambda _: None) -> PublishReport:
        return publish(assembly, [rendered(assembly, self.bucket)], self.target, progress)

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
    root, body = rendered(full, place.bucket)
    assert place.keys() == {root.key, *(o.key for o in full.objects)}
    assert (report.uploaded, report.present) == (len(full.objects) + 1, 0)
    assert report.bytes == sum(o.size for o in full.objects) + len(body)
    for item in full.objects:
        answer = place.s3.get_object(Bucket=place.bucket, Key=item.key)
        assert hashlib.sha256(answer["Body"].read()).hexdigest() == item.sha256
        assert answer["ContentType"] == item.content_type
    assert place.s3.get_object(Bucket=place.bucket, Key=root.key)["Body"].read() == body


def test_the_second_time_nothing_is_sent(place: Place, full: Assembly) -> None:
    place.publish(full)
    report = place.publish(full)
    assert (report.uploaded, report.present, report.bytes) == (0, len(full.objects) + 1, 0)
    assert report.requests == {"GetCallerIdentity": 1, "ListObjectsV2": 1}


def test_one_list_per_thousand_objects(place: Place, todo: Assembly) -> None:
    assembly = many(todo, 2_100)
    first = place.publish(assembly)
    assert first.requests["PutObject"] == len(assembly.objects) + 1
    assert place.publish(assembly).requests == {"GetCallerIdentity": 1, "ListObjectsV2": 3}


def test_only_what_changed_is_sent(place: Place) -> None:
    place.publish(assembly_of("todo-series/v1"))
    new = assembly_of("todo-series/v2")
    report = place.publish(new)
    # The schema with the new field, the API's template that names it, the root that names the template.
    assert (report.uploaded, report.present) == (3, len(new.objects) - 2)


def test_an_object_of_another_size_is_sent_again(place: Place, todo: Assembly) -> None:
    place.publish(todo)
    item = todo.objects[0]
    place.s3.put_object(Bucket=place.bucket, Key=item.key, Body=b"half")
    assert place.publish(todo).uploaded == 1
    assert place.s3.get_object(Bucket=place.bucket, Key=item.key)["ContentLength"] == item.size


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
        def put(self, item: AssemblyObject, body: bytes) -> None:
            nonlocal held
            time.sleep(0.001)
            with lock:
                held -= 1

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
        def put(self, item: AssemblyObject, body: bytes) -> None:
            nonlocal held, most
            with lock:
                held += 1
                most = max(most, held)
            time.sleep(0.001)
            with lock:
                held -= 1

    uploads = [upload._Upload(o, upload._reader(todo, o.key)) for o in todo.objects]
    upload._Coordinator(Slow(), len(uploads), lambda _: None).run(uploads)  # type: ignore[arg-type]
    assert most == 1


def test_a_big_object_goes_up_in_parts(place: Place, todo: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "SINGLE_PUT", 1000)
    body = os.urandom(9_000_000)
    big = AssemblyObject("zips/big.zip", "zip", len(body), hashlib.sha256(body).hexdigest(), "application/zip")
    assembly = replace(todo, objects=(*todo.objects, big), reader=lambda k: body if k == big.key else todo.reader(k))
    report = place.publish(assembly)
    assert report.requests["UploadPart"] == 2
    assert place.s3.get_object(Bucket=place.bucket, Key=big.key)["Body"].read() == body
    assert place.publish(assembly).uploaded == 0


def test_a_template_comes_after_all_that_it_names(place: Place, todo: Assembly) -> None:
    order: list[str] = []

    def note(request: AWSRequest, **_: Any) -> None:
        order.append(request.url.partition(f"{place.bucket}/")[2])

    place.hooks = [("before-send.s3.PutObject", note)]
    place.publish(todo)
    root, _ = rendered(todo, place.bucket)
    templates = {".".join(path): stack.template for path, stack in todo.root.walk()}
    others = [o.key for o in todo.objects if o.kind != "template"]
    at = order.index
    assert at(root.key) == len(order) - 1
    assert at(templates["apimytodoapp"]) == len(order) - 2
    assert max(map(at, others)) < min(at(t) for name, t in templates.items() if name)


def test_progress_counts_to_the_end(place: Place, todo: Assembly) -> None:
    said: list[str] = []
    place.publish(many(todo, 120), said.append)
    assert said[-1] == f"published {len(todo.objects) + 121} of {len(todo.objects) + 121} objects"


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
    assert report.uploaded == len(todo.objects) + 1
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
    assert place.publish(todo).uploaded == len(todo.objects) + 1


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
from publishing import PublishTarget, publish, upload
from tests.publishing.conftest import assembly_of, rendered
from tests.publishing.test_publish import many
assembly = many(assembly_of("todo"), 300)
put = upload._Connection.put
def slow(self, item, body):
    put(self, item, body)
    print(item.key, flush=True)
    time.sleep(0.1)
upload._Connection.put = slow
publish(assembly, [rendered(assembly, sys.argv[1])], PublishTarget(*sys.argv[1:4]))
"""


def test_a_publish_that_was_killed_is_simply_done_again(place: Place, todo: Assembly) -> None:
    arguments = [sys.executable, "-c", PUBLISH, place.bucket, place.account, REGION]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(60):
            assert process.stdout.readline()
        process.kill()
    half = place.keys()
    assembly = many(todo, 300)
    assert 60 <= len(half) < len(assembly.objects)

    report = place.publish(assembly)
    assert (report.uploaded, report.present) == (len(assembly.objects) + 1 - len(half), len(half))
    for item in assembly.objects:
        answer = place.s3.head_object(Bucket=place.bucket, Key=item.key)
        assert answer["ContentLength"] == item.size


def test_ctrl_c_ends_at_once_and_cleanly(place: Place, todo: Assembly) -> None:
    arguments = [sys.executable, "-c", PUBLISH, place.bucket, place.account, REGION]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(30):
            assert process.stdout.readline()
        process.send_signal(2)
        _, said = process.communicate(timeout=10)
    assert process.returncode != 0
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert place.publish(many(todo, 300)).present >= 30
