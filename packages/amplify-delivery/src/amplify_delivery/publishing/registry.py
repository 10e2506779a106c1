"""A registry's side of a push: the few requests of the OCI Distribution Specification (1.1) that bring an image there.

Docker, skopeo and crane speak the same protocol; none of them is in CodeBuild's images without privileged mode, and a
program downloaded into the very builds that may write into production would be one more thing to trust. Every blob is
sent under its digest, which the registry compares with the bytes, so that nothing has to be believed of the way.

A blob that is there is not sent again. One whose upload was cut off begins anew: of an upload that is not ended, no
registry keeps anything that could be pulled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from amplify_delivery.errors import PublishError
from amplify_delivery.export.images.layout import Blob, Manifest, blob_path
from amplify_delivery.publishing.aws_errors import suppressing_all

TRIES = 4
"""How often a request, or the upload of a blob, is made in all."""
_TIMEOUT = 120
_PASSING = (429, 500, 502, 503, 504)
"""Answers after which the same is asked again."""


class TagTakenError(PublishError):
    """The tag means an image already, and the repository's tags are immutable."""


class _CutError(Exception):
    """An upload that the registry knows no more, or that was cut off."""


@dataclass
class Registry:
    """A repository of a registry. `endpoint` is the registry's address, as in `https://HOST`; `authorization` the value
    of the header, or empty. Every method raises `PublishError`."""

    endpoint: str
    repository: str
    authorization: str = field(default="", repr=False)
    verify: str | bool = True
    """The file with the certificates that the registry's is compared with; `True`: the usual ones."""
    pause: Callable[[float], None] = time.sleep
    sent: int = 0
    """Bytes of blobs that were sent."""

    def __post_init__(self) -> None:
        self._session = URLLib3Session(self.verify, timeout=_TIMEOUT, proxies=get_environ_proxies(self.endpoint))

    def push(self, layout: Path, manifest: Manifest, tag: str) -> None:
        """Push an image: what is missing of its blobs, and, when all are there, the manifest under `tag`."""
        for blob in {b.digest: b for b in manifest.blobs}.values():
            if not self.has(blob):
                self._upload(layout, blob)
        self._put(manifest, tag)

    def has(self, blob: Blob) -> bool:
        """Whether the repository has a blob."""
        answer = self._request("HEAD", f"blobs/{blob.digest}", what=f"looking for {blob.digest}")
        # Some registries answer with where it lies.
        if answer.status_code in (200, 307):
            return True
        if answer.status_code != 404:
            raise self._refused(answer, f"looking for {blob.digest}")
        return False

    def _upload(self, layout: Path, blob: Blob) -> None:
        what = f"uploading {blob.digest} ({blob.size:,} bytes)"
        for tried in range(1, TRIES + 1):
            try:
                self._upload_once(layout, blob, what)
            except _CutError as error:
                if tried == TRIES:
                    raise PublishError(
                        f"{what} was cut off {TRIES} times: {error}",
                        where=self._where,
                        remedy="repeat the command: what is uploaded stays, and nothing was deployed",
                    ) from None
                self.pause(0.5 * 2**tried)
            else:
                self.sent += blob.size
                return

    def _upload_once(self, layout: Path, blob: Blob, what: str) -> None:
        begun = self._request("POST", "blobs/uploads/", {"Content-Length": "0"}, what=what)
        if begun.status_code != 202:
            raise self._refused(begun, what)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        with blob_path(layout, blob.digest).open("rb") as file:
            answer = self._once("PATCH", self._location(begun), headers, file)
        # The specification says 202; there are registries that say one of the others.
        if answer.status_code not in (201, 202, 204):
            raise self._cut_or_refused(answer, what)
        location = self._location(answer)
        end = f"{location}{'&' if '?' in location else '?'}digest={blob.digest}"
        answer = self._once("PUT", end, {"Content-Length": "0"}, b"")
        if answer.status_code != 201:
            raise self._cut_or_refused(answer, what)

    def _put(self, manifest: Manifest, tag: str) -> None:
        what = f"putting the image {manifest.digest} as {tag}"
        answer = self._request("PUT", f"manifests/{tag}", {"Content-Type": manifest.media_type}, manifest.body, what)
        if answer.status_code != 201:
            raise self._refused(answer, what)
        kept = answer.headers.get("Docker-Content-Digest", manifest.digest)
        if kept != manifest.digest:
            raise PublishError(
                f"the registry keeps {tag} as {kept}, and not as {manifest.digest}: it is another image",
                where=self._where,
                remedy="nothing was deployed; ask who answers at that address",
            )

    def _request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"", what: str = ""
    ) -> Any:
        """A request that may be repeated."""
        url = f"{self.endpoint}/v2/{self.repository}/{path}"
        for tried in range(1, TRIES + 1):
            try:
                answer = self._once(method, url, headers or {}, body)
            except _CutError as error:
                if tried == TRIES:
                    raise PublishError(
                        f"{what}: {error}",
                        where=self._where,
                        remedy="check the way to the registry, and repeat the command",
                    ) from None
            else:
                if answer.status_code not in _PASSING or tried == TRIES:
                    return answer
            self.pause(0.5 * 2**tried)
        raise AssertionError

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Any:
        own = {**headers}
        # What it proves is meant for the registry, wherever an answer may point.
        if self.authorization and urlsplit(url)[:2] == urlsplit(self.endpoint)[:2]:
            own["Authorization"] = self.authorization
        request = AWSRequest(method, url, own, body).prepare()
        with suppressing_all() as refusal:
            return self._session.send(request)
        raise _CutError(refusal.said)

    def _location(self, answer: Any) -> str:
        """Where an upload goes on; a registry may say it without its own address."""
        told = str(answer.headers.get("Location", ""))
        return urljoin(f"{self.endpoint}/v2/{self.repository}/blobs/uploads/", told)

    def _cut_or_refused(self, answer: Any, what: str) -> Exception:
        if answer.status_code in (404, 416, *_PASSING):
            return _CutError(f"HTTP {answer.status_code}{_told(answer)}")
        return self._refused(answer, what)

    def _refused(self, answer: Any, what: str) -> PublishError:
        told, status = _told(answer), answer.status_code
        if status == 400 and "immutable" in told:
            return TagTakenError(f"{what}: HTTP 400{told}", where=self._where)
        remedy = {
            401: "the authorization has expired or belongs to another account: repeat the command",
            403: "the credentials need ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, ecr:UploadLayerPart, "
            "ecr:CompleteLayerUpload and ecr:PutImage on the repository: what an account lacks, "
            "`amplify-delivery bootstrap ENV` makes",
            404: "there is no such repository: in an account that a pipeline delivers to, `amplify-delivery bootstrap "
            "ENV` makes it; a personal stack makes it with `amplify-delivery up ENV`",
        }.get(status, "see the message; what is uploaded stays, so the command can be repeated")
        return PublishError(f"{what}: HTTP {status}{told}", where=self._where, remedy=remedy)

    @property
    def _where(self) -> str:
        return f"{urlsplit(self.endpoint).netloc}/{self.repository}"


def _told(answer: Any) -> str:
    """What a registry says of an error ("Error Codes" in the specification), in one line."""
    text = answer.content.decode("utf-8", "replace").strip()
    return f": {' '.join(text.split())[:400]}" if text else ""
