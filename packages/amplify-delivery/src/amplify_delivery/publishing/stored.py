"""Whether what lies under a content key is what the key says: by the checksum that S3 keeps of it, else by reading it.

A key is the digest of an object's bytes, a zip's that of its entries: two exports give the same sources different
bytes, and the first one's stay. Objects that were not put there by this project's publishing, or in parts, have no
SHA-256 of the whole ("Checking object integrity in Amazon S3" in the S3 user guide); they are read. To ask for a
checksum takes no other right than to read the object: `s3:GetObject`, and `kms:Decrypt` where a customer's key encrypts
it (HeadObject).
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from amplify_delivery.errors import PublishError
from amplify_delivery.export.archives import ArchiveError, entries_digest
from amplify_delivery.publishing.aws_errors import suppressing
from amplify_delivery.publishing.refusals import refusals
from amplify_delivery.publishing.target import PublishTarget

if TYPE_CHECKING:
    from amplify_delivery.export.assembly import AssemblyObject

_SHOWN = 20
"""Objects that are named in one error."""
_GONE = ("404", "NoSuchKey")


def other_entries(item: AssemblyObject, body: bytes) -> str | None:
    """`KEY: WHY` if a zip's bytes do not hold what its key says."""
    try:
        same = entries_digest(body) == item.digest
    except ArchiveError as error:
        return f"{item.key}: {error}"
    return None if same else f"{item.key}: other entries"


class Stored:
    """The objects of one bucket, asked with `s3`; so many at the same time."""

    def __init__(self, s3: Any, target: PublishTarget, in_flight: int) -> None:
        self._s3, self._target, self._in_flight = s3, target, in_flight
        self._one_at_a_time = threading.Lock()

    def check(self, items: Iterable[tuple[AssemblyObject, int | None]]) -> None:
        """Raise `PublishError` with all that are not what their keys say. With each comes its size there, in bytes, if
        it is known. Also raises `PublishError` when AWS refuses to tell."""
        with ThreadPoolExecutor(self._in_flight, thread_name_prefix="stored") as pool:
            try:
                found = sorted(why for why in pool.map(lambda item: self._wrong(*item), items) if why)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if not found:
            return
        more = f"\n  and {len(found) - _SHOWN} more" if found[_SHOWN:] else ""
        key = found[0].partition(":")[0]
        place = f"--bucket {self._target.bucket} --key {key} {self._target.options}"
        raise PublishError(
            "objects in the staging bucket are not what their keys say, somebody else has put them there:\n  "
            + "\n  ".join(found[:_SHOWN])
            + more,
            where=str(self._target),
            remedy="nothing was deployed. Find out who wrote them and when (`aws s3api list-object-versions "
            f"{place.replace('--key', '--prefix')}`, CloudTrail), and what read them since; take each away with "
            f"`aws s3api delete-object {place}`, which keeps it as an older version; then repeat the command",
        )

    def _wrong(self, item: AssemblyObject, size: int | None) -> str | None:
        """`KEY: WHY` if the object is another one than its key says."""
        if item.kind != "zip" and size not in (None, item.size):
            return f"{item.key}: {size:,} bytes instead of {item.size:,}"
        with refusals(self._target, f"looking at {item.key}"), suppressing(*_GONE):
            return self._looked_at(item)
        raise PublishError(
            f"{item.key} was deleted while it was looked at",
            where=str(self._target),
            remedy="repeat the command: it is published again",
        )

    def _looked_at(self, item: AssemblyObject) -> str | None:
        checksum = self._checksum(item)
        if checksum == base64.b64encode(bytes.fromhex(item.sha256)).decode():
            return None
        if item.kind != "zip" and checksum:
            return f"{item.key}: other bytes (SHA-256 {base64.b64decode(checksum).hex()})"
        # Zips can be large, and many: not all of them in memory at once.
        with self._one_at_a_time:
            return self._differs(item)

    def _checksum(self, item: AssemblyObject) -> str:
        """The SHA-256 of the whole object, in base64, that S3 has compared with its bytes; empty if it has none."""
        found = self._s3.head_object(**self._of(item), ChecksumMode="ENABLED")
        checksum = str(found.get("ChecksumSHA256") or "")
        # `DIGEST-PARTS` is one of the parts' checksums.
        return "" if "-" in checksum else checksum

    def _differs(self, item: AssemblyObject) -> str | None:
        body = self._s3.get_object(**self._of(item))["Body"].read()
        if hashlib.sha256(body).hexdigest() == item.sha256:
            return None
        return other_entries(item, body) if item.kind == "zip" else f"{item.key}: other bytes"

    def _of(self, item: AssemblyObject) -> dict[str, str]:
        return {"Bucket": self._target.bucket, "Key": item.key, "ExpectedBucketOwner": self._target.account}
