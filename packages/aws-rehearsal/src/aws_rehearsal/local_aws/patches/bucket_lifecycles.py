"""A bucket of a stack whose lifecycle has days that do not go together is refused.

MiniStack keeps any.
AWS: S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle": which class follows which ("Supported
transitions"), 30 days before STANDARD_IA and ONEZONE_IA and in them, 90 in GLACIER_IR; API Reference, "LifecycleRule".
The sentences are what users report (of the expiration and of the 30 days), and what others have compared with S3
(noobaa-core 9969 of the order, Arsenal 604 of a class that is named twice); that of classes of which none leads to the
other ("Unsupported lifecycle transitions") is ours. S3 asks the same of a configuration that
is put by its API, which stays unasked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from ._resources import Properties, before_create_or_update

_ORDER = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
_STAYS = {"STANDARD_IA": 30, "ONEZONE_IA": 30, "GLACIER_IR": 90}
_APART = {"ONEZONE_IA", "GLACIER_IR"}
_LEAST = 30


def apply() -> None:
    """Look at the rules before a bucket is made or changed."""
    before_create_or_update({"AWS::S3::Bucket"}, _bucket)


_ACTIONS = {
    *("AbortIncompleteMultipartUpload", "ExpirationDate", "ExpirationInDays", "ExpiredObjectDeleteMarker"),
    *("NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays", "NoncurrentVersionTransition"),
    *("NoncurrentVersionTransitions", "Transition", "Transitions"),
}


def _bucket(new: Properties, _: Properties | None) -> Properties:
    for rule in (new.get("LifecycleConfiguration") or {}).get("Rules") or []:
        if not _ACTIONS & rule.keys():
            raise ValueError("At least one action needs to be specified in a rule")
        noncurrent = (rule.get("NoncurrentVersionExpiration") or {}).get("NoncurrentDays")
        for sentence in (
            *_wrong(rule, "Transition", "Days", "Expiration", rule.get("ExpirationInDays")),
            *_wrong(
                rule,
                "NoncurrentVersionTransition",
                "NoncurrentDays",
                "NoncurrentVersionExpiration",
                noncurrent or rule.get("NoncurrentVersionExpirationInDays"),
            ),
        ):
            raise ValueError(f"{sentence} (Service: Amazon S3; Status Code: 400; Error Code: InvalidArgument)")
    return new


def _wrong(rule: Mapping[str, Any], action: str, days: str, expiration: str, expires: Any) -> Iterator[str]:
    """S3's sentences about one kind of transition."""
    filtered = f"for filter '(prefix={rule.get('Prefix') or ''})'"
    listed = [*(rule.get(f"{action}s") or ()), *([rule[action]] if rule.get(action) else ())]
    moves = [(str(t.get("StorageClass")), int(t["TransitionInDays"])) for t in listed if "TransitionInDays" in t]
    for storage, after in moves:
        if storage in ("STANDARD_IA", "ONEZONE_IA") and after < _LEAST:
            yield f"'{days}' in {action} action must be greater than or equal to {_LEAST} for storageClass '{storage}'"
        if expires is not None and int(expires) <= after:
            yield f"'{days}' in the {expiration} action {filtered} must be greater than '{days}' in the {action} action"
    for one, other in combinations(moves, 2):
        (early, after), (late, later) = sorted((one, other), key=_rank)
        if early == late:
            yield f"'StorageClass' must be different for '{action}' actions in same 'Rule' {filtered}"
        elif {early, late} == _APART:
            yield f"'StorageClass' of '{action}' actions in same 'Rule' {filtered} must not be '{early}' and '{late}'"
        elif later < after + max(_STAYS.get(early, 0), 1):
            more = f"{_STAYS[early]} days more" if early in _STAYS else "greater"
            yield (
                f"'{days}' in the {action} action for StorageClass '{late}' {filtered} must be {more} than '{days}' in "
                f"the {action} action for StorageClass '{early}' {filtered}"
            )


def _rank(move: tuple[str, int]) -> int:
    return _ORDER.index(move[0]) if move[0] in _ORDER else len(_ORDER)


def probe(aws: Any) -> bool:
    """A bucket whose objects are deleted before they move fails its stack; one whose objects move in time is made."""

    def made(*transitions: tuple[str, int]) -> Any:
        moves = [{"StorageClass": storage, "TransitionInDays": days} for storage, days in transitions]
        rules = [{"Status": "Enabled", "Transitions": moves, "ExpirationInDays": 100}]
        bucket = {"Type": "AWS::S3::Bucket", "Properties": {"LifecycleConfiguration": {"Rules": rules}}}
        return aws.stack({"Bucket": bucket})

    return (
        made(("GLACIER", 100)) == "ROLLBACK_COMPLETE"
        and made(("ONEZONE_IA", 30), ("GLACIER_IR", 60)) == "ROLLBACK_COMPLETE"
        and made(("STANDARD_IA", 30), ("GLACIER", 60)) == "CREATE_COMPLETE"
    )
