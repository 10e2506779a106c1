"""Announcing what is there already and is counted on, so that nobody collects it meanwhile.

Whoever publishes leaves out what is there; whoever collects garbage (`gc`) may delete that a moment later. Both write
and look in an order that lets neither miss the other: a publication announces, then looks what is there; a collection
deletes, then looks what was announced since it began, and brings that back. What is younger than a day is not collected
at all: an announcement counts for that long, and so does an object that is new.

Each announcement is an object of its own: one that is renewed could be deleted as the old one that it was.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from amplify_delivery.export.manifests import announcement
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing
from amplify_delivery.publishing.refusals import refusals
from amplify_delivery.publishing.target import PublishTarget

OLD = timedelta(hours=12)
"""What is older may be collected before it is deployed, as an object or as an announcement. Half of what `gc` leaves
alone: the other half is for what comes after."""


@dataclass(frozen=True)
class There:
    """An object that is in the bucket: its size in bytes, and since when."""

    size: int
    since: datetime


def announce(s3: Any, target: PublishTarget, names: Iterable[str], there: Mapping[str, There]) -> bool:
    """Announce that the keys `names` are counted on, if any of what is `there` is old and nobody has
    announced the same lately. Whether it was done: what is there has to be looked at once more then.

    Who may not write is no publisher: the deployment of a bootstrapped environment, which holds the lease that a
    collection needs. Raises `PublishError` for what else AWS refuses.
    """
    since = datetime.now(UTC) - OLD
    if all(found.since > since for found in there.values()):
        return False
    folder, body = announcement(names)
    owner = {"Bucket": target.bucket, "ExpectedBucketOwner": target.account}
    with refusals(target, "announcing what is published already"):
        earlier = s3.list_objects_v2(Prefix=folder, **owner).get("Contents", ())
        if any(found["LastModified"] > since for found in earlier):
            return False
        with suppressing(*ACCESS_DENIED) as refusal:
            s3.put_object(Key=f"{folder}{secrets.token_hex(8)}.json", Body=body, **owner)
    return not refusal
