"""Check an assembly and upload its objects to a staging bucket: only those that are not there, many at a time.

Keys are made from contents, so an object that is there, and is what its key says
(`amplify_delivery.publishing.stored`), is done, and a publish that was killed half-way is simply done again. Nothing is
ever overwritten: S3 is asked to refuse that. Built like boto's s3transfer: one coordinator owns status, failure and
completion; its tasks stop once a sibling failed.
"""

from __future__ import annotations

import base64
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amplify_delivery.errors import ExportRefused, PublishError, midway
from amplify_delivery.export.manifests import FOLDER, manifest
from amplify_delivery.publishing.announcing import There, announce
from amplify_delivery.publishing.aws_errors import conditionally
from amplify_delivery.publishing.credentials import ca_bundle, client_config, target_session
from amplify_delivery.publishing.examination.preflight import Deployment, examine, refusing
from amplify_delivery.publishing.images import PushReport, push_images
from amplify_delivery.publishing.refusals import refusals
from amplify_delivery.publishing.stored import Stored, other_entries
from amplify_delivery.publishing.target import PublishTarget

if TYPE_CHECKING:
    from amplify_delivery.export.assembly import Assembly, AssemblyObject

IN_FLIGHT = 24
"""Uploads at the same time."""
LARGE = 8 * 1024 * 1024
"""Objects beyond this many bytes are read one at a time, so that memory does not grow with their number."""


@dataclass(frozen=True)
class PublishReport:
    """What a publish did. `bytes` counts uploaded bytes; `requests` counts HTTP requests by operation."""

    uploaded: int
    present: int
    bytes: int
    requests: Mapping[str, int] = field(default_factory=dict)
    images: PushReport = field(default_factory=PushReport)

    def to_json(self) -> dict[str, Any]:
        return {
            "uploaded": self.uploaded,
            "present": self.present,
            "bytes": self.bytes,
            "requests": dict(self.requests),
            "images": vars(self.images),
        }


@dataclass(frozen=True)
class _Upload:
    item: AssemblyObject
    read: Callable[[], bytes]


def _silent(_: str) -> None:
    pass


def publish(
    assembly: Assembly,
    extra: Sequence[tuple[AssemblyObject, bytes]],
    target: PublishTarget,
    progress: Callable[[str], None] = _silent,
    ignored: Collection[str] = (),
    *,
    stack: str = "",
    examined: bool = False,
) -> PublishReport:
    """Make every object of `assembly`, its manifest with all that this names, and `extra` (the rendered root) be in the
    target's bucket.

    What is there already was examined before it was put there: if that is all, this asks AWS only who it is, what the
    bucket holds, and the checksum of each object, which a role that may read it is allowed to. Where an object is
    missing, all is examined.

    Container images are pushed first, into the target's repository. `progress` gets short lines for people; `ignored`
    and `stack` are as `Deployment` has them; `examined` says that all of it was found to be good a moment ago.

    Raises `ExportRefused` for what CloudFormation would refuse, and `PublishError` when the credentials belong to
    another account, or when something else lies under one of the keys: all before anything is sent. Raises
    `PublishError` when AWS refuses an object; what is published by then stays.
    """
    uploads = {o.key: _Upload(o, _reader(form, o.key)) for form in _forms(assembly) for o in form.objects}
    uploads.update({o.key: _Upload(o, _constant(body)) for o, body in (*extra, manifest(assembly))})
    connection = _Connection(target)
    connection.check_account()
    there = connection.there(uploads)
    connection.stored.check([(uploads[key].item, found.size) for key, found in there.items()])
    missing = {key: u for key, u in uploads.items() if key not in there}
    if missing and not examined:
        deployment = Deployment(extra, target.bucket, target.region, ignored, stack)
        findings = refusing(examine(assembly, {target.bucket: deployment}, progress)[target.bucket])
        if findings:
            raise ExportRefused(findings)
    # Before everything that names them: whoever finds a template finds its images.
    pushed = push_images(assembly, target, lambda: connection.client("ecr"), progress, connection.verify)
    coordinator = _Coordinator(connection, len(missing), progress)
    with midway(lambda: coordinator.sent + pushed.pushed > 0):
        for wave in _waves(assembly, missing):
            coordinator.run(wave)
        if pushed.present and manifest(assembly)[0].key in missing:
            # `gc` knows by the manifest that they are needed; until it was there, one may have been taken.
            pushed += push_images(assembly, target, lambda: connection.client("ecr"), progress, connection.verify)
    return PublishReport(
        uploaded=coordinator.sent,
        present=len(uploads) - coordinator.sent,
        bytes=coordinator.bytes,
        requests=dict(sorted(connection.requests.items())),
        images=pushed,
    )


def lacking(
    assembly: Assembly, extra: Sequence[tuple[AssemblyObject, bytes]], target: PublishTarget
) -> tuple[str, ...]:
    """The keys of what `publish` would upload, but for the manifest. Raises `PublishError`; writes nothing."""
    keys = {o.key for form in _forms(assembly) for o in form.objects} | {item.key for item, _ in extra}
    there = _Connection(target)._listed(dict.fromkeys(keys))
    return tuple(sorted(keys - there.keys()))


def publish_templates(
    templates: Sequence[tuple[AssemblyObject, bytes]], target: PublishTarget, progress: Callable[[str], None] = _silent
) -> PublishReport:
    """Make templates be in the target's bucket, one after the other: each names only those before it. They were derived
    from such as have been examined, and are not examined again. Raises `PublishError` as `publish` does."""
    connection = _Connection(target)
    connection.check_account()
    keys = [item.key for item, _ in templates]
    there = connection.there(dict.fromkeys(keys))
    connection.stored.check([(item, there[item.key].size) for item, _ in templates if item.key in there])
    missing = [_Upload(item, _constant(body)) for item, body in templates if item.key not in there]
    coordinator = _Coordinator(connection, len(missing), progress)
    with midway(lambda: coordinator.sent > 0):
        for upload in missing:
            coordinator.run([upload])
    return PublishReport(
        uploaded=coordinator.sent,
        present=len(templates) - coordinator.sent,
        bytes=coordinator.bytes,
        requests=dict(sorted(connection.requests.items())),
    )


def _forms(assembly: Assembly) -> tuple[Assembly, ...]:
    """What the manifest names has to be there too, to go back to it."""
    return (assembly,) if assembly.origin is None else (assembly.origin, assembly)


def _reader(assembly: Assembly, key: str) -> Callable[[], bytes]:
    return lambda: assembly.read(key)


def _constant(body: bytes) -> Callable[[], bytes]:
    return lambda: body


def _waves(assembly: Assembly, missing: Mapping[str, _Upload]) -> Iterator[list[_Upload]]:
    """What is uploaded together. The manifest comes first: what it names is not collected meanwhile (`gc`). A template
    comes after all that it names, so that whoever finds a template finds the rest; the root, which no tree of the
    assembly holds, comes last."""
    depth: dict[str, int] = {}
    for path, stack in (item for form in _forms(assembly) for item in form.root.walk()):
        depth[stack.template] = min(len(path), depth.get(stack.template, len(path)))
    waves: dict[int, list[_Upload]] = {}
    for key, upload in missing.items():
        if key.startswith(f"{FOLDER}/"):
            order = -1
        elif upload.item.kind != "template":
            order = 0
        elif key in depth and depth[key] > 0:
            order = 1000 - depth[key]
        else:
            order = 1000
        waves.setdefault(order, []).append(upload)
    for order in sorted(waves):
        yield waves[order]


def _common_prefix(first: str, last: str) -> str:
    """What the first and the last of a sorted list begin with; then all between them do."""
    length = 0
    for a, b in zip(first, last, strict=False):
        if a != b:
            break
        length += 1
    return first[:length]


class _Connection:
    """The target's account and bucket, and a count of what was asked of them."""

    def __init__(self, target: PublishTarget) -> None:
        self.target = target
        self.requests: Counter[str] = Counter()
        self._counting = threading.Lock()
        with refusals(target, "connecting"):
            self._session = target_session(target)
            self.verify = ca_bundle(self._session)
        self.s3, self.sts = self.client("s3"), self.client("sts")
        self.stored = Stored(self.s3, target, IN_FLIGHT)

    def client(self, service: str) -> Any:
        """A client of the target's account, whose requests are counted."""
        with refusals(self.target, "connecting"):
            client = self._session.client(service, config=client_config(IN_FLIGHT + 4))
        client.meta.events.register(f"before-send.{service}", self._count)
        return client

    def _count(self, event_name: str = "", **_: Any) -> None:
        with self._counting:
            self.requests[event_name.rpartition(".")[2]] += 1

    def check_account(self) -> None:
        """Refuse before anything is sent when the credentials belong to another account."""
        with refusals(self.target, "asking whose credentials these are"):
            identity = self.sts.get_caller_identity()
        if identity["Account"] != self.target.account:
            raise PublishError(
                f"the credentials belong to account {identity['Account']} ({identity['Arn']}), "
                f"the stack to {self.target.account}: nothing was published",
                where=str(self.target),
                remedy="use the profile or role of the stack's account, or correct `account` in the stack file",
            )

    def there(self, wanted: Mapping[str, Any]) -> dict[str, There]:
        """Those of the `wanted` keys that are in the bucket, and stay there: they are announced where they have to be
        (`amplify_delivery.publishing.announcing`). All of them: what leads to them may not be there yet."""
        found = self._listed(wanted)
        return self._listed(wanted) if announce(self.s3, self.target, wanted, found) else found

    def _listed(self, wanted: Mapping[str, Any]) -> dict[str, There]:
        """Those of the `wanted` keys that are in the bucket now; one request per 1,000 keys there."""
        found: dict[str, There] = {}
        if not wanted:
            return found
        last = max(wanted)
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.target.bucket,
            Prefix=_common_prefix(min(wanted), last),
            ExpectedBucketOwner=self.target.account,
        )
        with refusals(self.target, "listing what is published already"):
            for page in pages:
                self._check_region(page)
                for entry in page.get("Contents", ()):
                    if entry["Key"] in wanted:
                        found[entry["Key"]] = There(entry["Size"], entry["LastModified"])
                if page.get("Contents") and page["Contents"][-1]["Key"] >= last:
                    break
        return found

    def _check_region(self, page: Mapping[str, Any]) -> None:
        """botocore follows S3's redirect to another region without a word; Lambda and AppSync would not."""
        headers = page.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = headers.get("x-amz-bucket-region", self.target.region)
        if region != self.target.region:
            raise PublishError(
                f"the bucket lies in {region}: nothing was published",
                where=str(self.target),
                remedy="check the region in the stack file",
            )

    def put(self, item: AssemblyObject, body: bytes) -> bool:
        """Upload one object; S3 compares the bytes with the digest that the assembly recorded, keeps it, and refuses to
        overwrite. False if somebody else has put the object there meanwhile.

        One request whatever the size (S3 takes 5 GB): of what goes up in parts, S3 keeps no checksum of the whole.
        """
        with refusals(self.target, f"uploading {item.key} ({item.size} bytes)"):
            return conditionally(lambda: self._put(item, body)) is not None

    def _put(self, item: AssemblyObject, body: bytes) -> Any:
        return self.s3.put_object(
            Bucket=self.target.bucket,
            Key=item.key,
            Body=body,
            ContentType=item.content_type,
            ChecksumSHA256=base64.b64encode(bytes.fromhex(item.sha256)).decode(),
            IfNoneMatch="*",
            ExpectedBucketOwner=self.target.account,
        )


class _Coordinator:
    """Owns what happens to all uploads: how many are done and sent, who failed first, when to stop."""

    def __init__(self, connection: _Connection, total: int, progress: Callable[[str], None]) -> None:
        self.connection = connection
        self.total = total
        self.done = 0
        self.sent = 0
        self.bytes = 0
        self._progress = progress
        self._status = threading.Lock()
        self._one_large = threading.Lock()
        self._stopped = threading.Event()
        self._failure: BaseException | None = None

    def run(self, uploads: Iterable[_Upload]) -> None:
        """Upload all; returns when every task has ended. Raises what the first failed task raised."""
        queue = list(uploads)
        pending = iter(queue)
        workers = min(IN_FLIGHT, len(queue))
        with ThreadPoolExecutor(workers, thread_name_prefix="publish") as pool:
            try:
                tasks = [pool.submit(self._work, pending) for _ in range(workers)]
                for task in tasks:
                    task.result()
            except BaseException:
                # Ctrl-C while waiting: no task starts another upload, those in flight end, then it is raised.
                self._stopped.set()
                raise
        if self._failure is not None:
            raise self._failure

    def _work(self, pending: Iterator[_Upload]) -> None:
        while not self._stopped.is_set():
            with self._status:
                upload = next(pending, None)
            if upload is None:
                return
            try:
                self._upload(upload)
            except BaseException as failure:
                with self._status:
                    self._failure = self._failure or failure
                self._stopped.set()
                if not isinstance(failure, Exception):
                    raise
                return

    def _upload(self, upload: _Upload) -> None:
        if upload.item.size > LARGE:
            with self._one_large:
                self._send(upload)
        else:
            self._send(upload)

    def _send(self, upload: _Upload) -> None:
        body = upload.read()
        if self._stopped.is_set():
            return
        self._check(upload.item, body)
        sent = self.connection.put(upload.item, body)
        if not sent:
            self.connection.stored.check([(upload.item, None)])
        with self._status:
            self.done += 1
            if sent:
                self.sent += 1
                self.bytes += len(body)
            if self.done == self.total or self.done % 50 == 0:
                self._progress(f"published {self.done} of {self.total} objects")

    def _check(self, item: AssemblyObject, body: bytes) -> None:
        """Raise `PublishError` for a zip that is not what its key says: it would stay under that key."""
        why = other_entries(item, body) if item.kind == "zip" else None
        if why:
            raise PublishError(
                f"{why} than the assembly says", where=item.key, remedy="assemble the export again, and repeat"
            )
